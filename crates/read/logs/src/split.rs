//! Cutting a stream into records: lines, rows of a table whose quoted fields hold line ends, objects of JSON.
//!
//! Bounded: a record that does not end in time, or that is damaged, is reported, and reading goes on at the line behind its first
//! one: what follows it may be good. No byte is looked at more often than a few times, however many records are damaged. It keeps
//! at most one record and one block in memory.

mod objects;
mod rows;

use crate::event::{Fault, Unreadable};

use objects::Objects;
use rows::Rows;

/// How a format falls into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cutting {
    /// A line a record.
    Lines,
    /// A row of a table; a line end within quotation marks does not end it.
    Csv,
    /// An object a record, on one line or many, alone or in arrays.
    Json,
    /// An object where one begins, else a line.
    LinesOrJson,
}

/// The longest line that is read. Postfix cuts a reply at some 2 KiB and rsyslog a line at 8 KiB; Exim may write 32 KiB.
pub const LONGEST_LINE: usize = 64 * 1024;

/// The longest row or object that is read: an event of 100 recipients with all headers takes some 200 KiB.
pub const LONGEST_RECORD: usize = 1024 * 1024;

/// What a text begins with. `used` is what it takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record, up to `end`.
    Record {
        /// Behind its last byte.
        end: usize,
        /// Behind its line end.
        used: usize,
    },
    /// A record that cannot be read, with the rest of its first line.
    Damaged {
        /// Behind that line, or all there is of it.
        used: usize,
        /// What is wrong with it.
        why: Fault,
    },
    /// What belongs to no record: the brackets of a list, the rest of a line that is passed over.
    Nothing {
        /// Behind it.
        used: usize,
    },
    /// Nothing that has ended, and more is needed.
    More,
}

/// How far a row or an object was followed.
enum Followed {
    /// Up to its end.
    Whole {
        end: usize,
        used: usize,
    },
    Damaged(Fault),
    More,
}

/// Finds the records of one source, in order.
#[derive(Debug)]
pub(crate) struct Splitter {
    cutting: Cutting,
    /// In the rest of a line that is passed over.
    pub(crate) passing: bool,
    /// Where the present line was searched to for its end.
    seen: u64,
    rows: Rows,
    objects: Objects,
    /// The last object was damaged: lines of it may follow.
    damaged: bool,
    /// A record that is damaged, and of whose first line more is needed to show it.
    pending: Option<Fault>,
    /// Something blank stands in front on this line.
    indented: bool,
}

impl Splitter {
    pub(crate) fn new(cutting: Cutting) -> Self {
        Self {
            cutting,
            passing: false,
            seen: 0,
            rows: Rows::default(),
            objects: Objects::default(),
            damaged: false,
            pending: None,
            indented: false,
        }
    }

    /// What `text` begins with, which stands at the byte `at` of the source, behind all that was used up before. A table has so many
    /// `columns`, if it has any yet. At the end of the source what is left over is a record.
    pub(crate) fn next(&mut self, text: &[u8], at: u64, columns: usize, at_end: bool) -> Found {
        if text.is_empty() {
            return Found::More;
        }
        if self.passing {
            return Found::Nothing { used: self.rest_of_line(text) };
        }
        if let Some(why) = self.pending.take() {
            return self.damaged(why, text, at_end);
        }
        let zeros = zeros(text);
        if zeros > 0 {
            return Found::Nothing { used: zeros };
        }
        match self.cutting {
            Cutting::Lines => self.line(text, at, at_end),
            Cutting::Csv => {
                let followed = self.rows.follow(text, at, columns, at_end);
                self.found(&followed, text, at_end)
            }
            Cutting::Json => self.object(text, at, at_end),
            Cutting::LinesOrJson => {
                let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
                if first.is_some_and(|byte| matches!(byte, b'{' | b'[')) {
                    self.object(text, at, at_end)
                } else {
                    self.line(text, at, at_end)
                }
            }
        }
    }

    fn line(&mut self, text: &[u8], at: u64, at_end: bool) -> Found {
        let from = (self.seen.saturating_sub(at) as usize).min(text.len());
        let found = memchr::memchr(b'\n', &text[from..]).map(|end| from + end);
        let longest = if self.cutting == Cutting::Lines { LONGEST_LINE } else { LONGEST_RECORD };
        let end = trimmed(text, found.unwrap_or(text.len()));
        if end > longest {
            return self.damaged(Fault::TooLong, text, at_end);
        }
        match found {
            Some(found) => Found::Record { end, used: found + 1 },
            None if at_end => Found::Record { end, used: text.len() },
            None => {
                self.seen = at + text.len() as u64;
                Found::More
            }
        }
    }

