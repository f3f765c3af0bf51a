//! The catalog tried on itself: every example must come back with its own rule, every cause's reply with its cause.

use redeliver_catalog::{Catalog, Parameter, Values};
use redeliver_model::{Cause, Timestamp};

use crate::engine::Engine;
use crate::locate::locate;
use crate::matching::Scratch;

/// Scores closer than this are a tie: which rule wins would hang on nothing.
const TIE: f32 = 0.005;

/// An example that does not come back as it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The rule (or cause) whose example it is.
    pub rule: String,
    /// The text.
    pub example: String,
    /// What happened instead.
    pub reason: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}: {}", self.rule, self.example, self.reason)
    }
}

/// Runs every example and every cause's own reply through the whole engine.
pub fn self_test(engine: &Engine) -> Vec<Failure> {
    // Examples are judged as of one fixed day, so that the test does not hang on when it is run.
    let when = Timestamp::from_date(2026, 11, 1);
    let mut scratch = Scratch::default();
    let mut failures = Vec::new();
    for rule in &engine.catalog().rules {
        let own =
            |example: &str, reason: String| Failure { rule: rule.id.to_owned(), example: example.to_owned(), reason };
        for example in &rule.examples {
            let refusal = locate(example).refusal;
            let diagnosis = engine.diagnose(&refusal, when, &mut scratch);
            match diagnosis.rule() {
                Some(found) if found.id == rule.id => {
                    if let Some(reason) = tie(engine.catalog(), &scratch) {
                        failures.push(own(example, reason));
                    }
                }
                Some(found) => failures.push(own(example, format!("comes back with {} ({})", found.id, found.cause))),
                None => failures.push(own(example, "comes back with no rule".to_owned())),
            }
        }
        for example in &rule.not_examples {
            let refusal = locate(example).refusal;
            let diagnosis = engine.diagnose(&refusal, when, &mut scratch);
            if diagnosis.rule().is_some_and(|found| found.id == rule.id) {
                failures.push(own(example, "must not come back with this rule".to_owned()));
            }
        }
    }
    for cause in Cause::ALL {
        let reply = cause_reply(engine.catalog(), *cause);
        let refusal = locate(&reply).refusal;
        let first = *engine.diagnose(&refusal, when, &mut scratch).first();
        if first.cause != *cause {
            let rule = first.why.rule().map_or("no rule", |rule| rule.id);
            let reason = format!("our own reply is read as {} ({rule})", first.cause);
            failures.push(Failure { rule: cause.to_string(), example: reply.clone(), reason });
        }
    }
    failures
}

/// The reply that we would give for a cause, with example values.
pub fn cause_reply(catalog: &Catalog, cause: Cause) -> String {
    let mut values = Values::new(&catalog.words);
    for (parameter, value) in [
        (Parameter::Host, "mx.example.net"),
        (Parameter::Ip, "192.0.2.7"),
        (Parameter::List, "bl.example.net"),
        (Parameter::Sender, "ann@example.org"),
        (Parameter::SenderDomain, "example.org"),
        (Parameter::Recipient, "bob@example.net"),
        (Parameter::RecipientDomain, "example.net"),
        (Parameter::Helo, "mail.example.org"),
    ] {
        values.set(parameter, Some(value));
    }
    catalog.cause(cause).reply.fill(&values).into_owned()
}

/// Two rules for two causes that nothing tells apart.
fn tie(catalog: &Catalog, scratch: &Scratch) -> Option<String> {
    let first = scratch.candidates.first()?;
    let rule = |number: u32| &catalog.rules[number as usize];
    scratch.candidates[1..]
        .iter()
        .find(|other| first.score - other.score < TIE && rule(other.rule).cause != rule(first.rule).cause)
        .map(|other| format!("a tie with {} ({})", rule(other.rule).id, rule(other.rule).cause))
}
