//! A message of MAPI properties, written as one of RFC 5322: its own header where Outlook kept it, else what stands for it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read, Seek};

use cfb::CompoundFile;
use redeliver_message::LARGEST_MAIL;

use super::properties::{Storage, tag};
use super::report;

/// Most recipients that are named in a header that has to be made.
const MOST_NAMED: usize = 100;

/// Longest value of a field, in letters: RFC 5322 2.1.1 allows a line 998, and a reply of several lines reaches that.
const LONGEST_VALUE: usize = 2000;

/// Types of attachments that are messages or parts of reports: they go in as they are, to be read as such.
const AS_THEY_ARE: &[&str] = &["message/rfc822", "message/delivery-status", "text/rfc822-headers", "message/global"];

type File<F> = CompoundFile<F>;

/// Writes a message; what would make it longer than a mail may be is left out.
pub(super) fn message<F: Read + Seek>(file: &mut File<F>, message: &Storage, deepest: usize) -> Vec<u8> {
    let class = message.text(file, tag::MESSAGE_CLASS).unwrap_or_default();
    let action = report::action(&class);
    let mut parts = vec![words(file, message)];
    let status = action.and_then(|action| report::status(file, message, action));
    let is_report = status.is_some();
    if let Some(status) = status {
        parts.push(part("message/delivery-status", "", status.as_bytes()));
    }
    let mut room = LARGEST_MAIL.saturating_sub(parts.iter().map(Vec::len).sum());
    for attachment in message.attachments(file) {
        if let Some(part) = attached(file, &attachment, deepest).filter(|part| part.len() <= room) {
            room -= part.len();
            parts.push(part);
        }
    }
    let mut bytes = header(file, message);
    bytes.extend_from_slice(b"MIME-Version: 1.0\r\n");
    if parts.len() == 1 {
        bytes.append(&mut parts[0]);
        return bytes;
    }
    let kind = if is_report { "multipart/report; report-type=delivery-status" } else { "multipart/mixed" };
    bytes.append(&mut multipart(kind, &parts));
    bytes
}

/// The header: as it came, without the fields that say how the body was written (RFC 2045 3), or made of properties.
fn header<F: Read + Seek>(file: &mut File<F>, message: &Storage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let kept = message.text(file, tag::TRANSPORT_HEADERS).unwrap_or_default();
    let mut dropped = false;
    for line in kept.lines().map(str::trim_end).take_while(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            dropped = name.starts_with("content-") || name == "mime-version" || !line.contains(':');
        }
        if !dropped {
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    if !bytes.is_empty() {
        return bytes;
    }
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    };
    field("From", sender(file, message));
    for (name, kind) in [("To", 1), ("Cc", 2)] {
        field(name, Some(named(file, message, kind)));
    }
    let times = [tag::CLIENT_SUBMIT_TIME, tag::DELIVERY_TIME, tag::REPORT_TIME];
    field("Date", times.into_iter().find_map(|tag| message.time(tag)).map(date));
    let texts =
        [("Subject", tag::SUBJECT), ("Message-ID", tag::MESSAGE_ID), ("X-Original-To", tag::ORIGINAL_DISPLAY_TO)];
    for (name, tag) in texts {
        field(name, message.text(file, tag).map(|text| one_line(&text)));
    }
    bytes
}

fn sender<F: Read + Seek>(file: &mut File<F>, message: &Storage) -> Option<String> {
    let name = [tag::SENDER_NAME, tag::REPRESENTING_NAME].into_iter().find_map(|tag| message.text(file, tag));
    let tags =
        [tag::SENDER_SMTP_ADDRESS, tag::REPRESENTING_SMTP_ADDRESS, tag::SENDER_ADDRESS, tag::REPRESENTING_ADDRESS];
    let address = tags.into_iter().find_map(|tag| message.text(file, tag).filter(|text| text.contains('@')));
    mailbox(name, address)
}

/// The recipients of one kind: 1 is To, 2 is Cc (MS-OXCMSG 2.2.3.1).
fn named<F: Read + Seek>(file: &mut File<F>, message: &Storage, kind: u32) -> String {
    let recipients = message.recipients(file).into_iter();
    let wanted = recipients.filter(|one| one.long(tag::RECIPIENT_TYPE).unwrap_or(1) & 0xf == kind).take(MOST_NAMED);
    let named = wanted.filter_map(|one| mailbox(one.text(file, tag::DISPLAY_NAME), report::address(file, &one)));
    // Folded, since a line has its length; what is made of properties holds no line end.
    named.collect::<Vec<_>>().join(",\r\n ")
}

/// A name and an address as RFC 5322 3.4 writes them; a name alone as an empty group.
fn mailbox(name: Option<String>, address: Option<String>) -> Option<String> {
    let quoted = name.map(|name| format!("\"{}\"", one_line(&name).replace(['"', '\\'], "")));
    match (quoted, address) {
        (Some(name), Some(address)) => Some(format!("{name} <{}>", one_line(&address))),
        (None, Some(address)) => Some(format!("<{}>", one_line(&address))),
        (Some(name), None) => Some(format!("{name}:;")),
        (None, None) => None,
    }
}

