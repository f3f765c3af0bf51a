//! Is something of ours sending spam? Submissions by log-in, script, local user and client address, hour by hour, against each
//! one's own past.
//!
//! Pure: it counts what it is given, in the order of time, and judges when asked. Bounded: whoever is not seen for long makes room.
//! Nobody is accused for sending much: a newsletter goes to addresses that exist, from where it always came, in one message for
//! many or at its usual hour.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::net::IpAddr;

use redeliver_model::{Keyed, KeyedMap, Timestamp};

use crate::event::{Event, Origin, Outcome, Refused};

/// Log-ins, scripts and users that are told apart; a provider's server has some thousands. Beyond that, new ones are not counted.
const MOST_SOURCES: usize = 20_000;

/// Clients without a log-in that are told apart, beside the others: a botnet that knocks must not push out the log-ins.
const MOST_CLIENTS: usize = 20_000;

/// Networks and senders that are kept for one hour of a source; far more than any verdict needs.
const MOST_DETAILS: usize = 64;

/// Hours of a log-in whose networks and senders are kept: only those of the busiest are judged. The present one may become it, and
/// where logs are mixed an hour's last lines stand behind the first ones of the next.
const DETAILED_HOURS: usize = 3;

/// Hours that are kept for a source: a month.
const MOST_HOURS: usize = 31 * 24;

/// Recipients in an hour from which on anything is looked at: a person writes some 40 mails a day, a shop some 50 an hour.
pub const FEWEST_RECIPIENTS: u64 = 100;

/// How many times its own busiest earlier hour a source must send: doubling happens to everybody, ten times does not.
pub const TIMES_ITS_PAST: u64 = 10;

/// Hours in which a source must have sent before, for its past to say anything.
pub const FEWEST_HOURS: usize = 6;

/// Client networks of one log-in within an hour that speak of a stolen password: a person has a desk, a telephone and a train.
pub const MANY_NETWORKS: usize = 5;

/// The share of unknown recipients, in per cent, that a bought or guessed list shows; lists with care stay below 2 %.
pub const UNKNOWN_SHARE: u64 = 10;

/// Recipients whose fate must be known, for their share to say anything.
pub const FEWEST_KNOWN: u64 = 50;

/// Envelope senders of one log-in within an hour that no person has.
pub const MANY_SENDERS: usize = 8;

