//! Small exact cutters that several formats share: hosts with addresses, commands and their stage, replies in quotation.

use std::borrow::Cow;
use std::net::IpAddr;

use redeliver_model::{Party, Reply, Side, Stage};

/// Where `needle` is in a line: for the short texts of logs the first byte decides faster than any cleverness.
#[inline]
pub(crate) fn find(text: &str, needle: &str) -> Option<usize> {
    let (bytes, needle) = (text.as_bytes(), needle.as_bytes());
    memchr::memchr_iter(*needle.first()?, bytes).find(|at| bytes[*at..].starts_with(needle))
}

/// What stands before and behind `needle`.
#[inline]
pub(crate) fn cut<'a>(text: &'a str, needle: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, needle)?;
    Some((&text[..at], &text[at + needle.len()..]))
}

/// What stands before and behind the last `needle`.
pub(crate) fn cut_last<'a>(text: &'a str, needle: &str) -> Option<(&'a str, &'a str)> {
    let (bytes, needle) = (text.as_bytes(), needle.as_bytes());
    let at = memchr::memrchr_iter(*needle.first()?, bytes).find(|at| bytes[*at..].starts_with(needle))?;
    Some((&text[..at], &text[at + needle.len()..]))
}

/// Text as it is, or with what is no UTF-8 replaced.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// `mx1.example.net[192.0.2.1]:25`, `mx1.example.net. [192.0.2.1]`, `[192.0.2.1]`, `mx1.example.net`.
pub(crate) fn party(text: &str, side: Side) -> Party<'_> {
    let (name, ip) = match cut(text, "[") {
        Some((name, rest)) => (name, cut(rest, "]").and_then(|(ip, _)| address(ip))),
        None => (text, None),
    };
    Party { host: host(name), ip, helo: None, side: Some(side) }
}

/// A name that says something: `unknown`, `(helo)` and nothing do not.
pub(crate) fn host(name: &str) -> Option<Cow<'_, str>> {
    let name = name.trim().trim_end_matches('.');
    let says_nothing =
        name.is_empty() || matches!(name, "unknown" | "none" | "-" | "<unknown>") || name.starts_with('(');
    (!says_nothing).then_some(Cow::Borrowed(name))
}

/// An address, with `IPv6:` in front or a zone behind, as logs have it.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix("IPv6:").unwrap_or(text);
    let text = memchr::memchr(b'%', text.as_bytes()).map_or(text, |at| &text[..at]);
    text.parse().ok()
}

/// `203.0.113.4:25`, `[2001:db8::1]:25`, or an address alone.
pub(crate) fn endpoint(text: &str) -> Option<IpAddr> {
    address(text).or_else(|| {
        let (ip, _port) = text.rsplit_once(':')?;
        address(ip.trim_start_matches('[').trim_end_matches(']'))
    })
}

/// The stage that the verb of a command belongs to (RFC 5321 4.1.1).
pub(crate) fn stage_of_command(command: &str) -> Option<Stage> {
    let starts = |verb: &str| command.get(..verb.len()).is_some_and(|head| head.eq_ignore_ascii_case(verb));
    [
        ("MAIL", Stage::Mail),
        ("RCPT", Stage::Rcpt),
        ("DATA", Stage::Data),
        ("BDAT", Stage::Body),
        ("EHLO", Stage::Helo),
        ("HELO", Stage::Helo),
        ("LHLO", Stage::Helo),
        ("STARTTLS", Stage::Tls),
        ("AUTH", Stage::Auth),
    ]
    .into_iter()
    .find(|(verb, _)| starts(verb))
    .map(|(_, stage)| stage)
}

/// The address in `<...>` at the start of `text`, and what follows; an address that holds `>` within quotation marks is whole.
pub(crate) fn angle(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let end = memchr::memchr(b'>', inner.as_bytes())?;
    if memchr::memchr(b'"', &inner.as_bytes()[..end]).is_none() {
        return Some((&inner[..end], &inner[end + 1..]));
    }
    let mut quoted = false;
    let whole = inner.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    let end = whole.unwrap_or(end);
    Some((&inner[..end], &inner[end + 1..]))
}

/// A recipient or sender that says something.
pub(crate) fn filled(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}

/// The part between the first `open` and the next `close` behind it.
pub(crate) fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = cut(text, open)?;
    cut(rest, close).map(|(inner, _)| inner)
}

/// A reply whose lines the log joined with `\n` written out, or that is one line.
pub(crate) fn reply(text: &str) -> Reply<'_> {
    if !text.contains("\\n") {
        return Reply::parse(text);
    }
    let mut whole = Reply::default();
    for line in text.split("\\n") {
        let part = Reply::parse(line.trim_end_matches("\\r"));
        whole.code = whole.code.or(part.code);
        whole.enhanced = whole.enhanced.or(part.enhanced);
        whole.lines.extend(part.lines);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses() {
        let show = |text| {
            let party = party(text, Side::Theirs);
            (party.host.map(Cow::into_owned), party.ip.map(|ip| ip.to_string()))
        };
        assert_eq!(show("mx1.a.example[192.0.2.1]:25"), (Some("mx1.a.example".into()), Some("192.0.2.1".into())));
        assert_eq!(
            show("mx1.a.example. [IPv6:2001:db8::1]"),
            (Some("mx1.a.example".into()), Some("2001:db8::1".into()))
        );
        assert_eq!(show("unknown[192.0.2.1]"), (None, Some("192.0.2.1".into())));
        assert_eq!(show("none"), (None, None));
        assert_eq!(endpoint("[2001:db8::1]:25"), address("2001:db8::1"));
        assert_eq!(endpoint("192.0.2.1:25"), address("192.0.2.1"));
        assert_eq!(angle("<\"a>b\"@c> d"), Some(("\"a>b\"@c", " d")));
        assert_eq!(angle("<a\"b> d"), Some(("a\"b", " d")));
    }

    #[test]
    fn lines_joined_by_a_written_line_end() {
        let reply = reply("550-5.7.1 first\\n550 5.7.1 second");
        assert_eq!((reply.code, reply.lines.len(), reply.words().as_ref()), (Some(550), 2, "first second"));
    }
}
