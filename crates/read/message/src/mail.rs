//! The structure of a message (RFC 2045, 2046): a flat list of parts, each with its parent.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;

use crate::charset::decode_text;
use crate::headers::{ContentType, Headers};
use crate::html::html_text;

/// Bytes of one message that are read; what lies behind is not looked at. A bounce carries at most the message that it
/// returns, and says its reason in front of it.
pub const LARGEST_MAIL: usize = 8 * 1024 * 1024;

/// Most parts of one message. Digests of lists have some dozens.
pub const MOST_PARTS: usize = 512;

/// Deepest nesting of multiparts and messages. A bounce of a forward of a bounce has 8.
pub const DEEPEST: usize = 20;

/// Longest boundary (RFC 2046 5.1.1 allows 70).
const LONGEST_BOUNDARY: usize = 200;

/// How often an encoded message inside an encoded message is unwrapped.
const MOST_UNWRAPPINGS: usize = 3;

/// What was not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The message is longer than [`LARGEST_MAIL`]; only its start was read.
    TooLarge,
    /// More than [`MOST_PARTS`] parts; the others were left out.
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
        let mut mail = Self::default();
        let bytes = if bytes.len() > LARGEST_MAIL {
            mail.fault(Fault::TooLarge);
            &bytes[..LARGEST_MAIL]
        } else {
            bytes
        };
        mail.entity(bytes, Place { parent: None, level: 0, depth: 0, default: "text/plain" });
        mail
    }

    /// The message itself.
    pub fn root(&self) -> &Part<'a> {
        &self.parts[0]
    }

    /// The parts of the outermost message, without those of messages inside it.
    pub fn own_parts(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| part.level == 0)
    }

    /// The number of the first part inside part `number`, if it is a container.
    pub fn child(&self, number: usize) -> Option<usize> {
        self.parts.iter().position(|part| part.parent == Some(number))
    }

    fn fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn entity(&mut self, bytes: &'a [u8], place: Place) {
        if self.parts.len() >= MOST_PARTS {
            self.fault(Fault::TooManyParts);
            return;
        }
        let (headers, body) = Headers::read(bytes);
        let mut content_type = headers.raw("content-type").map(ContentType::read).unwrap_or_default();
        if content_type.kind.is_empty() {
            place.default.clone_into(&mut content_type.kind);
        }
        let number = self.parts.len();
        let body = &bytes[body..];
        let container = is_container(&content_type.kind);
        let boundary = content_type.parameter("boundary").filter(|text| !text.is_empty()).map(str::as_bytes);
        let boundary = boundary.map(|text| text[..text.len().min(LONGEST_BOUNDARY)].to_vec());
        let kind = content_type.kind.clone();
        let plain = encoding(&headers) == Encoding::Plain;
        self.parts.push(Part { parent: place.parent, level: place.level, headers, content_type, body });
        if !container {
            return;
        }
        if place.depth >= DEEPEST {
            self.fault(Fault::TooDeep);
            return;
        }
        let inside = Place { parent: Some(number), level: place.level, depth: place.depth + 1, default: "text/plain" };
        if let Some(sub) = kind.strip_prefix("multipart/") {
            let default = if sub == "digest" { "message/rfc822" } else { "text/plain" };
            self.multipart(body, boundary, Place { default, ..inside });
        } else if plain {
            self.entity(body, Place { level: place.level + 1, ..inside });
        }
    }

    fn multipart(&mut self, body: &'a [u8], boundary: Option<Vec<u8>>, place: Place) {
        let found = boundary.filter(|boundary| next_boundary(body, 0, boundary).is_some()).or_else(|| {
            self.fault(Fault::BrokenMultipart);
            guess_boundary(body)
        });
        let Some(boundary) = found else {
            // Nothing separates parts: all of it is text.
            let content_type = ContentType::read(b"text/plain");
            let (parent, level) = (place.parent, place.level);
            self.parts.push(Part { parent, level, headers: Headers::default(), content_type, body });
            return;
        };
        let mut next = next_boundary(body, 0, &boundary);
        while let Some(start) = next {
            if start.last {
                return;
            }
            next = next_boundary(body, start.after, &boundary);
            let end = next.as_ref().map_or(body.len(), |next| next.before);
            if next.is_none() {
                self.fault(Fault::BrokenMultipart);
            }
            if self.faults.contains(&Fault::TooManyParts) {
                return;
            }
            self.entity(&body[start.after.min(end)..end], place);
        }
    }
}

/// Where an entity lies.
#[derive(Clone, Copy)]
struct Place {
    parent: Option<usize>,
    level: usize,
    depth: usize,
    default: &'static str,
}

/// How a body is encoded (RFC 2045 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

