//! Macro strings of SPF (RFC 7208 7): reading and writing. Expanding them needs a message and is not done here.

use crate::fault::Span;
use crate::txt::text;

/// A text with macros in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MacroString {
    /// The pieces in order; no two literals stand side by side.
    pub parts: Vec<MacroPart>,
}

/// A piece of a macro string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MacroPart {
    /// Plain text.
    Literal(String),
    /// `%%`, a percent sign.
    Percent,
    /// `%_`, a blank.
    Blank,
    /// `%-`, a blank as `%20`.
    UrlBlank,
    /// `%{...}`.
    Expand {
        /// What to put in.
        letter: MacroLetter,
        /// Written in upper case: the value is URL-escaped (7.3).
        escaped: bool,
        /// How many right-hand parts to keep; all if none.
        keep: Option<u32>,
        /// Whether the order of the parts is turned round.
        reversed: bool,
        /// What separates the parts; a dot if empty.
        delimiters: String,
    },
}

/// What a macro stands for (RFC 7208 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacroLetter {
    /// `s`: the sender.
    Sender,
    /// `l`: its local part.
    LocalPart,
    /// `o`: its domain.
    SenderDomain,
    /// `d`: the domain under evaluation.
    Domain,
    /// `i`: the client's address, in dots.
    Ip,
    /// `p`: its validated name.
    ValidatedName,
    /// `v`: `in-addr` or `ip6`.
    ArpaZone,
    /// `h`: the HELO name.
    Helo,
    /// `c`: the client's address as people write it; in explanations only.
    ReadableIp,
    /// `r`: the receiving host; in explanations only.
    Receiver,
    /// `t`: seconds since 1970; in explanations only.
    Time,
}

impl MacroLetter {
    const ALL: [(u8, Self); 11] = [
        (b's', Self::Sender),
        (b'l', Self::LocalPart),
        (b'o', Self::SenderDomain),
        (b'd', Self::Domain),
        (b'i', Self::Ip),
        (b'p', Self::ValidatedName),
        (b'v', Self::ArpaZone),
        (b'h', Self::Helo),
        (b'c', Self::ReadableIp),
        (b'r', Self::Receiver),
        (b't', Self::Time),
    ];

    fn read(letter: u8) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == letter.to_ascii_lowercase()).map(|(_, meaning)| *meaning)
    }

    /// The letter in lower case.
    pub fn letter(self) -> char {
        Self::ALL.iter().find(|(_, meaning)| *meaning == self).map_or('?', |(letter, _)| *letter as char)
    }

    /// Whether it may stand in an explanation only (RFC 7208 7.2).
    pub const fn is_for_explanations(self) -> bool {
        matches!(self, Self::ReadableIp | Self::Receiver | Self::Time)
    }
}

/// Why a text is no macro string, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MacroFault {
    pub(crate) span: Span,
    pub(crate) text: &'static str,
}

impl MacroString {
    /// A text without macros.
    pub fn literal(text: &str) -> Self {
        Self { parts: vec![MacroPart::Literal(text.to_owned())] }
    }

    /// The text, if there is no macro in it.
    pub fn as_plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [MacroPart::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether one of these letters is used.
    pub fn uses(&self, letter: MacroLetter) -> bool {
        self.parts.iter().any(|part| matches!(part, MacroPart::Expand { letter: used, .. } if *used == letter))
    }

    /// Reads the text of an explanation (RFC 7208 6.2: `explain-string`, blanks and all letters allowed).
    ///
    /// None if it has a syntax error or a byte outside ASCII; then the explanation is left out.
    pub fn parse_explanation(bytes: &[u8]) -> Option<Self> {
        read(bytes, 0, true).ok()
    }

    /// Whether it ends as a domain must: `.toplabel`, `.toplabel.` or a macro (RFC 7208 7.1, `domain-end`).
    pub(crate) fn ends_like_a_domain(&self) -> bool {
        match self.parts.last() {
            None => false,
            Some(MacroPart::Literal(text)) => {
                let text = text.strip_suffix('.').unwrap_or(text);
                text.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label.as_bytes()))
            }
            Some(_) => true,
        }
    }
}

