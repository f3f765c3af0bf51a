//! A message as a flat list of parts, each with its parent, and what a part holds.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

use crate::charset::decode_text;
use crate::headers::{ContentType, Headers};
use crate::html::html_text;
use crate::prepare::lacks_line_feeds;
use crate::structure;

/// Bytes of one message that are read; what lies behind is not looked at. A bounce carries at most the message that it
/// returns, and says its reason in front of it.
pub const LARGEST_MAIL: usize = 8 * 1024 * 1024;

/// Most parts of one message. Digests of lists have some dozens.
pub const MOST_PARTS: usize = 512;

/// Deepest nesting of multiparts and messages. A bounce of a forward of a bounce has 8.
pub const DEEPEST: usize = 20;

/// Bytes of a part, as they stand, that are read as text: in other charsets a byte becomes three, and HTML another copy. The
/// words of a notification stand in front; styles and pictures inside HTML reach some hundred KiB.
const LONGEST_TEXT: usize = 2 * 1024 * 1024;

/// What was not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The message is longer than [`LARGEST_MAIL`]; only its start was read.
    TooLarge,
    /// More than [`MOST_PARTS`] parts, or more lines like boundaries or fields than are looked at; what lies behind was left
    /// out.
    TooManyParts,
    /// Nested deeper than [`DEEPEST`]; what lies deeper was taken as text.
    TooDeep,
    /// A multipart without a boundary, or without its last one.
    BrokenMultipart,
}

/// A message and its parts.
#[derive(Debug, Clone, Default)]
pub struct Mail<'a> {
    /// The parts in the order of the text; the first is the message itself. Never empty.
    pub parts: Vec<Part<'a>>,
    /// What was not as it should be.
    pub faults: Vec<Fault>,
}

/// A message or a part of one.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// The number of the part that holds this one.
    pub parent: Option<usize>,
    /// How many messages it lies in: 0 for parts of the outermost.
    pub level: usize,
    /// Its fields.
    pub headers: Headers<'a>,
    /// Its type; `text/plain` where none is given (RFC 2045 5.2).
    pub content_type: ContentType,
    /// Its content, as it stands.
    pub body: &'a [u8],
}

impl<'a> Mail<'a> {
    /// Reads a message.
    pub fn read(bytes: &'a [u8]) -> Self {
        structure::read(bytes)
    }

    /// The message itself.
    pub fn root(&self) -> &Part<'a> {
        &self.parts[0]
    }

    /// The parts of the outermost message, without those of messages inside it.
    pub fn own_parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| part.level == 0)
    }

    /// Whether [`prepare`](crate::prepare) would leave the message that this was read from as it is.
    pub fn is_as_it_should_be(&self, bytes: &[u8]) -> bool {
        !self.parts.iter().any(Part::is_encoded_message) && !lacks_line_feeds(bytes)
    }

    /// The number of the first part inside part `number`, if it is a container.
    pub fn child(&self, number: usize) -> Option<usize> {
        self.parts.iter().position(|part| part.parent == Some(number))
    }

    /// Notes what was not as it should be, once.
    pub(crate) fn fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// How a body is encoded (RFC 2045 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

pub(crate) fn encoding(headers: &Headers<'_>) -> Encoding {
    let word = headers.raw("content-transfer-encoding").unwrap_or_default();
    let word = word.split(|byte| matches!(byte, b';' | b' ')).next().unwrap_or_default();
    if word.eq_ignore_ascii_case(b"base64") {
        Encoding::Base64
    } else if word.eq_ignore_ascii_case(b"quoted-printable") {
        Encoding::QuotedPrintable
    } else {
        Encoding::Plain
    }
}

/// Whether a type holds parts or a message.
pub(crate) fn is_container(kind: &str) -> bool {
    kind.starts_with("multipart/") || matches!(kind, "message/rfc822" | "message/global" | "message/news")
}

