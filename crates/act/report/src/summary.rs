//! Many reports as one: what was refused, why, where, since when, and what to do first. Counts; decides nothing.

use std::collections::HashMap;

use redeliver_model::{About, Act, Cause, Explanation, ReportKind, Timestamp};

/// Most groups that are kept apart; whatever comes later is counted in its cause's group without a place. A busy day of a
/// large sender has some hundred.
const MOST_GROUPS: usize = 20_000;

/// Refusals with the same cause at the same place.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The cause.
    pub cause: Cause,
    /// Where: the receiving operator's id, or the recipient's domain; empty where neither is known.
    pub place: String,
    /// How many.
    pub count: u64,
    /// The first and the last, as far as they are dated.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// Whom they are about.
    pub about: About,
    /// Whether to act.
    pub act: Act,
    /// The title of the cause.
    pub title: String,
    /// Who can act.
    pub actor: String,
    /// What to do first, if anything.
    pub step: Option<String>,
    /// One of the replies.
    pub example: String,
    /// Where that one was found.
    pub source: String,
}

/// What many inputs said.
#[derive(Debug, Default)]
pub struct Summary {
    kinds: HashMap<ReportKind, u64>,
    groups: HashMap<(Cause, String), Group>,
    seen: Option<(Timestamp, Timestamp)>,
    unread: u64,
}

impl Summary {
    /// Counts one report.
    pub fn add(&mut self, told: &Explanation<'_>) {
        *self.kinds.entry(told.kind).or_default() += 1;
        let time = told.refusal.time;
        self.seen = widened(self.seen, time);
        let Some(first) = told.causes.first() else { return };
        let place = if self.groups.len() < MOST_GROUPS { place(told) } else { String::new() };
        if let Some(group) = self.groups.get_mut(&(first.cause, place.clone())) {
            group.count += 1;
            group.seen = widened(group.seen, time);
            return;
        }
        let group = Group {
            cause: first.cause,
            place: place.clone(),
            count: 1,
            seen: time.map(|time| (time, time)),
            about: told.about,
            act: told.verdict.act,
            title: told.title.to_string(),
            actor: told.verdict.actor.to_string(),
            step: told.remedies.first().map(|remedy| remedy.title.to_string()),
            example: told.refusal.reply.to_string(),
            source: told.origin.source.to_string(),
        };
        self.groups.insert((first.cause, place), group);
    }

    /// Counts an input that could not be read.
    pub fn add_unread(&mut self) {
        self.unread += 1;
    }

    /// How many reports there are of each kind, the most first.
    pub fn kinds(&self) -> Vec<(ReportKind, u64)> {
        let mut kinds: Vec<_> = self.kinds.iter().map(|(kind, count)| (*kind, *count)).collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        kinds
    }

    /// How many inputs could not be read.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// The first and the last report, as far as they are dated.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        self.seen
    }

    /// The groups, worst first: what somebody on our side can act on now, then what only others can mend, then dead
    /// addresses; within these the most first.
    pub fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by(|a, b| {
            (rank(a), std::cmp::Reverse(a.count), a.cause, &a.place).cmp(&(
                rank(b),
                std::cmp::Reverse(b.count),
                b.cause,
                &b.place,
            ))
        });
        groups
    }

    /// The groups by cause, in the order of the worst of each.
    pub fn causes(&self) -> Vec<Vec<&Group>> {
        let mut causes: Vec<Vec<&Group>> = Vec::new();
        for group in self.groups() {
            match causes.iter_mut().find(|groups| groups[0].cause == group.cause) {
                Some(groups) => groups.push(group),
                None => causes.push(vec![group]),
            }
        }
        causes.sort_by_key(|groups| {
            let count: u64 = groups.iter().map(|group| group.count).sum();
            (groups.iter().map(|group| rank(group)).min(), std::cmp::Reverse(count), groups[0].cause)
        });
        causes
    }

    /// How many refusals are about us, about the recipients, and about others.
    pub fn about(&self) -> [(About, u64); 6] {
        let count =
            |about: About| self.groups.values().filter(|group| group.about == about).map(|group| group.count).sum();
        [About::Sender, About::Message, About::Recipient, About::Receiver, About::Network, About::Nobody]
            .map(|about| (about, count(about)))
    }
}

fn rank(group: &Group) -> u8 {
    match (group.about, group.act) {
        (About::Sender | About::Message, Act::Now) => 0,
        (About::Sender | About::Message, _) => 1,
        (About::Network | About::Receiver, _) => 2,
        (About::Recipient, _) => 3,
        (About::Nobody, _) => 4,
    }
}

/// The receiving operator, or the recipient's domain, or the refusing host.
fn place(told: &Explanation<'_>) -> String {
    // A domain that cannot be found or reached is a place of its own, whoever reports it.
    let of_domain =
        matches!(told.causes.first().map(|first| first.cause), Some(Cause::DomainNotFound | Cause::Unreachable));
    if let Some((id, _)) = told.site.filter(|_| !of_domain) {
        return id.to_owned();
    }
    let domain =
        told.refusal.recipient.as_deref().and_then(|address| address.rsplit_once('@')).map(|(_, domain)| domain);
    domain.or(told.refusal.refused_by.host.as_deref()).unwrap_or_default().to_lowercase()
}

pub(crate) fn widened(seen: Option<(Timestamp, Timestamp)>, time: Option<Timestamp>) -> Option<(Timestamp, Timestamp)> {
    match (seen, time) {
        (Some((first, last)), Some(time)) => Some((first.min(time), last.max(time))),
        (None, Some(time)) => Some((time, time)),
        (seen, None) => seen,
    }
}
