//! The summary of many reports on one screen.

use std::fmt::Write;

use redeliver_model::{About, Act, AddressTally, ReportKind, Timestamp};

use crate::escape::{markdown, visible};
use crate::page::{Page, Style};
use crate::summary::{Group, Summary, widened};
use crate::words;

/// Deliveries that a place must have taken before, for a turn to be one.
const FEWEST_BEFORE_A_TURN: u64 = 3;

/// Steps shown against a suspect; `-v` shows all.
const STEPS_SHOWN: usize = 3;

/// Turns that are told.
const TURNS_SHOWN: usize = 5;

/// Things to do that are named.
const FIRST_STEPS: usize = 3;

/// One screen.
pub fn summary(summary: &Summary, addresses: AddressTally, style: Style) -> String {
    let mut page = Page::new(style);
    page.heading(&headline(summary));
    if let Some((first, last)) = summary.seen() {
        page.line(&format!("from {} to {}", minute(first), minute(last)));
    }
    page.line("");
    whom(&mut page, summary);
    if let Some(line) = address_counts(addresses) {
        page.fact("Addresses", &line);
    }
    traffic(&mut page, summary);
    if summary.unread() > 0 {
        page.fact("Not read", &format!("{}, named above", summary.unread()));
    }
    suspects(&mut page, summary);
    table(&mut page, summary);
    turns(&mut page, summary);
    steps(&mut page, summary);
    page.text
}

/// The same for a ticket.
pub fn summary_markdown(summary: &Summary, addresses: AddressTally) -> String {
    let mut text = format!("## {}\n", markdown(&headline(summary)));
    if let Some(line) = address_counts(addresses) {
        let _ = writeln!(text, "\nAddresses: {line}\n");
    }
    text.push_str("\n| count | cause | where | first | last | act |\n|---:|---|---|---|---|---|\n");
    for group in summary.groups() {
        let (first, last) = group.seen.map(|(first, last)| (minute(first), minute(last))).unwrap_or_default();
        let (cause, place) = (markdown(group.cause.as_str()), markdown(&group.place));
        let _ =
            writeln!(text, "| {} | {cause} | {place} | {first} | {last} | {} |", group.count, words::act(group.act));
    }
    text
}

fn headline(summary: &Summary) -> String {
    let kinds = summary.kinds();
    let words = kinds.iter().map(|(kind, count)| format!("{count} {}", of_kind(*kind, *count)));
    let mut line = words.collect::<Vec<_>>().join(", ");
    if line.is_empty() {
        line.push_str("No refusal here");
    }
    line
}

fn of_kind(kind: ReportKind, count: u64) -> &'static str {
    match (kind, count) {
        (ReportKind::Refusal, 1) => "refusal",
        (ReportKind::Refusal, _) => "refusals",
        (ReportKind::Delayed, _) => "still being tried",
        (ReportKind::Delivered, _) => "delivered",
        (ReportKind::Feedback, 1) => "complaint",
        (ReportKind::Feedback, _) => "complaints",
        (ReportKind::AutoReply, 1) => "automatic answer",
        (ReportKind::AutoReply, _) => "automatic answers",
        (ReportKind::NotABounce, _) => "no bounce",
        (ReportKind::NotOurs, _) => "of forged mail (not yours)",
        (ReportKind::FakeBounce, 1) => "fake",
        (ReportKind::FakeBounce, _) => "fakes",
    }
}

fn whom(page: &mut Page, summary: &Summary) {
    let counts: u64 = summary.about().iter().map(|(_, count)| count).sum();
    if counts == 0 {
        return;
    }
    let of = |wanted: &[About]| -> u64 {
        summary.about().iter().filter(|(about, _)| wanted.contains(about)).map(|(_, count)| count).sum()
    };
    let line = format!(
        "{} about us and our mail, {} about the recipients, {} about others or nobody",
        of(&[About::Sender, About::Message]),
        of(&[About::Recipient]),
        of(&[About::Receiver, About::Network, About::Nobody]),
    );
    page.fact("About", &line);
}

