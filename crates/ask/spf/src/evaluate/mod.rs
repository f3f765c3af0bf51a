//! `check_host()` of RFC 7208 4: a client against a domain's record, with a trace. It asks through `net` and judges nothing
//! but SPF; what goes wrong is a result.

mod explanation;
mod mechanisms;

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use redeliver_net::dns::{Dns, Name, Question, RecordType};
use redeliver_records::{Directive, DomainSpec, MacroLetter, Mechanism, Span, TermKind};
use serde::Serialize;

use crate::expand::{Values, checkable, expand, query_name, shortened};
use crate::request::{Identity, Request, Sender};
use crate::select::{Selected, select};
use crate::trace::{LookUp, Outcome, Step, Visit};
use crate::verdict::{Limits, Problem, RFC_LIMITS, SpfResult};

/// The result for a client, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evaluation {
    /// Which name was checked.
    pub identity: Identity,
    /// The domain that was checked.
    pub domain: String,
    /// The client's address; an IPv4-mapped one as IPv4.
    pub ip: IpAddr,
    /// The result.
    pub result: SpfResult,
    /// The domain's own words about a fail; none if it has none. From outside: escape it where it is shown.
    pub explanation: Option<String>,
    /// How the explanation was found, if there was one to look for.
    pub explaining: Option<Step>,
    /// The record and what was looked at in it.
    pub visit: Visit,
    /// Look-ups counted (RFC 7208 4.6.4).
    pub lookups: u32,
    /// Void ones among them.
    pub voids: u32,
}

impl Evaluation {
    /// Why there is an error or no record: the problem furthest down.
    pub fn problem(&self) -> Option<&Problem> {
        let path = self.visit.path();
        let Some((visit, step)) = path.last() else { return self.visit.problem.as_ref() };
        let here = match &step.outcome {
            Outcome::Stops(problem) => Some(problem),
            _ => visit.problem.as_ref(),
        };
        step.visit.as_deref().and_then(|inner| inner.problem.as_ref()).or(here)
    }
}

/// More look-ups are never made, whatever limit is wanted: each may lead one record deeper.
const MOST_LOOKUPS: u32 = 50;

/// Evaluates with the limits of RFC 7208.
pub async fn evaluate(dns: &dyn Dns, request: &Request) -> Evaluation {
    evaluate_within(dns, request, RFC_LIMITS).await
}

/// Evaluates with limits of one's own; more than 50 look-ups are never made.
///
/// The time is bounded by whoever answers: each look-up that takes too long is could-not-ask, and gives `temperror`.
pub async fn evaluate_within(dns: &dyn Dns, request: &Request, limits: Limits) -> Evaluation {
    let sender = Sender::of(request);
    let (identity, domain, ip) = (sender.identity, sender.domain.clone(), sender.ip);
    let limits = Limits { lookups: limits.lookups.min(MOST_LOOKUPS), ..limits };
    let mut run = Run { dns, request, sender, limits, lookups: 0, voids: 0, validated: Vec::new() };
    let visit = run.visit(domain.clone()).await;
    let (mut explanation, mut explaining) = (None, None);
    if visit.result == SpfResult::Fail {
        (explanation, explaining) = run.explain(&visit).await;
    }
    let (lookups, voids) = (run.lookups, run.voids);
    Evaluation { identity, domain, ip, result: visit.result, explanation, explaining, visit, lookups, voids }
}

/// A visit that is under way; boxed, since visits nest.
type Visiting<'a> = Pin<Box<dyn Future<Output = Visit> + Send + 'a>>;

/// One evaluation under way.
struct Run<'a> {
    dns: &'a dyn Dns,
    request: &'a Request,
    sender: Sender,
    limits: Limits,
    lookups: u32,
    voids: u32,
    /// The client's validated name, by the domain it was wanted for.
    validated: Vec<(String, String)>,
}

