//! Times as logs write them, and the year that BSD syslog leaves out.
//!
//! No clock: who reads says up to when the log goes and where its machine stands. What is no time is `None`.

use redeliver_model::Timestamp;

/// How a time without a year or without a zone is understood.
///
/// The year is the latest one that puts the line not after `not_after` (and a day, since clocks and zones differ). The rule looks at
/// nothing but the line, so it holds over New Year within a file, for lines out of order and for a file that is read on from its
/// middle. It is right for every log that ended less than a year before `not_after`: give the time of the file's last change, not
/// today, for an old file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearRule {
    /// No line is later: the present, or when the file was changed last.
    pub not_after: Timestamp,
    /// How far the log's local time is ahead of UTC, in seconds, for lines that do not say it.
    pub offset_seconds: i32,
}

/// How far a line may lie ahead of `not_after`: the widest difference between two zones, 26 hours, and some drift.
const AHEAD: i64 = 27 * 3600;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// How long `Nov 25 21:33:43` is (RFC 3164 4.1.2).
pub(crate) const BSD_LENGTH: usize = 15;

impl YearRule {
    /// A rule for logs in UTC.
    pub const fn utc(not_after: Timestamp) -> Self {
        Self { not_after, offset_seconds: 0 }
    }

    /// The moment of a month, a day and a time of day in local time.
    pub fn moment(self, month: u8, day: u8, second_of_day: i64) -> Option<Timestamp> {
        let shift = second_of_day - i64::from(self.offset_seconds);
        let (this_year, _, _) = self.not_after.date();
        // The first of January may be next year already where the log is written; 29 February may be eight years back.
        (this_year - 8..=this_year + 1).rev().find_map(|year| {
            let midnight = Timestamp::from_date(year, month, day);
            let moment = Timestamp(midnight.0 + shift);
            let exists = midnight.date() == (year, month, day);
            (exists && moment.0 <= self.not_after.0.saturating_add(AHEAD)).then_some(moment)
        })
    }

    /// `Nov 25 21:33:43` at the start of `text`.
    pub(crate) fn bsd(self, text: &[u8]) -> Option<Timestamp> {
        let text = text.get(..BSD_LENGTH)?;
        let month = MONTHS.iter().position(|name| text.starts_with(*name))? as u8 + 1;
        let day = match (text[4], text[5]) {
            (b' ', ones) => digit(ones)?,
            (tens, ones) => digit(tens)? * 10 + digit(ones)?,
        };
        if text[3] != b' ' || text[6] != b' ' || !(1..=31).contains(&day) {
            return None;
        }
        self.moment(month, day as u8, clock(&text[7..])?)
    }

    /// `2026-11-25T21:33:43`, with or without a blank for the `T`, a fraction, and `Z`, `+01:00`, `+0100`, ` +0100` or ` UTC`;
    /// without a zone it is local time. Returns the moment and the number of bytes read.
    pub(crate) fn iso(self, text: &[u8]) -> Option<(Timestamp, usize)> {
        let date = text.get(..10)?;
        if !matches!((date[4], date[7]), (b'-', b'-') | (b'/', b'/')) {
            return None;
        }
        let year = number(&date[..4])?.cast_signed();
        let (month, day) = (number(&date[5..7])? as u8, number(&date[8..])? as u8);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !matches!(text.get(10)?, b'T' | b't' | b' ') {
            return None;
        }
        let seconds = clock(text.get(11..19)?)?;
        let mut at = 19;
        if matches!(text.get(at), Some(b'.' | b',')) {
            at += 1 + text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
        let (offset, length) = zone(&text[at..]).unwrap_or((i64::from(self.offset_seconds), 0));
        Some((Timestamp(Timestamp::from_date(year, month, day).0 + seconds - offset), at + length))
    }

    /// The same, for a whole field.
    pub(crate) fn iso_field(self, text: &str) -> Option<Timestamp> {
        self.iso(text.trim().as_bytes()).map(|(time, _)| time)
    }

    /// `11/04/2026 08:17:13 PM`, `11/4/2026 8:17 PM`, as American tables have it.
    pub(crate) fn american(self, text: &str) -> Option<Timestamp> {
        let mut parts = text.trim().split([' ', ',']).filter(|part| !part.is_empty());
        let mut date = parts.next()?.split('/');
        let (month, day) = (small(date.next()?, 12)?, small(date.next()?, 31)?);
        let year: i32 = date.next().filter(|year| year.len() == 4)?.parse().ok()?;
        let mut time = parts.next()?.split(':');
        let mut hour = i64::from(small_or_zero(time.next()?, 23)?);
        let minute = i64::from(small_or_zero(time.next()?, 59)?);
        let second = time.next().map_or(Some(0), |second| small_or_zero(second, 60))?;
        match parts.next() {
            Some("PM" | "pm") if hour < 12 => hour += 12,
            Some("AM" | "am") if hour == 12 => hour = 0,
            _ => {}
        }
        let local = Timestamp::from_date(year, month, day).0 + hour * 3600 + minute * 60 + i64::from(second);
        Some(Timestamp(local - i64::from(self.offset_seconds)))
    }
}

/// `@400000006ae996ed17d78400`: seconds of TAI as daemontools counts them, ten ahead of UTC at its epoch.
pub(crate) fn tai64n(text: &[u8]) -> Option<Timestamp> {
    let hex = std::str::from_utf8(text.strip_prefix(b"@")?.get(..16)?).ok()?;
    let seconds = i64::from_str_radix(hex, 16).ok()?;
    Some(Timestamp(seconds - (1 << 62) - 10))
}

/// Seconds or milliseconds since 1970: what lies beyond the year 5000 in seconds is milliseconds.
pub(crate) fn epoch(number: f64) -> Option<Timestamp> {
    let seconds = if number > 1e11 { number / 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "checked to lie within 3,000 years")]
    (number.is_finite() && (0.0..1e11).contains(&seconds)).then_some(Timestamp(seconds as i64))
}

