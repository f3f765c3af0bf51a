//! The character strings of a TXT record, joined as receivers join them, with the seams remembered. Never fails.

use std::borrow::Cow;

/// The longest text that is read: RDLENGTH is 16 bits (RFC 1035 3.2.1), so no TXT record can hold more.
pub const LONGEST_TEXT: usize = 65_535;

/// The strings of one TXT record as one text.
///
/// RFC 7208 3.3, RFC 6376 3.6.2.2 and RFC 9989 4.5 all say: concatenated without anything in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedText {
    /// The bytes of all strings, one behind the other.
    pub bytes: Vec<u8>,
    /// Where the second, third ... string begins.
    pub seams: Vec<usize>,
}

impl JoinedText {
    /// Joins the strings of one TXT record.
    pub fn of<S: AsRef<[u8]>>(strings: &[S]) -> Self {
        let mut joined = Self { bytes: Vec::new(), seams: Vec::new() };
        for (number, string) in strings.iter().enumerate() {
            if number > 0 {
                joined.seams.push(joined.bytes.len());
            }
            joined.bytes.extend_from_slice(string.as_ref());
        }
        joined
    }
}

/// As much of the bytes as is read.
pub(crate) fn bounded(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(LONGEST_TEXT)]
}

/// Bytes as text for a value or a sentence; what is no UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