/// `toplabel` of RFC 7208 7.1: letters, digits and inner hyphens, not all digits.
fn is_top_label(label: &[u8]) -> bool {
    label.first().is_some_and(u8::is_ascii_alphanumeric)
        && label.last().is_some_and(u8::is_ascii_alphanumeric)
        && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && !label.iter().all(u8::is_ascii_digit)
}

/// Reads a macro string that starts at byte `base` of the record.
pub(crate) fn read(bytes: &[u8], base: usize, explanation: bool) -> Result<MacroString, MacroFault> {
    let fault = |from: usize, to: usize, words| MacroFault { span: Span::new(base + from, base + to), text: words };
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            let run = bytes[at..].iter().position(|byte| *byte == b'%').map_or(bytes.len(), |length| at + length);
            // RFC 7208 7.1: macro-literal is %x21-24 / %x26-7E; 6.2: an explanation may have blanks.
            let good = |byte: &u8| byte.is_ascii_graphic() || (explanation && *byte == b' ');
            if let Some(wrong) = bytes[at..run].iter().position(|byte| !good(byte)) {
                return Err(fault(at + wrong, at + wrong + 1, "has a byte that is not printable ASCII"));
            }
            parts.push(MacroPart::Literal(text(&bytes[at..run]).into_owned()));
            at = run;
            continue;
        }
        let (part, end) = match bytes.get(at + 1) {
            Some(b'%') => (MacroPart::Percent, at + 2),
            Some(b'_') => (MacroPart::Blank, at + 2),
            Some(b'-') => (MacroPart::UrlBlank, at + 2),
            Some(b'{') => {
                let close = bytes[at..].iter().position(|byte| *byte == b'}').map(|length| at + length);
                let close = close.ok_or(fault(at, bytes.len(), "has a `%{` without its `}`"))?;
                let inner = &bytes[at + 2..close];
                let part = expand(inner, explanation).map_err(|words| fault(at, close + 1, words))?;
                (part, close + 1)
            }
            // RFC 7208 7.1: any other use of the percent sign is a syntax error.
            _ => return Err(fault(at, at + 1, "has a `%` that starts no macro")),
        };
        parts.push(part);
        at = end;
    }
    Ok(MacroString { parts })
}

/// What stands between `%{` and `}`: letter, digits, `r`, delimiters.
fn expand(inner: &[u8], explanation: bool) -> Result<MacroPart, &'static str> {
    let (&first, rest) = inner.split_first().ok_or("has an empty macro `%{}`")?;
    let letter = MacroLetter::read(first).ok_or("has a macro with an unknown letter")?;
    if letter.is_for_explanations() && !explanation {
        return Err("uses a macro (c, r or t) that is for explanations only");
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let keep = rest[..digits]
        .iter()
        .fold(0_u32, |number, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')));
    if digits > 0 && keep == 0 {
        return Err("has a macro that keeps zero parts"); // RFC 7208 7.3: MUST be nonzero
    }
    let rest = &rest[digits..];
    let reversed = rest.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'r'));
    let delimiters = &rest[usize::from(reversed)..];
    if !delimiters.iter().all(|byte| b".-+,/_=".contains(byte)) {
        return Err("has a macro that is not closed properly, or with a wrong delimiter");
    }
    Ok(MacroPart::Expand {
        letter,
        escaped: first.is_ascii_uppercase(),
        keep: (digits > 0).then_some(keep),
        reversed,
        delimiters: delimiters.iter().map(|byte| *byte as char).collect(),
    })
}

impl std::fmt::Display for MacroString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.parts.iter().try_for_each(|part| part.fmt(f))
    }
}

impl std::fmt::Display for MacroPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Percent => f.write_str("%%"),
            Self::Blank => f.write_str("%_"),
            Self::UrlBlank => f.write_str("%-"),
            Self::Expand { letter, escaped, keep, reversed, delimiters } => {
                let letter = letter.letter();
                write!(f, "%{{{}", if *escaped { letter.to_ascii_uppercase() } else { letter })?;
                if let Some(keep) = keep {
                    write!(f, "{keep}")?;
                }
                write!(f, "{}{delimiters}}}", if *reversed { "r" } else { "" })
            }
        }
    }
}
