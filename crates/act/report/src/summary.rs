//! Many reports as one: what was refused, why, where, since when, and what to do first. Counts; decides nothing.

use redeliver_model::{About, Act, Cause, Explanation, KeyedMap, ReportKind, Timestamp};

/// Most groups that are kept apart; whatever comes later is counted in its cause's group without a place. A busy day of a
/// large sender has some hundred.
const MOST_GROUPS: usize = 20_000;

/// Most senders and places that are counted apart.
const MOST_NAMES: usize = 20_000;

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
    pub seen: Option<Span>,
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

/// A first and a last moment.
pub type Span = (Timestamp, Timestamp);

/// What of a refusal is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The likeliest cause.
    pub cause: Cause,
    /// Where.
    pub place: &'a str,
    /// When.
    pub time: Option<Timestamp>,
    /// The envelope sender.
    pub sender: Option<&'a str>,
}

/// What a server took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// How many.
    pub count: u64,
    /// The first and the last, as far as they are dated.
    pub seen: Option<Span>,
}

/// What logs tell beside the refusals.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Lines that refuse; more than messages, since each try is one.
    pub attempts: u64,
    /// Messages that were put off, and taken in the end.
    pub taken_after_all: u64,
    /// Deliveries by place.
    pub taken: KeyedMap<String, Taken>,
    /// What our own server refused to others, by cause.
    pub refused_by_us: KeyedMap<Cause, u64>,
    /// Records that could not be read.
    pub unreadable: u64,
}

/// Somebody of ours who seems to send spam, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// A log-in, a script, a directory, a user or a host.
    pub source: String,
    /// What he is taken for: `stolen-login`, `hacked-web-form`, `infected-host`.
    pub suspicion: &'static str,
    /// Why, a sentence each.
    pub evidence: Vec<String>,
    /// How it is stopped.
    pub title: String,
    /// One action each.
    pub steps: Vec<String>,
}

/// What many inputs said.
#[derive(Debug, Default)]
pub struct Summary {
    kinds: KeyedMap<ReportKind, u64>,
    /// Groups are large, and a table is looked up faster where it is small.
    groups: KeyedMap<Cause, KeyedMap<String, Box<Group>>>,
    places: usize,
    senders: KeyedMap<String, u64>,
    seen: Option<Span>,
    unread: u64,
    /// What logs tell; none where no log was read.
    pub traffic: Option<Traffic>,
    /// Who of ours seems to send spam.
    pub suspects: Vec<Suspect>,
}

impl Summary {
    /// Counts one report.
    pub fn add(&mut self, told: &Explanation<'_>) {
        let place = place(told);
        let first = told.causes.first();
        let time = told.refusal.time;
        let Some(first) = first else {
            self.count_kind(told.kind, time);
            return;
        };
        let counted = Counted { cause: first.cause, place: &place, time, sender: told.refusal.sender.as_deref() };
        self.count(told.kind, counted, || group(told));
    }

    /// Counts one refusal; `open` makes its group if it is the first of it.
    pub fn count(&mut self, kind: ReportKind, counted: Counted<'_>, open: impl FnOnce() -> Group) {
        self.count_kind(kind, counted.time);
        if let Some(sender) = counted.sender.filter(|sender| !sender.is_empty()) {
            if let Some(count) = self.senders.get_mut(sender) {
                *count += 1;
            } else if self.senders.len() < MOST_NAMES {
                self.senders.insert(sender.to_owned(), 1);
            }
        }
        let place = if self.places < MOST_GROUPS { counted.place } else { "" };
        let groups = self.groups.entry(counted.cause).or_default();
        if let Some(group) = groups.get_mut(place) {
            group.count += 1;
            group.seen = widened(group.seen, counted.time);
            return;
        }
        self.places += 1;
        let mut group = Box::new(open());
        place.clone_into(&mut group.place);
        group.count = 1;
        group.seen = counted.time.map(|time| (time, time));
        groups.insert(place.to_owned(), group);
    }

    fn count_kind(&mut self, kind: ReportKind, time: Option<Timestamp>) {
        *self.kinds.entry(kind).or_default() += 1;
        self.seen = widened(self.seen, time);
    }