    /// An object whose braces fit, outside of lists. A line that begins with something else is a record that says nothing, unless it
    /// is the rest of a damaged object: behind the place where the damage showed, that is what is indented.
    fn object(&mut self, text: &[u8], at: u64, at_end: bool) -> Found {
        let blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',');
        let blanks = text.iter().take_while(|byte| blank(byte) || (self.damaged && **byte == b'}')).count();
        if blanks > 0 {
            let line = memchr::memrchr(b'\n', &text[..blanks]);
            self.indented = line.is_none_or(|end| end + 1 < blanks);
            return Found::Nothing { used: blanks };
        }
        if text[0] == b'{' {
            let followed = self.objects.follow(text, at, at_end);
            return self.found(&followed, text, at_end);
        }
        if self.damaged && (self.indented || self.objects.is_in_doubt(at)) {
            return Found::Nothing { used: self.rest_of_line(text) };
        }
        self.line(text, at, at_end)
    }

    fn found(&mut self, followed: &Followed, text: &[u8], at_end: bool) -> Found {
        match *followed {
            Followed::More => Found::More,
            Followed::Whole { end, used } => {
                self.damaged = false;
                Found::Record { end, used }
            }
            Followed::Damaged(why) => self.damaged(why, text, at_end),
        }
    }

    /// A damaged record, once as much of its first line is there as is shown, so that the pieces in which it comes do not matter.
    fn damaged(&mut self, why: Fault, text: &[u8], at_end: bool) -> Found {
        if !at_end && text.len() < Unreadable::SHOWN && memchr::memchr(b'\n', text).is_none() {
            self.pending = Some(why);
            return Found::More;
        }
        self.damaged = true;
        Found::Damaged { used: self.rest_of_line(text), why }
    }

    /// How much there is of a line that is passed over.
    fn rest_of_line(&mut self, text: &[u8]) -> usize {
        let end = memchr::memchr(b'\n', text);
        self.passing = end.is_none();
        self.indented = false;
        end.map_or(text.len(), |end| end + 1)
    }
}

/// How many zero bytes stand in front: a file system leaves a block of them where the power went out before the data came, and so
/// does a log that is cut to nothing while its writer goes on at the old place.
pub(crate) fn zeros(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == 0).count()
}

