//! Logs and event streams: every refusal explained; as a summary, the day on one screen.
//!
//! A log repeats itself. For the summary a reply is diagnosed once, and remembered by its words without the recipient's
//! address, the refusing host and the outcome.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::io::BufRead;
use std::ops::ControlFlow;

use redeliver_catalog::{Parameter, Values};
use redeliver_diagnose::{Engine, Reason};
use redeliver_logs::submissions::{Accused, Evidence, Source, Submissions, Suspicion};
use redeliver_logs::{Event, Format, Outcome, Reader, Refused, Unreadable, YearRule};
use redeliver_model::{
    self as model, AddressIsBad, Cause, Keyed, KeyedMap, KeyedSet, Origin, ReportKind, Timestamp, Unread,
};
use redeliver_report::{Counted, Group, Suspect};

use crate::arguments::Format as Output;
use crate::explain::Session;
use crate::output;
use crate::recovery::LOWER_VOLUME;

/// Most replies that are remembered; later ones are diagnosed each time. A busy day has some thousand, and each takes a kilobyte.
const MOST_REMEMBERED: usize = 30_000;

/// Most messages whose deferral is remembered, to count them once and to see them taken after all.
const MOST_PUT_OFF: usize = 4_000_000;

/// Most hosts whose operator is remembered; beyond that it is looked up anew.
const MOST_HOSTS: usize = 200_000;

/// Records of one log that cannot be read and are named one by one.
const NAMED_UNREADABLE: u64 = 5;

/// What is remembered over all logs of a run.
#[derive(Default)]
pub(crate) struct LogMemory {
    hasher: Keyed,
    verdicts: KeyedMap<u64, Verdict>,
    groups: Vec<Group>,
    put_off: KeyedSet<u64>,
    /// The operator behind a host, if it is a known one.
    sites: KeyedMap<Box<str>, Option<&'static str>>,
    submissions: Submissions,
    /// Records of the present log that could not be read.
    unreadable: u64,
    /// Whether some record of the present log could be.
    understood: bool,
}

/// What is remembered of a reply: small, for most lines need no more of it.
#[derive(Clone, Copy)]
struct Verdict {
    cause: Cause,
    kind: ReportKind,
    dead: AddressIsBad,
    why: Reason,
    /// The refusing operator, if its place is not the recipient's domain.
    site: Option<&'static str>,
    /// Sending less is a remedy.
    for_volume: bool,
    /// Where the texts stand in `groups`.
    group: usize,
}

