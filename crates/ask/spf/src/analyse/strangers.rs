//! What a client gets that no mechanism matches: the policy run through in order, with the limits. Pure.

use redeliver_net::dns::RecordType;
use redeliver_records::{DualPrefix, Mechanism, Modifier, Span, TermKind};
use serde::Serialize;

use super::{Policy, TermCost};
use crate::verdict::{Problem, RFC_LIMITS, SpfResult};

/// The kind of a client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    Ip4,
    /// IPv6.
    Ip6,
}

impl Family {
    /// The kind of that address.
    pub const fn of(ip: std::net::IpAddr) -> Self {
        if ip.is_ipv4() { Self::Ip4 } else { Self::Ip6 }
    }
}

/// A term in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Whose record.
    pub domain: String,
    /// The term as written; none for the record as a whole.
    pub term: Option<String>,
    /// Where it stands in the record.
    pub span: Option<Span>,
}

impl Place {
    pub(crate) fn record(domain: &str) -> Self {
        Self { domain: domain.to_owned(), term: None, span: None }
    }

    fn term(policy: &Policy, term: &TermCost) -> Self {
        Self { domain: policy.domain.clone(), term: Some(term.term.clone()), span: Some(term.span) }
    }
}

/// The result, and what settles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stranger {
    /// The result.
    pub result: SpfResult,
    /// The term that settles it, however far down.
    pub place: Place,
    /// The term of the domain's own record that leads there, if it is another.
    pub through: Option<Place>,
    /// Why it is an error or none.
    pub problem: Option<Problem>,
}

/// Runs through the policy for a client that has no address of any list in it.
pub(super) fn stranger(policy: &Policy, family: Family) -> Stranger {
    let mut run = Run { family, lookups: 0, voids: 0 };
    match run.policy(policy) {
        Ok(settled) | Err(settled) => *settled,
    }
}

struct Run {
    family: Family,
    lookups: u32,
    voids: u32,
}

/// A result, or (as an error) what stopped the evaluation.
type Settled = Result<Box<Stranger>, Box<Stranger>>;

fn settled(result: SpfResult, place: Place) -> Box<Stranger> {
    Box::new(Stranger { result, place, through: None, problem: None })
}

fn stopped(problem: Problem, place: Place) -> Box<Stranger> {
    Box::new(Stranger { result: problem.result(), place, through: None, problem: Some(problem) })
}

/// The same, seen from the record whose term led there.
fn through(mut inner: Box<Stranger>, place: Place) -> Box<Stranger> {
    inner.through = Some(place);
    inner
}

impl Run {
    fn policy(&mut self, policy: &Policy) -> Settled {
        if let Some(problem) = &policy.problem {
            return Err(stopped(problem.clone(), broken_place(policy, problem)));
        }
        let mut redirect = None;
        for term in &policy.terms {
            match &term.kind {
                TermKind::Modifier(Modifier::Redirect(_)) if !term.unreachable => redirect = Some(term),
                TermKind::Directive(directive) => {
                    let stop = |problem| stopped(problem, Place::term(policy, term));
                    if directive.mechanism.costs_lookup() {
                        self.count().map_err(stop)?;
                    }
                    let matched = match &directive.mechanism {
                        Mechanism::Include(_) => self.include(policy, term)?,
                        mechanism => self.matches(mechanism, term).map_err(stop)?,
                    };
                    if matched {
                        return Ok(settled(directive.qualifier.into(), Place::term(policy, term)));
                    }
                }
                _ => {}
            }
        }
        match redirect {
            Some(term) => self.redirect(policy, term),
            None => Ok(settled(SpfResult::Neutral, Place::record(&policy.domain))),
        }
    }

    fn count(&mut self) -> Result<(), Problem> {
        self.lookups += 1;
        if self.lookups > RFC_LIMITS.lookups { Err(Problem::TooManyLookups(RFC_LIMITS.lookups)) } else { Ok(()) }
    }