/// What a source of mail is known by; the first that a submission has counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source<'a> {
    /// A log-in.
    Login(Cow<'a, str>),
    /// A script that called `sendmail`.
    Script(Cow<'a, str>),
    /// The directory in which `sendmail` was called.
    Directory(Cow<'a, str>),
    /// A local user, by name or number.
    User(Cow<'a, str>),
    /// A host that may send through us without a log-in, or from which mail comes in.
    Client(IpAddr),
}

impl<'a> Source<'a> {
    /// What a message came from.
    pub fn of(origin: &'a Origin<'_>) -> Option<Self> {
        let text = |text: &'a Option<Cow<'_, str>>| text.as_deref().map(Cow::Borrowed);
        text(&origin.login)
            .map(Self::Login)
            .or_else(|| text(&origin.script).map(Self::Script))
            .or_else(|| text(&origin.directory).map(Self::Directory))
            .or_else(|| text(&origin.user).map(Self::User))
            .or_else(|| origin.uid.map(|uid| Self::User(uid.to_string().into())))
            .or_else(|| origin.ip.map(Self::Client))
    }

    /// The same, owning its text.
    pub fn into_owned(self) -> Source<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Login(text) => Source::Login(own(text)),
            Self::Script(text) => Source::Script(own(text)),
            Self::Directory(text) => Source::Directory(own(text)),
            Self::User(text) => Source::User(own(text)),
            Self::Client(ip) => Source::Client(ip),
        }
    }

    /// Whether it is a program on the machine itself, such as a web form.
    fn is_local(&self) -> bool {
        matches!(self, Self::Script(_) | Self::Directory(_) | Self::User(_))
    }
}

/// One hour of a source: small, for there may be a month of them for each.
#[derive(Debug, Clone, Copy)]
struct Hour {
    /// Since 1970.
    number: i64,
    messages: u64,
    recipients: u64,
}

/// From where and as whom a log-in sent within an hour, as hashes: only how many there are is told.
#[derive(Debug, Clone, Default)]
struct Details {
    hour: i64,
    networks: Vec<u64>,
    senders: Vec<u64>,
}

/// All that is known of a source.
#[derive(Debug, Clone, Default)]
struct Past {
    /// In their order.
    hours: Vec<Hour>,
    /// Of the last hours and the busiest.
    details: Vec<Details>,
    delivered: u64,
    refused: u64,
    unknown: u64,
    as_spam: u64,
}

/// The counts.
#[derive(Debug, Clone, Default)]
pub struct Submissions {
    /// How many of the sources are clients without a log-in.
    clients: usize,
    /// Where the past of a source stands in `pasts`.
    sources: KeyedMap<Source<'static>, usize>,
    pasts: Vec<Past>,
    /// Whose a message is, by the hash of its queue id, for deliveries name none: the last ones. The hash has a key of its
    /// own, so that no sender can make two ids fall together.
    messages: KeyedMap<u64, usize>,
    older: KeyedMap<u64, usize>,
    hasher: Keyed,
}

/// Messages whose source is remembered, twice: this many old and new ones.
const MOST_MESSAGES: usize = 100_000;

/// What a verdict rests on, with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// So many recipients in its busiest hour, and so many in the busiest before.
    Burst {
        /// Start of the hour.
        hour: Timestamp,
        /// Recipients in it.
        recipients: u64,
        /// Recipients in the busiest earlier hour; nothing where it never sent before.
        before: u64,
    },
    /// The log-in was used from so many networks within an hour.
    Networks(usize),
    /// It used so many envelope senders within an hour.
    Senders(usize),
    /// So many of the recipients whose fate is known do not exist.
    Unknown {
        /// Recipients that do not exist.
        unknown: u64,
        /// Recipients whose fate is known.
        known: u64,
    },
    /// So many were refused as spam, or for the reputation that spam makes.
    RefusedAsSpam(u64),
}

/// What a source is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suspicion {
    /// Somebody else has the password.
    StolenLogin,
    /// A form or script on the machine is used by strangers.
    HackedWebForm,
    /// A host that may send through us sends what it should not.
    InfectedHost,
}

impl Suspicion {
    /// The word as output writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StolenLogin => "stolen-login",
            Self::HackedWebForm => "hacked-web-form",
            Self::InfectedHost => "infected-host",
        }
    }
}

/// A source under suspicion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accused {
    /// Who.
    pub source: Source<'static>,
    /// Of what.
    pub suspicion: Suspicion,
    /// Why: at least two things that do not go together with honest mail.
    pub evidence: Vec<Evidence>,
}