/// The text, the HTML, or both, as one part.
fn words<F: Read + Seek>(file: &mut File<F>, message: &Storage) -> Vec<u8> {
    let plain = message.text(file, tag::BODY).or_else(|| message.text(file, tag::REPORT_TEXT));
    let html = match message.bytes(file, tag::HTML) {
        Some(bytes) => Some((bytes, message.html_charset().unwrap_or("utf-8"))),
        None => message.text(file, tag::HTML).map(|text| (text.into_bytes(), "utf-8")),
    };
    let plain = plain.map(|text| part("text/plain; charset=utf-8", "", text.as_bytes()));
    let html = html.map(|(bytes, charset)| part(&format!("text/html; charset={charset}"), "", &bytes));
    match (plain, html) {
        (Some(plain), Some(html)) => multipart("multipart/alternative", &[plain, html]),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => part("text/plain; charset=utf-8", "", b""),
    }
}

fn attached<F: Read + Seek>(file: &mut File<F>, attachment: &Storage, deepest: usize) -> Option<Vec<u8>> {
    if let Some(inner) = attachment.message(file) {
        let deeper = deepest.checked_sub(1)?;
        return Some(part("message/rfc822", "", &message(file, &inner, deeper)));
    }
    let bytes = attachment.bytes(file, tag::ATTACHED)?;
    let named = [tag::LONG_FILE_NAME, tag::FILE_NAME, tag::DISPLAY_NAME];
    let name = named.into_iter().find_map(|tag| attachment.text(file, tag)).unwrap_or_default();
    let name = one_line(&name).replace(['"', '\\'], "");
    let kind = attachment.text(file, tag::MIME_TYPE).unwrap_or_default().to_ascii_lowercase();
    let is_type =
        kind.contains('/') && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.+-".contains(&byte));
    let kind = if is_type { kind.as_str() } else { "application/octet-stream" };
    let disposition = format!("Content-Disposition: attachment; filename=\"{name}\"\r\n");
    if AS_THEY_ARE.contains(&kind) {
        return Some(part(kind, &disposition, &bytes));
    }
    let fields = format!("{disposition}Content-Transfer-Encoding: base64\r\n");
    Some(part(kind, &fields, base64(&bytes).as_bytes()))
}

/// A part: its fields and its content.
fn part(kind: &str, fields: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!("Content-Type: {kind}\r\n{fields}\r\n").into_bytes();
    bytes.extend_from_slice(content);
    bytes
}

/// Parts with a boundary that stands in none of them (RFC 2046 5.1.1).
fn multipart(kind: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    // Made of the sum of the parts, it would have to be in what it is the sum of.
    let mut sum = DefaultHasher::new();
    parts.hash(&mut sum);
    let boundary = format!("=_redeliver_{:016x}_=", sum.finish());
    let mut bytes = format!("Content-Type: {kind}; boundary=\"{boundary}\"\r\n\r\n").into_bytes();
    for part in parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    bytes
}

/// A value that begins no other field: line ends and other controls become blanks. Cut to [`LONGEST_VALUE`].
pub(super) fn one_line(text: &str) -> String {
    let plain = text.chars().take(LONGEST_VALUE).map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// RFC 2045 6.8, in lines of 76.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 8);
    for line in bytes.chunks(57) {
        for three in line.chunks(3) {
            let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
                text.push(if place > three.len() { '=' } else { char::from(letter) });
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// A date of RFC 5322 3.3, in UTC.
fn date(seconds: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = redeliver_model::Timestamp(seconds).date();
    let month = MONTHS[usize::from(month.clamp(1, 12) - 1)];
    let of_day = seconds.rem_euclid(86_400);
    format!("{day:02} {month} {year:04} {:02}:{:02}:{:02} +0000", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_begin_no_field_of_their_own() {
        assert_eq!(one_line("a\r\nBcc: b\u{85}\tc "), "a Bcc: b c");
        assert_eq!(mailbox(Some("a\"b\r\nX: y".into()), None).as_deref(), Some("\"ab X: y\":;"));
    }

    #[test]
    fn base64_of_each_length() {
        for (bytes, want) in [("", ""), ("a", "YQ==\r\n"), ("ab", "YWI=\r\n"), ("abc", "YWJj\r\n")] {
            assert_eq!(base64(bytes.as_bytes()), want);
        }
        assert_eq!(base64(&[0; 58]).lines().map(str::len).collect::<Vec<_>>(), [76, 4]);
    }

    #[test]
    fn dates_in_utc() {
        assert_eq!(date(1_795_255_200), "21 Nov 2026 10:00:00 +0000");
        assert_eq!(date(-1), "31 Dec 1969 23:59:59 +0000");
    }

    #[test]
    fn a_boundary_that_is_in_a_part_is_not_taken() {
        let boundary = |parts: &[Vec<u8>]| {
            let text = String::from_utf8(multipart("multipart/mixed", parts)).unwrap();
            text.split('"').nth(1).unwrap().to_owned()
        };
        let first = boundary(&[b"x".to_vec()]);
        let quoting = part("text/plain", "", format!("--{first}--").as_bytes());
        assert_ne!(boundary(&[quoting]), first);
    }
}
