//! The way back, from counted days.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use redeliver_model::{Recovery, Timestamp};
use redeliver_remedies::{Engagement, FEWEST_A_DAY, FEWEST_REFUSED, Plan, Volumes, recovery};

const DAY: i64 = 86_400;

fn day(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A log of so many days with so many messages each, of which so many percent were refused.
fn log(place: &str, a_day: &[u64], percent_refused: u64) -> Volumes {
    let mut volumes = Volumes::default();
    add(&mut volumes, place, a_day, percent_refused);
    volumes
}

fn add(volumes: &mut Volumes, place: &str, a_day: &[u64], percent_refused: u64) {
    let first = day("2026-11-01");
    for (number, count) in (0..).zip(a_day) {
        for message in 0..*count {
            let refused = message * 100 < count * percent_refused;
            volumes.count(place, "example.net", Some(Timestamp(first.0 + number * DAY + 3600)), refused);
        }
    }
}

fn planned(volumes: &Volumes) -> Plan {
    recovery(volumes, day("2026-11-27T15:00:00Z"), None, &BTreeSet::new(), |_| true)
}

fn only(volumes: &Volumes) -> Recovery {
    let plan = planned(volumes);
    assert_eq!(plan.recoveries.len(), 1, "{plan:?}");
    plan.recoveries.into_iter().next().unwrap()
}

#[test]
fn the_usual_day_is_the_median_and_not_the_burst() {
    let found = only(&log("google", &[100, 4000, 4200, 90_000, 4100, 4000, 10], 10));
    assert_eq!((found.usual, found.counted_days), (4100, 5), "the first and the last day are not whole");
    let found = only(&log("google", &[300, 500], 10));
    assert_eq!((found.usual, found.counted_days), (300, 2));
    assert_eq!(only(&log("google", &[700], 10)).usual, 700);
}

#[test]
fn the_course_is_ten_to_twenty_percent_raised_over_four_to_six_weeks() {
    for (percent_refused, first_percent, days) in
        [(1, 20, 28), (19, 20, 28), (20, 15, 35), (59, 15, 35), (60, 10, 42), (100, 10, 42)]
    {
        let found = only(&log("google", &[1000], percent_refused));
        let steps = &found.steps;
        assert_eq!(steps[0].first, day("2026-11-27"));
        assert_eq!((steps[0].percent, steps[0].most_a_day), (0, 0), "bulk mail rests first");
        assert_eq!(steps[1].percent, first_percent, "{percent_refused} % refused");
        assert_eq!(steps[1].most_a_day, u64::from(first_percent) * 10);
        let last = steps.last().unwrap();
        assert_eq!((last.percent, last.most_a_day, last.engaged_within), (100, 1000, 180));
        let until_usual = (last.first.0 - steps[0].first.0) / DAY;
        assert!((days - 3..=days).contains(&until_usual), "{until_usual} days for {days}");
        for pair in steps.windows(2) {
            assert_eq!(pair[0].last.0 + DAY, pair[1].first.0, "no gap");
            assert!(pair[0].percent < pair[1].percent && pair[0].most_a_day <= pair[1].most_a_day);
            assert!(pair[0].engaged_within <= pair[1].engaged_within);
            // By about a quarter, as the remedy says.
            assert!(pair[0].percent == 0 || u32::from(pair[1].percent) * 100 <= u32::from(pair[0].percent) * 127);
        }
    }
}

#[test]
fn who_needs_none_gets_none() {
    let mut volumes = log("fine.example", &[5000, 5000], 0);
    add(&mut volumes, "small.example", &[FEWEST_A_DAY - 1], 100);
    assert_eq!((planned(&volumes).recoveries.len(), planned(&volumes).too_little), (0, 1));
    for _ in 1..FEWEST_REFUSED {
        volumes.count("fine.example", "example.net", None, true);
    }
    assert_eq!((planned(&volumes).recoveries.len(), planned(&volumes).too_little), (0, 2), "four of ten thousand");
    assert_eq!(planned(&Volumes::default()), Plan::default());
}

#[test]
fn the_most_mail_comes_first_and_one_place_can_be_chosen() {
    let mut volumes = log("b.example", &[100], 50);
    add(&mut volumes, "a.example", &[100], 50);
    add(&mut volumes, "c.example", &[200], 50);
    let places = |plan: Plan| plan.recoveries.into_iter().map(|one| one.place).collect::<Vec<_>>();
    assert_eq!(places(planned(&volumes)), ["c.example", "a.example", "b.example"]);
    let chosen = recovery(&volumes, day("2026-11-27"), None, &BTreeSet::new(), |place| place == "b.example");
    assert_eq!(places(chosen), ["b.example"]);
}

#[test]
fn those_who_reacted_last_are_written_to_first() {
    let mut volumes = log("google", &[1000], 100);
    volumes.count("google", "gmail.com", Some(day("2026-11-01")), false);
    let mut list = Engagement::default();
    for number in 0..50 {
        list.line(&format!("fresh{number}@gmail.com,2026-11-{:02}", 1 + number % 25)).unwrap();
        list.line(&format!("older{number}@GMAIL.com,2026-09-{:02}", 1 + number % 25)).unwrap();
    }
    list.line("silent@gmail.com,2025-01-01").unwrap();
    list.line("never@example.net").unwrap();
    list.line("gone@gmail.com,2026-11-20").unwrap();
    list.line("elsewhere@example.org,2026-11-20").unwrap();
    let dead = BTreeSet::from(["gone@gmail.com".to_owned()]);
    let plan = recovery(&volumes, day("2026-11-27"), Some(&list), &dead, |_| true);
    let found = &plan.recoveries[0];
    let audience = found.audience.unwrap();
    assert_eq!((audience.kept, audience.silent, audience.dead), (100, 2, 1));
    let by_step: Vec<u64> = found.steps.iter().filter_map(|step| step.addresses).collect();
    assert_eq!(by_step.len(), found.steps.len());
    assert_eq!((by_step[0], by_step[1], by_step.last()), (0, 10, Some(&100)), "no more than their share");
    assert!(by_step.is_sorted());
    let from = |address: &str| plan.invited.iter().find(|one| one.address == address).unwrap().from;
    assert!(plan.invited.iter().all(|one| one.address != "elsewhere@example.org"), "no calendar, no limit");
    assert_eq!((from("silent@gmail.com"), from("never@example.net"), from("gone@gmail.com")), (None, None, None));
    assert_eq!(from("fresh24@gmail.com"), Some(day("2026-11-29")), "reacted last");
    assert!(from("fresh0@gmail.com").unwrap() < from("older0@gmail.com").unwrap());
    // Seventy or more days ago: not before the step that reaches ninety days back.
    let wide = found.steps.iter().find(|step| step.engaged_within >= 90).unwrap().first;
    assert!(from("older0@gmail.com").unwrap() >= wide);
}