    /// A message that was counted as still being tried was given up.
    pub fn given_up(&mut self) {
        if let Some(delayed) = self.kinds.get_mut(&ReportKind::Delayed).filter(|count| **count > 0) {
            *delayed -= 1;
            *self.kinds.entry(ReportKind::Refusal).or_default() += 1;
        }
    }

    /// Counts a delivery at a place.
    pub fn taken(&mut self, place: &str, time: Option<Timestamp>) {
        let traffic = self.traffic.get_or_insert_default();
        if let Some(taken) = traffic.taken.get_mut(place) {
            taken.count += 1;
            taken.seen = widened(taken.seen, time);
        } else if traffic.taken.len() < MOST_NAMES {
            traffic.taken.insert(place.to_owned(), Taken { count: 1, seen: time.map(|time| (time, time)) });
        }
    }

    /// Counts an input that could not be read.
    pub fn add_unread(&mut self) {
        self.unread += 1;
    }

    /// How many reports there are of each kind, the most first.
    pub fn kinds(&self) -> Vec<(ReportKind, u64)> {
        let mut kinds: Vec<_> =
            self.kinds.iter().map(|(kind, count)| (*kind, *count)).filter(|(_, count)| *count > 0).collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        kinds
    }

    /// How many inputs could not be read.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// The first and the last report, as far as they are dated.
    pub fn seen(&self) -> Option<Span> {
        self.seen
    }

    /// The senders that were refused most, the most first.
    pub fn senders(&self) -> Vec<(&str, u64)> {
        let mut senders: Vec<_> = self.senders.iter().map(|(sender, count)| (sender.as_str(), *count)).collect();
        senders.sort_by_key(|(sender, count)| (std::cmp::Reverse(*count), *sender));
        senders
    }

    /// The groups, worst first: what somebody on our side can act on now, then what only others can mend, then dead
    /// addresses; within these the most first.
    pub fn groups(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().flat_map(KeyedMap::values).map(Box::as_ref).collect();
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
        let groups = || self.groups.values().flat_map(KeyedMap::values);
        let count = |about: About| groups().filter(|group| group.about == about).map(|group| group.count).sum();
        [About::Sender, About::Message, About::Recipient, About::Receiver, About::Network, About::Nobody]
            .map(|about| (about, count(about)))
    }
}

/// Bytes of a reply that are kept as the example of a group; there may be [`MOST_GROUPS`] of them.
const LONGEST_EXAMPLE: usize = 1000;

fn cut(example: &str) -> String {
    let end = example.floor_char_boundary(LONGEST_EXAMPLE);
    if end < example.len() { format!("{} ...", &example[..end]) } else { example.to_owned() }
}

/// What is kept of the first refusal of a group.
pub fn group(told: &Explanation<'_>) -> Group {
    Group {
        cause: told.causes.first().map_or(Cause::Unknown, |first| first.cause),
        place: String::new(),
        count: 0,
        seen: None,
        about: told.about,
        act: told.verdict.act,
        title: told.title.to_string(),
        actor: told.verdict.actor.to_string(),
        step: told.remedies.first().map(|remedy| remedy.title.to_string()),
        example: cut(&told.refusal.reply.to_string()),
        source: told
            .origin
            .line
            .map_or_else(|| told.origin.source.to_string(), |line| format!("{}, line {line}", told.origin.source)),
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
pub fn place(told: &Explanation<'_>) -> String {
    // A domain that cannot be found or reached is a place of its own, whoever reports it.
    let of_domain =
        matches!(told.causes.first().map(|first| first.cause), Some(Cause::DomainNotFound | Cause::Unreachable));
    if let Some((id, _)) = told.site.filter(|_| !of_domain) {
        return id.to_owned();
    }
    let recipient = told.refusal.recipient.as_deref();
    let domain = recipient.and_then(|address| address.rsplit_once('@')).map(|(_, domain)| domain);
    domain.or(told.refusal.refused_by.host.as_deref()).unwrap_or_default().to_lowercase()
}

pub(crate) fn widened(seen: Option<Span>, time: Option<Timestamp>) -> Option<Span> {
    match (seen, time) {
        (Some((first, last)), Some(time)) => Some((first.min(time), last.max(time))),
        (None, Some(time)) => Some((time, time)),
        (seen, None) => seen,
    }
}
