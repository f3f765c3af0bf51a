//! What an input is, told by its first bytes. Never by its name; never fails.

use redeliver_message::archive::Packing;

use crate::text::is_binary;
use crate::time_stamp::begins_with_time;

/// What an input looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing but white space.
    Empty,
    /// UTF-16, low byte first or not; to be turned into UTF-8 and looked at again.
    Utf16 { low_first: bool },
    /// Lines that end in CR alone.
    CarriageReturns,
    /// Packed, or an archive.
    Packed(Packing),
    /// A compound file, in which Outlook saves messages (MS-CFB).
    Compound,
    /// A mailbox of the mbox family (RFC 4155): it begins with a line `From sender date`.
    Mbox,
    /// A message.
    Mail,
    /// A log, or a stream of events.
    Lines,
    /// Any other text.
    Text,
    /// No text; what it is, where that is known.
    Binary(Option<&'static str>),
}

/// Fields that stand in mail and seldom in front of other text.
const FIELDS: &[&str] = &[
    "arc-seal",
    "auto-submitted",
    "authentication-results",
    "cc",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "dkim-signature",
    "envelope-to",
    "errors-to",
    "feedback-id",
    "from",
    "in-reply-to",
    "list-id",
    "message-id",
    "mime-version",
    "precedence",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "resent-from",
    "resent-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Column names of logs and event tables that are written as CSV.
const COLUMNS: &[&str] = &[
    "bouncetype",
    "client-ip",
    "date",
    "date-time",
    "datetime",
    "delivery status",
    "delivery_status",
    "diagnostic",
    "dsn",
    "email",
    "event",
    "event-id",
    "event_id",
    "from",
    "message-id",
    "message_id",
    "messageid",
    "queue_id",
    "reason",
    "received",
    "recipient",
    "recipient-address",
    "recipient-status",
    "recipient_address",
    "recipientaddress",
    "recipients",
    "response",
    "sender",
    "sender-address",
    "sender_address",
    "senderaddress",
    "status",
    "subject",
    "time",
    "timestamp",
    "to",
];

/// First bytes of files that are no text, and what to call them.
const KNOWN_BINARIES: &[(&[u8], &str)] = &[
    (b"!BDN", "an Outlook data file (.pst): save the messages in it as .msg or .eml"),
    (b"%PDF-", "a PDF: copy the text out of it"),
    (b"\x89PNG", "a picture: type the code and the words of the reply"),
    (b"\xff\xd8\xff", "a picture: type the code and the words of the reply"),
    (b"GIF8", "a picture: type the code and the words of the reply"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3", "a database"),
];

/// Lines that are looked at to tell a log.
const LINES_LOOKED_AT: usize = 40;

/// Tells what begins with `head`. Behind `head` there may be more.
pub(crate) fn look(head: &[u8]) -> Look {
    match head {
        [0xff, 0xfe, ..] => return Look::Utf16 { low_first: true },
        [0xfe, 0xff, ..] => return Look::Utf16 { low_first: false },
        _ => {}
    }
    if let Some(packing) = Packing::of(head) {
        return Look::Packed(packing);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Look::Compound;
    }
    let head = without_mark(head);
    if head.iter().all(u8::is_ascii_whitespace) {
        return Look::Empty;
    }
    if let Some((_, name)) = KNOWN_BINARIES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Look::Binary(Some(name));
    }
    if memchr::memchr(b'\n', head).is_none() && memchr::memchr(b'\r', head.trim_ascii_end()).is_some() {
        return Look::CarriageReturns;
    }
    if is_mbox(head) {
        return Look::Mbox;
    }
    // Before the question for binaries: a mail may carry any byte (RFC 3030 BINARYMIME), and broken ones do.
    if is_mail(head) {
        return Look::Mail;
    }
    if is_binary(head) {
        return Look::Binary(None);
    }
    if is_log(head) { Look::Lines } else { Look::Text }
}

/// Bytes without the byte order mark of UTF-8 in front.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
}

/// The name of the field that a line begins (RFC 5322 2.2), if it begins one.
pub(crate) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', &line[..line.len().min(78)])?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

fn is_known_field(name: &[u8]) -> bool {
    let experimental = name.len() > 2 && name[..2].eq_ignore_ascii_case(b"x-");
    experimental || FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether text begins with a header block that has a known field in it.
pub fn is_mail(head: &[u8]) -> bool {
    let mut lines = lines(head.trim_ascii_start()).peekable();
    // A line `From ` of a mailbox whose date cannot be read, or one that was quoted.
    let first = lines.peek().copied().unwrap_or_default();
    if first.starts_with(b"From ") || first.starts_with(b">From ") {
        lines.next();
    }
    for (number, line) in lines.enumerate() {
        if line.is_empty() {
            return false;
        }
        let folded = number > 0 && matches!(line[0], b' ' | b'\t');
        match field_name(line) {
            _ if folded => {}
            Some(name) if is_known_field(name) => return true,
            Some(_) => {}
            None => return false,
        }
    }
    false
}

/// Whether text begins with the separator of a mailbox and a field behind it.
fn is_mbox(head: &[u8]) -> bool {
    let mut lines = lines(head.trim_ascii_start());
    lines.next().is_some_and(is_separator) && lines.next().is_some_and(begins_message)
}

/// Whether a line may stand behind the separator: a field, or a separator that was quoted once more.
pub(crate) fn begins_message(line: &[u8]) -> bool {
    field_name(line).is_some() || line.starts_with(b">From ")
}

/// Whether a line has the form of the separator: `From sender Sat Nov 21 10:00:00 2026` (RFC 4155, appendix A).
///
/// The sender may be missing or have blanks, the day of the week may be missing, and a zone may stand anywhere.
pub(crate) fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let rest = &rest[..rest.len().min(512)];
    let words: Vec<&[u8]> = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    let month = |word: &[u8]| crate::time_stamp::is_month(word);
    let number = |word: &[u8], longest: usize| word.len() <= longest && word.iter().all(u8::is_ascii_digit);
    words.windows(3).any(|three| {
        // asctime writes `Nov 21 10:00:00`, other programs `21 Nov 2026 10:00:00`.
        (month(three[0]) && number(three[1], 2) && crate::time_stamp::is_clock(three[2]))
            || (number(three[0], 2) && month(three[1]) && number(three[2], 4))
    })
}