fn encoding(headers: &Headers<'_>) -> Encoding {
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
fn is_container(kind: &str) -> bool {
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

    /// Its content with the transfer encoding taken off; broken encodings as far as they can be read.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        match encoding(&self.headers) {
            Encoding::Plain => Cow::Borrowed(self.body),
            Encoding::Base64 => Cow::Owned(base64(self.body)),
            Encoding::QuotedPrintable => Cow::Owned(quoted_printable(self.body)),
        }
    }

    /// Its content as text, whatever its type; HTML as the lines that a person would see.
    pub fn text(&self) -> Cow<'_, str> {
        let charset = self.content_type.parameter("charset");
        let text = match self.decoded() {
            Cow::Borrowed(bytes) => decode_text(bytes, charset),
            Cow::Owned(bytes) => Cow::Owned(decode_text(&bytes, charset).into_owned()),
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

/// A line that separates parts.
struct Boundary {
    /// Where the part before it ends.
    before: usize,
    /// Where the part behind it begins.
    after: usize,
    /// Whether it is the closing one.
    last: bool,
}

/// The next boundary line at or behind `from` (RFC 2046 5.1.1).
fn next_boundary(body: &[u8], from: usize, boundary: &[u8]) -> Option<Boundary> {
    let mut at = from;
    while let Some(found) = memchr::memmem::find(&body[at..], boundary) {
        let start = at + found;
        at = start + boundary.len();
        let begins_line = start >= 2 && &body[start - 2..start] == b"--" && (start == 2 || body[start - 3] == b'\n');
        if !begins_line {
            continue;
        }
        let line_end = memchr::memchr(b'\n', &body[at..]).map_or(body.len(), |end| at + end + 1);
        let rest = body[at..line_end].trim_ascii_end();
        let last = rest.starts_with(b"--");
        if !rest.is_empty() && !last && !rest.iter().all(u8::is_ascii_whitespace) {
            continue; // a longer boundary that begins alike
        }
        // The line end before the boundary belongs to it.
        let mut before = start - 2;
        if before > from && body[before - 1] == b'\n' {
            before -= 1;
            if before > from && body[before - 1] == b'\r' {
                before -= 1;
            }
        }
        return Some(Boundary { before, after: line_end, last });
    }
    None
}

/// The boundary that a multipart without one seems to use: its first line that begins with `--` and is followed by a field.
fn guess_boundary(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body[..body.len().min(16 * 1024)].split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_ascii_end();
        let follows = lines.peek().is_some_and(|next| next.len() > 8 && next[..8].eq_ignore_ascii_case(b"content-"));
        if follows && line.len() > 4 && line.len() < LONGEST_BOUNDARY && line.starts_with(b"--") {
            return Some(line[2..].to_vec());
        }
    }
    None
}

/// A message whose inner messages are base64 or quoted-printable (against RFC 2046 5.2.1, yet sent) has them decoded in
/// place, so that [`Mail::read`] sees their parts. Other messages are handed back untouched.
pub fn unwrap_encoded_messages(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut unwrapped = Cow::Borrowed(bytes);
    for _ in 0..MOST_UNWRAPPINGS {
        let Some(next) = unwrap_one(&unwrapped) else { break };
        unwrapped = Cow::Owned(next);
    }
    unwrapped
}

fn unwrap_one(bytes: &[u8]) -> Option<Vec<u8>> {
    // Cheap no for nearly every mail: both words have to be there.
    memchr::memmem::find(bytes, b"message/")?;
    let encoded = [&b"base64"[..], b"BASE64", b"Base64", b"quoted-printable", b"QUOTED-PRINTABLE", b"Quoted-Printable"];
    encoded.iter().find(|word| memchr::memmem::find(bytes, word).is_some())?;
    let mail = Mail::read(bytes);
    let encoded = |part: &&Part<'_>| {
        let kind = part.content_type.kind.as_str();
        kind.starts_with("message/") && part.is_container() && encoding(&part.headers) != Encoding::Plain
    };
    let part = mail.parts.iter().find(encoded)?;
    let field = part.headers.raw("content-transfer-encoding")?;
    let place = |inner: &[u8]| (inner.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize);
    let (field_at, body_at) = (place(field)?, place(part.body)?);
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(bytes.get(..field_at)?);
    out.extend_from_slice(b"8bit");
    out.extend_from_slice(bytes.get(field_at + field.len()..body_at)?);
    out.extend_from_slice(&part.decoded());
    out.extend_from_slice(bytes.get(body_at + part.body.len()..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn an_encoded_inner_message_is_unwrapped() {
        let mail = b"Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaW5uZXIK\n--B--\n";
        let unwrapped = unwrap_encoded_messages(mail);
        assert_eq!(shape(&unwrapped).last(), Some(&part(1, "text/plain", "inner")));
        assert!(matches!(unwrap_encoded_messages(REPORT), Cow::Borrowed(_)));
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
