//! A DNS name as it goes over the wire: folded to lower case, bounded, with IDN in its ASCII form.
//!
//! It never judges whether a name is a good host name (underscores, blanks and any other octet are allowed in DNS, RFC 2181
//! 11) and never looks anything up. What does not fit the wire is a [`NameError`].

use std::fmt::Write as _;
use std::net::IpAddr;

use redeliver_model::Domain;
use serde::{Deserialize, Serialize};

/// A label holds at most 63 octets (RFC 1035 2.3.4).
const LONGEST_LABEL: usize = 63;
/// A name holds at most 255 octets, the length octets and the root included (RFC 1035 2.3.4).
const LONGEST_NAME: usize = 255;
/// Longest text that is read as a name: every octet of the longest one written as `\DDD`.
const LONGEST_TEXT: usize = LONGEST_NAME * 4;

/// Why a text is no DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Two dots in a row, a leading dot, or no text.
    #[error("a label of the name is empty")]
    EmptyLabel,
    /// More than 63 octets in a label.
    #[error("a label of the name is longer than 63 octets")]
    LongLabel,
    /// More than 255 octets in all.
    #[error("the name is longer than 255 octets")]
    LongName,
    /// A backslash that is not followed by a character or by `DDD` up to 255.
    #[error("the name has a broken escape")]
    BadEscape,
    /// A non-ASCII name that IDNA does not allow (UTS 46).
    #[error("the international name is not allowed by IDNA")]
    BadIdn,
}

/// A DNS name in presentation form: lower case, without the trailing dot, odd octets as `\DDD`; the root is `.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// Reads a name as people and zone files write it: `\.` and `\DDD` are escapes (RFC 1035 5.1), one trailing dot is
    /// dropped, a non-ASCII name becomes its A-labels.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == "." {
            return Ok(Self::root());
        }
        if text.len() > LONGEST_TEXT {
            return Err(NameError::LongName);
        }
        let ascii;
        let text = if text.is_ascii() {
            text
        } else {
            // UTS 46 without the STD3 rules: underscores must live.
            ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
                .map_err(|_| NameError::BadIdn)?
                .into_owned();
            &ascii
        };
        Self::from_labels(labels_of(text)?)
    }

    /// The name of these labels, as octets from the wire.
    pub fn from_labels<I: IntoIterator<Item = L>, L: AsRef<[u8]>>(labels: I) -> Result<Self, NameError> {
        let mut text = String::new();
        let mut octets = 1;
        for label in labels {
            let label = label.as_ref();
            match label.len() {
                0 => return Err(NameError::EmptyLabel),
                1..=LONGEST_LABEL => octets += label.len() + 1,
                _ => return Err(NameError::LongLabel),
            }
            if octets > LONGEST_NAME {
                return Err(NameError::LongName);
            }
            if !text.is_empty() {
                text.push('.');
            }
            escape_label(label, &mut text);
        }
        Ok(if text.is_empty() { Self::root() } else { Self(text) })
    }

    /// The root of all names.
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    /// The name below which the PTR of an address stands (RFC 1035 3.5, RFC 3596 2.5).
    pub fn reverse(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(_) => format!("{}.in-addr.arpa", Self::reverse_labels(address)),
            IpAddr::V6(_) => format!("{}.ip6.arpa", Self::reverse_labels(address)),
        })
    }

    /// The labels of an address turned round, without the zone: what a blocklist wants before its own name (RFC 5782 2.1).
    pub fn reverse_labels(address: IpAddr) -> String {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                format!("{d}.{c}.{b}.{a}")
            }
            IpAddr::V6(v6) => {
                let mut text = String::with_capacity(63);
                for octet in v6.octets().iter().rev() {
                    let dot = if text.is_empty() { "" } else { "." };
                    let _ = write!(text, "{dot}{:x}.{:x}", octet & 15, octet >> 4);
                }
                text
            }
        }
    }

    /// This name with further labels in front: `_dmarc`, `7.2.0.192`.
    pub fn below(&self, front: &str) -> Result<Self, NameError> {
        let mut labels = labels_of(front)?;
        labels.extend(self.labels());
        Self::from_labels(labels)
    }

    /// The name without its first label; none above the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let mut labels = self.labels();
        labels.remove(0);
        Self::from_labels(labels).ok()
    }

    /// The labels as octets, first label first; none for the root.
    pub fn labels(&self) -> Vec<Vec<u8>> {
        if self.is_root() { Vec::new() } else { labels_of(&self.0).unwrap_or_default() }
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0 == "."
    }

    /// Whether this name is `zone` or lies below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        let (labels, of_zone) = (self.labels(), zone.labels());
        labels.ends_with(&of_zone)
    }

    /// The presentation form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl TryFrom<&Domain> for Name {
    type Error = NameError;

    fn try_from(domain: &Domain) -> Result<Self, NameError> {
        Self::parse(domain.as_str())
    }
}

