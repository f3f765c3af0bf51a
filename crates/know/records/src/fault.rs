//! What is wrong with a record: id, place, sentence, and what receivers make of it. Values only.

use serde::Serialize;

/// A range of bytes in the text that was read: from `start`, up to but without `end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// What stands there in `text`; empty if the span is of another text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the byte at `at` lies within.
    pub const fn contains(self, at: usize) -> bool {
        self.start <= at && at < self.end
    }
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A syntax error: receivers ignore the whole record, or answer with a permanent error.
    BreaksRecord,
    /// Receivers leave out this part and go on with the rest.
    LosesPart,
    /// Receivers do not mind.
    Untidy,
}

impl Effect {
    /// The word that data files and output use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BreaksRecord => "breaks-record",
            Self::LosesPart => "loses-part",
            Self::Untidy => "untidy",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A stable name in kebab-case, `spf-bad-cidr`.
    pub id: &'static str,
    /// What receivers make of it.
    pub effect: Effect,
    /// Where it is.
    pub span: Span,
    /// One plain sentence. It may quote the record: escape it where it is shown.
    pub text: String,
}

/// A value and what was wrong with the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parsed<T> {
    /// What could be read.
    pub record: T,
    /// What was wrong, in the order of the text.
    pub faults: Vec<Fault>,
}

impl<T> Parsed<T> {
    /// Whether receivers refuse or ignore the record as a whole.
    pub fn is_broken(&self) -> bool {
        self.faults.iter().any(|fault| fault.effect == Effect::BreaksRecord)
    }

    /// The first fault that breaks the record.
    pub fn first_break(&self) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.effect == Effect::BreaksRecord)
    }
}

/// The list that readers fill.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, effect: Effect, id: &'static str, span: Span, text: impl Into<String>) {
        self.0.push(Fault { id, effect, span, text: text.into() });
    }

    pub(crate) fn breaks(&mut self, id: &'static str, span: Span, text: impl Into<String>) {
        self.add(Effect::BreaksRecord, id, span, text);
    }

    pub(crate) fn loses(&mut self, id: &'static str, span: Span, text: impl Into<String>) {
        self.add(Effect::LosesPart, id, span, text);
    }

    pub(crate) fn untidy(&mut self, id: &'static str, span: Span, text: impl Into<String>) {
        self.add(Effect::Untidy, id, span, text);
    }

    pub(crate) fn finish<T>(mut self, record: T) -> Parsed<T> {
        self.0.sort_by_key(|fault| fault.span.start);
        Parsed { record, faults: self.0 }
    }
}
