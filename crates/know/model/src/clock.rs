//! Time as a value. Nothing here reads the machine's clock: who needs `now` is handed a [`Clock`].

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still, for tests and for judging a refusal by its own date.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

impl Timestamp {
    /// Midnight UTC of a day of the Gregorian calendar.
    pub fn from_date(year: i32, month: u8, day: u8) -> Self {
        Self(days_from_civil(year, month, day) * 86_400)
    }

    /// Reads `2026-11-21`, `2026-11-21T10:00:00Z` or with an offset `+01:00` (RFC 3339).
    pub fn parse(text: &str) -> Option<Self> {
        let date = PartialDate::parse(text.get(..10)?)?;
        let start = Self::from_date(date.year, date.month?, date.day?);
        let Some(time) = text.get(10..).filter(|rest| !rest.is_empty()) else { return Some(start) };
        let time = time.strip_prefix(['T', 't', ' '])?;
        let clock = time.get(..8)?;
        let number = |at: usize| two_digit_number(clock.get(at..at + 2)?);
        let (hour, minute, second) = (number(0)?, number(3)?, number(6)?);
        if hour > 23 || minute > 59 || second > 60 || clock.as_bytes()[2] != b':' || clock.as_bytes()[5] != b':' {
            return None;
        }
        let mut zone = time.get(8..)?;
        if let Some(fraction) = zone.strip_prefix('.') {
            zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        let moment = Self(start.0 + hour * 3600 + minute * 60 + second - offset_seconds(zone)?);
        // An offset may lead out of the years that can be written in four digits.
        (0..=9999).contains(&moment.date().0).then_some(moment)
    }

    /// Year, month and day in UTC.
    pub fn date(self) -> (i32, u8, u8) {
        civil_from_days(self.0.div_euclid(86_400))
    }
}

/// `Z`, `+hh:mm` or `-hh:mm` in seconds (RFC 3339 5.6).
fn offset_seconds(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (two_digit_number(hours)?, two_digit_number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Two digits and nothing else; a sign is none.
fn two_digit_number(text: &str) -> Option<i64> {
    if text.len() == 2 && is_number(text) { text.parse().ok() } else { None }
}

/// Whether a text has digits alone; `parse` would take a sign too.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.date();
        let second = self.0.rem_euclid(86_400);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

/// A date as far as it is known: a year, a month or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartialDate {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: Option<u8>,
    /// The day, 1 to 31.
    pub day: Option<u8>,
}

impl PartialDate {
    /// Reads `2024`, `2024-06` or `2024-06-05`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = parts.next().filter(|year| year.len() == 4 && is_number(year))?.parse().ok()?;
        let month = two_digits(parts.next(), 12)?;
        let day = two_digits(parts.next(), 31)?;
        let date = Self { year, month, day };
        // The 30th of February would be the 2nd of March.
        let is_real = day.is_none_or(|day| date.start().date().2 == day);
        (parts.next().is_none() && is_real).then_some(date)
    }

    /// The first moment of it.
    pub fn start(self) -> Timestamp {
        Timestamp::from_date(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1))
    }
}

/// An absent part is fine, a wrong one is not.
#[expect(clippy::option_option, reason = "absent and wrong are two answers")]
fn two_digits(part: Option<&str>, highest: u8) -> Option<Option<u8>> {
    let Some(part) = part else { return Some(None) };
    let value =
        part.parse().ok().filter(|value| part.len() == 2 && is_number(part) && (1..=highest).contains(value))?;
    Some(Some(value))
}

impl std::fmt::Display for PartialDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}", self.year)?;
        for part in [self.month, self.day].into_iter().flatten() {
            write!(f, "-{part:02}")?;
        }
        Ok(())
    }
}

/// Days since 1970-01-01 of a Gregorian date (the usual era arithmetic: 400 years are 146,097 days).
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
#[expect(clippy::cast_sign_loss, reason = "months and days are counted from 1")]
fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u8, day as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_offset_or_sign_leads_out_of_the_calendar() {
        for wrong in [
            "2024-05-31T10:00:01-203111055:02635",
            "2024-05-31T09:00:04-2031120000000000:0000031120",
            "2024-05-31T09:00:04+24:00",
            "2024-05-31T09:00:04+-1:00",
            "2024-05-31T-1:00:04Z",
            "+202-05-31",
            "-202-05-31",
            "2024-+5-31",
            "0000-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_go_there_and_back() {
        for text in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-21T10:00:00Z", "1969-12-31T00:00:01Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Timestamp::parse("2026-11-21T11:00:00+01:00"), Timestamp::parse("2026-11-21T10:00:00.25Z"));
        for bad in [
            "2026-13-01",
            "2026-02-30",
            "2026-02-29",
            "2026-11-21T25:00:00Z",
            "2026-11-21T10:00:00",
            "yesterday",
            "2026-11-2",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_date_may_be_known_in_part() {
        assert_eq!(PartialDate::parse("2017-01").unwrap().start(), Timestamp::from_date(2017, 1, 1));
        assert_eq!(PartialDate::parse("2015").unwrap().to_string(), "2015");
        assert_eq!(PartialDate::parse("2015-1"), None);
    }
}
