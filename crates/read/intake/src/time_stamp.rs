//! Whether a line of a log begins with a time. The time itself is read by who reads the log.

/// Longest priority of syslog in front of a time: `<191>1 ` (RFC 5424 6.2.1).
const LONGEST_PRIORITY: usize = 5;

/// Whether a line begins with a time, in one of the forms in which logs write them.
pub(crate) fn begins_with_time(line: &[u8]) -> bool {
    let mut line = without_priority(line);
    while let [b'[' | b'"' | b'\'' | b'(' | b' ' | b'\t', rest @ ..] = line {
        line = rest;
    }
    // `Sat Nov 21`, `Sat, 21 Nov`
    if line.len() > 4 && is_day(&line[..3]) && matches!(line[3], b' ' | b',') {
        line = line[4..].trim_ascii_start();
    }
    FORMS.iter().any(|form| fits(line, form)) || month_first(line) || is_tai64n(line)
}

/// Forms: `9` is a digit, `_` a digit or a blank, `M` the letters of a month, all else itself.
const FORMS: &[&[u8]] = &[
    b"9999-99-99 99:99",
    b"9999-99-99T99:99",
    b"9999-99-99,99:99",
    b"9999-99-99\t99:99",
    b"9999/99/99 99:99",
    b"9999.99.99 99:99",
    b"99.99.9999 99:99",
    b"99/99/9999 99:99",
    b"99-99-9999 99:99",
    b"99/MMM/9999:99:99",
    b"99-MMM-9999 99:99",
    b"_9 MMM 9999 99:99",
    b"99 MMM 99 99:99",
    b"99999999 999999",
    b"99999999T999999",
    b"9999999999 ",
    b"9999999999.9",
    b"9999999999999,",
    b"99:99:99",
];

fn fits(line: &[u8], form: &[u8]) -> bool {
    line.len() >= form.len()
        && form.iter().zip(line).all(|(form, byte)| match form {
            b'9' => byte.is_ascii_digit(),
            b'_' => byte.is_ascii_digit() || *byte == b' ',
            b'M' => byte.is_ascii_alphabetic(),
            other => other == byte,
        })
}

/// `@40000000` and sixteen hexadecimal digits more: the time of qmail (TAI64N).
fn is_tai64n(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"@40000000").unwrap_or_default();
    rest.len() > 16 && rest[..16].iter().all(u8::is_ascii_hexdigit)
}

/// `Nov 21 10:00:00`, `Nov  1 10:00:00`, `Nov 21 2026 10:00:00`
fn month_first(line: &[u8]) -> bool {
    line.len() > 12
        && is_month(&line[..3])
        && line[3] == b' '
        && matches!(line[4], b' ' | b'0'..=b'9')
        && line[5].is_ascii_digit()
        && line[6..].windows(5).take(7).any(|five| fits(five, b"99:99"))
}

fn without_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else { return line };
    let end = rest.iter().take(LONGEST_PRIORITY).position(|byte| *byte == b'>');
    let Some(end) = end.filter(|end| rest[..*end].iter().all(u8::is_ascii_digit)) else { return line };
    let rest = &rest[end + 1..];
    rest.strip_prefix(b"1 ").unwrap_or(rest)
}

/// Whether a word is the short name of a month.
pub(crate) fn is_month(word: &[u8]) -> bool {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    months.iter().any(|month| word.eq_ignore_ascii_case(month.as_bytes()))
}

/// Whether a word is a time of day, `10:00` or `10:00:00`.
pub(crate) fn is_clock(word: &[u8]) -> bool {
    matches!(word.len(), 4..=8)
        && word.iter().all(|byte| byte.is_ascii_digit() || *byte == b':')
        && memchr::memchr(b':', word).is_some_and(|colon| matches!(colon, 1 | 2))
}

fn is_day(word: &[u8]) -> bool {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().any(|day| word.eq_ignore_ascii_case(day.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_usual_logs() {
        for line in [
            "Nov 21 10:00:00 mx postfix/smtp[1]: x",
            "Nov  1 10:00:00 mx x",
            "Nov 21 2026 10:00:00 mx x",
            "<22>Nov 21 10:00:00 mx x",
            "<22>1 2026-11-21T10:00:00Z mx x",
            "2026-11-21T10:00:00.123+01:00 mx x",
            "2026-11-21 10:00:00 1abc-000 ** a@example.net",
            "[2026-11-21 10:00:00] x",
            "21/Nov/2026:10:00:00 +0000 x",
            "[21/Nov/2026:10:00:00 +0000] x",
            "Sat Nov 21 10:00:00 2026 x",
            "Sat, 21 Nov 2026 10:00:00 +0000 x",
            "11/21/2026 10:00:00 x",
            "21.11.2026 10:00:00 x",
            "1795255200 x",
            "1795255200.123456 x",
            "@400000006920a0b41234abcd delivery 1: deferral:",
            "10:00:00.123 [1] x",
            "2026-11-21\t10:00:00\tx",
        ] {
            assert!(begins_with_time(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn replies_are_no_times() {
        for line in
            ["554 5.7.1 no", "Nov", "<a@example.net>: no", "192.0.2.1 is listed", "2026", "450 4.2.0 try at 10:00", ""]
        {
            assert!(!begins_with_time(line.as_bytes()), "{line}");
        }
    }
}
