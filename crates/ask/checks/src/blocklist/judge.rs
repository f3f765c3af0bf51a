//! From what the lists said to findings. Pure.

use std::borrow::Cow;

use redeliver_catalog::{Blocklist, Weight};
use redeliver_model::{Cause, Finding, Severity};

use super::{ListAnswer, Meaning, Subject, Tested, meanings};
use crate::asked::raw;

/// Judges every list by itself.
pub(crate) fn judge(subject: &Subject, answers: &[ListAnswer<'_>]) -> Vec<Finding> {
    answers.iter().filter_map(|answer| of_list(subject, answer)).collect()
}

fn of_list(subject: &Subject, answer: &ListAnswer<'_>) -> Option<Finding> {
    let list = answer.list;
    let check = || Cow::Owned(format!("blocklist:{}", list.zone));
    let unknown = |id: &'static str, summary: String| Finding::could_not_ask(check(), id, summary);
    let finding = match &answer.tested {
        Tested::OtherKind => return None,
        Tested::NoKey => {
            let summary = format!("{} answers only to those who have a key.", list.name);
            unknown("list-wants-a-key", summary)
        }
        Tested::NoAnswer(words, asked) => {
            let summary = format!(
                "{} does not answer us ({words}). Ask through a resolver of your own, not a public one, or with a key.",
                list.name
            );
            unknown("list-does-not-answer", summary).fact("asked", raw(asked))
        }
        Tested::Sick(why, asked) => {
            let summary = format!("{} cannot be believed: {why}.", list.name);
            unknown("list-sick", summary).fact("asked", raw(asked))
        }
        Tested::Good => of_answer(subject, answer)?,
    };
    Some(finding.fact("zone", list.zone).fact("name", list.name).fact("subject", subject.to_string()))
}

fn of_answer(subject: &Subject, answer: &ListAnswer<'_>) -> Option<Finding> {
    let list = answer.list;
    let asked = answer.asked.as_ref()?;
    let check = Cow::Owned(format!("blocklist:{}", list.zone));
    let ip = matches!(subject, Subject::Ip(_));
    if let Some(no) = asked.why_not() {
        let summary = format!("{} did not answer about {subject}: {no}.", list.name);
        return Some(Finding::could_not_ask(check, "list-does-not-answer", summary).fact("asked", raw([asked])));
    }
    let said = meanings(list, &asked.answer);
    let (mut words, mut end_user, mut harmless, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for meaning in said {
        match meaning {
            Meaning::Listed(text) => words.push(text),
            Meaning::EndUser(text) => end_user.push(text),
            Meaning::Harmless(text) => harmless.push(text),
            Meaning::NoAnswer(text) => refused.push(text),
        }
    }
    let finding = if !words.is_empty() {
        words.append(&mut end_user);
        let id = if ip { "ip-dnsbl" } else { "domain-dbl" };
        let summary = format!("{subject} is on {}: {}.", list.name, words.join("; "));
        wrong(list, id, summary, list.cause)
    } else if !end_user.is_empty() {
        let summary = format!(
            "{subject} is in an end-user range by {} ({}). This is no accusation.",
            list.name,
            end_user.join("; ")
        );
        wrong(list, "ip-pbl", summary, Cause::DynamicIp)
    } else if !refused.is_empty() {
        let summary = format!("{} did not answer about {subject}: {}.", list.name, refused.join("; "));
        Finding::could_not_ask(check, "list-does-not-answer", summary)
    } else if !harmless.is_empty() {
        let summary = format!("{} on {subject}: {}.", list.name, harmless.join("; "));
        Finding::pass(check, if ip { "ip-on-harmless-list" } else { "domain-on-harmless-list" }, summary)
    } else {
        let id = if ip { "ip-not-listed" } else { "domain-not-listed" };
        Finding::pass(check, id, format!("{subject} is not on {}.", list.name))
    };
    let all = std::iter::once(asked).chain(&answer.words);
    let texts = answer.words.as_ref().map(crate::asked::Asked::texts).unwrap_or_default();
    Some(finding.fact("words", texts).fact("removal", list.removal).fact("asked", raw(all)))
}

/// How much a listing matters follows from how many receivers use the list.
fn wrong(list: &Blocklist, id: &'static str, summary: String, cause: Cause) -> Finding {
    let check = Cow::Owned(format!("blocklist:{}", list.zone));
    let finding = match list.weight {
        Weight::High => Finding::fail(check, id, Severity::Refuses, summary),
        Weight::Medium => Finding::fail(check, id, Severity::Weakens, summary),
        Weight::Low => Finding::warn(check, id, Severity::Untidy, summary),
    };
    finding.because(cause)
}
