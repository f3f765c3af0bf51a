//! Telling a format by content: the head of a file, whatever it is wrapped in.
//!
//! Each record of the head votes for the formats whose marks it bears, most specific first; the first format with a vote wins for
//! tables and objects, the one with the most for lines, since logs are mixed. `None` where nothing speaks.

use crate::cut::cut;
use crate::event::Place;
use crate::format::Format;
use crate::formats::postfix_scan;
use crate::json::{Object, Parsed};
use crate::split::{Cutting, Found, Splitter, zeros};
use crate::syslog;
use crate::table::Columns;
use crate::when::{YearRule, tai64n};
use redeliver_model::Timestamp;

/// How much of a head is looked at: a quiet mail server's log may begin with hours of other programs' lines.
const MOST_BYTES: usize = 1024 * 1024;

/// How many records are looked at.
const MOST_RECORDS: usize = 5000;

/// Which format a source that begins with `head` is in. The head may end anywhere; 64 KiB are plenty.
pub fn recognise(head: &[u8]) -> Option<Format> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = &head[zeros(head)..];
    let head = &head[..head.len().min(MOST_BYTES)];
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(first, b'{' | b'[')
        && let Some(format) = of_objects(head)
    {
        return Some(format);
    }
    of_table(head).or_else(|| of_lines(head))
}

/// Objects of event streams; those that wrap log lines are lines.
fn of_objects(head: &[u8]) -> Option<Format> {
    let mut splitter = Splitter::new(Cutting::Json);
    let (mut at, mut records) = (0, 0);
    while records < MOST_RECORDS {
        match splitter.next(&head[at..], at as u64, 0, false) {
            Found::More => return None,
            Found::Nothing { used } | Found::Damaged { used, .. } => at += used,
            Found::Record { end, used } => {
                if let Some(format) = Parsed::read(&head[at..at + end]).and_then(|one| of_object(one.object())) {
                    return Some(format);
                }
                records += 1;
                at += used;
            }
        }
    }
    None
}

fn of_object(object: Object<'_>) -> Option<Format> {
    let has = |names: &[&str]| names.iter().all(|name| object.has(name));
    if let Some(mut page) = object.page() {
        return page.find_map(of_object);
    }
    if has(&["event-data"]) || has(&["event", "recipient", "log-level"]) {
        Some(Format::Mailgun)
    } else if has(&["msys"]) || has(&["type", "rcpt_to", "transmission_id"]) {
        Some(Format::SparkPost)
    } else if has(&["RecordType", "MessageID"]) || has(&["ErrorCode", "MessageID", "SubmittedAt"]) {
        Some(Format::Postmark)
    } else if has(&["sg_event_id"]) || has(&["sg_message_id"]) {
        Some(Format::SendGrid)
    } else if has(&["type", "peer_address", "response", "nodeid"]) {
        Some(Format::KumoMta)
    } else if has(&["action", "zone", "seq"]) {
        Some(Format::ZoneMta)
    } else if has(&["event", "email", "message-id"]) && (has(&["ts_event"]) || has(&["ts_epoch"]) || has(&["ts"])) {
        Some(Format::Brevo)
    } else if has(&["mail"]) && (has(&["eventType"]) || has(&["notificationType"])) {
        Some(Format::Ses)
    } else if let Some(message) = object.text("Message").filter(|_| object.has("TopicArn")) {
        Parsed::read(message.as_bytes()).and_then(|one| of_object(one.object()))
    } else {
        object.object("detail").filter(|detail| !detail.has("detail")).and_then(of_object)
    }
}

/// Tables by their head line, or by the `#` lines in front of it.
fn of_table(head: &[u8]) -> Option<Format> {
    for line in head.split(|byte| *byte == b'\n').take(20) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\r').trim_start_matches('\u{feff}');
        if let Some(kind) = line.strip_prefix("#Log-type:") {
            return match kind.trim() {
                "Message Tracking Log" => Some(Format::ExchangeTracking),
                "SMTP Send Protocol Log" | "SMTP Receive Protocol Log" => Some(Format::ExchangeSmtp),
                _ => None,
            };
        }
        if line.starts_with('#') && !line.starts_with("#Fields:") {
            continue;
        }
        let columns = Columns::read(line);
        let has = |names: &[&str]| names.iter().all(|name| columns.has(name));
        return if has(&["session-id", "sequence-number", "data"]) {
            Some(Format::ExchangeSmtp)
        } else if has(&["date-time", "event-id", "recipient-status"]) {
            Some(Format::ExchangeTracking)
        } else if has(&["date-time-utc", "event-id", "recipient-status"])
            || has(&["origin-timestamp-utc", "recipient-status"])
            || has(&["messagetraceid", "recipientaddress"])
        {
            Some(Format::M365Trace)
        } else if has(&["message-id", "event-status", "recipient-address"]) {
            Some(Format::GoogleLogSearch)
        } else if has(&["type", "timelogged", "rcpt"]) {
            Some(Format::PowerMta)
        } else {
            None
        };
    }
    None
}