/// The end without the carriage return of a CR LF.
fn trimmed(text: &[u8], end: usize) -> usize {
    if end > 0 && text[end - 1] == b'\r' { end - 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a text that comes in pieces, with the line of each; of a damaged record its first line, in `!`.
    fn pieces(cutting: Cutting, text: &[u8], columns: usize, piece: usize) -> (Vec<String>, u64) {
        let mut splitter = Splitter::new(cutting);
        let (mut told, mut at, mut known, mut line) = (Vec::new(), 0, 0, 1);
        loop {
            let found = splitter.next(&text[at..known], at as u64, columns, known == text.len());
            let shown = |end: usize| String::from_utf8_lossy(text[at..at + end].trim_ascii_end()).into_owned();
            let used = match found {
                Found::More if known == text.len() => break,
                Found::More => {
                    known = (known + piece).min(text.len());
                    0
                }
                Found::Nothing { used } => used,
                Found::Record { end, used } => {
                    if end > 0 {
                        told.push(format!("{line}: {}", shown(end)));
                    }
                    used
                }
                Found::Damaged { used, .. } => {
                    let first = text[at..].split(|byte| *byte == b'\n').next().unwrap_or_default();
                    told.push(format!("{line}! {}", String::from_utf8_lossy(first)));
                    used
                }
            };
            line += memchr::memchr_iter(b'\n', &text[at..at + used]).count();
            at += used;
        }
        assert_eq!(at, text.len());
        (told, splitter.rows.looked + splitter.objects.looked)
    }

    #[track_caller]
    fn all(cutting: Cutting, text: &str, columns: usize, want: &[&str]) {
        for piece in [text.len().max(1), 1, 5] {
            assert_eq!(pieces(cutting, text.as_bytes(), columns, piece).0, want, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_row_with_a_line_end_in_quotes_is_one() {
        all(Cutting::Csv, "a,\"b\nc \"\"d\"\"\"\r\ne,f", 2, &["1: a,\"b\nc \"\"d\"\"\"", "3: e,f"]);
        all(Cutting::Csv, "a,b\"c\n\"d\"e,f\n", 2, &["1: a,b\"c", "2: \"d\"e,f"]);
        all(Cutting::Lines, "a\r\n\nb", 0, &["1: a", "3: b"]);
    }

    #[test]
    fn objects_in_arrays_over_lines_and_with_braces_in_strings() {
        let (one, two) = (r#"{"a":"}\"{"}"#, r#"{"b":{"c":[{}, -1.5e+3, null]}, "d" : []}"#);
        let want = [&*format!("1: {one}"), &format!("1: {two}")];
        all(Cutting::Json, &format!("[{one},{two}]"), 0, &want);
        all(Cutting::Json, &format!("{one}\n{two}\n"), 0, &[want[0], &format!("2: {two}")]);
        all(Cutting::Json, "rubbish\n{\"a\":\n1}\n", 0, &["1: rubbish", "2: {\"a\":\n1}"]);
    }

    #[test]
    fn a_damaged_object_loses_nothing_behind_it() {
        let good = r#"{"a":[{"b":"c"}]}"#;
        for cut in 1..good.len() {
            let bad = &good[..cut];
            let text = format!("[{good}]\n[{bad}\n[{good}]\n{good}\n");
            let (first, third, last) = (format!("1: {good}"), format!("3: {good}"), format!("4: {good}"));
            all(Cutting::Json, &text, 0, &[&first, &format!("2! {bad}"), &third, &last]);
            all(Cutting::Json, &format!("{good}\n{bad}"), 0, &[&first, &format!("2! {bad}")]);
        }
        for bad in [r#"{"a":"\"#, "{\"a\":\"\\\r", "{{{", r#"{"a" 1}"#, "{]", r#"{"a":1,}"#, &r#"{"a":"#.repeat(200)] {
            let bad = bad.trim_ascii_end();
            all(Cutting::Json, &format!("{bad}\n{good}"), 0, &[&format!("1! {bad}"), &format!("2: {good}")]);
        }
    }

    /// What is shown of a damaged record is the same however it comes.
    #[test]
    fn a_damaged_record_waits_for_its_line() {
        let text = b"{8D\\02}\n";
        for cut in 2..text.len() {
            let mut splitter = Splitter::new(Cutting::Json);
            assert_eq!(splitter.next(&text[..cut], 0, 0, false), Found::More, "{cut}");
            let found = splitter.next(text, 0, 0, false);
            assert!(matches!(found, Found::Damaged { used, .. } if used == text.len()), "{cut}: {found:?}");
        }
    }

    #[test]
    fn a_damaged_object_on_several_lines_is_told_once() {
        let good = "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}";
        let text = format!("[\n{}\n,\n{good}\nrubbish\n", good.replace("1,", "\"x"));
        all(Cutting::Json, &text, 0, &["2! {", &format!("9: {good}"), "15: rubbish"]);
        let one_behind_the_other = "{\"a\":\"x\ny\"}\n{\"a\":1}\n";
        all(Cutting::Json, one_behind_the_other, 0, &["1! {\"a\":\"x", "2: y\"}", "3: {\"a\":1}"]);
    }

    #[test]
    fn a_damaged_row_loses_nothing_behind_it() {
        for good in ["a,\"b,c\",d", "\"a\",\"b\",\"c\"", "\"\",\"x\ny\",\"\"\"\"", "a,b,c"] {
            for bad in ["a,\"x", "\"a\",\"", "a,\"b\"\"", "\""] {
                let line = 2 + good.matches('\n').count();
                let want = [&*format!("1: {good}"), &format!("{line}! {bad}"), &format!("{}: {good}", line + 1)];
                all(Cutting::Csv, &format!("{good}\n{bad}\n{good}\n"), 3, &want);
                all(Cutting::Csv, &format!("{good}\n{bad}"), 3, &want[..2]);
            }
        }
        // Marks that fit by chance: the number of fields tells.
        all(Cutting::Csv, "a,\"x\n\",b,c,d\n", 3, &["1! a,\"x", "2! \",b,c,d"]);
    }

    #[test]
    fn records_that_never_end_are_passed_over_line_by_line() {
        let long = "x".repeat(LONGEST_RECORD);
        for (cutting, open, good) in
            [(Cutting::Csv, "a,\"", "b,c"), (Cutting::Json, "{\"a\":[1,", "{}"), (Cutting::Lines, "a", "b")]
        {
            let numbers = if cutting == Cutting::Json { long.replace('x', "1") } else { long.clone() };
            let text = format!("{open}{numbers}\n{good}\n");
            let (told, _) = pieces(cutting, text.as_bytes(), 2, 100_000);
            assert!(told.len() == 2 && told[0].starts_with("1! ") && told[1] == format!("2: {good}"), "{cutting:?}");
        }
    }

    /// Damaged records of every kind, each of which could be followed up to the limit.
    #[test]
    fn no_byte_is_looked_at_often() {
        let pad = "1,".repeat(300);
        for (cutting, line) in [
            (Cutting::Json, "{\"a\":\n".to_owned()),
            (Cutting::Json, format!("{{\"a\":[{pad}\n")),
            (Cutting::Json, "{\"a\":[1\n".to_owned()),
            (Cutting::Json, "{\"a\":\"\\\n".to_owned()),
            (Cutting::Json, "{\"a\":[{\"b\":1},\n{\"c\":[\n{}],\n".to_owned()),
            (Cutting::Json, "{\"a\":1,\n\"b\":[[[{\"c\":\n".to_owned()),
            (Cutting::Csv, "a,\"x\n".to_owned()),
            (Cutting::Csv, "x\",\"y\n".to_owned()),
            (Cutting::Csv, format!("x\"{},\"y\n", "z".repeat(5000))),
            (Cutting::Csv, "\"\"\n".to_owned()),
            (Cutting::Csv, format!("\",{}\"\n", "y".repeat(4000))),
        ] {
            for front in ["", "\"", "{\"a\":[", "a,\"b\n"] {
                let text = format!("{front}{}", line.repeat(1_500_000 / line.len()));
                let (told, looked) = pieces(cutting, text.as_bytes(), 200, 128 * 1024);
                assert!(!told.is_empty());
                assert!(looked <= 3 * text.len() as u64, "{front}{line}: {looked} of {}", text.len());
            }
        }
    }
}
