//! One screen for a person: the sentence first, then the reply, the verdict, the steps.

use redeliver_model::{Explanation, ReportKind, Unread};

use crate::escape::visible;
use crate::page::{Page, Style};
use crate::words;

/// The explanation of one refusal.
pub fn explanation(told: &Explanation<'_>, style: Style) -> String {
    let mut page = Page::new(style);
    page.heading(&words::headline(told));
    page.paragraph(0, &told.verdict.summary);
    page.line("");
    facts(&mut page, told);
    causes(&mut page, told);
    if let Some((zone, name)) = told.list {
        page.fact("List", &format!("{name} ({zone})"));
    }
    steps(&mut page, told);
    settings(&mut page, told);
    if style.verbose {
        background(&mut page, told);
    }
    page.text
}

/// Lines of a reply that are shown unless everything is asked for; the longest real ones have ten.
const LINES_OF_A_REPLY: usize = 12;

fn facts(page: &mut Page, told: &Explanation<'_>) {
    let refusal = &told.refusal;
    let is_refusal = matches!(told.kind, ReportKind::Refusal | ReportKind::Delayed);
    if let Some(place) = words::found_in(told) {
        page.fact("Found in", &place);
    }
    if told.kind == ReportKind::Delayed {
        page.fact("State", "still being tried; the server that reports it goes on by itself");
    }
    if let Some(recipient) = words::recipient(told) {
        page.fact("Recipient", &recipient);
    }
    if is_refusal || !refusal.reply.lines.is_empty() {
        let most = if page.style.verbose { usize::MAX } else { LINES_OF_A_REPLY };
        page.fact_in("Reply", &refusal.reply.to_string(), most);
        page.fact("Said by", &words::who(told));
    }
    if let Some(forwarded) = &refusal.forwarded {
        page.fact("Sent on", &words::forwarded(forwarded));
    }
    if !is_refusal {
        page.fact("Who can act", &told.verdict.actor);
        return;
    }
    page.fact("Fault", words::fault(told.verdict.fault));
    page.fact("Who can act", &told.verdict.actor);
    page.fact("Act?", &format!("{}. Send again: {}.", words::act(told.verdict.act), words::retry(told.retry)));
    page.fact("Address", words::address(told.address_is_bad));
    if page.style.verbose {
        page.fact("Reaches", words::scope(told.scope));
    }
}

fn causes(page: &mut Page, told: &Explanation<'_>) {
    for (number, hypothesis) in told.causes.iter().enumerate() {
        let label = if number == 0 { "Cause" } else { "or" };
        let rule = match &hypothesis.rule {
            Some(rule) if page.style.verbose => format!(" [{rule}]"),
            _ => String::new(),
        };
        let sure = words::sure(hypothesis.confidence);
        page.fact(label, &format!("{}, {sure}: {}{rule}", hypothesis.cause, hypothesis.why));
        if !page.style.verbose && number > 0 && told.causes.get(number + 1).is_some_and(|next| next.confidence < 0.2) {
            break;
        }
    }
    if !told.settled_by.is_empty() {
        page.fact("Settled by", &words::checks(&told.settled_by));
    }
}

fn steps(page: &mut Page, told: &Explanation<'_>) {
    let mut number = 0;
    let open = if page.style.verbose { told.remedies.len() } else { 1 };
    for remedy in told.remedies.iter().take(open) {
        page.line("");
        page.bold(&format!("{} ({})", remedy.title, remedy.who));
        for step in &remedy.steps {
            number += 1;
            page.item(&format!("{number}. "), step);
        }
        if let Some(channel) = &remedy.channel {
            page.item("→ ", channel);
        }
        if let Some(check) = remedy.proves {
            page.item("✓ ", &format!("It worked when this is right: {}.", words::checks(&[check])));
        }
    }
    let more = &told.remedies[open.min(told.remedies.len())..];
    if !more.is_empty() {
        page.line("");
        page.bold("Then, as far as it applies (-v shows the steps)");
        for remedy in more {
            page.item("· ", &format!("{} ({})", remedy.title, remedy.who));
        }
    }
}

fn settings(page: &mut Page, told: &Explanation<'_>) {
    let most = if page.style.verbose { told.settings.len() } else { 2 };
    for setting in told.settings.iter().take(most) {
        page.line("");
        let whose = if setting.on_refusing_side { "if you run the refusing server" } else { "on your server" };
        page.bold(&format!("{}, {whose}", setting.software));
        page.paragraph(2, setting.text);
        if let Some(command) = setting.command {
            for line in command.lines() {
                page.line(&format!("    {}", visible(line)));
            }
        }
    }
}

fn background(page: &mut Page, told: &Explanation<'_>) {
    page.line("");
    page.bold("What it means to you");
    page.item("Author: ", &told.for_whom.author);
    page.item("Hosted: ", &told.for_whom.hosted);
    page.item("Administrator: ", &told.for_whom.administrator);
    page.line("");
    page.bold("How to be sure");
    page.item("Confirmed: ", told.confirms.0);
    page.item("Refuted: ", told.confirms.1);
    if !told.myths.is_empty() {
        page.line("");
        page.bold("What articles get wrong");
        for (says, truth) in &told.myths {
            page.item("✗ ", says);
            page.paragraph(2, truth);
        }
    }
}

/// What could not be read.
pub fn unread(unread: &Unread<'_>) -> String {
    format!("{}: {}", visible(&words::at(&unread.origin)), visible(&unread.text))
}
