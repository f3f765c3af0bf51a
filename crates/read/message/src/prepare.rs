//! A message made ready to be read: line ends, and inner messages that are encoded.

use std::borrow::Cow;

use crate::mail::Mail;

/// How often an encoded message inside an encoded message is unwrapped.
const MOST_UNWRAPPINGS: usize = 3;

/// A message made ready for [`Mail::read`]; most are handed back untouched.
///
/// Lines ended by carriage returns alone are ended by line feeds. Inner messages in base64 or quoted-printable (against RFC
/// 2046 5.2.1, yet sent) are decoded in place, so that their parts are seen.
pub fn prepare(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut unwrapped = with_line_feeds(bytes);
    for _ in 0..MOST_UNWRAPPINGS {
        let Some(next) = unwrap_one(&unwrapped) else { break };
        unwrapped = Cow::Owned(next);
    }
    unwrapped
}

/// Bytes looked at to tell how lines end.
const LINE_ENDS_LOOKED_AT: usize = 16 * 1024;

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

fn unwrap_one(bytes: &[u8]) -> Option<Vec<u8>> {
    let mail = Mail::read(bytes);
    let part = mail.parts.iter().find(|part| part.is_encoded_message())?;
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
