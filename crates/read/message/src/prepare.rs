//! A message made ready to be read: line ends, and inner messages that are encoded.

use std::borrow::Cow;
use std::ops::Range;

use crate::mail::{MOST_PARTS, Mail, Part};

/// How often an encoded message inside an encoded message is unwrapped.
const MOST_UNWRAPPINGS: usize = 3;

/// Bytes looked at to tell how lines end.
const LINE_ENDS_LOOKED_AT: usize = 16 * 1024;

/// A message made ready for [`Mail::read`]; most are handed back untouched.
///
/// Lines ended by carriage returns alone are ended by line feeds. Inner messages in base64 or quoted-printable (against RFC
/// 2046 5.2.1, yet sent) are decoded in place, so that their parts are seen.
pub fn prepare(bytes: &[u8]) -> Cow<'_, [u8]> {
    Unwrapping::of(bytes).bytes
}

/// A message whose inner messages are being decoded.
struct Unwrapping<'a> {
    bytes: Cow<'a, [u8]>,
    /// How many bytes were read as a message, to find those that are encoded.
    #[cfg(test)]
    looked: usize,
}

/// An inner message that is encoded.
struct Encoded {
    /// Where the value of its Content-Transfer-Encoding stands.
    field: Range<usize>,
    body: Range<usize>,
    decoded: Vec<u8>,
}

impl<'a> Unwrapping<'a> {
    /// Decodes all inner messages, then those inside them. Only what was decoded is read again.
    fn of(bytes: &'a [u8]) -> Self {
        let mut unwrapping = Self {
            bytes: with_line_feeds(bytes),
            #[cfg(test)]
            looked: 0,
        };
        let mut unread = Vec::from([Range { start: 0, end: unwrapping.bytes.len() }]);
        for _ in 0..MOST_UNWRAPPINGS {
            let found = unwrapping.find(&unread);
            if found.is_empty() {
                break;
            }
            unread = unwrapping.put(&found);
        }
        unwrapping
    }

    /// The encoded messages in the messages that stand at these places.
    fn find(&mut self, unread: &[Range<usize>]) -> Vec<Encoded> {
        let mut found = Vec::new();
        let mut parts = 0;
        for place in unread {
            // Parts behind so many are left out of the whole.
            if parts >= MOST_PARTS {
                break;
            }
            #[cfg(test)]
            {
                self.looked += place.len();
            }
            let mail = Mail::read(&self.bytes[place.clone()]);
            parts += mail.parts.len();
            found.extend(mail.parts.iter().filter_map(|part| Encoded::read(&self.bytes, part)));
        }
        found
    }

    /// Puts the decoded messages in the place of the encoded ones, and returns where they stand.
    fn put(&mut self, found: &[Encoded]) -> Vec<Range<usize>> {
        let mut out = Vec::with_capacity(self.bytes.len());
        let mut places = Vec::with_capacity(found.len());
        let mut at = 0;
        for one in found {
            out.extend_from_slice(&self.bytes[at..one.field.start]);
            out.extend_from_slice(b"8bit");
            out.extend_from_slice(&self.bytes[one.field.end..one.body.start]);
            let start = out.len();
            out.extend_from_slice(&one.decoded);
            places.push(start..out.len());
            at = one.body.end;
        }
        out.extend_from_slice(&self.bytes[at..]);
        self.bytes = Cow::Owned(out);
        places
    }
}

impl Encoded {
    fn read(bytes: &[u8], part: &Part<'_>) -> Option<Self> {
        if !part.is_encoded_message() {
            return None;
        }
        let place = |inner: &[u8]| {
            let start = (inner.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
            (start + inner.len() <= bytes.len()).then_some(start..start + inner.len())
        };
        let field = place(part.headers.raw("content-transfer-encoding")?)?;
        Some(Self { field, body: place(part.body)?, decoded: part.decoded().into_owned() })
    }
}

/// Whether most lines end with a carriage return alone, as those of old programs do.
pub(crate) fn lacks_line_feeds(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(LINE_ENDS_LOOKED_AT)];
    let feeds = memchr::memchr_iter(b'\n', start).count();
    memchr::memchr_iter(b'\r', start).count() > 2 * feeds + 2
}

fn with_line_feeds(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !lacks_line_feeds(bytes) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {}
            b'\r' => out.push(b'\n'),
            other => out.push(*other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A multipart of messages in base64.
    fn encoded(boundary: &str, base64: &str, times: usize) -> String {
        let part =
            format!("--{boundary}\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{base64}\n");
        format!("Content-Type: multipart/mixed; boundary={boundary}\n\n{}--{boundary}--\n", part.repeat(times))
    }

    fn texts(bytes: &[u8]) -> Vec<(usize, String)> {
        let mail = Mail::read(bytes);
        let texts = mail.parts.iter().filter(|part| !part.is_container());
        texts.map(|part| (part.level, part.text().trim().to_owned())).collect()
    }

    #[test]
    fn encoded_inner_messages_are_unwrapped() {
        // Each holds "Subject: x" and "inner".
        let mail = encoded("B", "U3ViamVjdDogeAoKaW5uZXIK", 5);
        assert_eq!(texts(&prepare(mail.as_bytes())), vec![(1, "inner".to_owned()); 5]);
        let plain = b"Content-Type: message/rfc822\n\nSubject: x\n\ninner\n";
        assert!(matches!(prepare(plain), Cow::Borrowed(_)));
    }

    #[test]
    fn so_are_those_inside_them() {
        let escaped = |text: &str| text.replace('=', "=3D");
        let around = |text: &str| {
            format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n{}", escaped(text))
        };
        let mail = around(&around(&encoded("B", "U3ViamVjdDogeAoKaW5uZXIK", 2)));
        assert_eq!(texts(&prepare(mail.as_bytes())), vec![(3, "inner".to_owned()); 2]);
        // One more stays as it is.
        assert_eq!(texts(&prepare(around(&mail).as_bytes())), []);
    }

    #[test]
    fn the_whole_is_not_read_again_for_each() {
        let mail = encoded("B", "U3ViamVjdDogeAoKaW5uZXIK", 5) + &"x".repeat(100_000);
        // 18 bytes are in each.
        assert_eq!(Unwrapping::of(mail.as_bytes()).looked, mail.len() + 5 * 18);
        // Each holds four parts; those behind the last that is told of the whole are not read.
        let mail = encoded(
            "B",
            "Q29udGVudC1UeXBlOiBtdWx0aXBhcnQvbWl4ZWQ7IGJvdW5kYXJ5PWIKCi0tYgoKCi0tYgoKCi0tYgoKCi0tYi0t",
            400,
        );
        let each = 66;
        let read = (Unwrapping::of(mail.as_bytes()).looked - mail.len()) / each;
        assert_eq!(read, MOST_PARTS / 4);
    }

    #[test]
    fn carriage_returns_alone_end_lines() {
        assert_eq!(&*prepare(b"A: b\rC: d\r\rbody\rmore\r\n"), b"A: b\nC: d\n\nbody\nmore\n");
    }
}
