//! Taking the head off a log line: BSD or RFC 3339 time, host, program; RFC 5424; journald's JSON and container logs.
//!
//! It judges nothing: a line without such a head is all message.

use std::borrow::Cow;

use memchr::memchr;
use redeliver_model::Timestamp;
use serde_json::Value;

use crate::event::Place;
use crate::when::{BSD_LENGTH, YearRule, epoch};

/// One line without its head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry<'a> {
    /// Where it stands.
    pub place: Place,
    /// When it was written.
    pub time: Option<Timestamp>,
    /// The host that wrote it.
    pub host: Option<Cow<'a, str>>,
    /// The program, without its process number.
    pub program: Cow<'a, str>,
    /// What it says.
    pub message: Cow<'a, str>,
}

/// Where the parts of a line with a head are; `time` ends before the blank in front of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub time: (usize, usize),
    pub host: (usize, usize),
    pub program: (usize, usize),
    pub message: usize,
}

/// The longest head; RFC 1123 hosts have 255 bytes, and programs are short.
const LONGEST_HEAD: usize = 512;

/// Finds the head of a line as a syslog daemon writes it.
#[inline]
pub(crate) fn head(line: &[u8]) -> Option<Head> {
    let start = if line.first() == Some(&b'<') { after_priority(line)? } else { 0 };
    if line.get(start..start + 2) == Some(b"1 ") {
        return rfc5424(line, start + 2);
    }
    // RFC 3164 4.1.2, or what rsyslog and journald write for it.
    let time_end = if line.get(start)?.is_ascii_digit() {
        start + memchr(b' ', &line[start..line.len().min(start + 40)])?
    } else {
        start + BSD_LENGTH
    };
    let host = time_end + 1;
    let near = line.len().min(start + LONGEST_HEAD);
    let host_end = host + memchr(b' ', line.get(host..near)?)?;
    let program = host_end + 1;
    let colon = program + memchr(b':', line.get(program..near)?)?;
    let name = &line[program..colon];
    if line.get(colon + 1) != Some(&b' ') || memchr(b' ', name).is_some() {
        return None;
    }
    let name_end = memchr(b'[', name).map_or(colon, |bracket| program + bracket);
    Some(Head { time: (start, time_end), host: (host, host_end), program: (program, name_end), message: colon + 2 })
}

/// `<22>`: the priority that some receivers keep (RFC 3164 4.1.1).
fn after_priority(line: &[u8]) -> Option<usize> {
    let end = memchr(b'>', &line[..line.len().min(5)])?;
    line[1..end].iter().all(u8::is_ascii_digit).then_some(end + 1)
}

/// `TIMESTAMP HOST APP PROCID MSGID SD MSG` behind the version (RFC 5424 6).
fn rfc5424(line: &[u8], start: usize) -> Option<Head> {
    let mut at = start;
    let mut word = || {
        let end = at + memchr(b' ', line.get(at..line.len().min(at + LONGEST_HEAD))?)?;
        let range = (at, end);
        at = end + 1;
        Some(range)
    };
    let (time, host, program, _process, _id) = (word()?, word()?, word()?, word()?, word()?);
    let message = match line.get(at)? {
        b'[' => at + memchr::memmem::find(&line[at..line.len().min(at + 2048)], b"] ")? + 2,
        _ => at + 2,
    };
    let mark = b"\xef\xbb\xbf"; // RFC 5424 6.4
    let message = if line.get(message..)?.starts_with(mark) { message + 3 } else { message };
    Some(Head { time, host, program, message })
}

/// Reads the line as an entry, whatever it is wrapped in.
pub(crate) fn entry(line: &[u8], place: Place, rule: YearRule) -> Entry<'_> {
    if line.first() == Some(&b'{')
        && let Some(entry) = wrapped(line, place)
    {
        return entry;
    }
    let text = |(start, end): (usize, usize)| String::from_utf8_lossy(&line[start..end]);
    match head(line) {
        Some(head) if time(&line[head.time.0..head.time.1], rule).is_some() => Entry {
            place,
            time: time(&line[head.time.0..head.time.1], rule),
            host: Some(text(head.host)),
            program: text(head.program),
            message: text((head.message, line.len())),
        },
        _ => Entry { place, message: String::from_utf8_lossy(line), ..Entry::default() },
    }
}

/// The time of a head.
pub(crate) fn time(text: &[u8], rule: YearRule) -> Option<Timestamp> {
    if text.first()?.is_ascii_digit() { rule.iso(text).map(|(time, _)| time) } else { rule.bsd(text) }
}

/// `journalctl -o json`, or a container's log with `log` and `time`.
fn wrapped(line: &[u8], place: Place) -> Option<Entry<'static>> {
    let object: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(|text| Cow::Owned(text.to_owned()));
    let message = match object.get("MESSAGE").or_else(|| object.get("log"))? {
        Value::String(text) => text.trim_end_matches(['\n', '\r']).to_owned(),
        // journald writes texts that are no UTF-8 as numbers.
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return None,
    };
    let micros = ["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"]
        .iter()
        .find_map(|name| object.get(*name)?.as_str()?.parse::<f64>().ok());
    let stamp = micros.and_then(|micros| epoch(micros / 1e6)).or_else(|| {
        let time = object.get("time")?.as_str()?;
        YearRule::utc(Timestamp(0)).iso_field(time)
    });
    Some(Entry {
        place,
        time: stamp,
        host: text("_HOSTNAME"),
        program: text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM")).unwrap_or_default(),
        message: Cow::Owned(message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        let rule = YearRule::utc(Timestamp::parse("2026-11-26T00:00:00Z").unwrap());
        let entry = entry(line.as_bytes(), Place::default(), rule);
        let time = entry.time.map_or("-".to_owned(), |time| time.to_string());
        format!("{time}|{}|{}|{}", entry.host.as_deref().unwrap_or("-"), entry.program, entry.message)
    }

    #[test]
    fn heads_of_every_kind_are_taken_off() {
        let want = "2026-11-25T21:33:43Z|mail|postfix/smtp|71F: to=<a: b>";
        for line in [
            "Nov 25 21:33:43 mail postfix/smtp[30]: 71F: to=<a: b>",
            "<22>Nov 25 21:33:43 mail postfix/smtp[30]: 71F: to=<a: b>",
            "2026-11-25T22:33:43.123456+01:00 mail postfix/smtp[30]: 71F: to=<a: b>",
            "2026-11-25T22:33:43+0100 mail postfix/smtp: 71F: to=<a: b>",
            "<22>1 2026-11-25T21:33:43.5Z mail postfix/smtp 30 - - 71F: to=<a: b>",
            "<22>1 2026-11-25T21:33:43Z mail postfix/smtp 30 - [x@1 a=\"b\"] \u{feff}71F: to=<a: b>",
            r#"{"__REALTIME_TIMESTAMP":"1795642423123456","_HOSTNAME":"mail","SYSLOG_IDENTIFIER":"postfix/smtp","MESSAGE":"71F: to=<a: b>"}"#,
        ] {
            assert_eq!(show(line), want, "{line}");
        }
    }

    #[test]
    fn a_line_without_a_head_is_all_message() {
        for line in ["", "{", "<", "<22>", "<22>1 ", "a b c", "Nov 25 21:33:43", "2026-11-25T21:33:43 x", "{\"a\":1}"] {
            assert_eq!(show(line), format!("-|-||{line}"));
        }
        let bytes = r#"{"MESSAGE":[104,105,255],"time":"2026-11-25T00:00:00Z"}"#;
        assert_eq!(show(bytes), "2026-11-25T00:00:00Z|-||hi\u{fffd}");
    }
}
