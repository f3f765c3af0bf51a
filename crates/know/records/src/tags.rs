//! The tag lists of DKIM, DMARC, BIMI and their kin (RFC 6376 3.2): `name=value; name=value`. Never fails.

use serde::Serialize;

use crate::fault::{Faults, Span};
use crate::txt::text;

/// One `name=value` of a tag list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The name as written; tag names are case-sensitive (RFC 6376 3.2).
    pub name: String,
    /// The value without the white space around it.
    pub value: String,
    /// Where the whole tag stands.
    pub span: Span,
    /// Where the value stands.
    pub value_span: Span,
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// The ids under which a kind of record reports faults of its tag list.
pub(crate) struct TagIds {
    /// A piece that is no `name=value`.
    pub(crate) not_a_tag: &'static str,
    /// A name that stands twice.
    pub(crate) duplicate: &'static str,
    /// A byte outside printable ASCII.
    pub(crate) not_ascii: &'static str,
}

/// White space within tag lists: RFC 6376 2.8 (FWS). In DNS a line break is rare but does occur.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `span` without the white space at its ends.
pub(crate) fn trimmed(bytes: &[u8], span: Span) -> Span {
    let mut span = span;
    while span.start < span.end && is_space(bytes[span.start]) {
        span.start += 1;
    }
    while span.start < span.end && is_space(bytes[span.end - 1]) {
        span.end -= 1;
    }
    span
}

/// The pieces between `separator` within `span`, trimmed, with their places.
pub(crate) fn pieces(bytes: &[u8], span: Span, separator: u8) -> impl Iterator<Item = Span> + '_ {
    let mut start = Some(span.start);
    std::iter::from_fn(move || {
        let from = start?;
        let found = bytes[from..span.end].iter().position(|byte| *byte == separator);
        let end = found.map_or(span.end, |at| from + at);
        start = found.map(|_| end + 1);
        Some(trimmed(bytes, Span::new(from, end)))
    })
}

/// Reads a tag list. A second tag of a name is named as a fault and left out.
pub(crate) fn read(bytes: &[u8], ids: &TagIds, faults: &mut Faults) -> Vec<Tag> {
    let mut tags: Vec<Tag> = Vec::new();
    for span in pieces(bytes, Span::new(0, bytes.len()), b';') {
        if span.start == span.end {
            continue; // A trailing semicolon is allowed, an empty piece in between is harmless.
        }
        let piece = &bytes[span.start..span.end];
        if let Some(at) = piece.iter().position(|byte| !(byte.is_ascii_graphic() || is_space(*byte))) {
            let place = Span::new(span.start + at, span.start + at + 1);
            faults.loses(ids.not_ascii, place, "There is a byte that is not printable ASCII; readers differ over it.");
        }
        let Some(at) = piece.iter().position(|byte| *byte == b'=') else {
            let piece = text(piece);
            faults.loses(ids.not_a_tag, span, format!("`{piece}` is no `name=value`, so readers skip it."));
            continue;
        };
        let name_span = trimmed(bytes, Span::new(span.start, span.start + at));
        let value_span = trimmed(bytes, Span::new(span.start + at + 1, span.end));
        let name = text(&bytes[name_span.start..name_span.end]).into_owned();
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) || !name.bytes().all(good) {
            faults.loses(ids.not_a_tag, span, format!("`{name}` is no tag name, so readers skip it."));
            continue;
        }
        if tags.iter().any(|tag| tag.name == name) {
            let sentence = format!("The tag `{name}` stands twice; a tag list with a tag twice is invalid.");
            faults.breaks(ids.duplicate, span, sentence);
            continue;
        }
        let value = text(&bytes[value_span.start..value_span.end]).into_owned();
        tags.push(Tag { name, value, span, value_span });
    }
    tags
}

/// Takes the tag of that name out of the list.
pub(crate) fn take(tags: &mut Vec<Tag>, name: &str) -> Option<Tag> {
    let at = tags.iter().position(|tag| tag.name == name)?;
    Some(tags.remove(at))
}

/// Checks the version tag: first, and with exactly this value. Returns whether it is right.
pub(crate) fn check_version(tags: &mut Vec<Tag>, version: &str, id: &'static str, faults: &mut Faults) -> bool {
    let first = tags.first().is_some_and(|tag| tag.name == "v");
    let Some(tag) = take(tags, "v") else {
        let sentence = format!("The record has no `v={version}`, so it is ignored.");
        faults.breaks(id, Span::default(), sentence);
        return false;
    };
    if !first {
        let sentence = format!("`v={version}` must be the first tag; the record is ignored.");
        faults.breaks(id, tag.span, sentence);
        return false;
    }
    if tag.value != version {
        let sentence =
            format!("The version is `{}`, it must be exactly `{version}`; the record is ignored.", tag.value);
        faults.breaks(id, tag.value_span, sentence);
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: TagIds = TagIds { not_a_tag: "not-a-tag", duplicate: "duplicate", not_ascii: "not-ascii" };

    #[test]
    fn spans_point_at_what_was_read() {
        let line = b" v = X1 ;a= b c ;; junk; a=2;";
        let mut faults = Faults::default();
        let tags = read(line, &IDS, &mut faults);
        let line = std::str::from_utf8(line).unwrap();
        assert_eq!(tags.iter().map(|tag| tag.value_span.of(line)).collect::<Vec<_>>(), ["X1", "b c"]);
        assert_eq!(tags.iter().map(|tag| tag.span.of(line)).collect::<Vec<_>>(), ["v = X1", "a= b c"]);
        let faults = faults.finish(()).faults;
        assert_eq!(
            faults.iter().map(|f| (f.id, f.span.of(line))).collect::<Vec<_>>(),
            [("not-a-tag", "junk"), ("duplicate", "a=2")]
        );
    }
}
