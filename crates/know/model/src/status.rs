//! Enhanced mail system status codes (RFC 3463).

use serde::{Deserialize, Serialize};

/// `class.subject.detail`, for example `5.7.1` (RFC 3463 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EnhancedStatus {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// 0 to 999: what the code is about.
    pub subject: u16,
    /// 0 to 999: the exact condition.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads a status at the start of `text`; returns it and the number of bytes read.
    ///
    /// `5.7.1`, `4.2.0`; the class must be 2, 4 or 5, and no further digit or dotted part may follow
    /// (`5.7.1.2` is an IP or a version, not a status).
    pub fn read(text: &str) -> Option<(Self, usize)> {
        let bytes = text.as_bytes();
        let class = match bytes.first() {
            Some(b'2') => 2,
            Some(b'4') => 4,
            Some(b'5') => 5,
            _ => return None,
        };
        let (subject, after_subject) = number(bytes, 1)?;
        let (detail, end) = number(bytes, after_subject)?;
        let goes_on = bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        (!goes_on).then_some((Self { class, subject, detail }, end))
    }
}

/// A dot at `at` and one to three digits behind it: the number and the place behind.
fn number(bytes: &[u8], at: usize) -> Option<(u16, usize)> {
    if bytes.get(at) != Some(&b'.') {
        return None;
    }
    let digits = bytes[at + 1..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let value = bytes[at + 1..=at + digits].iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Some((value, at + 1 + digits))
}

impl std::fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// A status as rules write it: `5.7.1`, `x.7.1` for any class, `x.7.x` for a whole subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusPattern {
    /// The class, or none for any.
    pub class: Option<u8>,
    /// The subject.
    pub subject: u16,
    /// The detail, or none for any.
    pub detail: Option<u16>,
}

impl StatusPattern {
    /// Reads `5.7.1`, `x.7.1` or `x.7.x`; the whole text must be one pattern.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "x" => None,
            "2" => Some(2),
            "4" => Some(4),
            "5" => Some(5),
            _ => return None,
        };
        let subject = part(parts.next()?)?;
        let detail = match parts.next()? {
            "x" => None,
            digits => Some(part(digits)?),
        };
        parts.next().is_none().then_some(Self { class, subject, detail })
    }

    /// Whether `status` is one of those meant.
    pub fn matches(self, status: EnhancedStatus) -> bool {
        self.class.is_none_or(|class| class == status.class)
            && self.subject == status.subject
            && self.detail.is_none_or(|detail| detail == status.detail)
    }
}

/// One to three digits.
fn part(digits: &str) -> Option<u16> {
    digits.parse().ok().filter(|_| digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

impl std::fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = |part: Option<u16>| part.map_or_else(|| "x".to_owned(), |part| part.to_string());
        write!(f, "{}.{}.{}", open(self.class.map(u16::from)), self.subject, open(self.detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_statuses_and_nothing_else() {
        let read = |text| EnhancedStatus::read(text).map(|(status, end)| (status.to_string(), end));
        assert_eq!(read("5.7.1 Denied"), Some(("5.7.1".into(), 5)));
        assert_eq!(read("5.2.122"), Some(("5.2.122".into(), 7)));
        assert_eq!(read("4.7.1: later"), Some(("4.7.1".into(), 5)));
        assert_eq!(read("5.1.1."), Some(("5.1.1".into(), 5)));
        for not in ["5.7.1.2", "5.7", "3.1.1", "5..1", "5.7.1234", "52.1.1", ""] {
            assert_eq!(read(not), None, "{not}");
        }
    }

    #[test]
    fn a_pattern_may_leave_the_class_open() {
        let any = StatusPattern::parse("x.7.25").unwrap();
        assert!(any.matches(EnhancedStatus::read("4.7.25").unwrap().0));
        assert!(!StatusPattern::parse("5.7.25").unwrap().matches(EnhancedStatus::read("4.7.25").unwrap().0));
        assert!(StatusPattern::parse("x.7.x").unwrap().matches(EnhancedStatus::read("5.7.26").unwrap().0));
        for bad in ["7.25", "x.7", "y.1.1", "5.7.1 ", "x.x.1", "x.7.+1"] {
            assert_eq!(StatusPattern::parse(bad), None, "{bad}");
        }
    }
}
