//! Laying out text for a person: headings, labelled facts, items, wrapped to the width of the screen.
//!
//! Everything put on a page is made harmless here.

use std::fmt::Write;

use crate::escape::visible;

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

pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Page {
    pub(crate) fn new(style: Style) -> Self {
        Self { text: String::new(), style }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(crate) fn painted(&mut self, paint: &str, line: &str) {
        if self.style.colour {
            let _ = writeln!(self.text, "{paint}{line}{RESET}");
        } else {
            self.line(line);
        }
    }

    pub(crate) fn heading(&mut self, title: &str) {
        self.painted(RED, &visible(title));
    }

    pub(crate) fn bold(&mut self, title: &str) {
        let title = visible(title).into_owned();
        self.painted(BOLD, &title);
    }

    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        for line in wrap(&visible(text), self.style.width.saturating_sub(indent)) {
            let _ = writeln!(self.text, "{:indent$}{line}", "");
        }
    }

    /// A label and a fact; further lines of it stand below its start.
    pub(crate) fn fact(&mut self, label: &str, fact: &str) {
        self.fact_in(label, fact, usize::MAX);
    }

    /// The same in at most `most` lines, and how many more there are.
    pub(crate) fn fact_in(&mut self, label: &str, fact: &str, most: usize) {
        let mut lines = wrap(&visible(fact), self.style.width.saturating_sub(LABEL + 2));
        if lines.len() > most.saturating_add(1) {
            let more = lines.len() - most;
            lines.truncate(most);
            lines.push(format!("[{more} more lines; -v shows them]"));
        }
        for (number, line) in lines.into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            if self.style.colour {
                let _ = writeln!(self.text, "  {DIM}{label:LABEL$}{RESET}{line}");
            } else {
                let _ = writeln!(self.text, "  {label:LABEL$}{line}");
            }
        }
    }

    /// A mark and a text; further lines of it stand below its start.
    pub(crate) fn item(&mut self, mark: &str, text: &str) {
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
    pub(crate) fn lines_are_broken_at_blanks() {
        assert_eq!(wrap("one two three four five", 20), ["one two three four", "five"]);
        assert_eq!(wrap(&"x".repeat(40), 20), ["x".repeat(40)]);
        assert_eq!(wrap("", 20), [""]);
    }

    #[test]
    pub(crate) fn a_long_fact_leaves_room_for_the_others() {
        let style = Style { width: 40, colour: false, verbose: false };
        let mut page = Page::new(style);
        page.fact_in("Reply", &"word ".repeat(500), 3);
        assert_eq!(page.text.lines().count(), 4);
        assert!(page.text.ends_with("more lines; -v shows them]\n"), "{}", page.text);
    }
}
