//! Octets from DNS and how they are shown: TXT data with its strings kept apart, escapes, hexadecimal.
//!
//! It never decides on a character set: octets stay octets, and are shown with `\DDD` where they are not printable ASCII.

use serde::{Deserialize, Serialize};

/// The data of a TXT or SPF record: its character strings, kept apart, each of at most 255 octets on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Text(pub Vec<Vec<u8>>);

impl Text {
    /// A record of one string.
    pub fn one(text: &str) -> Self {
        Self(vec![text.as_bytes().to_vec()])
    }

    /// A record of these strings.
    pub fn of<S: AsRef<[u8]>>(strings: &[S]) -> Self {
        Self(strings.iter().map(|string| string.as_ref().to_vec()).collect())
    }

    /// All octets, the strings joined without anything between them (RFC 7208 3.3).
    pub fn joined(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// The joined octets as text; what is not UTF-8 becomes U+FFFD.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.joined()).into_owned()
    }
}

impl From<Text> for Vec<String> {
    fn from(text: Text) -> Self {
        text.0.iter().map(|string| escape(string)).collect()
    }
}

impl TryFrom<Vec<String>> for Text {
    type Error = &'static str;

    fn try_from(strings: Vec<String>) -> Result<Self, Self::Error> {
        strings.iter().map(|string| unescape(string).ok_or("broken escape")).collect::<Result<_, _>>().map(Self)
    }
}

/// Octets as printable ASCII; a backslash is doubled, everything else is `\DDD` (RFC 1035 5.1).
pub(crate) fn escape(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => {
                let _ = write!(text, "\\{octet:03}");
            }
        }
    }
    text
}

/// The octets of an escaped text; none if an escape is broken.
pub(crate) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            octets.push(byte);
            continue;
        }
        let first = bytes.next()?;
        if first.is_ascii_digit() {
            let digits = [first, bytes.next()?, bytes.next()?];
            octets.push(std::str::from_utf8(&digits).ok()?.parse().ok()?);
        } else {
            octets.push(first);
        }
    }
    Some(octets)
}

/// Octets in JSON as escaped text.
pub(crate) mod escaped {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::escape(octets))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::unescape(&text).ok_or_else(|| D::Error::custom("broken escape"))
    }
}

/// Octets in JSON as hexadecimal digits.
pub(crate) mod hexadecimal {
    use std::fmt::Write as _;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(octets.len() * 2);
        for octet in octets {
            let _ = write!(text, "{octet:02x}");
        }
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
        octets.filter(|_| text.len() % 2 == 0).ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_apart_and_join_without_a_blank() {
        let text = Text::of(&["v=spf1 ", "-all"]);
        assert_eq!(text.to_text(), "v=spf1 -all");
        assert_eq!(text.0.len(), 2);
    }

    #[test]
    fn octets_survive_the_way_through_json() {
        let text = Text(vec![(0..=255).collect(), Vec::new(), b"a\\b".to_vec()]);
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text);
        assert!(serde_json::from_str::<Text>(r#"["\\99"]"#).is_err());
    }
}
