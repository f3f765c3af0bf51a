//! From a refusal that was read to everything that is told about it.

use std::borrow::Cow;

use redeliver_catalog::{BY_US, Channel, ListLife, Parameter, Setting, SettingSide, Software, Values};
use redeliver_diagnose::{Diagnosis, Engine, Hypothesis, Scratch, Why};
use redeliver_model::{
    self as model, About, AddressIsBad, Explanation, Origin, Outcome, Party, Refusal, ReportKind, Retry, Scope,
    Timestamp,
};
use redeliver_remedies::{Advice, Situation, advise, advise_report};

/// What telling needs beside the refusal.
#[derive(Clone, Copy)]
pub(crate) struct Teller<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) now: Timestamp,
}

/// A refusal, and where it was found.
pub(crate) struct Found<'r> {
    pub(crate) origin: Origin<'r>,
    pub(crate) kind: ReportKind,
    pub(crate) refusal: &'r Refusal<'r>,
    /// The software of our own server, if it is known.
    pub(crate) own_software: Option<&'r Software>,
    /// The words of the report around the refusal, by which its software is told.
    pub(crate) around: [&'r str; 2],
}

/// What a letter needs.
pub(crate) struct ForLetter<'v> {
    pub(crate) channel: Channel,
    pub(crate) values: Values<'v>,
}

impl<'e> Teller<'e> {
    /// The software that wrote the report, looked for only where it has a setting that bears on the cause.
    fn reporting_software(
        &self,
        diagnosis: &Diagnosis<'_, '_>,
        around: [&str; 2],
        scratch: &mut Scratch,
    ) -> Option<&'e Software> {
        let around = || around.into_iter().filter(|words| !words.trim().is_empty());
        let cause = diagnosis.first().cause;
        let bears = |setting: &Setting| setting.cause == cause && setting.side == SettingSide::Sender;
        let wanted = || self.engine.catalog().software.iter().any(|one| one.settings.iter().any(bears));
        if around().next().is_none() || !wanted() {
            return None;
        }
        around().find_map(|words| self.engine.software_of(words, scratch))
    }

    /// Hands what is to be told to `then`.
    pub(crate) fn tell<R>(
        &self,
        found: Found<'_>,
        scratch: &mut Scratch,
        then: impl FnOnce(&Explanation<'_>, &ForLetter<'_>) -> R,
    ) -> R {
        let refusal = found.refusal;
        let diagnosis = self.engine.diagnose(refusal, self.now, scratch);
        let told_refusal = with_facts(refusal, &diagnosis);
        let mut values = self.engine.values(&diagnosis, &told_refusal);
        let code = told_refusal.reply.code.map(|code| code.to_string());
        let status = told_refusal.reply.enhanced.map(|status| status.to_string());
        let ip = told_refusal.client.ip.map(|ip| ip.to_string());
        let reply = told_refusal.reply.to_string();
        let time = told_refusal.time.map(|time| time.to_string());
        if ip.is_some() {
            values.set(Parameter::Ip, ip.as_deref());
        }
        values.set(Parameter::Code, code.as_deref());
        values.set(Parameter::Status, status.as_deref());
        values.set(Parameter::Reply, Some(&reply));
        values.set(Parameter::Time, time.as_deref());
        let forwarded = told_refusal.forwarded.as_ref();
        values.set(Parameter::Forwarder, forwarded.and_then(|one| one.by.as_deref()));
        let written_to = forwarded.and_then(|one| one.from.as_deref()).or(told_refusal.original_recipient.as_deref());
        values.set(Parameter::WrittenTo, written_to);
        let is_refusal = matches!(found.kind, ReportKind::Refusal | ReportKind::Delayed);
        let by_us = told_refusal.outcome == Some(Outcome::RejectedByUs);
        let entry = if by_us { BY_US } else { found.kind.as_str() };
        let report = self.engine.catalog().report(entry).filter(|_| by_us || !is_refusal);
        if let Some(report) = report {
            let advice = advise_report(self.engine.catalog(), report, &values);
            let mut told = other_report(found, advice, told_refusal.clone());
            if by_us {
                told.causes = diagnosis.causes.iter().map(|hypothesis| tell(hypothesis, &values)).collect();
            }
            return then(&told, &ForLetter { channel: Channel::Nobody, values });
        }
        let own_software = found.own_software.or_else(|| self.reporting_software(&diagnosis, found.around, scratch));
        let situation = situation(&diagnosis, own_software, told_refusal.forwarded.is_some());
        let advice = advise(self.engine.catalog(), &situation, &values);
        let channel = advice.channel;
        let told = self.refused(found, &diagnosis, advice, told_refusal.clone(), &values);
        then(&told, &ForLetter { channel, values })
    }

    fn refused<'r>(
        &'r self,
        found: Found<'r>,
        diagnosis: &Diagnosis<'r, 'r>,
        advice: Advice<'r>,
        refusal: Refusal<'r>,
        values: &Values<'_>,
    ) -> Explanation<'r> {
        let entry = self.engine.catalog().cause(diagnosis.first().cause);
        let sent_on = refusal.forwarded.is_some() || refusal.original_recipient.is_some();
        Explanation {
            origin: found.origin,
            kind: found.kind,
            site: diagnosis.site.map(|site| (site.id, site.name)),
            software: diagnosis.software.map(|software| software.name),
            list: diagnosis.list.map(|list| (list.zone, list.name)).or(diagnosis.facts.list.map(|zone| (zone, zone))),
            about: entry.about,
            title: advice.title,
            causes: diagnosis.causes.iter().map(|hypothesis| tell(hypothesis, values)).collect(),
            scope: diagnosis.scope,
            retry: diagnosis.retry,
            address_is_bad: match diagnosis.address_is_bad {
                // The address that was written to took the mail; the one behind it is dead.
                AddressIsBad::Yes if sent_on => AddressIsBad::Unproven,
                other => other,
            },
            verdict: advice.verdict,
            for_whom: advice.for_whom,
            settled_by: diagnosis.settled_by.clone(),
            confirms: (entry.confirms, entry.refutes),
            remedies: advice.remedies,
            settings: advice.settings,
            myths: entry.myths.iter().map(|myth| (myth.says, myth.truth)).collect(),
            refusal,
        }
    }
}

