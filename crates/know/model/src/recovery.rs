//! The way back to a receiver that refuses for reputation: which day how much mail, and to whom. Values only.

use crate::Timestamp;

/// The calendar for one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The receiving operator's id, or the recipient's domain.
    pub place: String,
    /// Messages that went there on a usual day.
    pub usual: u64,
    /// The days of the log from which that was reckoned.
    pub counted_days: usize,
    /// Messages that were refused for reputation.
    pub refused: u64,
    /// Messages that went there at all.
    pub sent: u64,
    /// What to send when, in order and without gaps.
    pub steps: Vec<RecoveryStep>,
    /// What a list with the last engagement says about the addresses there; none if none was given.
    pub audience: Option<Audience>,
}

/// Some days with the same volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryStep {
    /// Midnight UTC of the first day.
    pub first: Timestamp,
    /// Midnight UTC of the last day.
    pub last: Timestamp,
    /// Percent of the usual volume; 0 while all bulk mail rests.
    pub percent: u8,
    /// Messages a day at most; 0 while all bulk mail rests.
    pub most_a_day: u64,
    /// Only to people who reacted within so many days before the first day of the calendar; 0 while all bulk mail rests.
    pub engaged_within: u32,
    /// Addresses of the list that may be written to by then.
    pub addresses: Option<u64>,
}

/// What a list with the last engagement says about the addresses of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Audience {
    /// Addresses that get mail again.
    pub kept: u64,
    /// Addresses that were silent too long, or never reacted.
    pub silent: u64,
    /// Addresses that are dead by the log.
    pub dead: u64,
}

/// An address, and when it is written to again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The address as the list has it.
    pub address: String,
    /// Its place.
    pub place: String,
    /// Midnight UTC of the day on which it last reacted.
    pub engaged: Option<Timestamp>,
    /// From which day; none for those who stay out.
    pub from: Option<Timestamp>,
}
