//! From bytes to text: the declared charset, or else what the bytes look like. Never fails.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

/// The escape that turns an ISO-2022-JP stream (RFC 1468) to its two-byte set; old Japanese servers declare no charset.
const JIS_ESCAPE: &[u8] = b"\x1b$B";

/// Decodes a text. Without a usable charset: ISO-2022-JP by its escapes, else UTF-8, else windows-1252 (of which Latin-1
/// is a part), in which old servers speak.
pub fn decode_text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Cow<'a, str> {
    if bytes.is_ascii() && memchr::memchr(0x1b, bytes).is_none() && !charset.is_some_and(packs_into_ascii) {
        return String::from_utf8_lossy(bytes);
    }
    if memchr::memmem::find(bytes, JIS_ESCAPE).is_some() {
        return by_name(bytes, "iso-2022-jp");
    }
    if charset.is_none_or(says_nothing) {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => by_name(bytes, "windows-1252"),
        };
    }
    let text = by_name(bytes, charset.unwrap_or_default());
    // A wrong label is commoner than a broken text.
    match std::str::from_utf8(bytes) {
        Ok(good) if text.contains('\u{fffd}') => Cow::Borrowed(good),
        _ => text,
    }
}

/// Whether a charset writes other letters in ASCII bytes.
fn packs_into_ascii(charset: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    charset.starts_with("utf-7")
        || charset.starts_with("utf-16")
        || charset.starts_with("utf-32")
        || charset.starts_with("hz")
}

/// A label that is put on anything.
fn says_nothing(charset: &str) -> bool {
    let charset = charset.trim();
    charset.is_empty()
        || ["us-ascii", "ascii", "unknown-8bit", "8bit", "x-unknown", "utf-8", "utf8"]
            .iter()
            .any(|known| charset.eq_ignore_ascii_case(known))
}

fn by_name<'a>(bytes: &'a [u8], charset: &str) -> Cow<'a, str> {
    match charset_decoder(charset.trim().to_ascii_lowercase().as_bytes()) {
        Some(decode) => Cow::Owned(decode(bytes)),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_declared_wrong_or_not_at_all() {
        for (bytes, charset, want) in [
            (&b"Gr\xf6\xdfe"[..], None, "Größe"),
            (b"Gr\xf6\xdfe", Some("iso-8859-1"), "Größe"),
            ("Größe".as_bytes(), None, "Größe"),
            ("Größe".as_bytes(), Some("us-ascii"), "Größe"),
            (b"\xce\xc5\xd4", Some("koi8-r"), "нет"),
            (b"\xed\xe5\xf2", Some("windows-1251"), "нет"),
            (b"\xd3\xca\xbc\xfe", Some("gb18030"), "邮件"),
            (b"\xd3\xca\xbc\xfe", Some("GB2312"), "邮件"),
            (b"\x1b$B%a!<%k\x1b(B", Some("iso-2022-jp"), "メール"),
            (b"\x1b$B%a!<%k\x1b(B", None, "メール"),
            (b"h\0i\0", Some("utf-16le"), "hi"),
            (b"plain", Some("no-such-charset"), "plain"),
            (b"Gr\xf6\xdfe", Some("no-such-charset"), "Größe"),
        ] {
            assert_eq!(decode_text(bytes, charset), want, "{charset:?}");
        }
    }
}