impl Session<'_> {
    /// Reads a log; `from` names it.
    pub(crate) fn log(
        &mut self,
        from: &Origin<'_>,
        format: Format,
        mut lines: Box<dyn BufRead + Send>,
    ) -> anyhow::Result<()> {
        let mut reader = Reader::new(format, YearRule::utc(self.now));
        self.sink.overview().summary.traffic.get_or_insert_default();
        let before = self.read;
        (self.logs.unreadable, self.logs.understood) = (0, false);
        let mut failed = None;
        let outcome = reader.read_parallel(&mut *lines, &mut |event| match self.event(from, event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if let Err(error) = outcome {
            return self.fault(from.clone(), "io", error.to_string());
        }
        if self.logs.unreadable > NAMED_UNREADABLE {
            let text = format!("{} records could not be read", self.logs.unreadable);
            complain(&Unread { origin: from.clone(), code: "unreadable", text: text.into() });
        }
        // A log without a refusal is read as well, but one of which nothing could be read is not.
        if self.logs.unreadable == 0 || self.logs.understood {
            self.read = self.read.max(before + 1);
        }
        Ok(())
    }

    fn event(&mut self, from: &Origin<'_>, event: &Event<'_>) -> anyhow::Result<()> {
        self.logs.submissions.take(event);
        self.logs.understood |= !matches!(event, Event::Unreadable(_));
        match event {
            Event::Refused(refused) => return self.refused(from, refused),
            Event::Delivered(delivered) => {
                if self.filter.since.is_some_and(|since| delivered.time.is_some_and(|time| time < since)) {
                    return Ok(());
                }
                let after_all = self.logs.was_put_off(delivered.queue_id.as_deref(), &delivered.recipient);
                let place = self.logs.place(self.engine, delivered.to.host.as_deref(), &delivered.recipient);
                if let Some(volumes) = self.volumes.as_mut().filter(|_| !after_all) {
                    volumes.count(&place, &domain_of(&delivered.recipient), delivered.time, false);
                }
                let summary = &mut self.sink.overview().summary;
                summary.taken(&place, delivered.time);
                summary.traffic.get_or_insert_default().taken_after_all += u64::from(after_all);
            }
            Event::Submitted(_) => {}
            Event::Unreadable(unreadable) => return self.unreadable(from, unreadable),
        }
        Ok(())
    }

    /// A record that could not be read: counted, the first ones named, and each told in the formats that programs read.
    fn unreadable(&mut self, from: &Origin<'_>, unreadable: &Unreadable<'_>) -> anyhow::Result<()> {
        self.unread += 1;
        self.logs.unreadable += 1;
        self.sink.overview().summary.traffic.get_or_insert_default().unreadable += 1;
        let text = format!("{}: {}", unreadable.why, unreadable.line);
        let unread = Unread { origin: at(from, unreadable.place.line), code: "unreadable", text: text.into() };
        if self.logs.unreadable <= NAMED_UNREADABLE {
            complain(&unread);
        }
        if self.format == Output::Text || self.sink.is_silent() {
            return Ok(());
        }
        Ok(self.sink.unread(&unread)?)
    }

    fn refused(&mut self, from: &Origin<'_>, refused: &Refused<'_>) -> anyhow::Result<()> {
        if !self.sink.is_summary() {
            let mut refusal = refused.refusal.clone();
            refusal.outcome = refused.outcome.as_str().parse().ok();
            let origin = at(from, refused.place.line);
            return self.explain(origin, kind_of(refused.outcome), refusal, [&refused.text, ""]);
        }
        self.read += 1;
        let key = self.logs.reply(refused);
        let verdict = match self.logs.verdicts.get(&key) {
            Some(verdict) => *verdict,
            None => self.verdict(key, from, refused),
        };
        let refusal = &refused.refusal;
        let recipient = refusal.recipient.as_deref().unwrap_or_default();
        let (cause, time) = (verdict.cause, refusal.time);
        let spam = matches!(cause, Cause::SpamContent | Cause::PoorReputation | Cause::Blocklisted);
        if refused.outcome.is_final() && refused.outcome != Outcome::RejectedByUs {
            self.logs.submissions.judged(refused, cause == Cause::RecipientUnknown, spam);
        }
        let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
        let place: &str = verdict.site.unwrap_or(domain);
        if !self.filter.takes(time, place, cause, refusal.sender.as_deref()) {
            return Ok(());
        }
        let overview = self.sink.overview();
        let traffic = overview.summary.traffic.get_or_insert_default();
        if refused.outcome == Outcome::RejectedByUs {
            *traffic.refused_by_us.entry(cause).or_default() += 1;
            return Ok(());
        }
        traffic.attempts += 1;
        let message = message_key(&self.logs.hasher, refusal.queue_id.as_deref(), recipient);
        if let Some(message) = message {
            // Each try of one message is a line; the message is counted once.
            let remember = refused.outcome == Outcome::Deferred && self.logs.put_off.len() < MOST_PUT_OFF;
            let put_off = &mut self.logs.put_off;
            let known = if remember { !put_off.insert(message) } else { put_off.contains(&message) };
            if known {
                if refused.outcome.is_final() {
                    overview.summary.given_up();
                }
                return Ok(());
            }
        }
        if let Some(volumes) = &mut self.volumes {
            volumes.count(&place.to_lowercase(), &domain_of(recipient), time, verdict.for_volume);
        }
        let counted = Counted { cause, place, time, sender: refusal.sender.as_deref() };
        overview.summary.count(verdict.kind, counted, || self.logs.groups[verdict.group].clone());
        if !recipient.is_empty() {
            overview.addresses.add(recipient, verdict.dead, cause, verdict.why, time);
        }
        Ok(())
    }

    /// Diagnoses a reply that is not remembered, and remembers it.
    fn verdict(&mut self, key: u64, from: &Origin<'_>, refused: &Refused<'_>) -> Verdict {
        let mut refusal = refused.refusal.clone();
        refusal.outcome = refused
            .outcome
            .as_str()
            .parse::<model::Outcome>()
            .ok()
            .filter(|outcome| *outcome != model::Outcome::RejectedByUs);
        let kind = kind_of(refused.outcome);
        let origin = at(from, refused.place.line);
        let (group, dead, site, for_volume) = self.tell(origin, kind, &refusal, [&refused.text, ""], |told, _| {
            let of_domain = matches!(
                told.causes.first().map(|first| first.cause),
                Some(Cause::DomainNotFound | Cause::Unreachable)
            );
            let site = told.site.filter(|_| !of_domain).map(|(id, _)| id.to_owned());
            let for_volume = told.remedies.iter().any(|remedy| remedy.id == LOWER_VOLUME);
            (redeliver_report::group(told), told.address_is_bad, site, for_volume)
        });
        let site = site.and_then(|id| self.engine.catalog().site(&id)).map(|site| site.id);
        let why = self.sink.overview().addresses.reason(&group.title);
        if self.logs.groups.len() >= MOST_REMEMBERED {
            self.logs.verdicts.clear();
            self.logs.groups.clear();
        }
        let group_number = self.logs.groups.len();
        let verdict = Verdict { cause: group.cause, kind, dead, why, site, for_volume, group: group_number };
        self.logs.groups.push(group);
        self.logs.verdicts.insert(key, verdict);
        verdict
    }

    /// Adds who of ours seems to send spam, when all logs are read.
    pub(crate) fn suspects(&mut self) {
        let accused = self.logs.submissions.verdict();
        let catalog = self.engine.catalog();
        let suspects = accused.iter().map(|one| suspect(one, catalog));
        self.sink.overview().summary.suspects.extend(suspects);
    }
}

/// A line of a log.
fn at<'a>(from: &Origin<'a>, line: u64) -> Origin<'a> {
    Origin { line: Some(line), ..from.clone() }
}

