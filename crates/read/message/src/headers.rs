//! Header fields (RFC 5322 2.2): found once, decoded when asked for.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "parser methods are bound to one lifetime, closures to any"
)]

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use redeliver_model::Timestamp;

use crate::charset::decode_text;

/// Most fields that are kept of one block. Real mail has under 200; a mail with 100,000 is an attack on memory.
pub const MOST_FIELDS: usize = 2000;

/// Fields that decide what a mail is. The first of each is kept behind any number of others.
const DECIDING: [&str; 12] = [
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "mime-version",
    "from",
    "to",
    "subject",
    "return-path",
    "date",
    "message-id",
    "auto-submitted",
    "x-failed-recipients",
];

/// Longest value that is decoded; addresses and parameters behind it are not looked at. RFC 5322 2.1.1 allows 998 a line, and
/// a list of some hundred recipients still fits.
const LONGEST_VALUE: usize = 64 * 1024;

/// Most parameters of one Content-Type that are kept. Real ones have under ten; 4 KiB of them in each part would take 50 MB.
const MOST_PARAMETERS: usize = 32;

/// Most addresses taken from one field.
const MOST_ADDRESSES: usize = 1000;

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name, as written.
    pub name: &'a str,
    /// Its value with folds, as bytes.
    pub raw: &'a [u8],
}

/// The fields of one message or part, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    fields: Vec<Header<'a>>,
    cut: bool,
}

/// A mail address with its display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The words before it.
    pub name: Option<String>,
    /// `local@domain`, as written.
    pub address: String,
}

/// What a Received field says (RFC 5321 4.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The name that the client gave.
    pub from: Option<String>,
    /// The client's address.
    pub ip: Option<std::net::IpAddr>,
    /// The client's name as the receiving server looked it up; the one in `from` is only what the client said.
    pub reverse: Option<String>,
    /// Who received it.
    pub by: Option<String>,
    /// For whom.
    pub recipient: Option<String>,
}

/// Content-Type or Content-Disposition, with its parameters (RFC 2045 5.1, RFC 2231).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentType {
    /// `text/plain`, in lower case.
    pub kind: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    /// A parameter's value; its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Reads the value of the field.
    pub fn read(raw: &[u8]) -> Self {
        // Boundaries and charsets stand in front; a value of many KiB is an attack on the RFC 2231 joiner.
        let raw = &raw[..raw.len().min(4096)];
        let HeaderValue::ContentType(read) = ended(raw, |stream| stream.parse_content_type()) else {
            return Self::default();
        };
        let mut kind = read.c_type.to_ascii_lowercase();
        if let Some(sub) = &read.c_subtype {
            kind.push('/');
            kind.push_str(&sub.to_ascii_lowercase());
        }
        let attributes = read.attributes.unwrap_or_default().into_iter();
        let attributes = attributes.take(MOST_PARAMETERS);
        let mut parameters: Vec<_> =
            attributes.map(|one| (one.name.to_ascii_lowercase(), one.value.into_owned())).collect();
        // What was collected keeps the room of all that were there.
        parameters.shrink_to_fit();
        Self { kind, parameters }
    }
}

impl<'a> Headers<'a> {
    /// Reads a block of fields and returns it with the place of the body behind it.
    ///
    /// A line that is no field is passed over if a field follows before the next blank line (folds lose their indentation on
    /// the way), and else begins the body: mails without the blank line exist. A line `From ` of an mbox in front is passed over.
    pub fn read(bytes: &'a [u8]) -> (Self, usize) {
        Self::read_most(bytes, MOST_FIELDS)
    }

    /// As [`Headers::read`], and keeps not more than so many fields.
    pub(crate) fn read_most(bytes: &'a [u8], most: usize) -> (Self, usize) {
        // Those that decide always have room.
        let most = most.min(MOST_FIELDS - DECIDING.len());
        let mut headers = Self::default();
        let mut known = [false; DECIDING.len()];
        let mut begun = false;
        let mut at = 0;
        while at < bytes.len() {
            let line = line_end(bytes, at);
            let text = bytes[at..line].trim_ascii_end();
            if text.is_empty() {
                if !begun {
                    at = line; // blank lines in front
                    continue;
                }
                return (headers, line);
            }
            if let Some(colon) = field_name(text) {
                begun = true;
                let end = folded_end(bytes, line);
                if let Ok(name) = std::str::from_utf8(text[..colon].trim_ascii_end()) {
                    let decides = DECIDING.iter().position(|deciding| name.eq_ignore_ascii_case(deciding));
                    let is_new = decides.is_some_and(|number| !std::mem::replace(&mut known[number], true));
                    if headers.fields.len() < most || is_new {
                        headers.fields.push(Header { name, raw: bytes[at + colon + 1..end].trim_ascii() });
                    } else {
                        headers.cut = true;
                    }
                }
                at = end;
                continue;
            }
            let mbox = !begun && (text.starts_with(b"From ") || text.starts_with(b">From "));
            if !mbox && (!begun || !field_follows(bytes, line)) {
                return (headers, at);
            }
            at = line;
        }
        (headers, bytes.len())
    }