/// `21:33:43` in seconds.
fn clock(text: &[u8]) -> Option<i64> {
    let text = text.get(..8)?;
    if text[2] != b':' || text[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (number(&text[..2])?, number(&text[3..5])?, number(&text[6..])?);
    (hour <= 23 && minute <= 59 && second <= 60).then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// `Z`, `+01:00`, `+0100`, ` +0100`: seconds ahead of UTC, and the length.
fn zone(text: &[u8]) -> Option<(i64, usize)> {
    if matches!(text.first(), Some(b'Z' | b'z')) {
        return Some((0, 1));
    }
    if text.starts_with(b" UTC") {
        return Some((0, 4));
    }
    let blank = usize::from(text.first() == Some(&b' '));
    let sign = match text.get(blank)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(text.get(blank + 1..blank + 3)?)?;
    let colon = usize::from(text.get(blank + 3) == Some(&b':'));
    let at = blank + 3 + colon;
    let minutes = number(text.get(at..at + 2)?)?;
    Some((sign * i64::from(hours * 3600 + minutes * 60), at + 2))
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// Digits alone, few enough not to overflow.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| Some(sum * 10 + digit(*byte)?))
}

fn small_or_zero(text: &str, most: u8) -> Option<u8> {
    text.parse().ok().filter(|value| *value <= most && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn small(text: &str, most: u8) -> Option<u8> {
    small_or_zero(text, most).filter(|value| *value > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_line_of_december_read_in_january() {
        let rule = YearRule::utc(at("2027-01-05T12:00:00Z"));
        let show = |text: &str| rule.bsd(text.as_bytes()).map(|time| time.to_string());
        assert_eq!(show("Dec 31 23:59:59").as_deref(), Some("2026-12-31T23:59:59Z"));
        assert_eq!(show("Jan  1 00:00:01").as_deref(), Some("2027-01-01T00:00:01Z"));
        assert_eq!(show("Jan  6 10:00:00").as_deref(), Some("2027-01-06T10:00:00Z"), "a clock may be ahead");
        assert_eq!(show("Jan  8 10:00:00").as_deref(), Some("2026-01-08T10:00:00Z"));
        assert_eq!(show("Feb 29 10:00:00").as_deref(), Some("2024-02-29T10:00:00Z"));
        for bad in ["Foo 29 10:00:00", "Feb 30 10:00:00", "Jan  1 24:00:00", "Jan  1", "Jan 00 10:00:00", ""] {
            assert_eq!(show(bad), None, "{bad}");
        }
    }

    #[test]
    fn local_time_is_moved_to_utc() {
        let rule = YearRule { not_after: at("2026-11-25T00:00:00Z"), offset_seconds: 3600 };
        assert_eq!(rule.bsd(b"Nov 24 01:00:00"), Some(at("2026-11-24T00:00:00Z")));
        let iso = |text: &str| rule.iso(text.as_bytes());
        assert_eq!(iso("2026-11-24 01:00:00 x"), Some((at("2026-11-24T00:00:00Z"), 19)));
        assert_eq!(iso("2026-11-24T01:00:00.123456+02:00 x"), Some((at("2026-11-23T23:00:00Z"), 32)));
        assert_eq!(iso("2026-11-24 01:00:00 -0100 x"), Some((at("2026-11-24T02:00:00Z"), 25)));
        assert_eq!(iso("2026-11-24T01:00:00+0000"), Some((at("2026-11-24T01:00:00Z"), 24)));
        assert_eq!(iso("2026-11-24T1:00:00Z"), None);
    }

    #[test]
    fn tables_and_counters() {
        let rule = YearRule::utc(at("2026-11-25T00:00:00Z"));
        assert_eq!(rule.american("11/4/2026 8:17 PM"), Some(at("2026-11-04T20:17:00Z")));
        assert_eq!(rule.american("11/04/2026 12:17:13 AM"), Some(at("2026-11-04T00:17:13Z")));
        assert_eq!(rule.american("31/12/2026 10:00"), None);
        assert_eq!(tai64n(b"@400000006ae996ed00000000"), Some(at("2026-11-03T08:10:11Z")));
        assert_eq!(epoch(1_794_300_000.5), epoch(1_794_300_000_500.0));
        assert_eq!(epoch(f64::NAN), None);
    }
}
