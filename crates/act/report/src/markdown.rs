//! The explanation for a ticket or a wiki.

use std::fmt::Write;

use redeliver_model::{Explanation, ReportKind, Unread};

use crate::escape::{markdown, markdown_block};
use crate::words;

/// What could not be read.
pub fn unread(unread: &Unread<'_>) -> String {
    format!("> {}\n", markdown(&crate::plain::unread(unread)))
}

/// The explanation of one refusal.
pub fn explanation(told: &Explanation<'_>) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "## {}\n\n{}\n", markdown(&words::headline(told)), markdown(&told.verdict.summary));
    text.push_str(&markdown_block(&told.refusal.reply.to_string()));
    let mut fact = |label: &str, fact: &str| {
        let _ = write!(text, "\n- **{label}:** {}", markdown(fact));
    };
    if let Some(place) = words::found_in(told) {
        fact("Found in", &place);
    }
    if let Some(recipient) = words::recipient(told) {
        fact("Recipient", &recipient);
    }
    fact("Said by", &words::who(told));
    if let Some(forwarded) = &told.refusal.forwarded {
        fact("Sent on", &words::forwarded(forwarded));
    }
    fact("Who can act", &told.verdict.actor);
    if matches!(told.kind, ReportKind::Refusal | ReportKind::Delayed) {
        fact("Fault", words::fault(told.verdict.fault));
        fact("Act?", &format!("{}. Send again: {}.", words::act(told.verdict.act), words::retry(told.retry)));
        fact("Address", words::address(told.address_is_bad));
        fact("Reaches", words::scope(told.scope));
    }
    for (number, hypothesis) in told.causes.iter().enumerate() {
        let label = if number == 0 { "Cause" } else { "or" };
        fact(label, &format!("{}, {}: {}", hypothesis.cause, words::sure(hypothesis.confidence), hypothesis.why));
    }
    if !told.settled_by.is_empty() {
        fact("Settled by", &words::checks(&told.settled_by));
    }
    text.push('\n');
    for remedy in &told.remedies {
        let _ = writeln!(text, "\n### {} ({})\n", markdown(&remedy.title), remedy.who);
        for (number, step) in remedy.steps.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", number + 1, markdown(step));
        }
        if let Some(channel) = &remedy.channel {
            let _ = writeln!(text, "\n{}", markdown(channel));
        }
    }
    for setting in &told.settings {
        let _ = writeln!(text, "\n### {}\n\n{}", markdown(setting.software), markdown(setting.text));
        if let Some(command) = setting.command {
            text.push('\n');
            command.lines().for_each(|line| text.push_str(&markdown_block(line)));
        }
    }
    text
}