fn address_counts(tally: AddressTally) -> Option<String> {
    let all = tally.dead + tally.unproven + tally.fine;
    (all > 0).then(|| {
        let AddressTally { dead, unproven, fine } = tally;
        format!("{all} refused: {dead} dead, {unproven} unproven, {fine} fine (--addresses lists them)")
    })
}

/// What logs tell beside the refusals.
fn traffic(page: &mut Page, summary: &Summary) {
    let Some(traffic) = &summary.traffic else { return };
    let taken: u64 = traffic.taken.values().map(|taken| taken.count).sum();
    page.fact(
        "Tries",
        &format!(
            "{} refused, {taken} deliveries taken; {} put off at first and taken in the end",
            traffic.attempts, traffic.taken_after_all
        ),
    );
    let by_us: u64 = traffic.refused_by_us.values().sum();
    if by_us > 0 {
        let mut causes: Vec<_> = traffic.refused_by_us.iter().collect();
        causes.sort_by_key(|(cause, count)| (std::cmp::Reverse(**count), **cause));
        let causes: Vec<String> = causes.iter().take(4).map(|(cause, count)| format!("{cause} {count}")).collect();
        page.fact("By us", &format!("our own server refused {by_us} of others' mails ({})", causes.join(", ")));
    }
    if traffic.unreadable > 0 {
        page.fact("Unreadable", &format!("{} records of the logs", traffic.unreadable));
    }
    let senders = summary.senders();
    if senders.len() > 1 {
        let top: Vec<String> = senders.iter().take(3).map(|(sender, count)| format!("{sender} {count}")).collect();
        page.fact("Senders", &format!("refused most: {}", top.join(", ")));
    }
}

/// Who of ours seems to send spam, and how he is stopped: before everything else.
fn suspects(page: &mut Page, summary: &Summary) {
    for suspect in &summary.suspects {
        page.line("");
        page.heading(&format!("Something of yours seems to send spam: {} ({})", suspect.source, suspect.suspicion));
        for evidence in &suspect.evidence {
            page.item("· ", evidence);
        }
        page.bold(&suspect.title);
        let shown = if page.style.verbose { suspect.steps.len() } else { STEPS_SHOWN };
        for (number, step) in suspect.steps.iter().take(shown).enumerate() {
            page.item(&format!("{}. ", number + 1), step);
        }
    }
}

/// What changed: places where the last delivery stands before the first refusal that is about us.
fn turns(page: &mut Page, summary: &Summary) {
    let Some(traffic) = &summary.traffic else { return };
    let mut turns = Vec::new();
    for group in summary.groups() {
        let about_us = matches!(group.about, About::Sender | About::Message);
        let (Some((first, _)), Some(taken)) = (group.seen, traffic.taken.get(&group.place)) else { continue };
        let Some((_, last)) = taken.seen else { continue };
        if about_us && taken.count >= FEWEST_BEFORE_A_TURN && last < first {
            turns.push((last, first, group));
        }
    }
    if turns.is_empty() {
        return;
    }
    page.line("");
    page.bold("What changed");
    for (last, first, group) in turns.into_iter().take(TURNS_SHOWN) {
        let line = format!(
            "{}: last 250 at {}, first {} at {}, none taken since",
            group.place,
            minute(last),
            group.cause,
            minute(first)
        );
        page.item("· ", &line);
    }
}