impl Part<'_> {
    /// Whether it is of this type.
    pub fn is(&self, kind: &str) -> bool {
        self.content_type.kind == kind
    }

    /// Whether it holds parts or a message.
    pub fn is_container(&self) -> bool {
        is_container(&self.content_type.kind)
    }

    /// Whether it is an inner message whose parts cannot be seen, since it is encoded.
    pub(crate) fn is_encoded_message(&self) -> bool {
        self.content_type.kind.starts_with("message/")
            && self.is_container()
            && encoding(&self.headers) != Encoding::Plain
    }

    /// Its content with the transfer encoding taken off; broken encodings as far as they can be read.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        decode(self.body, encoding(&self.headers))
    }

    /// Its content as text, whatever its type, of the first [`LONGEST_TEXT`] bytes; HTML as the lines that a person would see.
    pub fn text(&self) -> Cow<'_, str> {
        let charset = self.content_type.parameter("charset");
        let start = start_of_text(self.body);
        let is_cut = start.len() < self.body.len();
        let text = match decode(start, encoding(&self.headers)) {
            Cow::Borrowed(bytes) => decode_text(if is_cut { whole_letters(bytes) } else { bytes }, charset),
            Cow::Owned(bytes) => {
                let bytes = if is_cut { whole_letters(&bytes) } else { &bytes };
                Cow::Owned(decode_text(bytes, charset).into_owned())
            }
        };
        if self.is("text/html") { Cow::Owned(html_text(&text)) } else { text }
    }

    /// The name of the file that it says it is (RFC 2183 2.3, or the older parameter of Content-Type).
    pub fn file_name(&self) -> Option<String> {
        let disposition = self.headers.raw("content-disposition").map(ContentType::read);
        let given = disposition.as_ref().and_then(|one| one.parameter("filename"));
        given.or_else(|| self.content_type.parameter("name")).map(str::to_owned)
    }
}

/// The first [`LONGEST_TEXT`] bytes, without an escape of quoted-printable that would be cut.
fn start_of_text(body: &[u8]) -> &[u8] {
    let Some(start) = body.get(..LONGEST_TEXT) else { return body };
    let escape = start.iter().rev().take(2).position(|byte| *byte == b'=');
    &start[..start.len() - escape.map_or(0, |behind| behind + 1)]
}

/// The bytes without a letter of UTF-8 that was cut off at their end; the whole would be taken for another charset.
fn whole_letters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(broken) if broken.error_len().is_none() => &bytes[..broken.valid_up_to()],
        _ => bytes,
    }
}

/// Takes the transfer encoding off.
fn decode(body: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Plain => Cow::Borrowed(body),
        Encoding::Base64 => Cow::Owned(base64(body)),
        Encoding::QuotedPrintable => Cow::Owned(quoted_printable(body)),
    }
}

/// Decodes base64, passing over what is not of its alphabet; what follows the padding is left out.
fn base64(bytes: &[u8]) -> Vec<u8> {
    if let Some(decoded) = base64_decode(bytes) {
        return decoded;
    }
    let end = memchr::memchr(b'=', bytes).unwrap_or(bytes.len());
    let mut letters: Vec<u8> = bytes[..end]
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    while !letters.len().is_multiple_of(4) {
        letters.push(b'=');
    }
    base64_decode(&letters).unwrap_or_default()
}