impl Submissions {
    /// Counts what an event says. Whether a refusal says that the recipient is unknown, or that the mail is spam, is for the
    /// caller's engine to say: [`Submissions::judged`].
    pub fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Submitted(submitted) => {
                let Some(source) = Source::of(&submitted.origin) else { return };
                let Some(number) = self.number(source) else { return };
                if let Some(id) = submitted.queue_id.as_deref() {
                    self.remember(id, number);
                }
                let hour = submitted.time.unwrap_or(Timestamp(0)).0.div_euclid(3600);
                let past = &mut self.pasts[number];
                past.count(hour, u64::from(submitted.recipients.unwrap_or(1)));
                if submitted.origin.login.is_none() {
                    return; // Others are not judged by these.
                }
                let details = past.details(hour);
                if let Some(ip) = submitted.origin.ip {
                    note(&mut details.networks, self.hasher.hash_one(network(ip)));
                }
                if let Some(sender) = submitted.sender.as_deref() {
                    note(&mut details.senders, self.hasher.hash_one(sender.to_ascii_lowercase()));
                }
            }
            Event::Delivered(delivered) => {
                if let Some(number) = delivered.queue_id.as_deref().and_then(|id| self.number_of(id)) {
                    self.pasts[number].delivered += 1;
                }
            }
            Event::Refused(_) | Event::Unreadable(_) => {}
        }
    }

    /// Counts a final refusal with what the engine says of it.
    pub fn judged(&mut self, refused: &Refused<'_>, recipient_unknown: bool, as_spam: bool) {
        if !refused.outcome.is_final() || refused.outcome == Outcome::RejectedByUs {
            return;
        }
        let id = refused.refusal.queue_id.as_deref().unwrap_or_default();
        let number = match Source::of(&refused.origin) {
            Some(source) => self.sources.get(&source).copied(),
            None => self.number_of(id),
        };
        let Some(past) = number.and_then(|number| self.pasts.get_mut(number)) else { return };
        past.refused += 1;
        past.unknown += u64::from(recipient_unknown);
        past.as_spam += u64::from(as_spam);
    }

    /// Who is under suspicion, the busiest first. Nothing unusual gives an empty list.
    pub fn verdict(&self) -> Vec<Accused> {
        let mut accused: Vec<(u64, Accused)> = Vec::new();
        for (source, number) in &self.sources {
            if let Some((recipients, one)) = self.pasts[*number].judge(source) {
                accused.push((recipients, one));
            }
        }
        accused.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.source.cmp(&b.1.source)));
        accused.into_iter().map(|(_, accused)| accused).collect()
    }

    /// Every source with messages, recipients and its busiest hour's recipients, the busiest first.
    pub fn busiest(&self) -> Vec<(&Source<'static>, u64, u64, u64)> {
        let row = |(source, number): (_, &usize)| {
            let hours = || self.pasts[*number].hours.iter();
            let sum = |of: fn(&Hour) -> u64| hours().map(of).sum::<u64>();
            let most = hours().map(|hour| hour.recipients).max().unwrap_or(0);
            (source, sum(|hour| hour.messages), sum(|hour| hour.recipients), most)
        };
        let mut rows: Vec<(&Source<'static>, u64, u64, u64)> = self.sources.iter().map(row).collect();
        rows.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(b.0)));
        rows
    }

    /// Whether one more source may be told apart; counts it.
    fn has_room(&mut self, source: &Source<'_>) -> bool {
        let others = self.sources.len() - self.clients;
        if !matches!(source, Source::Client(_)) {
            return others < MOST_SOURCES;
        }
        self.clients += usize::from(self.clients < MOST_CLIENTS);
        self.sources.len() - others < MOST_CLIENTS
    }

    /// The number of a source; a new one gets the next, if there is room.
    fn number(&mut self, source: Source<'_>) -> Option<usize> {
        if let Some(number) = self.sources.get(&source) {
            return Some(*number);
        }
        if !self.has_room(&source) {
            return None;
        }
        self.sources.insert(source.into_owned(), self.pasts.len());
        self.pasts.push(Past::default());
        Some(self.pasts.len() - 1)
    }

    fn remember(&mut self, id: &str, number: usize) {
        if self.messages.len() >= MOST_MESSAGES {
            self.older = std::mem::take(&mut self.messages);
        }
        self.messages.insert(self.hasher.hash_one(id), number);
    }

    fn number_of(&self, id: &str) -> Option<usize> {
        let id = self.hasher.hash_one(id);
        self.messages.get(&id).or_else(|| self.older.get(&id)).copied()
    }
}

/// The network of an address: a telephone changes its address, seldom its network (/24, and /48 of IPv6).
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((u32::from(ip) & !0xff).into()),
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !((1 << 80) - 1)).into()),
    }
}