fn complain(unread: &Unread<'_>) {
    output::complain(&redeliver_report::text_unread(unread));
}

impl LogMemory {
    /// The same words, said by the same site about the same outcome, whatever the address.
    fn reply(&self, refused: &Refused<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        let mut rest = refused.text.as_bytes();
        let recipient = refused.refusal.recipient.as_deref().unwrap_or_default().as_bytes();
        // Most replies name no address.
        if !recipient.is_empty() && (memchr::memchr(b'@', rest).is_some() || !recipient.contains(&b'@')) {
            while let Some(at) = memchr::memmem::find(rest, recipient) {
                hasher.write(&rest[..at]);
                rest = &rest[at + recipient.len()..];
            }
        }
        hasher.write(rest);
        hasher.write(refused.refusal.refused_by.host.as_deref().unwrap_or_default().as_bytes());
        hasher.write_u8(refused.outcome as u8);
        hasher.write_u8(refused.refusal.stage.map_or(u8::MAX, |stage| stage as u8));
        hasher.finish()
    }

    /// Whether a message that was taken now had been put off before; it is forgotten then.
    fn was_put_off(&mut self, queue_id: Option<&str>, recipient: &str) -> bool {
        !self.put_off.is_empty()
            && message_key(&self.hasher, queue_id, recipient).is_some_and(|key| self.put_off.remove(&key))
    }

