//! The recovery calendar: from what went where on which day to what may go there from now on.
//!
//! Pure. The daily volume is the log's own; the course is that of `catalog/remedies/lower-volume.toml`: two days of rest, 10 to
//! 20 % of the usual volume, raised every three days over four to six weeks, to the people who react first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redeliver_model::{Audience, Invited, Recovery, RecoveryStep, Timestamp};

use crate::engagement::Engagement;

const DAY: i64 = 86_400;

/// Most places that are counted apart, and most domains whose place is remembered.
const MOST_NAMES: usize = 20_000;

/// Most days that are counted apart for one place: two years of logs.
const MOST_DAYS: usize = 750;

/// A place that gets less on a usual day needs no calendar: nobody measures the reputation of so little.
pub const FEWEST_A_DAY: u64 = 20;

/// One refusal is a chance, and so is one in a hundred: a place with less of both needs no calendar.
pub const FEWEST_REFUSED: u64 = 5;

/// How long all bulk mail rests before.
const REST_DAYS: i64 = 2;

/// Every step lasts so long.
const STEP_DAYS: i64 = 3;

/// Up to which percent of the usual volume people are written to who reacted within so many days. Who was silent for half a year
/// stays out.
const ENGAGED_WITHIN: [(u8, u32); 4] = [(35, 30), (60, 60), (85, 90), (100, 180)];

/// How far down and for how long, by the percent of mail that was refused: below the first number the first course, and so on.
const COURSES: [(u64, Course); 3] = [
    (20, Course { start: 0.20, days: 28 }),
    (60, Course { start: 0.15, days: 35 }),
    (u64::MAX, Course { start: 0.10, days: 42 }),
];

/// Where a calendar begins, as a share of the usual volume, and how many days it lasts.
#[derive(Debug, Clone, Copy)]
struct Course {
    start: f64,
    days: i64,
}

/// What went where on which day.
#[derive(Debug, Default)]
pub struct Volumes {
    places: HashMap<String, Volume>,
    /// The place of a recipient's domain, where it has another name.
    domains: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct Volume {
    /// Messages by day, counted from 1970-01-01.
    days: BTreeMap<i64, u64>,
    sent: u64,
    refused: u64,
}

impl Volumes {
    /// Counts a message to a recipient that was taken or refused at a place. `domain` is the recipient's, in lower case;
    /// `for_volume` says that it was refused, and that sending less is a remedy.
    pub fn count(&mut self, place: &str, domain: &str, time: Option<Timestamp>, for_volume: bool) {
        if place.is_empty() {
            return;
        }
        if place != domain && self.domains.len() < MOST_NAMES && !self.domains.contains_key(domain) {
            self.domains.insert(domain.to_owned(), place.to_owned());
        }
        if !self.places.contains_key(place) {
            if self.places.len() >= MOST_NAMES {
                return;
            }
            self.places.insert(place.to_owned(), Volume::default());
        }
        let Some(volume) = self.places.get_mut(place) else { return };
        volume.sent += 1;
        volume.refused += u64::from(for_volume);
        let Some(day) = time.map(|time| time.0.div_euclid(DAY)) else { return };
        if volume.days.len() < MOST_DAYS || volume.days.contains_key(&day) {
            *volume.days.entry(day).or_default() += 1;
        }
    }

    /// The place of an address, if the log knows one.
    fn place_of(&self, address: &str) -> Option<&str> {
        let domain = address.rsplit_once('@')?.1.to_lowercase();
        match self.domains.get(&domain) {
            Some(place) => Some(place),
            None => self.places.get_key_value(&domain).map(|(place, _)| place.as_str()),
        }
    }
}

impl Volume {
    /// Messages on a usual day, and the number of days behind it: the median, so that the burst that did the damage does not
    /// count as usual. The first and the last day of a longer log are seldom whole, and left out.
    fn usual(&self) -> (u64, usize) {
        let mut days: Vec<u64> = self.days.values().copied().collect();
        if days.len() > 2 {
            days = days[1..days.len() - 1].to_vec();
        }
        days.sort_unstable();
        // Of two in the middle the lower one: too little does no harm.
        (days.get(days.len().saturating_sub(1) / 2).copied().unwrap_or(0), days.len())
    }

    fn needs_a_calendar(&self) -> bool {
        self.refused >= FEWEST_REFUSED && self.refused * 100 >= self.sent && self.usual().0 >= FEWEST_A_DAY
    }
}

/// What comes of a log: calendars, the most mail first, and how many further places refuse for reputation but get too little mail.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One for each place that needs it.
    pub recoveries: Vec<Recovery>,
    /// Places with a refusal for reputation and no calendar.
    pub too_little: usize,
    /// The addresses of the list at these places, in the order of the list.
    pub invited: Vec<Invited>,
}