/// Cuts a presentation form into labels of octets, lower case.
fn labels_of(text: &str) -> Result<Vec<Vec<u8>>, NameError> {
    let mut labels = Vec::new();
    let mut label = Vec::new();
    let mut bytes = text.bytes();
    let mut ended = false;
    while let Some(byte) = bytes.next() {
        ended = false;
        match byte {
            b'.' => {
                if label.is_empty() {
                    return Err(NameError::EmptyLabel);
                }
                labels.push(std::mem::take(&mut label));
                ended = true;
            }
            b'\\' => label.push(escaped(&mut bytes)?.to_ascii_lowercase()),
            _ => label.push(byte.to_ascii_lowercase()),
        }
    }
    match (label.is_empty(), ended) {
        (true, true) => {}
        (true, false) => return Err(NameError::EmptyLabel),
        (false, _) => labels.push(label),
    }
    Ok(labels)
}

/// What follows a backslash: three digits, or one character as it is.
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(NameError::BadEscape)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

/// Writes a label in presentation form.
fn escape_label(label: &[u8], text: &mut String) {
    for byte in label.iter().map(u8::to_ascii_lowercase) {
        match byte {
            b'.' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'!'..=b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\{byte:03}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        Name::parse(text).unwrap().to_string()
    }

    #[test]
    fn names_are_folded_and_odd_octets_survive() {
        assert_eq!(name("Mail.Example.NET."), "mail.example.net");
        assert_eq!(name("_dmarc.example.org"), "_dmarc.example.org");
        assert_eq!(name("a b.example"), "a\\032b.example");
        assert_eq!(name("ann\\.bee.example"), "ann\\.bee.example");
        assert_eq!(Name::parse("ann\\.bee.example").unwrap().labels().len(), 2);
        assert_eq!(name("\\065bc.example"), "abc.example");
        assert_eq!(name("."), ".");
    }

    #[test]
    fn international_names_become_ascii() {
        assert_eq!(name("m\u{fc}ller.example"), "xn--mller-kva.example");
        assert_eq!(name("_dmarc.M\u{dc}LLER.example"), "_dmarc.xn--mller-kva.example");
    }

    #[test]
    fn what_does_not_fit_the_wire_is_told() {
        let long = vec!["a".repeat(63); 4].join(".");
        for (text, error) in [
            ("", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            (&"a".repeat(64), NameError::LongLabel),
            (&long, NameError::LongName),
            (&"a".repeat(5000), NameError::LongName),
            ("a\\", NameError::BadEscape),
            ("a\\999", NameError::BadEscape),
            ("a\\1x", NameError::BadEscape),
        ] {
            assert_eq!(Name::parse(text), Err(error), "{text}");
        }
        assert!(Name::parse(&long[2..]).is_ok());
    }

    #[test]
    fn addresses_are_turned_round() {
        assert_eq!(Name::reverse("192.0.2.7".parse().unwrap()).as_str(), "7.2.0.192.in-addr.arpa");
        let v6 = Name::reverse("2001:db8::1".parse().unwrap());
        assert!(v6.as_str().starts_with("1.0.0.0.0.") && v6.as_str().ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"));
        assert_eq!(v6.labels().len(), 34);
    }

    #[test]
    fn above_and_below() {
        let zone = Name::parse("example.org").unwrap();
        let below = zone.below("_dmarc").unwrap();
        assert_eq!(below.as_str(), "_dmarc.example.org");
        assert_eq!(below.parent(), Some(zone.clone()));
        assert!(below.is_within(&zone) && zone.is_within(&zone) && zone.is_within(&Name::root()));
        assert!(!Name::parse("badexample.org").unwrap().is_within(&zone));
        assert_eq!(Name::root().parent(), None);
        assert_eq!(Name::root().below("org").unwrap().as_str(), "org");
    }
}