    /// The operator behind a host, if it is a known one.
    fn site(&mut self, engine: &Engine, host: &str) -> Option<&'static str> {
        if let Some(known) = self.sites.get(host) {
            return *known;
        }
        if self.sites.len() >= MOST_HOSTS {
            self.sites.clear();
        }
        let site = engine.site_of_host(host).map(|site| site.id);
        self.sites.insert(host.into(), site);
        site
    }

    /// The operator behind a host, or the recipient's domain.
    fn place<'r>(&mut self, engine: &Engine, host: Option<&str>, recipient: &'r str) -> Cow<'r, str> {
        let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
        match host.and_then(|host| self.site(engine, host)) {
            Some(site) => Cow::Borrowed(site),
            None if domain.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(domain.to_lowercase()),
            None => Cow::Borrowed(domain),
        }
    }
}

fn message_key(hasher: &Keyed, queue_id: Option<&str>, recipient: &str) -> Option<u64> {
    let queue_id = queue_id?;
    let mut hasher = hasher.build_hasher();
    hasher.write(queue_id.as_bytes());
    hasher.write_u8(0);
    hasher.write(recipient.as_bytes());
    Some(hasher.finish())
}

fn domain_of(address: &str) -> String {
    address.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_lowercase())
}

fn kind_of(outcome: Outcome) -> ReportKind {
    if outcome == Outcome::Deferred { ReportKind::Delayed } else { ReportKind::Refusal }
}

/// A suspect in words, with the steps that stop him.
fn suspect(accused: &Accused, catalog: &redeliver_catalog::Catalog) -> Suspect {
    let source = match &accused.source {
        Source::Login(name) | Source::Script(name) | Source::Directory(name) | Source::User(name) => name.to_string(),
        Source::Client(ip) => ip.to_string(),
    };
    let remedy = catalog.remedy(match accused.suspicion {
        Suspicion::StolenLogin => "stop-login",
        Suspicion::HackedWebForm => "stop-web-form",
        Suspicion::InfectedHost => "stop-client",
    });
    let mut values = Values::new(&catalog.words);
    values.set(Parameter::Culprit, Some(&source));
    Suspect {
        suspicion: accused.suspicion.as_str(),
        evidence: accused.evidence.iter().map(evidence).collect(),
        title: remedy.map(|remedy| remedy.title.fill(&values).into_owned()).unwrap_or_default(),
        steps: remedy
            .map(|remedy| remedy.steps.iter().map(|step| step.fill(&values).into_owned()).collect())
            .unwrap_or_default(),
        source,
    }
}

fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Burst { hour, recipients, before } => {
            format!("{recipients} recipients in the hour from {hour}, after at most {before} in any hour before")
        }
        Evidence::Networks(networks) => format!("used from {networks} networks within an hour"),
        Evidence::Senders(senders) => format!("{senders} envelope senders within an hour"),
        Evidence::Unknown { unknown, known } => format!("{unknown} of {known} recipients do not exist"),
        Evidence::RefusedAsSpam(count) => format!("{count} refused as spam, or for the reputation that spam makes"),
    }
}

/// Which refusals are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) since: Option<Timestamp>,
    pub(crate) site: Option<String>,
    pub(crate) cause: Option<Cause>,
    pub(crate) sender: Option<String>,
}

impl Filter {
    /// Whether a refusal passes.
    pub(crate) fn takes(&self, time: Option<Timestamp>, place: &str, cause: Cause, sender: Option<&str>) -> bool {
        self.since.is_none_or(|since| time.is_none_or(|time| time >= since))
            && self.site.as_deref().is_none_or(|site| place.eq_ignore_ascii_case(site))
            && self.cause.is_none_or(|wanted| wanted == cause)
            && self.sender.as_deref().is_none_or(|wanted| {
                sender.is_some_and(|sender| sender.to_lowercase().contains(&wanted.to_lowercase()))
            })
    }

    /// Whether everything passes.
    pub(crate) fn is_open(&self) -> bool {
        self.since.is_none() && self.site.is_none() && self.cause.is_none() && self.sender.is_none()
    }
}