/// What is told about a report that is no refusal.
fn other_report<'r>(found: Found<'r>, advice: Advice<'r>, refusal: Refusal<'r>) -> Explanation<'r> {
    Explanation {
        origin: found.origin,
        kind: found.kind,
        site: None,
        software: None,
        list: None,
        about: About::Nobody,
        title: advice.title,
        causes: Vec::new(),
        scope: Scope::Message,
        retry: Retry::Never,
        address_is_bad: AddressIsBad::No,
        verdict: advice.verdict,
        for_whom: advice.for_whom,
        settled_by: Vec::new(),
        confirms: ("", ""),
        remedies: advice.remedies,
        settings: advice.settings,
        myths: Vec::new(),
        refusal,
    }
}

/// The refusal with what its words name.
fn with_facts<'r>(refusal: &'r Refusal<'_>, diagnosis: &Diagnosis<'_, 'r>) -> Refusal<'r> {
    let facts = &diagnosis.facts;
    let borrowed = |party: &'r Party<'_>| Party {
        host: party.host.as_deref().map(Cow::Borrowed),
        ip: party.ip,
        helo: party.helo.as_deref().map(Cow::Borrowed),
        side: party.side,
    };
    let said = diagnosis.said;
    let lines = said.lines.iter().map(|line| Cow::Borrowed(line.as_ref())).collect();
    let mut told = Refusal {
        reply: model::Reply { code: said.code, enhanced: said.enhanced, lines },
        stage: refusal.stage,
        reported_by: borrowed(&refusal.reported_by),
        refused_by: borrowed(&refusal.refused_by),
        client: borrowed(&refusal.client),
        sender: facts.sender.map(Cow::Borrowed),
        recipient: facts.recipient.map(Cow::Borrowed),
        time: refusal.time,
        original_recipient: refusal.original_recipient.as_deref().map(Cow::Borrowed),
        further: Vec::new(),
        given_up: refusal.given_up,
        outcome: refusal.outcome,
        queue_id: refusal.queue_id.as_deref().map(Cow::Borrowed),
        forwarded: refusal.forwarded.clone(),
    };
    told.client.ip = told.client.ip.or_else(|| facts.ip.and_then(|ip| ip.parse().ok()));
    told
}

fn situation<'c>(diagnosis: &Diagnosis<'c, '_>, own_software: Option<&'c Software>, forwarded: bool) -> Situation<'c> {
    let first = diagnosis.first();
    Situation {
        cause: first.cause,
        subject: first.subject,
        act: diagnosis.act,
        fault: diagnosis.fault,
        rule: match first.why {
            Why::Rule(rule) => Some(rule),
            _ => None,
        },
        list: diagnosis
            .list
            .map(|_| if matches!(first.why, Why::DeadList(..)) { ListLife::Dead } else { ListLife::Alive }),
        site: diagnosis.site,
        software: diagnosis.software,
        forwarded,
        own_software,
    }
}

/// A hypothesis in words.
fn tell<'c>(hypothesis: &Hypothesis<'c>, values: &Values<'_>) -> model::Hypothesis<'c> {
    let (rule, why): (Option<Cow<'c, str>>, Cow<'c, str>) = match hypothesis.why {
        Why::Rule(rule) => (Some(rule.id.into()), rule.meaning.fill(values)),
        Why::AlsoMeant(rule) => (Some(rule.id.into()), "The same words are also used for this.".into()),
        Why::DeadList(rule, list) => {
            let since = list.dead_since.map_or_else(String::new, |date| format!(" since {date}"));
            let why = format!(
                "{} is closed{since}: nobody is on it, and a receiver that still asks it refuses at random.",
                list.name
            );
            (Some(rule.id.into()), why.into())
        }
        Why::Words => (Some("words".into()), "No known wording decides; all words together are most like this.".into()),
        Why::Nothing => (None, "The text says nothing that is known.".into()),
    };
    model::Hypothesis {
        cause: hypothesis.cause,
        subject: hypothesis.subject,
        confidence: hypothesis.confidence,
        rule,
        why,
    }
}
