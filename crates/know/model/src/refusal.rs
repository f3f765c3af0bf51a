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
    /// The recipient the refusal is about.
    pub recipient: Option<Cow<'a, str>>,
    /// When it was said.
    pub time: Option<Timestamp>,
}
