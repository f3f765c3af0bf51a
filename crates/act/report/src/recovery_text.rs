//! The recovery calendar as a table for a person, and in Markdown for a ticket.

use std::fmt::Write;

use redeliver_model::{Recovery, RecoveryStep, Timestamp};

use crate::escape::markdown;
use crate::page::{Page, Style};

/// One table a place. `rules` are the steps of the remedy, `too_little` counts the places that need no calendar.
pub fn recoveries(recoveries: &[Recovery], too_little: usize, rules: &[String], style: Style) -> String {
    let mut page = Page::new(style);
    page.heading(&headline(recoveries));
    for recovery in recoveries {
        page.line("");
        page.bold(&recovery.place);
        page.paragraph(2, &basis(recovery));
        page.line(&format!("  {:10}  {:10}  {:>12}  {:>5}  to whom", "from", "to", "a day at most", "of it"));
        for step in &recovery.steps {
            let (first, last) = (date(step.first), date(step.last));
            let volume = if step.percent == 0 { "none".to_owned() } else { grouped(step.most_a_day) };
            let line = format!("  {first:10}  {last:10}  {volume:>13}  {:>3} %  {}", step.percent, whom(step));
            page.line(line.trim_end());
        }
    }
    if too_little > 0 {
        page.line("");
        page.paragraph(0, &without_calendar(too_little));
    }
    if !recoveries.is_empty() {
        page.line("");
        page.bold("How");
        for (number, rule) in rules.iter().enumerate() {
            page.item(&format!("{}. ", number + 1), rule);
        }
    }
    page.text
}

/// The same for a ticket.
pub fn recoveries_markdown(recoveries: &[Recovery], too_little: usize, rules: &[String]) -> String {
    let mut text = format!("## {}\n", markdown(&headline(recoveries)));
    for recovery in recoveries {
        let _ = writeln!(text, "\n### {}\n\n{}\n", markdown(&recovery.place), markdown(&basis(recovery)));
        text.push_str("| from | to | a day at most | of the usual | to whom |\n|---|---|---:|---:|---|\n");
        for step in &recovery.steps {
            let (first, last, most) = (date(step.first), date(step.last), grouped(step.most_a_day));
            let _ = writeln!(text, "| {first} | {last} | {most} | {} % | {} |", step.percent, markdown(&whom(step)));
        }
    }
    if too_little > 0 {
        let _ = writeln!(text, "\n{}", markdown(&without_calendar(too_little)));
    }
    if !recoveries.is_empty() {
        text.push('\n');
        for (number, rule) in rules.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", number + 1, markdown(rule));
        }
    }
    text
}

fn headline(recoveries: &[Recovery]) -> String {
    let last = recoveries.iter().filter_map(|recovery| recovery.steps.last()).map(|step| step.first).max();
    match (recoveries, last) {
        ([one], Some(last)) => format!("The way back at {}, to the usual volume on {}", one.place, date(last)),
        ([_, ..], Some(last)) => {
            format!("The way back at {} places, to the usual volume on {}", recoveries.len(), date(last))
        }
        _ => "No place needs a recovery calendar".to_owned(),
    }
}

/// What the calendar rests on.
fn basis(recovery: &Recovery) -> String {
    let percent = recovery.refused * 100 / recovery.sent.max(1);
    let days = if recovery.counted_days == 1 { "1 day".to_owned() } else { format!("{} days", recovery.counted_days) };
    let mut text = format!(
        "A usual day has {} messages (median of {days}); {} of {} were refused for reputation or volume ({percent} %).",
        grouped(recovery.usual),
        grouped(recovery.refused),
        grouped(recovery.sent),
    );
    if let Some(audience) = recovery.audience {
        let _ = write!(
            text,
            " Of your list {} get mail again, {} stay out because they were silent for half a year or never reacted, {} because they are dead.",
            grouped(audience.kept),
            grouped(audience.silent),
            grouped(audience.dead),
        );
    }
    text
}

/// Who is written to.
pub(crate) fn whom(step: &RecoveryStep) -> String {
    if step.percent == 0 {
        return "no bulk mail; orders and passwords go on".to_owned();
    }
    let within = format!("who reacted in the last {} days", step.engaged_within);
    match step.addresses {
        Some(addresses) => format!("the first {} {within}", grouped(addresses)),
        None => within,
    }
}

fn without_calendar(places: usize) -> String {
    let (noun, verb) = if places == 1 { ("place", "refuses") } else { ("places", "refuse") };
    format!(
        "{places} more {noun} {verb} for reputation or volume, but too seldom or of too little mail for a calendar: mend the cause and send on slowly."
    )
}

/// `2026-11-21`.
pub(crate) fn date(day: Timestamp) -> String {
    day.to_string().chars().take_while(|c| *c != 'T').collect()
}

/// `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
