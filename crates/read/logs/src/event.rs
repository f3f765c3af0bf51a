//! What a log line or an event says: a refusal, a delivery, a submission, or nothing that can be read.
//!
//! Values that borrow from the line and from the reader's memory; who keeps them copies what he needs.

use std::borrow::Cow;
use std::net::IpAddr;

use redeliver_model::{Party, Refusal, Timestamp};

/// Where in the source something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The line, counted from 1; for records of several lines the first one.
    pub line: u64,
    /// Bytes from the start of the (unpacked) source to the start of the record.
    pub byte: u64,
}

/// What became of the message at that moment, as far as the line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Given up; the sender is told.
    Bounced,
    /// Still being tried.
    Deferred,
    /// Given up after the last try: the reply is the one that had deferred it.
    Expired,
    /// Refused by our own server to somebody else.
    RejectedByUs,
    /// Not even tried: the address stands on a suppression list.
    Suppressed,
}

impl Outcome {
    /// The word as output writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Deferred => "deferred",
            Self::Expired => "expired",
            Self::RejectedByUs => "rejected-by-us",
            Self::Suppressed => "suppressed",
        }
    }

    /// Whether nobody tries any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Deferred)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who handed a message to our server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin<'a> {
    /// The log-in (SASL user name).
    pub login: Option<Cow<'a, str>>,
    /// The number of the local user.
    pub uid: Option<u32>,
    /// The name of the local user.
    pub user: Option<Cow<'a, str>>,
    /// The script that called `sendmail`, as PHP's `X-PHP-Originating-Script` names it.
    pub script: Option<Cow<'a, str>>,
    /// The working directory of the caller of `sendmail`.
    pub directory: Option<Cow<'a, str>>,
    /// The name of the host it came from.
    pub host: Option<Cow<'a, str>>,
    /// The address it came from.
    pub ip: Option<IpAddr>,
}

/// A "no" or "not yet".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused<'a> {
    /// Where it stands.
    pub place: Place,
    /// What became of the message.
    pub outcome: Outcome,
    /// The reply exactly as the log has it, before its lines were told apart: the same words, the same cause, so a key for whoever
    /// remembers verdicts.
    pub text: Cow<'a, str>,
    /// Who said what to whom, and when.
    pub refusal: Refusal<'a>,
    /// Who had handed the message in.
    pub origin: Origin<'a>,
}

/// A recipient's server took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered<'a> {
    /// Where it stands.
    pub place: Place,
    /// The address.
    pub recipient: Cow<'a, str>,
    /// The envelope sender.
    pub sender: Option<Cow<'a, str>>,
    /// The host that took it; nothing for a local delivery.
    pub to: Party<'a>,
    /// The id in our queue.
    pub queue_id: Option<Cow<'a, str>>,
    /// When.
    pub time: Option<Timestamp>,
}

/// A message was handed to our server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted<'a> {
    /// Where it stands.
    pub place: Place,
    /// By whom.
    pub origin: Origin<'a>,
    /// The envelope sender; empty for a notification.
    pub sender: Option<Cow<'a, str>>,
    /// For how many recipients, where the line tells.
    pub recipients: Option<u32>,
    /// The id in our queue.
    pub queue_id: Option<Cow<'a, str>>,
    /// When.
    pub time: Option<Timestamp>,
}

/// A record that should say something, and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable<'a> {
    /// Where it stands.
    pub place: Place,
    /// Its beginning, at most [`Unreadable::SHOWN`] bytes, with what is no UTF-8 replaced.
    pub line: Cow<'a, str>,
    /// What is wrong with it.
    pub why: Fault,
}

impl Unreadable<'_> {
    /// How much of an unreadable record is shown: enough to know it by.
    pub const SHOWN: usize = 200;
}

/// Why a record could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It is longer than any record should be; its rest was passed over.
    TooLong,
    /// It is cut off in the middle.
    Incomplete,
    /// It is no JSON, or too deep.
    NotJson,
    /// A table without the head line that names its columns, or a row that does not fit it.
    NotTheTable,
    /// It has the shape of a refusal, but a part that must be there is missing.
    MissingField,
    /// It tells more than one record may; the rest of it was passed over.
    TooComplex,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::TooLong => "the record is too long",
            Self::Incomplete => "the record is cut off",
            Self::NotJson => "this is no JSON",
            Self::NotTheTable => "the row does not fit the head of the table",
            Self::MissingField => "a part of the record is missing",
            Self::TooComplex => {
                "it names more recipients, with longer texts, than are told: the rest of it was passed over"
            }
        })
    }
}

/// One thing that a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "events are handed over by reference to their parts and never stored")]
pub enum Event<'a> {
    /// Somebody said no, or not yet.
    Refused(Refused<'a>),
    /// Somebody took it.
    Delivered(Delivered<'a>),
    /// Somebody handed it in.
    Submitted(Submitted<'a>),
    /// Something could not be read.
    Unreadable(Unreadable<'a>),
}

impl Event<'_> {
    /// Where it stands.
    pub fn place(&self) -> Place {
        match self {
            Self::Refused(refused) => refused.place,
            Self::Delivered(delivered) => delivered.place,
            Self::Submitted(submitted) => submitted.place,
            Self::Unreadable(unreadable) => unreadable.place,
        }
    }
}