impl Run<'_> {
    async fn ask(&self, name: Name, record_type: RecordType) -> LookUp {
        let question = Question::new(name, record_type);
        let answer = self.dns.ask(&question).await;
        LookUp { question, answer, void: false }
    }

    /// Counts a term that asks the DNS (RFC 7208 4.6.4).
    fn count_lookup(&mut self) -> Result<(), Problem> {
        self.lookups += 1;
        if self.lookups > self.limits.lookups { Err(Problem::TooManyLookups(self.limits.lookups)) } else { Ok(()) }
    }

    /// Counts a term whose question found nothing (RFC 7208 4.6.4).
    fn count_void(&mut self, look_up: &mut LookUp) -> Result<(), Problem> {
        if !look_up.answer.is_absent() {
            return Ok(());
        }
        look_up.void = true;
        self.voids += 1;
        if self.voids > self.limits.voids { Err(Problem::TooManyVoids(self.limits.voids)) } else { Ok(()) }
    }

    fn visit(&mut self, domain: String) -> Visiting<'_> {
        Box::pin(self.visit_now(domain))
    }

    async fn visit_now(&mut self, domain: String) -> Visit {
        let mut visit = Visit::of(domain);
        // RFC 7208 4.3: without a proper domain the result is none.
        let Some(name) = checkable(&visit.domain) else { return visit.ended(Problem::NotADomain) };
        let look_up = self.ask(name, RecordType::Txt).await;
        let selected = select(&look_up);
        visit.look_up = Some(look_up);
        let Selected { text, read, .. } = match selected {
            Ok(selected) => selected,
            Err(problem) => return visit.ended(problem),
        };
        // RFC 7208 4.6: a syntax error anywhere is permerror at once.
        let broken = read.first_break().cloned();
        visit.faults = read.faults;
        visit.explanation = read.record.explanation().map(|(span, domain)| (span, domain.clone()));
        if let Some(fault) = broken {
            visit.record = Some(text);
            return visit.ended(Problem::Broken(fault));
        }
        for term in &read.record.terms {
            let TermKind::Directive(directive) = &term.kind else { continue };
            let step = self.directive(&visit.domain, &text, term.span, directive).await;
            if visit.take(step) {
                visit.record = Some(text);
                return visit;
            }
        }
        // RFC 7208 6.1: redirect decides only where nothing matched; 5.1: not beside an `all`.
        if let Some((span, target)) = read.record.redirect() {
            let step = self.redirect(&visit.domain, &text, span, target).await;
            visit.take(step);
        } else {
            visit.result = SpfResult::Neutral; // RFC 7208 4.7
        }
        visit.record = Some(text);
        visit
    }

    async fn directive(&mut self, domain: &str, text: &str, span: Span, directive: &Directive) -> Step {
        let mut step = Step::of(span.of(text), span);
        let counted = if directive.mechanism.costs_lookup() { self.count_lookup() } else { Ok(()) };
        let matched = match counted {
            Ok(()) => self.matches(domain, &directive.mechanism, &mut step).await,
            Err(problem) => Err(problem),
        };
        step.lookups = self.lookups;
        step.outcome = match matched {
            Ok(false) => Outcome::NoMatch,
            Ok(true) => Outcome::Decides(directive.qualifier.into()),
            Err(problem) => Outcome::Stops(problem),
        };
        step
    }

    /// RFC 7208 6.1.
    async fn redirect(&mut self, domain: &str, text: &str, span: Span, target: &DomainSpec) -> Step {
        let mut step = Step::of(span.of(text), span);
        if let Err(problem) = self.count_lookup() {
            step.lookups = self.lookups;
            step.outcome = Outcome::Stops(problem);
            return step;
        }
        let target = self.target(domain, Some(target), &mut step).await;
        let visit = self.visit(target.clone()).await;
        step.lookups = self.lookups;
        step.outcome = match visit.result {
            SpfResult::None => Outcome::Stops(Problem::RedirectWithoutRecord(target)),
            result => Outcome::Decides(result),
        };
        step.visit = Some(Box::new(visit));
        step
    }

    /// The name a term is about, macros expanded; remembered in the step.
    async fn target(&mut self, domain: &str, spec: Option<&DomainSpec>, step: &mut Step) -> String {
        let target = match spec {
            None => shortened(domain).to_owned(),
            Some(spec) => match spec.as_plain() {
                Some(plain) => shortened(plain).to_owned(),
                None => self.expanded(domain, spec, step).await,
            },
        };
        step.target = Some(target.clone());
        target
    }

    /// Expands a domain; empty, and so no name at all, if it gets too long.
    async fn expanded(&mut self, domain: &str, spec: &DomainSpec, step: &mut Step) -> String {
        let validated = self.validated_for(domain, spec.uses(MacroLetter::ValidatedName), step).await;
        let text = expand(spec, &self.values(domain, &validated)).unwrap_or_default();
        shortened(&text).to_owned()
    }

    fn values<'v>(&'v self, domain: &'v str, validated: &'v str) -> Values<'v> {
        let receiver = self.request.receiver.as_deref();
        Values { sender: &self.sender, domain, validated, receiver, now: self.request.now }
    }

    /// Whether the mechanism matches the client.
    async fn matches(&mut self, domain: &str, mechanism: &Mechanism, step: &mut Step) -> Result<bool, Problem> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4 { network, prefix } => Ok(self.in_network((*network).into(), *prefix)),
            Mechanism::Ip6 { network, prefix } => Ok(self.in_network((*network).into(), *prefix)),
            Mechanism::Include(spec) => self.include(domain, spec, step).await,
            Mechanism::A { domain: spec, prefix } => self.a(domain, spec.as_ref(), *prefix, step).await,
            Mechanism::Mx { domain: spec, prefix } => self.mx(domain, spec.as_ref(), *prefix, step).await,
            Mechanism::Ptr(spec) => self.ptr(domain, spec.as_ref(), step).await,
            Mechanism::Exists(spec) => self.exists(domain, spec, step).await,
        }
    }

    /// The name to ask for, if DNS can have it.
    async fn target_name(&mut self, domain: &str, spec: Option<&DomainSpec>, step: &mut Step) -> Option<Name> {
        query_name(&self.target(domain, spec, step).await)
    }
}

impl Visit {
    /// Keeps a step; whether it ends the visit.
    fn take(&mut self, step: Step) -> bool {
        let ends = match &step.outcome {
            Outcome::NoMatch => false,
            Outcome::Decides(result) => {
                self.result = *result;
                true
            }
            Outcome::Stops(problem) => {
                self.result = problem.result();
                self.problem = Some(problem.clone());
                true
            }
        };
        self.steps.push(step);
        ends
    }
}