/// Reckons the calendars; they begin at midnight of `start`'s day. `dead` holds addresses that no longer exist, in lower case.
pub fn recovery(
    volumes: &Volumes,
    start: Timestamp,
    list: Option<&Engagement>,
    dead: &BTreeSet<String>,
    wanted: impl Fn(&str) -> bool,
) -> Plan {
    let first_day = start.0.div_euclid(DAY);
    let concerned = volumes.places.iter().filter(|(place, volume)| volume.refused > 0 && wanted(place));
    let (ill, light): (Vec<_>, Vec<_>) = concerned.partition(|(_, volume)| volume.needs_a_calendar());
    let mut recoveries: Vec<Recovery> =
        ill.into_iter().map(|(place, volume)| calendar(place, volume, first_day)).collect();
    recoveries.sort_by(|a, b| (std::cmp::Reverse(a.usual), &a.place).cmp(&(std::cmp::Reverse(b.usual), &b.place)));
    let invited = list.map(|list| invite(&mut recoveries, volumes, list, dead, first_day)).unwrap_or_default();
    Plan { recoveries, too_little: light.len(), invited }
}

fn calendar(place: &str, volume: &Volume, first_day: i64) -> Recovery {
    let (usual, counted_days) = volume.usual();
    let percent_refused = volume.refused * 100 / volume.sent.max(1);
    let course = COURSES.iter().find(|(below, _)| percent_refused < *below).map_or(COURSES[2].1, |(_, course)| *course);
    Recovery {
        place: place.to_owned(),
        usual,
        counted_days,
        refused: volume.refused,
        sent: volume.sent,
        steps: steps(usual, course, first_day),
        audience: None,
    }
}

/// Rest, then the same factor from step to step, up to the usual volume.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares lie between 0 and 1")]
#[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 messages a day")]
fn steps(usual: u64, course: Course, first_day: i64) -> Vec<RecoveryStep> {
    let day = |day: i64| Timestamp((first_day + day) * DAY);
    let rest = RecoveryStep {
        first: day(0),
        last: day(REST_DAYS - 1),
        percent: 0,
        most_a_day: 0,
        engaged_within: 0,
        addresses: None,
    };
    let raises = (course.days - REST_DAYS) / STEP_DAYS;
    let factor = (1.0 / course.start).powf(1.0 / raises as f64);
    let mut steps = vec![rest];
    for raise in 0..=raises {
        let share = if raise == raises { 1.0 } else { course.start * factor.powf(raise as f64) };
        let percent = (share * 100.0).round() as u8;
        let first = REST_DAYS + raise * STEP_DAYS;
        let engaged_within = ENGAGED_WITHIN.iter().find(|(up_to, _)| percent <= *up_to).map_or(180, |(_, days)| *days);
        steps.push(RecoveryStep {
            first: day(first),
            last: day(first + STEP_DAYS - 1),
            percent,
            most_a_day: rounded((usual as f64 * share) as u64),
            engaged_within,
            addresses: None,
        });
    }
    steps
}

/// Down to two digits that count, and never to nothing.
fn rounded(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    (number / unit * unit).max(1)
}

/// Deals the addresses of the list to the steps: those who reacted last come first, and no step gets more of them than its
/// share of all who are kept.
fn invite(
    recoveries: &mut [Recovery],
    volumes: &Volumes,
    list: &Engagement,
    dead: &BTreeSet<String>,
    first_day: i64,
) -> Vec<Invited> {
    let places: HashMap<&str, usize> =
        recoveries.iter().enumerate().map(|(number, recovery)| (recovery.place.as_str(), number)).collect();
    let mut invited = Vec::new();
    // The numbers of a place's own.
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); recoveries.len()];
    for (address, engaged) in list.addresses() {
        let Some(place) = volumes.place_of(address) else { continue };
        let Some(number) = places.get(place) else { continue };
        own[*number].push(invited.len());
        let (address, place) = (address.to_owned(), place.to_owned());
        invited.push(Invited { address, place, engaged, from: None });
    }
    for (recovery, own) in recoveries.iter_mut().zip(own) {
        let mut audience = Audience::default();
        let longest = i64::from(ENGAGED_WITHIN[ENGAGED_WITHIN.len() - 1].1);
        let mut kept: Vec<(i64, usize)> = Vec::new();
        for number in own {
            let one = &invited[number];
            // Whoever reacts after the first day is as fresh as can be.
            let age = one.engaged.map(|time| (first_day - time.0.div_euclid(DAY)).max(0));
            match age.filter(|age| *age <= longest) {
                _ if dead.contains(&one.address.to_lowercase()) => audience.dead += 1,
                Some(age) => kept.push((age, number)),
                None => audience.silent += 1,
            }
        }
        kept.sort_by_key(|(age, _)| *age);
        audience.kept = kept.len() as u64;
        let mut next = kept.into_iter().peekable();
        let mut by_now = 0;
        for step in &mut recovery.steps {
            let room = audience.kept * u64::from(step.percent) / 100;
            let within = i64::from(step.engaged_within);
            while let Some((_, number)) = next.next_if(|(age, _)| by_now < room && *age <= within) {
                invited[number].from = Some(step.first);
                by_now += 1;
            }
            step.addresses = Some(by_now);
        }
        recovery.audience = Some(audience);
    }
    invited
}
