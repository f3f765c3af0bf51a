//! The recovery calendar as iCalendar (RFC 5545): one event a step, over whole days.

use icalendar::{Calendar, Component, Event, Property};
use redeliver_model::{Recovery, RecoveryStep, Timestamp};

use crate::escape::visible;
use crate::recovery_text::{date, grouped, whom};

const DAY: i64 = 86_400;

/// One calendar for all places. `now` is when it was made; the same input gives the same calendar, so that a second import
/// replaces the first (RFC 5545 3.8.4.7: an event is known by its UID).
pub fn recoveries_ics(recoveries: &[Recovery], now: Timestamp) -> String {
    // RFC 5545 3.6: PRODID and VERSION once; `Calendar::new` has a PRODID of its own.
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//redeliver//EN"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.name("Mail: the way back");
    for recovery in recoveries {
        for (number, step) in recovery.steps.iter().enumerate() {
            calendar.push(event(recovery, number, step, now));
        }
    }
    calendar.done().to_string()
}

fn event(recovery: &Recovery, number: usize, step: &RecoveryStep, now: Timestamp) -> Event {
    let place = visible(&recovery.place);
    let first = recovery.steps.first().map_or(step.first, |first| first.first);
    let summary = if step.percent == 0 {
        format!("{place}: no bulk mail")
    } else {
        format!("{place}: at most {} a day ({} %)", grouped(step.most_a_day), step.percent)
    };
    let description = if step.percent == 0 {
        format!("{}.", whom(step))
    } else {
        format!("To: {}.\nIf refusals or complaints rise, go back one step.", whom(step))
    };
    let mut event = Event::new();
    event
        .uid(&format!("{}-{number}-{place}@redeliver", compact(first)))
        .summary(&summary)
        .description(&description)
        .add_property("DTSTAMP", moment(now))
        // RFC 5545 3.6.1: the end is the day behind the last.
        .append_property(day("DTSTART", step.first))
        .append_property(day("DTEND", Timestamp(step.last.0 + DAY)));
    // RFC 5545 3.8.2.7: it takes nobody's time.
    event.add_property("TRANSP", "TRANSPARENT");
    event.done()
}

/// A date as a value (RFC 5545 3.3.4).
fn day(name: &str, day: Timestamp) -> Property {
    Property::new(name, compact(day)).add_parameter("VALUE", "DATE").done()
}

fn compact(day: Timestamp) -> String {
    date(day).replace('-', "")
}

/// A moment in UTC (RFC 5545 3.3.5).
fn moment(time: Timestamp) -> String {
    time.to_string().replace(['-', ':'], "")
}