/// Lines: the format with the most votes; of equals the first named.
fn of_lines(head: &[u8]) -> Option<Format> {
    let mut votes: Vec<(Format, usize)> = Vec::new();
    for line in head.split(|byte| *byte == b'\n').take(MOST_RECORDS) {
        let line = &line[zeros(line)..];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(format) = of_line(line) else { continue };
        match votes.iter_mut().find(|(known, _)| *known == format) {
            Some((_, count)) => *count += 1,
            None => votes.push((format, 1)),
        }
    }
    let most = votes.iter().map(|(_, count)| *count).max()?;
    let found = votes.iter().find(|(_, count)| *count == most).map(|(format, _)| *format)?;
    // Refusals stand in the main log too; a reject log has nothing else.
    let main_log = found == Format::EximReject && votes.iter().any(|(format, _)| *format == Format::EximMain);
    Some(if main_log { Format::EximMain } else { found })
}

fn of_line(line: &[u8]) -> Option<Format> {
    let rule = YearRule::utc(Timestamp(0));
    if tai64n(line).is_some() {
        let text = String::from_utf8_lossy(line);
        return cut(&text, " ").and_then(|(_, text)| of_qmail(text));
    }
    if let Some((_, end)) = rule.iso(line) {
        let text = String::from_utf8_lossy(&line[end..]);
        let own = of_own(text.trim_start(), line.get(10) == Some(&b' '));
        if own.is_some() {
            return own;
        }
    }
    let entry = syslog::entry(line, Place::default(), rule);
    let (program, message) = (&*entry.program, &*entry.message);
    if program.is_empty() {
        return None;
    }
    let message = rule.iso(message.as_bytes()).and_then(|(_, end)| message.get(end..)).map_or(message, str::trim_start);
    if program.contains("postfix") || (program.contains('/') && postfix_scan::kind(message.as_bytes()).is_some()) {
        Some(Format::Postfix)
    } else if program == "smtpd" {
        Some(Format::OpenSmtpd)
    } else if matches!(program, "sendmail" | "sm-mta" | "sm-msp-queue" | "sm-acceptingconnections") {
        Some(Format::Sendmail)
    } else if program.starts_with("exim") {
        of_own(message, true).or(Some(Format::EximMain))
    } else if program.starts_with("qmail") {
        Some(Format::Qmail)
    } else {
        of_own(message, false)
    }
}

/// Lines of programs that write their own time.
fn of_own(text: &str, exim: bool) -> Option<Format> {
    if text.contains("] [outbound] ") || (text.starts_with('[') && text.contains("] [core] ")) {
        return Some(Format::Haraka);
    }
    let words = [" ACCEPTED", " REJECTED", " DEFERRED"];
    if words.iter().any(|word| text.contains(word)) && text.contains(" from=") && text.contains(" mx=") {
        return Some(Format::ZoneMta);
    }
    if !exim {
        return None;
    }
    let id = text.split(' ').next().unwrap_or_default();
    let lengths: Vec<usize> = id.splitn(4, '-').map(str::len).collect();
    let flagged = [" <= ", " => ", " == ", " ** ", " -> ", " Completed"].iter().any(|flag| text.contains(flag));
    if matches!(lengths[..], [6, 6, 2] | [6, 11, 4]) && flagged {
        return Some(Format::EximMain);
    }
    if text.starts_with("exim ") || text.starts_with("Start queue run") || text.starts_with("cwd=") {
        return Some(Format::EximMain);
    }
    let rejected = text.contains("rejected ") || text.contains(" authenticator failed for ");
    (rejected && (text.contains("H=") || text.contains('['))).then_some(Format::EximReject)
}

fn of_qmail(text: &str) -> Option<Format> {
    let starts =
        ["new msg ", "info msg ", "starting delivery ", "delivery ", "end msg ", "bounce msg ", "status: local "];
    starts.iter().any(|start| text.starts_with(start)).then_some(Format::Qmail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_and_mixed_logs() {
        let table = [
            (
                "Nov 25 21:33:43 mail sshd[3]: x\nNov 25 21:33:43 mail postfix/qmgr[22]: 71F: removed\n",
                Some(Format::Postfix),
            ),
            ("{\"log\":\"2026-11-25T21:33:43+00:00 mail postfix/qmgr[22]: x\",\"stream\":\"stdout\"}\n", None),
            (
                "Nov 25 21:33:43 mail exim[3]: 2026-11-25 21:34:04 1xWKcs-00000L-1w ** a@b.example: no\n",
                Some(Format::EximMain),
            ),
            ("2026-11-25 21:34:27 H=c.example [192.0.2.1] F=<a@b> rejected RCPT <c@d>: no\n", Some(Format::EximReject)),
            ("Nov  3 08:10:13 mail qmail: 1762157413.1 delivery 1: success: x\n", Some(Format::Qmail)),
            ("{\"eventType\":\"Bounce\",\"mail\":{}}", Some(Format::Ses)),
            ("{\"items\":[{\"event\":\"failed\",\"recipient\":\"a\",\"log-level\":\"error\"}]}", Some(Format::Mailgun)),
            ("hello\nworld\n", None),
            ("", None),
            ("{\"a\":", None),
        ];
        for (head, want) in table {
            assert_eq!(recognise(head.as_bytes()), want, "{head}");
        }
    }
}