    /// Whether fields were left out, since there were too many.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header<'a>> {
        self.fields.iter()
    }

    /// The fields of one name, in order, as bytes.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'a [u8]> + 'h {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.raw)
    }

    /// The first field of a name, as bytes.
    pub fn raw(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.raw)
    }

    /// Whether a field of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The first field of a name as text: unfolded, encoded words decoded (RFC 2047).
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name).map(field_text)
    }

    /// The addresses of all fields of a name.
    pub fn addresses(&self, name: &str) -> Vec<Address> {
        let mut found = Vec::new();
        for raw in self.all(name) {
            let raw = &raw[..raw.len().min(LONGEST_VALUE)];
            if memchr::memchr(b'@', raw).is_none() {
                continue;
            }
            let HeaderValue::Address(read) = ended(raw, |stream| stream.parse_address()) else { continue };
            let good = read.iter().filter_map(|one| {
                let address = one.address.as_deref()?.trim();
                let name = one.name.as_deref().map(str::to_owned);
                address.contains('@').then(|| Address { name, address: address.to_owned() })
            });
            found.extend(good.take(MOST_ADDRESSES.saturating_sub(found.len())));
        }
        found
    }

    /// The first address of a field.
    pub fn address(&self, name: &str) -> Option<String> {
        self.addresses(name).into_iter().next().map(|one| one.address)
    }

    /// The moment that a date field names.
    pub fn date(&self, name: &str) -> Option<Timestamp> {
        date(self.raw(name)?)
    }

    /// What the Received fields say, the latest first.
    pub fn received(&self) -> impl Iterator<Item = Received> {
        self.all("received").map(|raw| {
            let HeaderValue::Received(read) = ended(&raw[..raw.len().min(4096)], |stream| stream.parse_received())
            else {
                return Received::default();
            };
            Received {
                from: read.from.as_ref().map(ToString::to_string),
                ip: read.from_ip,
                reverse: read.from_iprev.as_deref().map(str::to_owned),
                by: read.by.as_ref().map(ToString::to_string),
                recipient: read.for_.as_deref().map(str::to_owned),
            }
        })
    }
}

/// A date of RFC 5322 3.3, with the zones of old mail.
pub(crate) fn date(raw: &[u8]) -> Option<Timestamp> {
    match ended(&raw[..raw.len().min(200)], |stream| stream.parse_date()) {
        HeaderValue::DateTime(date) if date.is_valid() => Some(Timestamp(date.to_timestamp())),
        _ => None,
    }
}

/// The value of a field as text.
fn field_text(raw: &[u8]) -> Cow<'_, str> {
    let raw = &raw[..raw.len().min(LONGEST_VALUE)];
    let encoded = memchr::memmem::find(raw, b"=?").is_some();
    if !encoded {
        let text = decode_text(raw, None);
        return if text.contains(['\r', '\n', '\t']) {
            Cow::Owned(
                text.split(['\r', '\n', '\t'])
                    .filter(|part| !part.is_empty())
                    .map(str::trim)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        } else {
            text
        };
    }
    match ended(raw, |stream| stream.parse_unstructured()) {
        HeaderValue::Text(text) => Cow::Owned(text.into_owned()),
        _ => Cow::Borrowed(""),
    }
}

/// Runs one of mail-parser's field parsers, which want a line end behind the value.
fn ended(raw: &[u8], parse: for<'x> fn(&mut MessageStream<'x>) -> HeaderValue<'x>) -> HeaderValue<'static> {
    let mut line = Vec::with_capacity(raw.len() + 1);
    line.extend_from_slice(raw);
    line.push(b'\n');
    parse(&mut MessageStream::new(&line)).into_owned()
}

/// The place behind the line end.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end + 1)
}

/// Lines looked at for a field behind a line that is none.
const LOOK_AHEAD: usize = 8;

/// Whether a field stands among the next lines, before a blank one.
fn field_follows(bytes: &[u8], mut at: usize) -> bool {
    for _ in 0..LOOK_AHEAD {
        let end = line_end(bytes, at);
        let text = bytes[at..end].trim_ascii_end();
        if text.is_empty() {
            return false;
        }
        if field_name(text).is_some() {
            return true;
        }
        at = end;
    }
    false
}

