//! The two sentences: why this mail got its result, and what any other sender of the domain gets. Values with a `Display`.

use redeliver_records::Span;
use serde::Serialize;

use crate::analyse::{Analysis, Family, Place, Stranger};
use crate::evaluate::Evaluation;
use crate::trace::Outcome;
use crate::verdict::{Problem, SpfResult};

/// What a mail got and why, beside what others get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// About the mail that was evaluated.
    pub this_mail: ThisMail,
    /// About a client with the same kind of address that no mechanism matches.
    pub others: Stranger,
}

/// Why a mail got its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThisMail {
    /// The result.
    pub result: SpfResult,
    /// The term that decided, in the record of the domain itself; none if no term did.
    pub place: Place,
    /// The term at the bottom of its includes and redirects.
    pub deepest: Option<Place>,
    /// Why it is an error or none.
    pub problem: Option<Problem>,
}

/// Puts an evaluation beside the analysis of the same domain.
pub fn outlook(evaluation: &Evaluation, analysis: &Analysis) -> Outlook {
    let path = evaluation.visit.path();
    let at = |index: usize| {
        let (visit, step) = path.get(index)?;
        Some(Place { domain: visit.domain.clone(), term: Some(step.term.clone()), span: Some(step.span) })
    };
    let place = at(0).unwrap_or_else(|| broken(evaluation));
    let deepest = path.len().checked_sub(1).filter(|last| *last > 0).and_then(at);
    let stops = path.iter().any(|(_, step)| matches!(step.outcome, Outcome::Stops(_)));
    let failed = stops || matches!(evaluation.result, SpfResult::None | SpfResult::TempError | SpfResult::PermError);
    let problem = if failed { evaluation.problem().cloned() } else { None };
    let this_mail = ThisMail { result: evaluation.result, place, deepest, problem };
    Outlook { this_mail, others: analysis.stranger(Family::of(evaluation.ip)).clone() }
}

/// The place of a syntax error, or the record as a whole.
fn broken(evaluation: &Evaluation) -> Place {
    let span = evaluation.visit.problem.as_ref().and_then(Problem::span);
    let record = evaluation.visit.record.as_deref().unwrap_or_default();
    let term = span.map(|span: Span| span.of(record).to_owned());
    Place { domain: evaluation.domain.clone(), term, span }
}

/// "passes", "gets softfail" ...
fn gets(result: SpfResult) -> String {
    match result {
        SpfResult::Pass => "passes".to_owned(),
        SpfResult::Fail => "fails".to_owned(),
        other => format!("gets {other}"),
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.term {
            Some(term) => write!(f, "`{term}` of {}", self.domain),
            None => f.write_str(&self.domain),
        }
    }
}

impl std::fmt::Display for ThisMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "This mail {}", gets(self.result))?;
        if let Some(problem) = &self.problem {
            return match (&self.deepest, &self.place.term) {
                (Some(deepest), _) => write!(f, " at {deepest}: {problem}."),
                (None, Some(_)) => write!(f, " at {}: {problem}.", self.place),
                (None, None) => write!(f, ": {problem}."),
            };
        }
        match (&self.place.term, &self.deepest) {
            (Some(term), Some(deepest)) if term.to_ascii_lowercase().starts_with("redirect=") => {
                write!(f, " because {} leads to {deepest}, which matches first.", self.place)
            }
            (Some(_), Some(deepest)) => write!(f, " because {} matches first, by {deepest}.", self.place),
            (Some(_), None) => write!(f, " because {} matches first.", self.place),
            (None, _) => write!(f, " because nothing in the record of {} matches.", self.place.domain),
        }
    }
}

impl std::fmt::Display for Stranger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Any other sender {}", gets(self.result))?;
        let through = self.through.as_ref().and_then(|place| place.term.as_deref());
        let through = through.map(|term| format!(" (by `{term}`)")).unwrap_or_default();
        match (&self.problem, &self.place.term) {
            (Some(problem), Some(_)) => write!(f, " at {}{through}: {problem}.", self.place),
            (Some(problem), None) if self.through.is_some() => {
                write!(f, " at the record of {}{through}: {problem}.", self.place.domain)
            }
            (Some(problem), None) => write!(f, ": {problem}."),
            (None, Some(_)) => write!(f, " by {}{through}.", self.place),
            (None, None) => write!(f, ", since nothing ends the record of {}.", self.place.domain),
        }
    }
}

impl std::fmt::Display for Outlook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.this_mail, self.others)
    }
}
