//! Expanding macros (RFC 7208 7.3) and making names of the result. No I/O: the validated name is handed in.

use std::fmt::Write as _;
use std::net::IpAddr;

use redeliver_model::Timestamp;
use redeliver_net::dns::Name;
use redeliver_records::{MacroLetter, MacroPart, MacroString};

use crate::request::{Sender, UNKNOWN};

/// A longer expansion is given up: macros can blow a record up a hundredfold, and no name is longer than 253.
const LONGEST_EXPANSION: usize = 65_536;
/// The longest name in text (RFC 7208 7.3).
const LONGEST_NAME: usize = 253;

/// What macros stand for at a given moment.
pub(crate) struct Values<'a> {
    pub(crate) sender: &'a Sender,
    /// The domain under evaluation.
    pub(crate) domain: &'a str,
    /// The validated name of the client, or `unknown`.
    pub(crate) validated: &'a str,
    pub(crate) receiver: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// The text with its macros replaced; none if it gets too long.
pub(crate) fn expand(text: &MacroString, values: &Values<'_>) -> Option<String> {
    let mut result = String::new();
    for part in &text.parts {
        match part {
            MacroPart::Literal(literal) => result.push_str(literal),
            MacroPart::Percent => result.push('%'),
            MacroPart::Blank => result.push(' '),
            MacroPart::UrlBlank => result.push_str("%20"),
            MacroPart::Expand { letter, escaped, keep, reversed, delimiters } => {
                let value = values.of(*letter);
                let value = transformed(&value, *keep, *reversed, delimiters);
                if *escaped { url_escape(&value, &mut result) } else { result.push_str(&value) }
            }
        }
        if result.len() > LONGEST_EXPANSION {
            return None;
        }
    }
    Some(result)
}

impl Values<'_> {
    fn of(&self, letter: MacroLetter) -> String {
        let sender = self.sender;
        match letter {
            MacroLetter::Sender => format!("{}@{}", sender.local, sender.domain),
            MacroLetter::LocalPart => sender.local.clone(),
            MacroLetter::SenderDomain => sender.domain.clone(),
            MacroLetter::Domain => self.domain.to_owned(),
            MacroLetter::Ip => dotted(sender.ip),
            MacroLetter::ValidatedName => self.validated.to_owned(),
            MacroLetter::ArpaZone => if sender.ip.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            MacroLetter::Helo => sender.helo.clone(),
            MacroLetter::ReadableIp => sender.ip.to_string(),
            MacroLetter::Receiver => self.receiver.unwrap_or(UNKNOWN).to_owned(),
            MacroLetter::Time => self.now.0.to_string(),
        }
    }
}

/// RFC 7208 7.3: IPv4 in dotted decimal, IPv6 as nibbles with dots between.
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let mut text = String::with_capacity(63);
            for octet in v6.octets() {
                let dot = if text.is_empty() { "" } else { "." };
                let _ = write!(text, "{dot}{:X}.{:X}", octet >> 4, octet & 15);
            }
            text
        }
    }
}

/// Splits at the delimiters, turns round, keeps the right-hand parts, joins with dots (RFC 7208 7.3).
fn transformed(value: &str, keep: Option<u32>, reversed: bool, delimiters: &str) -> String {
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    let mut parts: Vec<&str> = value.split(|c: char| delimiters.contains(c)).collect();
    if reversed {
        parts.reverse();
    }
    let dropped = keep.map_or(0, |keep| parts.len().saturating_sub(keep as usize));
    parts[dropped..].join(".")
}

/// RFC 7208 7.3: all but the unreserved characters of RFC 3986 are escaped.
fn url_escape(value: &str, result: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            result.push(byte as char);
        } else {
            let _ = write!(result, "%{byte:02X}");
        }
    }
}

/// A text as the name of a question: no trailing dot, cut from the left to 253 characters (RFC 7208 7.3).
pub(crate) fn shortened(text: &str) -> &str {
    let mut text = text.strip_suffix('.').unwrap_or(text);
    while text.len() > LONGEST_NAME {
        match text.split_once('.') {
            Some((_, rest)) => text = rest,
            None => break,
        }
    }
    text
}

/// The name to ask for; none if DNS can have no such name, which then counts as one that does not exist (RFC 7208 4.8).
pub(crate) fn query_name(text: &str) -> Option<Name> {
    // RFC 8616 4: a name with a local part outside ASCII matches nothing.
    if text.is_empty() || !text.is_ascii() {
        return None;
    }
    Name::from_labels(text.split('.')).ok()
}

/// The name of a domain that could have a record: RFC 7208 4.3 wants a well-formed name of several labels.
pub(crate) fn checkable(domain: &str) -> Option<Name> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let (_, top) = domain.rsplit_once('.')?;
    let good_top = !top.bytes().all(|byte| byte.is_ascii_digit())
        && top.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if good_top { query_name(domain) } else { None }
}