/// Decodes quoted-printable (RFC 2045 6.7); an escape that is none stays as it is.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let next = memchr::memchr(b'=', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..next]);
        at += next;
        match bytes.get(at..) {
            Some([b'=', b'\r', b'\n', ..]) => at += 3,
            Some([b'=', b'\n', ..]) => at += 2,
            Some([b'=', high, low, ..]) => {
                let value = |byte: u8| char::from(byte).to_digit(16);
                if let (Some(high), Some(low)) = (value(*high), value(*low)) {
                    out.push((high * 16 + low) as u8);
                    at += 3;
                } else {
                    out.push(b'=');
                    at += 1;
                }
            }
            Some([b'=', ..]) => {
                out.push(b'=');
                at += 1;
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::MOST_FIELDS;

    fn shape(bytes: &[u8]) -> Vec<(usize, String, String)> {
        Mail::read(bytes)
            .parts
            .iter()
            .map(|part| {
                let text = if part.is_container() { String::new() } else { part.text().trim().to_owned() };
                (part.level, part.content_type.kind.clone(), text)
            })
            .collect()
    }

    const REPORT: &[u8] = b"Content-Type: multipart/report; boundary=B\n\n--B\n\nwords\n--B\nContent-Type: message/delivery-status\n\nA: b\n--B\nContent-Type: message/rfc822\n\nSubject: x\n\ninner\n--B--\n";

    fn part(level: usize, kind: &str, text: &str) -> (usize, String, String) {
        (level, kind.into(), text.into())
    }

    #[test]
    fn a_report_with_its_parts() {
        let want = [
            part(0, "multipart/report", ""),
            part(0, "text/plain", "words"),
            part(0, "message/delivery-status", ""),
            part(0, "message/rfc822", ""),
            part(1, "text/plain", "inner"),
        ];
        let got = shape(REPORT);
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(&want).filter(|(_, want)| want.1 != "message/delivery-status") {
            assert_eq!(got, want);
        }
        // The fields of a delivery-status part are its content.
        assert_eq!(Mail::read(REPORT).parts[2].body, b"A: b");
    }

    #[test]
    fn a_missing_end_or_boundary_loses_nothing() {
        let open = &REPORT[..REPORT.len() - 6];
        assert_eq!(Mail::read(open).parts.len(), 5);
        assert_eq!(Mail::read(open).faults, [Fault::BrokenMultipart]);
        let wrong =
            b"Content-Type: multipart/mixed; boundary=WRONG\n\n--right\nContent-Type: text/plain\n\nwords\n--right--\n";
        assert_eq!(shape(wrong)[1], part(0, "text/plain", "words"));
        assert_eq!(shape(b"Content-Type: multipart/report\n\nwords\n")[1], part(0, "text/plain", "words"));
        let dashes = b"Content-Type: multipart/mixed\n\n-----\nContent-Type: text/html\n\nwords\n-------\n";
        assert_eq!(shape(dashes)[1], part(0, "text/html", "words"));
    }

    #[test]
    fn a_report_behind_a_flood_of_fields_is_a_report() {
        let mail = [&b"X: y\n".repeat(2 * MOST_FIELDS), REPORT].concat();
        assert_eq!(shape(&mail), shape(REPORT));
        assert_eq!(Mail::read(&mail).faults, [Fault::TooManyParts]);
    }

    #[test]
    fn encodings_broken_or_not() {
        let mail = |encoding: &str, body: &str| {
            let mail = format!("Content-Transfer-Encoding: {encoding}\n\n{body}");
            Mail::read(mail.as_bytes()).root().text().into_owned()
        };
        assert_eq!(mail("base64", "aGVs\nbG8="), "hello");
        assert_eq!(mail("BASE64", "aGVs!!bG8"), "hello");
        assert_eq!(mail("quoted-printable", "a=3Db=\nc=ZZ=C3=9F="), "a=bc=ZZß=");
        assert_eq!(mail("7bit", "a=3D"), "a=3D");
    }

    #[test]
    fn a_text_is_bounded_and_cut_between_letters() {
        let mail = |fields: &str, body: &[u8]| {
            let mail = [fields.as_bytes(), b"\n\n", body].concat();
            Mail::read(&mail).root().text().into_owned()
        };
        // A byte of windows-1252 is three of UTF-8.
        let html = "Content-Type: text/html; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable";
        assert_eq!(mail(html, &b"\x80".repeat(2 * LONGEST_TEXT)), "\u{20ac}".repeat(LONGEST_TEXT));
        let odd = format!("x{}", "\u{e9}".repeat(LONGEST_TEXT));
        assert_eq!(mail("X: y", odd.as_bytes()).len(), LONGEST_TEXT - 1);
        let encoded = "w6nDqcOp".repeat(LONGEST_TEXT); // three of them
        let text = mail("Content-Transfer-Encoding: base64", encoded.as_bytes());
        assert!(text.len() > LONGEST_TEXT / 2 && text.chars().all(|letter| letter == '\u{e9}'));
        let escapes = "Content-Transfer-Encoding: quoted-printable";
        for shift in 0..6 {
            let text = mail(escapes, ("x".repeat(shift) + &"=C3=A9".repeat(LONGEST_TEXT / 4)).as_bytes());
            assert!(text.len() > LONGEST_TEXT / 4 && text[shift..].chars().all(|letter| letter == '\u{e9}'));
        }
    }

    #[test]
    fn nesting_and_numbers_are_bounded() {
        let deep = b"Content-Type: message/rfc822\n\n".repeat(5000);
        let mail = Mail::read(&deep);
        assert_eq!((mail.parts.len(), mail.faults.as_slice()), (DEEPEST + 1, &[Fault::TooDeep][..]));
        let mut many = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
        many.extend(b"--b\n\nx\n".repeat(50_000));
        let mail = Mail::read(&many);
        assert_eq!((mail.parts.len(), mail.faults.as_slice()), (MOST_PARTS, &[Fault::TooManyParts][..]));
    }

    #[test]
    fn no_bytes_are_too_odd() {
        for bytes in [
            &b""[..],
            b"\n",
            b"\0\0\0",
            b"Content-Type: multipart/mixed\n\n",
            b":",
            b"--",
            b"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n--\n",
        ] {
            assert!(!Mail::read(bytes).parts.is_empty());
        }
    }
}
