//! Findings in JSON: one object a finding, on one line. `docs/check.schema.json` describes it.

use std::io::{self, Write};

use redeliver_model::{Finding, Unread};
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::escape::is_dangerous;
use crate::json::SCHEMA;

/// A finding with the number of the contract in front.
#[derive(Serialize)]
struct Numbered<'a> {
    schema: u32,
    #[serde(flatten)]
    finding: &'a Finding,
}

/// What could not be looked at.
#[derive(Serialize)]
struct NotRead<'a> {
    schema: u32,
    target: &'a str,
    error: Problem<'a>,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    place: Option<String>,
    text: &'a str,
}

/// Writes JSON in which nothing can draw on a terminal.
struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| is_dangerous(*c)) {
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

fn line(value: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    // Writing to memory cannot fail; a value that could not be written would leave no half line behind.
    if value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Careful)).is_err() {
        out.truncate(start);
        return;
    }
    out.push(b'\n');
}

/// Writes one finding as one line.
pub fn finding(finding: &Finding, out: &mut Vec<u8>) {
    line(&Numbered { schema: SCHEMA, finding }, out);
}

/// Writes a target that could not be looked at as one line.
pub fn unread(unread: &Unread<'_>, out: &mut Vec<u8>) {
    let place = unread.origin.line.map(|line| format!("line {line}"));
    let error = Problem { code: unread.code, place, text: &unread.text };
    line(&NotRead { schema: SCHEMA, target: &unread.origin.source, error }, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use redeliver_model::{Fact, Facts, Severity};

    #[test]
    fn nothing_from_outside_draws_on_the_screen() {
        let hostile = "\u{1b}[2J\u{202e}\u{9b}\"\\\n\u{e0041}";
        let told = Finding::fail("spf", "x", Severity::Refuses, hostile)
            .fact("deep", vec![Fact::from(Facts::new().with(hostile, hostile))]);
        let mut out = Vec::new();
        finding(&told, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(!text.trim_end().chars().any(is_dangerous), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["summary"], hostile);
        assert_eq!(read["facts"]["deep"][0][hostile], hostile);
        assert_eq!((read["schema"].as_u64(), read["severity"].as_str()), (Some(1), Some("refuses")));
    }
}
