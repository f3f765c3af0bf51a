//! Cutting a stream into records: lines, rows of a table whose quoted fields hold line ends, objects of JSON.
//!
//! Bounded: a record that does not end in time is passed over and reported. It keeps at most one record and one block in memory.

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

impl Cutting {
    /// The longest record.
    pub(crate) fn longest(self) -> usize {
        if self == Self::Lines { LONGEST_LINE } else { LONGEST_RECORD }
    }
}

/// Where the next record of `text` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record, `start..end`, and how much is used up by it.
    Record {
        /// Its first byte.
        start: usize,
        /// Behind its last byte.
        end: usize,
        /// Behind its line end.
        used: usize,
    },
    /// Nothing up to here, and more is needed.
    More,
}

/// Finds the first record; at the end of the source what is left over is one.
pub(crate) fn next_record(cutting: Cutting, text: &[u8], at_end: bool) -> Found {
    match cutting {
        Cutting::Lines => line(text, at_end),
        Cutting::Csv => row(text, at_end),
        Cutting::Json => object(text, at_end),
        Cutting::LinesOrJson => {
            if text.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'{' | b'[')) {
                object(text, at_end)
            } else {
                line(text, at_end)
            }
        }
    }
}

fn line(text: &[u8], at_end: bool) -> Found {
    match memchr::memchr(b'\n', text) {
        Some(end) => Found::Record { start: 0, end: trimmed(text, end), used: end + 1 },
        None if at_end && !text.is_empty() => {
            Found::Record { start: 0, end: trimmed(text, text.len()), used: text.len() }
        }
        None => Found::More,
    }
}

/// RFC 4180 2.6: fields with line ends stand in quotation marks, and a mark within is doubled, so it never leaves an odd number.
fn row(text: &[u8], at_end: bool) -> Found {
    let mut quoted = false;
    for at in memchr::memchr2_iter(b'"', b'\n', text) {
        if text[at] == b'"' {
            quoted = !quoted;
        } else if !quoted {
            return Found::Record { start: 0, end: trimmed(text, at), used: at + 1 };
        }
    }
    if at_end && !text.is_empty() {
        return Found::Record { start: 0, end: trimmed(text, text.len()), used: text.len() };
    }
    Found::More
}

/// What stands between records and belongs to none: between objects blanks, commas, and the brackets of lists.
pub(crate) fn blank_before(cutting: Cutting, text: &[u8]) -> usize {
    if cutting != Cutting::Json {
        return 0;
    }
    text.iter().take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',')).count()
}

/// The first object with braces that fit, outside of arrays; what is neither brace nor blank between objects is passed over with
/// its line, as a record that says nothing.
fn object(text: &[u8], at_end: bool) -> Found {
    let skipped = blank_before(Cutting::Json, text);
    let inner = &text[skipped..];
    if inner.is_empty() {
        return if text.is_empty() || !at_end {
            Found::More
        } else {
            Found::Record { start: skipped, end: skipped, used: skipped }
        };
    }
    if inner[0] != b'{' {
        return match line(inner, at_end) {
            Found::Record { end, used, .. } => {
                Found::Record { start: skipped, end: skipped + end, used: skipped + used }
            }
            Found::More => Found::More,
        };
    }
    match closing_brace(inner) {
        Some(end) => Found::Record { start: skipped, end: skipped + end, used: skipped + end },
        None if at_end => Found::Record { start: skipped, end: text.len(), used: text.len() },
        None => Found::More,
    }
}

/// Behind the brace that closes the one at the start.
fn closing_brace(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let here = at + memchr::memchr3(b'{', b'}', b'"', &text[at..])?;
        at = here + 1;
        match text[here] {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at = string_end(text, at)?,
        }
    }
    None
}

/// Behind the quotation mark that ends the string whose inside starts at `at` (RFC 8259 7).
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let here = at + memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[here] == b'"' {
            return Some(here + 1);
        }
        at = here + 2;
    }
}

/// The end without the carriage return of a CR LF.
fn trimmed(text: &[u8], end: usize) -> usize {
    if end > 0 && text[end - 1] == b'\r' { end - 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(cutting: Cutting, mut text: &[u8]) -> Vec<String> {
        let mut records = Vec::new();
        while let Found::Record { start, end, used } = next_record(cutting, text, true) {
            records.push(String::from_utf8_lossy(&text[start..end]).into_owned());
            text = &text[used..];
        }
        records.retain(|record| !record.is_empty());
        records
    }

    #[test]
    fn a_row_with_a_line_end_in_quotes_is_one() {
        assert_eq!(all(Cutting::Csv, b"a,\"b\nc \"\"d\"\"\"\r\ne,f"), ["a,\"b\nc \"\"d\"\"\"", "e,f"]);
        assert_eq!(all(Cutting::Lines, b"a\r\n\nb"), ["a", "b"]);
    }

    #[test]
    fn objects_in_arrays_over_lines_and_with_braces_in_strings() {
        let want = [r#"{"a":"}\"{"}"#, r#"{"b":{"c":[{}]}}"#];
        assert_eq!(all(Cutting::Json, br#"[{"a":"}\"{"},{"b":{"c":[{}]}}]"#), want);
        assert_eq!(all(Cutting::Json, b"{\"a\":\"}\\\"{\"}\n{\"b\":{\"c\":[{}]}}\n"), want);
        assert_eq!(all(Cutting::Json, b"rubbish\n{\"a\":\n1}\n"), ["rubbish", "{\"a\":\n1}"]);
        assert_eq!(all(Cutting::Json, b"{\"a\": {\"b\": \"c"), ["{\"a\": {\"b\": \"c"], "cut off at the end");
    }

    #[test]
    fn half_a_record_waits_for_its_rest() {
        for (cutting, text) in
            [(Cutting::Lines, "abc"), (Cutting::Csv, "a,\"b\n"), (Cutting::Json, "{\"a\":\"\\"), (Cutting::Json, " ")]
        {
            assert_eq!(next_record(cutting, text.as_bytes(), false), Found::More, "{text}");
        }
    }
}
