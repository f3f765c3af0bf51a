//! What an evaluation looked at: visits to records, the terms in them, the look-ups behind each. Values only.

use redeliver_net::dns::{Answer, Question};
use redeliver_records::{DomainSpec, Fault, Span};
use serde::Serialize;

use crate::verdict::{Problem, SpfResult};

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookUp {
    /// What was asked.
    pub question: Question,
    /// What came back, with who said so.
    pub answer: Answer,
    /// It found nothing, and counts as void (RFC 7208 4.6.4).
    pub void: bool,
}

/// The evaluation of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// Whose record.
    pub domain: String,
    /// The question for it; none if the domain can have no record.
    pub look_up: Option<LookUp>,
    /// The record with its strings joined; every byte outside ASCII is shown as `?`, so that spans fit.
    pub record: Option<String>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// The terms that were looked at, in order.
    pub steps: Vec<Step>,
    /// What the record says about the client.
    pub result: SpfResult,
    /// Why it says nothing or ends in an error.
    pub problem: Option<Problem>,
    /// Where its explanation stands.
    #[serde(skip)]
    pub(crate) explanation: Option<(Span, DomainSpec)>,
}

/// One term that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The term as written.
    pub term: String,
    /// Where it stands in the record.
    pub span: Span,
    /// The name it led to, macros expanded.
    pub target: Option<String>,
    /// The questions it asked.
    pub look_ups: Vec<LookUp>,
    /// The record that `include` or `redirect` led to.
    pub visit: Option<Box<Visit>>,
    /// How many look-ups were counted when it was done (RFC 7208 4.6.4).
    pub lookups: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a term ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It says nothing about the client.
    NoMatch,
    /// It matches, or it is the redirect that decides: this is the result.
    Decides(SpfResult),
    /// It ended the evaluation with an error.
    Stops(Problem),
}

impl Visit {
    pub(crate) fn of(domain: String) -> Self {
        Self {
            domain,
            look_up: None,
            record: None,
            faults: Vec::new(),
            steps: Vec::new(),
            result: SpfResult::None,
            problem: None,
            explanation: None,
        }
    }

    pub(crate) fn ended(mut self, problem: Problem) -> Self {
        self.result = problem.result();
        self.problem = Some(problem);
        self
    }

    /// The step that decided, if one did: always the last that was looked at.
    pub fn deciding(&self) -> Option<&Step> {
        self.steps.last().filter(|step| step.outcome != Outcome::NoMatch)
    }

    /// The way to the deciding term, this record first: through redirects and includes, as far down as it goes.
    pub fn path(&self) -> Vec<(&Self, &Step)> {
        let mut path = Vec::new();
        let mut visit = Some(self);
        while let Some(here) = visit {
            let Some(step) = here.deciding() else { break };
            path.push((here, step));
            visit = step.visit.as_deref();
        }
        path
    }
}

impl Step {
    pub(crate) fn of(term: &str, span: Span) -> Self {
        Self {
            term: term.to_owned(),
            span,
            target: None,
            look_ups: Vec::new(),
            visit: None,
            lookups: 0,
            outcome: Outcome::NoMatch,
        }
    }
}