/// The end of a field whose first line ends at `at`: lines that begin with a blank belong to it, if they are not blank
/// altogether.
fn folded_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t')) {
        let end = line_end(bytes, at);
        if bytes[at..end].trim_ascii().is_empty() {
            break;
        }
        at = end;
    }
    at
}

/// The place of the colon, if the line begins with a field name (RFC 5322 3.6.8).
fn field_name(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(100).position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let good = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    // "http://..." in the first line of a body is no field.
    (good && !line[colon + 1..].starts_with(b"//")).then_some(colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_folds_and_the_body() {
        let mail = b"From a@b Mon\r\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n =?utf-8?q?_x?=\r\nX-Empty:\r\nTo: Ann <ann@example.org>,\r\n\tbob@example.net\r\n\r\nbody";
        let (headers, body) = Headers::read(mail);
        assert_eq!(&mail[body..], b"body");
        assert_eq!(headers.text("subject").as_deref(), Some("Größe x"));
        assert_eq!(headers.text("X-Empty").as_deref(), Some(""));
        let to: Vec<_> = headers.addresses("to").into_iter().map(|one| one.address).collect();
        assert_eq!(to, ["ann@example.org", "bob@example.net"]);
    }

    #[test]
    fn a_missing_blank_line_loses_no_body() {
        let mail = b"Subject: x\nThis is the body: really\nand more\n";
        let (headers, body) = Headers::read(mail);
        assert_eq!(headers.iter().count(), 1);
        assert_eq!(&mail[body..], b"This is the body: really\nand more\n");
        let (headers, _) = Headers::read(b"Subject: x\nbroken line without colon\nTo: a@b.example\n\n");
        assert_eq!(headers.address("to").as_deref(), Some("a@b.example"));
    }

    #[test]
    fn types_dates_and_received() {
        let kind = ContentType::read(b"multipart/report; report-type=\"delivery-status\";\r\n boundary=\"a b\"");
        assert_eq!((kind.kind.as_str(), kind.parameter("boundary")), ("multipart/report", Some("a b")));
        let (headers, _) = Headers::read(
            b"Date: Sat, 21 Nov 2026 11:00:00 +0100\nReceived: from mail.example.org (mail.example.org [192.0.2.7])\n by mx.example.net with ESMTP id x for <ann@example.net>; Sat, 21 Nov 2026 10:00:00 +0000\n\n",
        );
        assert_eq!(headers.date("date").map(|date| date.to_string()).as_deref(), Some("2026-11-21T10:00:00Z"));
        let hop = headers.received().next().unwrap();
        assert_eq!(hop.ip.map(|ip| ip.to_string()).as_deref(), Some("192.0.2.7"));
        assert_eq!(hop.by.as_deref(), Some("mx.example.net"));
    }

    #[test]
    fn a_flood_of_fields_is_bounded() {
        let flood = b"X: y\n".repeat(100_000);
        let (headers, body) = Headers::read(&flood);
        assert!(headers.iter().count() <= MOST_FIELDS && headers.is_cut());
        assert_eq!(body, flood.len());
        assert!(!Headers::read(&flood[..1000]).0.is_cut());
    }

    #[test]
    fn a_flood_of_parameters_is_bounded() {
        let flood = format!("text/plain; charset=utf-8{}", "; a=b".repeat(800));
        let read = ContentType::read(flood.as_bytes());
        assert_eq!((read.kind.as_str(), read.parameter("charset")), ("text/plain", Some("utf-8")));
        assert!(read.parameters.len() <= MOST_PARAMETERS && read.parameters.capacity() < 2 * MOST_PARAMETERS);
    }

    #[test]
    fn what_decides_is_found_behind_a_flood() {
        let deciding = DECIDING.map(|name| format!("{}: a@example.org\n", name.to_uppercase())).concat();
        let mail = "X: y\n".repeat(MOST_FIELDS) + &deciding.repeat(1000) + "\nbody";
        let (headers, body) = Headers::read(mail.as_bytes());
        assert!(DECIDING.iter().all(|name| headers.all(name).count() == 1));
        assert_eq!((headers.iter().count(), &mail[body..]), (MOST_FIELDS, "body"));
        // One that stood in front takes no room again.
        let mail = deciding + &mail;
        let (headers, _) = Headers::read(mail.as_bytes());
        assert!(DECIDING.iter().all(|name| headers.all(name).count() == 1) && headers.iter().count() <= MOST_FIELDS);
    }
}
