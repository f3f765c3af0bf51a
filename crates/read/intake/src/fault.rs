//! Why something is not taken: a stable code, and a sentence that says what to do.

use std::borrow::Cow;
use std::io;

use redeliver_message::archive::ArchiveError;
use redeliver_model::{Origin, Unread};

/// Where something is, while it is being read.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    source: String,
    member: Option<String>,
    /// Packings around it.
    pub(crate) depth: usize,
}

impl Place {
    pub(crate) fn of(source: String) -> Self {
        Self { source, member: None, depth: 0 }
    }

    /// The same place, one packing further in.
    pub(crate) fn unpacked(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }

    /// The place of a member inside this one.
    pub(crate) fn inside(&self, name: &str) -> Self {
        let member = match &self.member {
            Some(outer) => format!("{outer}!{name}"),
            None => name.to_owned(),
        };
        Self { source: self.source.clone(), member: Some(member), depth: self.depth }
    }

    pub(crate) fn origin(&self, line: Option<u64>) -> Origin<'static> {
        Origin { source: Cow::Owned(self.source.clone()), member: self.member.clone().map(Cow::Owned), line }
    }

    pub(crate) fn fault(&self, fault: Fault) -> Unread<'static> {
        Unread { origin: self.origin(None), code: fault.code, text: fault.text }
    }
}

/// A code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) text: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn new(code: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    pub(crate) fn empty() -> Self {
        Self::new("empty", "there is nothing in it")
    }

    pub(crate) fn io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::new("not-found", "there is no such file; to explain a text use --reply 'TEXT'")
            }
            io::ErrorKind::PermissionDenied => Self::new("not-allowed", "you may not read this"),
            _ => Self::from(ArchiveError::from(error)),
        }
    }
}

impl From<ArchiveError> for Fault {
    fn from(error: ArchiveError) -> Self {
        let code = match error {
            ArchiveError::Bomb | ArchiveError::Shared => "bomb",
            ArchiveError::TooManyMembers => "too-many",
            ArchiveError::Damaged(_) => "damaged",
            ArchiveError::Unsupported(_) => "unsupported",
            ArchiveError::Io(_) => "io",
        };
        Self::new(code, error.to_string())
    }
}