/// Whether text looks like a log, a stream of JSON objects, or a table of events.
fn is_log(head: &[u8]) -> bool {
    let first = lines(head).find(|line| !line.is_empty()).unwrap_or_default();
    is_object(first) || is_table(first) || first.starts_with(b"#Software:") || first.starts_with(b"#Fields:") || {
        let whole = memchr::memchr_iter(b'\n', head).count();
        let looked_at = lines(head).take(whole.max(1)).filter(|line| !line.is_empty()).take(LINES_LOOKED_AT);
        let (mut all, mut timed) = (0, 0);
        for line in looked_at {
            all += 1;
            timed += usize::from(begins_with_time(line));
        }
        // One such line may be a log line that somebody pasted; half of them leaves room for lines that were wrapped.
        timed >= 2 && timed * 2 >= all
    }
}

/// Whether a line is one JSON object, by its ends.
fn is_object(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let inner = line.strip_prefix(b"{").and_then(|line| line.strip_suffix(b"}"));
    inner.is_some_and(|inner| inner.trim_ascii_start().starts_with(b"\""))
}

/// Whether a line is the head of a table with at least two known columns.
fn is_table(line: &[u8]) -> bool {
    [b',', b';', b'\t'].into_iter().any(|separator| {
        let cells = line.split(|byte| *byte == separator);
        let known = cells.filter(|cell| {
            let cell = cell.trim_ascii();
            let cell = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\"")).unwrap_or(cell);
            COLUMNS.iter().any(|known| cell.eq_ignore_ascii_case(known.as_bytes()))
        });
        known.count() >= 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thing_is_told_by_its_first_bytes() {
        let table: &[(&[u8], Look)] = &[
            (b"", Look::Empty),
            (b"\xef\xbb\xbf \r\n", Look::Empty),
            (b"\xff\xfeh\0", Look::Utf16 { low_first: true }),
            (b"From: a@example.com\r\nTo: b@example.net\r\n\r\nhi", Look::Mail),
            (b"\xef\xbb\xbfSubject: x\n\nhi", Look::Mail),
            (b"\n\nReceived: from a.example\n by b.example\nFoo: x\n", Look::Mail),
            (b"X-Spam: no\nFoo: x\n\nhi", Look::Mail),
            (b"Foo: x\nBar: y\n\nhi", Look::Text),
            (b"Content-Type: application/octet-stream\n\n\0\0\0", Look::Mail),
            (b"From: a@example.com\rTo: b@example.net\r\rhi\r", Look::CarriageReturns),
            (b"From a@example.com Sat Nov 21 10:00:00 2026\nFrom: a@example.com\n\nhi", Look::Mbox),
            (b"From MAILER-DAEMON Sat Nov 21 10:00 2026\nFrom: a@example.com\n\nhi", Look::Mbox),
            (b"From - Sat, 21 Nov 2026 10:00:00 +0000\nX-A: b\n\nhi", Look::Mbox),
            (b"From a@example.com yesterday\nFrom: a@example.com\n\nhi", Look::Mail),
            (b"From here on nothing works\n554 5.7.1 no\n", Look::Text),
            (b"554 5.7.1 Relay access denied", Look::Text),
            (b"Diagnostic: your mail was refused\n\nFrom: x\n", Look::Text),
            (b"Nov 21 10:00:00 mx postfix/smtp[1]: a\nNov 21 10:00:01 mx postfix/smtp[1]: b\n", Look::Lines),
            (b"Nov 21 10:00:00 mx postfix/smtp[1]: status=bounced (host said: 554 no)\n", Look::Text),
            (b"{\"event\":\"bounce\"}\n{\"event\":\"bounce\"}\n", Look::Lines),
            (b"{\n  \"event\": \"bounce\"\n}\n", Look::Text),
            (b"timestamp,recipient,diagnostic\n1,a,b\n", Look::Lines),
            (b"\"Date\";\"Recipient\";\"Status\"\n", Look::Lines),
            (b"one, two, three\n", Look::Text),
            (b"#Software: Microsoft Exchange Server\n#Fields: a,b\n", Look::Lines),
            (b"\x1f\x8b\x08\0", Look::Packed(Packing::Gzip)),
            (b"PK\x03\x04", Look::Packed(Packing::Zip)),
            (b"\x89PNG\r\n\x1a\n\0\0", Look::Binary(Some("a picture: type the code and the words of the reply"))),
            (b"\0\x01\x02", Look::Binary(None)),
        ];
        for (head, want) in table {
            assert_eq!(look(head), *want, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn no_bytes_are_too_odd() {
        for byte in 0..=255_u8 {
            look(&[byte]);
            look(&[byte, b'\n', byte, b':', byte]);
            look(&[byte; 300]);
        }
    }
}
