//! One screen for a person: the sentence first, then the reply, the verdict, the steps.

use std::fmt::Write;

use redeliver_model::{Explanation, Unread};

use crate::escape::visible;
use crate::words;

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the screen.
    pub width: usize,
    /// Whether to use colour.
    pub colour: bool,
    /// Whether to show everything that is known.
    pub verbose: bool,
}

/// Width of the labels in front of the facts.
const LABEL: usize = 12;
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// The explanation of one refusal.
pub fn explanation(told: &Explanation<'_>, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.heading(&words::headline(told));
    page.paragraph(0, &told.verdict.summary);
    page.line("");
    page.fact("Reply", &told.refusal.reply.to_string());
    page.fact("Said by", &words::who(told));
    page.fact("Fault", words::fault(told.verdict.fault));
    page.fact("Who can act", &told.verdict.actor);
    page.fact("Act?", &format!("{}. Send again: {}.", words::act(told.verdict.act), words::retry(told.retry)));
    page.fact("Address", words::address(told.address_is_bad));
    if style.verbose {
        page.fact("Reaches", words::scope(told.scope));
    }
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
    let line = unread.origin.line.map(|line| format!(", line {line}")).unwrap_or_default();
    format!("{}{line}: {}", visible(&unread.origin.source), visible(&unread.text))
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn painted(&mut self, paint: &str, line: &str) {
        if self.style.colour {
            let _ = writeln!(self.text, "{paint}{line}{RESET}");
        } else {
            self.line(line);
        }
    }

    fn heading(&mut self, title: &str) {
        self.painted(RED, &visible(title));
    }

    fn bold(&mut self, title: &str) {
        let title = visible(title).into_owned();
        self.painted(BOLD, &title);
    }

    fn paragraph(&mut self, indent: usize, text: &str) {
        for line in wrap(&visible(text), self.style.width.saturating_sub(indent)) {
            let _ = writeln!(self.text, "{:indent$}{line}", "");
        }
    }

    /// A label and a fact; further lines of it stand below its start.
    fn fact(&mut self, label: &str, fact: &str) {
        for (number, line) in wrap(&visible(fact), self.style.width.saturating_sub(LABEL + 2)).into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            if self.style.colour {
                let _ = writeln!(self.text, "  {DIM}{label:LABEL$}{RESET}{line}");
            } else {
                let _ = writeln!(self.text, "  {label:LABEL$}{line}");
            }
        }
    }

    /// A mark and a text; further lines of it stand below its start.
    fn item(&mut self, mark: &str, text: &str) {
        let indent = mark.chars().count().min(6) + 2;
        for (number, line) in wrap(&visible(text), self.style.width.saturating_sub(indent)).into_iter().enumerate() {
            let _ = if number == 0 {
                writeln!(self.text, "  {mark}{line}")
            } else {
                writeln!(self.text, "{:indent$}{line}", "")
            };
        }
    }
}

/// Breaks a text at blanks into lines of at most `width` characters; a longer word keeps its line to itself.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(20);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let long = word.chars().count();
        if length > 0 && length + 1 + long > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += long;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("one two three four five", 20), ["one two three four", "five"]);
        assert_eq!(wrap(&"x".repeat(40), 20), ["x".repeat(40)]);
        assert_eq!(wrap("", 20), [""]);
    }
}
