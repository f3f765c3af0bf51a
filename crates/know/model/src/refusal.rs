//! One "no" (or "not yet"): who said it to whom, about what, when.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::{Reply, Side, Stage, Timestamp};

/// A host that plays a part, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party<'a> {
    /// Its name, as given.
    pub host: Option<Cow<'a, str>>,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// What it said in HELO or EHLO.
    pub helo: Option<Cow<'a, str>>,
    /// On which side it is.
    pub side: Option<Side>,
}

impl Party<'_> {
    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        self.host.is_none() && self.ip.is_none() && self.helo.is_none()
    }
}

/// The message was sent on by somebody, and refused behind him.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forwarding<'a> {
    /// The server that sent it on.
    pub by: Option<Cow<'a, str>>,
    /// The address that it came to there.
    pub from: Option<Cow<'a, str>>,
    /// The address that it was sent on to.
    pub to: Option<Cow<'a, str>>,
    /// What shows it, in words.
    pub shown_by: Cow<'a, str>,
}

/// One "no" or "not yet", as it was read. Judging it is the engine's work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal<'a> {
    /// What was said.
    pub reply: Reply<'a>,
    /// At which step of the dialogue.
    pub stage: Option<Stage>,
    /// Who told us.
    pub reported_by: Party<'a>,
    /// Who said no.
    pub refused_by: Party<'a>,
    /// To whom: the host that was refused, ours or a forwarder's.
    pub client: Party<'a>,
    /// The envelope sender (MAIL FROM).
    pub sender: Option<Cow<'a, str>>,
    /// The recipient the refusal is about: the address that was refused last.
    pub recipient: Option<Cow<'a, str>>,
    /// The address that was written to, where somebody sent it on to another one.
    pub original_recipient: Option<Cow<'a, str>>,
    /// What else the same report says about the same recipient: the words of the notification, a printed session.
    pub further: Vec<Reply<'a>>,
    /// Whether the reporting server has given up, whatever the code says (RFC 3464 2.3.3 `failed`).
    pub given_up: bool,
    /// The id in the reporting server's queue.
    pub queue_id: Option<Cow<'a, str>>,
    /// Who sent the message on before it was refused.
    pub forwarded: Option<Forwarding<'a>>,
    /// When it was said.
    pub time: Option<Timestamp>,
}