/// Notes one more, if it is one.
fn note(known: &mut Vec<u64>, hash: u64) {
    if known.len() < MOST_DETAILS && !known.contains(&hash) {
        known.reserve_exact(usize::from(known.is_empty())); // Most have no second.
        known.push(hash);
    }
}

impl Past {
    /// Counts a message; the oldest hours make room.
    fn count(&mut self, number: i64, recipients: u64) {
        let at = self.hours.binary_search_by_key(&number, |hour| hour.number).unwrap_or_else(|mut at| {
            if self.hours.len() >= MOST_HOURS {
                self.hours.remove(0);
                at = at.saturating_sub(1);
            }
            if self.hours.is_empty() {
                self.hours.reserve_exact(1); // Most have no second.
            }
            self.hours.insert(at, Hour { number, messages: 0, recipients: 0 });
            at
        });
        self.hours[at].messages += 1;
        self.hours[at].recipients += recipients;
    }

    /// The details of an hour; those of the least busy one make room.
    fn details(&mut self, hour: i64) -> &mut Details {
        let at = self.details.iter().position(|details| details.hour == hour).unwrap_or_else(|| {
            if self.details.len() >= DETAILED_HOURS {
                let recipients = |hour: i64| {
                    let at = self.hours.binary_search_by_key(&hour, |hour| hour.number);
                    at.map_or(0, |at| self.hours[at].recipients)
                };
                let busy = |at: &usize| (recipients(self.details[*at].hour), self.details[*at].hour);
                let least = (0..self.details.len()).min_by_key(busy).unwrap_or_default();
                self.details.swap_remove(least);
            }
            self.details.reserve_exact(1);
            self.details.push(Details { hour, ..Details::default() });
            self.details.len() - 1
        });
        &mut self.details[at]
    }

    fn judge(&self, source: &Source<'static>) -> Option<(u64, Accused)> {
        let (at, busiest) = self.hours.iter().enumerate().max_by_key(|(_, hour)| hour.recipients)?;
        if busiest.recipients < FEWEST_RECIPIENTS {
            return None;
        }
        let mut evidence = Vec::new();
        let before = self.hours[..at].iter().map(|hour| hour.recipients).max().unwrap_or(0);
        let long_known = at >= FEWEST_HOURS;
        // One that never sent before is new, which is no evidence by itself.
        if long_known && busiest.recipients >= before.max(1) * TIMES_ITS_PAST {
            let hour = Timestamp(busiest.number * 3600);
            evidence.push(Evidence::Burst { hour, recipients: busiest.recipients, before });
        }
        if matches!(source, Source::Login(_))
            && let Some(details) = self.details.iter().find(|details| details.hour == busiest.number)
        {
            let (networks, senders) = (details.networks.len(), details.senders.len());
            evidence.extend((networks >= MANY_NETWORKS).then_some(Evidence::Networks(networks)));
            evidence.extend((senders >= MANY_SENDERS).then_some(Evidence::Senders(senders)));
        }
        let known = self.delivered + self.refused;
        if known >= FEWEST_KNOWN && self.unknown * 100 >= known * UNKNOWN_SHARE {
            evidence.push(Evidence::Unknown { unknown: self.unknown, known });
        }
        if known >= FEWEST_KNOWN && self.as_spam * 100 >= known * UNKNOWN_SHARE {
            evidence.push(Evidence::RefusedAsSpam(self.as_spam));
        }
        // One sign alone has honest reasons: a first newsletter, a conference with its networks, an old list.
        if evidence.len() < 2 {
            return None;
        }
        let suspicion = match source {
            Source::Login(_) => Suspicion::StolenLogin,
            source if source.is_local() => Suspicion::HackedWebForm,
            _ => Suspicion::InfectedHost,
        };
        Some((busiest.recipients, Accused { source: source.clone(), suspicion, evidence }))
    }
}
