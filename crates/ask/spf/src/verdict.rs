//! Results of SPF (RFC 7208 2.6), why there is an error, and the limits (4.6.4). Values only.

use redeliver_net::dns::{CouldNotAsk, Question};
use redeliver_records::{Fault, Span};
use serde::Serialize;

/// A result of SPF; `Display` gives the word of RFC 7208 and RFC 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpfResult {
    /// There is no record, or no domain to look for one.
    None,
    /// The domain says nothing about the client.
    Neutral,
    /// The client may send.
    Pass,
    /// The client may not send.
    Fail,
    /// The client probably may not send.
    SoftFail,
    /// DNS did not answer; a later try may.
    TempError,
    /// The record cannot be evaluated as it stands.
    PermError,
}

impl SpfResult {
    /// The word in reports and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl std::fmt::Display for SpfResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<redeliver_records::Qualifier> for SpfResult {
    fn from(qualifier: redeliver_records::Qualifier) -> Self {
        use redeliver_records::Qualifier;
        match qualifier {
            Qualifier::Pass => Self::Pass,
            Qualifier::Fail => Self::Fail,
            Qualifier::SoftFail => Self::SoftFail,
            Qualifier::Neutral => Self::Neutral,
        }
    }
}

/// The limits of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Limits {
    /// Terms that ask the DNS.
    pub lookups: u32,
    /// Terms whose question finds nothing.
    pub voids: u32,
    /// Mail servers of one `mx`, and reverse names of one `ptr`.
    pub names: usize,
}

/// RFC 7208 4.6.4.
pub const RFC_LIMITS: Limits = Limits { lookups: 10, voids: 2, names: 10 };

impl Default for Limits {
    fn default() -> Self {
        RFC_LIMITS
    }
}

/// Why there is no record to evaluate, or why evaluating it ended in an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// The name can have no record: one label, an empty or too long label, an address.
    NotADomain,
    /// The domain has no SPF record.
    NoRecord,
    /// The domain has several (RFC 7208 4.5).
    SeveralRecords(usize),
    /// The record has a syntax error (4.6).
    Broken(Fault),
    /// More terms that ask the DNS than are allowed.
    TooManyLookups(u32),
    /// More terms that find nothing than are allowed.
    TooManyVoids(u32),
    /// More mail servers than are allowed.
    TooManyMailServers(usize),
    /// `include` names a domain that has no record (5.2).
    IncludeWithoutRecord(String),
    /// `redirect` names a domain that has no record (6.1).
    RedirectWithoutRecord(String),
    /// The included record cannot be evaluated; its own visit says why.
    Included(SpfResult),
    /// DNS did not answer.
    CouldNotAsk(Question, CouldNotAsk),
}

impl Problem {
    /// The result it leads to.
    pub const fn result(&self) -> SpfResult {
        match self {
            Self::NotADomain | Self::NoRecord => SpfResult::None,
            Self::CouldNotAsk(..) => SpfResult::TempError,
            Self::Included(result) => *result,
            _ => SpfResult::PermError,
        }
    }

    /// Where in the record it is, if it is a matter of syntax.
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::Broken(fault) => Some(fault.span),
            _ => None,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotADomain => f.write_str("the name is no domain that could have a record"),
            Self::NoRecord => f.write_str("the domain has no SPF record"),
            Self::SeveralRecords(count) => write!(f, "the domain has {count} SPF records, it may have one"),
            Self::Broken(fault) => f.write_str(fault.text.trim_end_matches('.')),
            Self::TooManyLookups(most) => write!(f, "it needs more than {most} look-ups"),
            Self::TooManyVoids(most) => write!(f, "more than {most} of its look-ups find nothing"),
            Self::TooManyMailServers(most) => write!(f, "`mx` names more than {most} mail servers"),
            Self::IncludeWithoutRecord(domain) => write!(f, "the included domain {domain} has no SPF record"),
            Self::RedirectWithoutRecord(domain) => write!(f, "redirect leads to {domain}, which has no SPF record"),
            Self::Included(result) => write!(f, "the included record gives {result}"),
            Self::CouldNotAsk(question, could_not_ask) => write!(f, "{question}: {could_not_ask}"),
        }
    }
}
