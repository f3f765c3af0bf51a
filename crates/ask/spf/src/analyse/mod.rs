//! What a policy costs and where it breaks, counted on past the limits: the tree of includes and redirects, with a price for
//! each, and notes on what is wrong. It gathers first (`walk`) and judges after (`notes`, `strangers`); it never changes anything.

mod notes;
mod strangers;
#[cfg(test)]
mod tests;
mod walk;

use redeliver_net::dns::Dns;
use redeliver_records::{Fault, Parsed, Span, SpfRecord, TermKind};
use serde::Serialize;

use crate::trace::LookUp;
use crate::verdict::Problem;

pub use strangers::{Family, Place, Stranger};

/// What evaluating costs a client that nothing matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Terms that ask the DNS (RFC 7208 4.6.4: at most 10).
    pub lookups: u32,
    /// Terms that find nothing for an IPv4 client (at most 2).
    pub voids_ip4: u32,
    /// Terms that find nothing for an IPv6 client (at most 2).
    pub voids_ip6: u32,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.lookups += other.lookups;
        self.voids_ip4 += other.voids_ip4;
        self.voids_ip6 += other.voids_ip6;
    }
}

/// A domain's policy, analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Analysis {
    /// The domain.
    pub domain: String,
    /// Its record, and all that it leads to.
    pub policy: Policy,
    /// What is to be said about it, gravest first.
    pub notes: Vec<Note>,
    /// What a client with an IPv4 address gets that no mechanism matches.
    pub stranger_ip4: Stranger,
    /// The same for IPv6.
    pub stranger_ip6: Stranger,
    /// Whether everything was looked at; a policy that goes on and on is cut off.
    pub complete: bool,
}

/// One record of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Whose record.
    pub domain: String,
    /// The question for it; none if the domain can have no record.
    pub look_up: Option<LookUp>,
    /// The question for the withdrawn type 99, asked at the top only.
    pub type99: Option<LookUp>,
    /// The record with its strings joined; every byte outside ASCII is shown as `?`.
    pub record: Option<String>,
    /// What is wrong with it by itself.
    pub faults: Vec<Fault>,
    /// Why there is nothing to evaluate.
    pub problem: Option<Problem>,
    /// Its terms.
    pub terms: Vec<TermCost>,
    /// What all of it costs, with everything it leads to.
    pub cost: Cost,
    /// Octets of the record.
    pub octets: usize,
    /// Octets of the whole answer to its TXT question, without EDNS.
    pub answer_octets: usize,
    /// The record as read.
    #[serde(skip)]
    pub parsed: SpfRecord,
}

/// A term and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermCost {
    /// As written.
    pub term: String,
    /// Where it stands.
    pub span: Span,
    /// The name it leads to; none if it has none, or if it depends on the mail.
    pub target: Option<String>,
    /// The questions behind it.
    pub look_ups: Vec<LookUp>,
    /// The price, with all below it.
    pub cost: Cost,
    /// The record it leads to.
    pub policy: Option<Box<Policy>>,
    /// It leads back to a record above it.
    pub loops: bool,
    /// It is never looked at, since an `all` stands before it or beside it.
    pub unreachable: bool,
    /// The term as read.
    #[serde(skip)]
    pub kind: TermKind,
}

/// How grave a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// Receivers answer with `permerror`, at least for some clients.
    PermError,
    /// It could not be asked; nothing is known.
    CouldNotAsk,
    /// The policy protects less than it seems, or says less than is meant.
    Weakens,
    /// Nobody is refused for it.
    Untidy,
}

/// Something to be said about a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// A stable name in kebab-case.
    pub id: &'static str,
    /// How grave it is.
    pub harm: Harm,
    /// In whose record.
    pub domain: String,
    /// Where in it.
    pub span: Option<Span>,
    /// One plain sentence. It may quote the record: escape it where it is shown.
    pub text: String,
}

/// Analyses the policy of a domain.
///
/// All questions of one record are asked at once; a question is asked once, however often the policy leads to it.
pub async fn analyse(dns: &dyn Dns, domain: &str) -> Analysis {
    let (policy, complete) = walk::walk(dns, domain).await;
    let mut notes = notes::notes(&policy);
    notes.sort_by_key(|note| note.harm);
    let stranger_ip4 = strangers::stranger(&policy, Family::Ip4);
    let stranger_ip6 = strangers::stranger(&policy, Family::Ip6);
    Analysis { domain: policy.domain.clone(), policy, notes, stranger_ip4, stranger_ip6, complete }
}

impl Analysis {
    /// What a client of that kind gets that no mechanism matches.
    pub const fn stranger(&self, family: Family) -> &Stranger {
        match family {
            Family::Ip4 => &self.stranger_ip4,
            Family::Ip6 => &self.stranger_ip6,
        }
    }

    /// Whether the note of that name was made.
    pub fn has(&self, id: &str) -> bool {
        self.notes.iter().any(|note| note.id == id)
    }
}

impl Policy {
    fn of(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            look_up: None,
            type99: None,
            record: None,
            faults: Vec::new(),
            problem: None,
            terms: Vec::new(),
            cost: Cost::default(),
            octets: 0,
            answer_octets: 0,
            parsed: SpfRecord::default(),
        }
    }

    fn read(&mut self, text: String, read: Parsed<SpfRecord>) {
        self.octets = text.len();
        self.record = Some(text);
        self.problem = read.first_break().cloned().map(Problem::Broken);
        self.faults = read.faults;
        self.parsed = read.record;
    }
}