    fn include(&mut self, policy: &Policy, term: &TermCost) -> Result<bool, Box<Stranger>> {
        let at = || Place::term(policy, term);
        let Some(inner) = &term.policy else {
            return if term.loops { Err(stopped(too_many(), at())) } else { Ok(false) };
        };
        match self.policy(inner) {
            Ok(inner) => Ok(inner.result == SpfResult::Pass),
            // RFC 7208 5.2: none in the included record is permerror outside.
            Err(stop) if stop.result == SpfResult::None => {
                Err(stopped(Problem::IncludeWithoutRecord(inner.domain.clone()), at()))
            }
            Err(stop) => Err(through(stop, at())),
        }
    }

    fn redirect(&mut self, policy: &Policy, term: &TermCost) -> Settled {
        let at = || Place::term(policy, term);
        self.count().map_err(|problem| stopped(problem, at()))?;
        let Some(inner) = &term.policy else {
            // A loop ends at the limit; a target that depends on the mail says nothing here.
            return if term.loops { Err(stopped(too_many(), at())) } else { Ok(settled(SpfResult::Neutral, at())) };
        };
        match self.policy(inner) {
            Err(stop) if stop.result == SpfResult::None => {
                Err(stopped(Problem::RedirectWithoutRecord(inner.domain.clone()), at()))
            }
            Ok(inner) => Ok(through(inner, at())),
            Err(stop) => Err(through(stop, at())),
        }
    }

    fn matches(&mut self, mechanism: &Mechanism, term: &TermCost) -> Result<bool, Problem> {
        match mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip4 { prefix, .. } => return Ok(*prefix == 0 && self.family == Family::Ip4),
            Mechanism::Ip6 { prefix, .. } => return Ok(*prefix == 0 && self.family == Family::Ip6),
            _ => {}
        }
        let address = if self.family == Family::Ip4 { RecordType::A } else { RecordType::Aaaa };
        let exists = matches!(mechanism, Mechanism::Exists(_));
        let mut servers = 0;
        let mut any = false;
        for look_up in &term.look_ups {
            let kind = look_up.question.record_type;
            if kind != RecordType::Mx && kind != address && !exists {
                continue;
            }
            if let Some(could_not_ask) = look_up.answer.could_not_ask() {
                return Err(Problem::CouldNotAsk(look_up.question.clone(), could_not_ask.clone()));
            }
            let own = kind == RecordType::Mx || !matches!(mechanism, Mechanism::Mx { .. });
            if look_up.void && own {
                self.void()?;
            }
            servers += look_up.answer.exchanges().len();
            if servers > RFC_LIMITS.names {
                return Err(Problem::TooManyMailServers(RFC_LIMITS.names));
            }
            any |= look_up.answer.addresses().next().is_some();
        }
        Ok(any && (exists || self.is_for_all(mechanism)))
    }

    fn void(&mut self) -> Result<(), Problem> {
        self.voids += 1;
        if self.voids > RFC_LIMITS.voids { Err(Problem::TooManyVoids(RFC_LIMITS.voids)) } else { Ok(()) }
    }

    /// Whether the prefix length is zero, so that every address agrees.
    fn is_for_all(&self, mechanism: &Mechanism) -> bool {
        let zero = |prefix: &DualPrefix| match self.family {
            Family::Ip4 => prefix.ip4 == 0,
            Family::Ip6 => prefix.ip6 == 0,
        };
        match mechanism {
            Mechanism::A { prefix, .. } | Mechanism::Mx { prefix, .. } => zero(prefix),
            _ => false,
        }
    }
}

fn too_many() -> Problem {
    Problem::TooManyLookups(RFC_LIMITS.lookups)
}

/// The term in which a syntax error is, or the whole record.
fn broken_place(policy: &Policy, problem: &Problem) -> Place {
    let span = problem.span();
    let term = span.and_then(|span| policy.terms.iter().find(|term| term.span.contains(span.start)));
    term.map_or_else(|| Place::record(&policy.domain), |term| Place::term(policy, term))
}
