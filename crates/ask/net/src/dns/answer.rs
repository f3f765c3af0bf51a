//! The answer to a question in three states: present, absent, could-not-ask.
//!
//! *Could-not-ask* is never read as absent and never as a fault of whoever was asked about: it says why, whom we asked and
//! with which code he said no.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::name::{Name, NameError};
use super::record::{Data, Record, RecordType};
use super::text::Text;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    /// Whose record.
    pub name: Name,
    /// Which type of record.
    #[serde(rename = "type")]
    pub record_type: RecordType,
}

impl Question {
    /// Asks for the records of `record_type` at `name`.
    pub const fn new(name: Name, record_type: RecordType) -> Self {
        Self { name, record_type }
    }

    /// The same with the name as text.
    pub fn parse(name: &str, record_type: RecordType) -> Result<Self, NameError> {
        Name::parse(name).map(|name| Self { name, record_type })
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.record_type)
    }
}

/// What is known of an answer's DNSSEC state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dnssec {
    /// The resolver that we chose says it validated the answer (the AD bit, RFC 4035 3.2.3).
    Secure,
    /// The resolver did not set the AD bit: unsigned, or the resolver does not validate.
    Insecure,
    /// Not told: an authoritative server does not validate, a fake knows nothing.
    #[default]
    Unknown,
}

/// How a server absented a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absence {
    /// The name does not exist, nor anything below it (NXDOMAIN, RFC 8020).
    NoSuchName,
    /// The name exists, but has no record of this type (NODATA, RFC 2308 2.2).
    NoSuchType,
}

/// Where an answer came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The server that said so; none for an overlay or a fake.
    pub server: Option<SocketAddr>,
    /// The AA bit: the server speaks for the zone itself (RFC 1035 4.1.1).
    pub authoritative: bool,
    /// What is known of DNSSEC.
    pub dnssec: Dnssec,
    /// The aliases that were followed, the first is the name asked for; empty if there were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Name>,
    /// How many seconds the answer may be kept; for an absence from the SOA (RFC 2308 5).
    pub ttl: u32,
}

/// Why a question could not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody answered in time, or the run's deadline had come.
    Timeout,
    /// The server failed (SERVFAIL).
    ServerFailure,
    /// The resolver found the zone's signatures wrong: without checking it answers, with checking it fails.
    Bogus,
    /// The server does not answer us (REFUSED).
    Refused,
    /// Another code, or an answer that made no sense (FORMERR, NOTIMP, garbage).
    BadAnswer,
    /// Cut off by UDP, and TCP did not work either.
    Truncated,
    /// The server was asked directly and does not hold the zone: it points elsewhere.
    NotAuthoritative,
    /// The connection was refused, or there is no way to the address.
    Unreachable,
    /// No resolver is known.
    NoResolver,
    /// The egress guard does not allow the address; no packet was sent.
    Blocked,
    /// The subject's budget of questions is used up; no packet was sent.
    BudgetUsedUp,
    /// The recorded world does not know this question.
    NotRecorded,
}

impl Why {
    /// The word in JSON and text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::ServerFailure => "server-failure",
            Self::Bogus => "bogus",
            Self::Refused => "refused",
            Self::BadAnswer => "bad-answer",
            Self::Truncated => "truncated",
            Self::NotAuthoritative => "not-authoritative",
            Self::Unreachable => "unreachable",
            Self::NoResolver => "no-resolver",
            Self::Blocked => "blocked",
            Self::BudgetUsedUp => "budget-used-up",
            Self::NotRecorded => "not-recorded",
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A question that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CouldNotAsk {
    /// The reason.
    pub why: Why,
    /// Who was asked last, if anybody.
    pub server: Option<SocketAddr>,
    /// The response code, if there was a response (RFC 6895 2.3).
    pub code: Option<u16>,
    /// For [`Why::NotAuthoritative`]: the name servers that the server points to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referral: Vec<Name>,
}

impl CouldNotAsk {
    /// Nobody was asked.
    pub const fn new(why: Why) -> Self {
        Self { why, server: None, code: None, referral: Vec::new() }
    }

    /// This server was asked.
    pub const fn at(why: Why, server: SocketAddr) -> Self {
        Self { why, server: Some(server), code: None, referral: Vec::new() }
    }
}

impl std::fmt::Display for CouldNotAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "could not ask: {}", self.why)?;
        if let Some(code) = self.code {
            write!(f, " (code {code})")?;
        }
        self.server.map_or(Ok(()), |server| write!(f, " at {server}"))
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// There are records of the type asked for, at least one.
    Present {
        /// Only those of the type asked for.
        records: Vec<Record>,
        /// Who said so.
        origin: Origin,
    },
    /// There are none.
    Absent {
        /// No such name, or no such type.
        absence: Absence,
        /// Who said so.
        origin: Origin,
    },
    /// Nobody knows.
    CouldNotAsk(CouldNotAsk),
}

impl Answer {
    /// Nobody was asked, for this reason.
    pub const fn unasked(why: Why) -> Self {
        Self::CouldNotAsk(CouldNotAsk::new(why))
    }

    /// The records; none unless present.
    pub fn records(&self) -> &[Record] {
        match self {
            Self::Present { records, .. } => records,
            _ => &[],
        }
    }

    /// What the records say; nothing unless present.
    pub fn data(&self) -> impl Iterator<Item = &Data> {
        self.records().iter().map(|record| &record.data)
    }

    /// The addresses of A and AAAA records.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.data().filter_map(Data::address)
    }

    /// The texts of TXT and SPF records.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.data().filter_map(Data::text)
    }

    /// The names that PTR, CNAME, NS and MX records point to.
    pub fn targets(&self) -> impl Iterator<Item = &Name> {
        self.data().filter_map(Data::target)
    }

    /// Mail exchanges with their preference, best first; equal ones in the order of their names.
    pub fn exchanges(&self) -> Vec<(u16, &Name)> {
        let mut exchanges: Vec<_> = self
            .data()
            .filter_map(|data| match data {
                Data::Mx { preference, exchange } => Some((*preference, exchange)),
                _ => None,
            })
            .collect();
        exchanges.sort();
        exchanges
    }

    /// Whether there are no such records for certain.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Whether the name does not exist for certain.
    pub const fn is_no_such_name(&self) -> bool {
        matches!(self, Self::Absent { absence: Absence::NoSuchName, .. })
    }

    /// Why it could not be asked, if it could not.
    pub const fn could_not_ask(&self) -> Option<&CouldNotAsk> {
        match self {
            Self::CouldNotAsk(could_not_ask) => Some(could_not_ask),
            _ => None,
        }
    }

    /// Who said so; none if it could not be asked.
    pub const fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Present { origin, .. } | Self::Absent { origin, .. } => Some(origin),
            Self::CouldNotAsk(_) => None,
        }
    }
}