fn table(page: &mut Page, summary: &Summary) {
    let causes = summary.causes();
    if causes.is_empty() {
        return;
    }
    page.line("");
    page.bold("Why and where, worst first");
    for groups in &causes {
        let count: u64 = groups.iter().map(|group| group.count).sum();
        let seen = groups
            .iter()
            .filter_map(|group| group.seen)
            .fold(None, |seen, (first, last)| widened(widened(seen, Some(first)), Some(last)));
        let seen = seen.map(|(first, last)| span(first, last)).unwrap_or_default();
        let head = format!("{count:>7}  {:26}{:14}{seen:20}", groups[0].cause.as_str(), briefly(groups[0].act));
        let room = page.style.width.saturating_sub(head.chars().count() + 2);
        page.line(format!("{head}  {}", places(groups, room)).trim_end());
        if page.style.verbose {
            for group in groups {
                opened(page, group);
            }
        }
    }
}

/// One place of a cause, with one of its replies.
fn opened(page: &mut Page, group: &Group) {
    let place = if group.place.is_empty() { "-" } else { &group.place };
    let seen = group.seen.map(|(first, last)| span(first, last)).unwrap_or_default();
    page.line(&format!("{:>11}  {:30} {seen}", group.count, visible(&shortened(place, 30))));
    page.line(&format!("{:>11}  {}", "", visible(&shortened(&group.example, 110))));
    page.line(&format!("{:>11}  in {}", "", visible(&group.source)));
}

/// The places with the most, as many as there is room for.
fn places(groups: &[&Group], room: usize) -> String {
    let mut text = String::new();
    for (number, group) in groups.iter().enumerate() {
        let place = if group.place.is_empty() { "place unknown" } else { &group.place };
        let next = format!("{}{} {}", if number == 0 { "" } else { ", " }, visible(&shortened(place, 30)), group.count);
        let left = groups.len() - number;
        let more = format!(", {left} more");
        if number > 0 && text.chars().count() + next.chars().count() + more.len() > room {
            text.push_str(&more);
            break;
        }
        text.push_str(&next);
    }
    text
}

fn steps(page: &mut Page, summary: &Summary) {
    let mut named: Vec<&str> = Vec::new();
    let causes = summary.causes();
    for groups in causes.iter().filter(|groups| groups[0].about != About::Nobody) {
        let Some(step) = groups[0].step.as_deref().filter(|step| !named.contains(step)) else { continue };
        if named.is_empty() {
            page.line("");
            page.bold("First");
        }
        named.push(step);
        let count: u64 = groups.iter().map(|group| group.count).sum();
        page.item(&format!("{}. ", named.len()), &format!("{step} ({count} refused for {}).", groups[0].cause));
        if named.len() == FIRST_STEPS {
            break;
        }
    }
    if !named.is_empty() {
        page.line("");
        page.line("-v opens the groups; one by one: --each; for lists: --addresses; for programs: --json.");
    }
}

fn briefly(act: Act) -> &'static str {
    match act {
        Act::Now => "act now",
        Act::Wait => "wait",
        Act::Stop => "stop writing",
        Act::Ask => "ask",
    }
}

/// `2026-11-21 10:00`.
fn minute(time: Timestamp) -> String {
    time.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// One day as its hours, one year as its days, more as months.
fn span(first: Timestamp, last: Timestamp) -> String {
    let (first, last) = (minute(first), minute(last));
    let (Some((day, from)), Some((end, to))) = (first.split_once(' '), last.split_once(' ')) else {
        return String::new();
    };
    if first == last {
        first
    } else if day == end {
        format!("{} {from}-{to}", &day[5..])
    } else if day[..4] == end[..4] {
        format!("{} to {}", &day[5..], &end[5..])
    } else {
        format!("{} to {}", &day[..7], &end[..7])
    }
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        let time = |text| Timestamp::parse(text).unwrap();
        let (first, last) = (time("2026-11-21T10:00:00Z"), time("2026-11-21T14:02:00Z"));
        assert_eq!(span(first, last), "11-21 10:00-14:02");
        assert_eq!(span(first, time("2026-11-23T14:02:00Z")), "11-21 to 11-23");
        assert_eq!(span(first, time("2027-01-23T14:02:00Z")), "2026-11 to 2027-01");
        assert_eq!(shortened("example.net", 6), "examp\u{2026}");
    }
}
