//! The verdict in words, the remedies that fit the case, the settings of the software at hand.

use std::borrow::Cow;

use redeliver_catalog::{
    Catalog, Channel, FORWARDED, ListLife, Parameter, Remedy as Known, ReportEntry, Rule, SettingSide, Site, Software,
    Values,
};
use redeliver_model::{About, Act, Cause, Fault, ForWhom, Remedy, ServerSetting, Subject, Verdict};

/// What was found out about a refusal, as far as advice depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'c> {
    /// The likeliest cause.
    pub cause: Cause,
    /// What the refusal is about.
    pub subject: Subject,
    /// Whether to act.
    pub act: Act,
    /// Whose fault.
    pub fault: Fault,
    /// The rule behind the cause, if its own words hold here.
    pub rule: Option<&'c Rule>,
    /// Whether the list that is named still lived; none if no list is named.
    pub list: Option<ListLife>,
    /// The refusing operator.
    pub site: Option<&'c Site>,
    /// The refusing software.
    pub software: Option<&'c Software>,
    /// Whether somebody sent the message on before it was refused.
    pub forwarded: bool,
    /// The software of our own server.
    pub own_software: Option<&'c Software>,
}

impl Situation<'_> {
    /// Whether a remedy is for this subject, and for a list in this state.
    fn fits(&self, remedy: &Known) -> bool {
        let list = remedy.list.is_none_or(|list| self.list.is_none_or(|own| own == list));
        list && (remedy.subjects.is_empty() || remedy.subjects.contains(&self.subject))
    }
}

/// What is told beside the causes.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice<'c> {
    /// The title of the cause.
    pub title: Cow<'c, str>,
    /// Fault, actor, act, and the one sentence.
    pub verdict: Verdict<'c>,
    /// The same for three readers.
    pub for_whom: ForWhom<'c>,
    /// What to do, in order.
    pub remedies: Vec<Remedy<'c>>,
    /// Settings of the software at hand.
    pub settings: Vec<ServerSetting<'c>>,
    /// Whom the first person to ask is reached by; `Nobody` if nobody needs to be asked.
    pub channel: Channel,
}

/// Finds the advice for a situation.
pub fn advise<'c>(catalog: &'c Catalog, situation: &Situation<'c>, values: &Values<'_>) -> Advice<'c> {
    let entry = catalog.cause(situation.cause);
    let forwarded = catalog.report(FORWARDED).filter(|_| situation.forwarded);
    if let Some(report) = forwarded {
        let advice = advise_report(catalog, report, values);
        return if entry.about == About::Recipient {
            behind_a_forwarder(advise_cause(catalog, situation, values), advice, values)
        } else {
            advice
        };
    }
    advise_cause(catalog, situation, values)
}

/// The mailbox behind the forwarder is the trouble: what holds for it, said of the address that was written to.
fn behind_a_forwarder<'c>(cause: Advice<'c>, forwarded: Advice<'c>, values: &Values<'_>) -> Advice<'c> {
    let sent_on = format!(
        "{} You wrote to {}, whose mail {} sends on to there.",
        cause.verdict.summary,
        values.get(Parameter::WrittenTo),
        values.get(Parameter::Forwarder),
    );
    let verdict =
        Verdict { summary: sent_on.into(), act: Act::Ask, fault: Fault::Forwarder, actor: forwarded.verdict.actor };
    let remedies = forwarded.remedies.into_iter().take(1).collect();
    Advice {
        verdict,
        remedies,
        for_whom: forwarded.for_whom,
        settings: Vec::new(),
        channel: forwarded.channel,
        ..cause
    }
}

fn advise_cause<'c>(catalog: &'c Catalog, situation: &Situation<'c>, values: &Values<'_>) -> Advice<'c> {
    let entry = catalog.cause(situation.cause);
    let actor = situation.rule.and_then(|rule| rule.actor.as_ref()).unwrap_or(&entry.actor);
    let verdict = Verdict {
        fault: situation.fault,
        actor: actor.fill(values),
        act: situation.act,
        summary: entry.summary.fill(values),
    };
    let for_whom = ForWhom {
        author: entry.author.fill(values),
        hosted: entry.hosted.fill(values),
        administrator: entry.administrator.fill(values),
    };
    let own = situation.rule.map_or(&[][..], |rule| &rule.remedies);
    let places = if own.is_empty() { entry.remedies.as_slice() } else { own };
    let fitting = || {
        let all = places.iter().map(|place| &catalog.remedies[usize::from(*place)]);
        all.filter(|remedy| situation.fits(remedy))
    };
    Advice {
        title: entry.title.fill(values),
        verdict,
        for_whom,
        remedies: fitting().map(|remedy| told(catalog, remedy, values)).collect(),
        settings: settings(situation),
        channel: first_channel(fitting()),
    }
}

/// The advice for a report that is no plain refusal: a kind such as `not-ours`, or `forwarded`.
pub fn advise_report<'c>(catalog: &'c Catalog, report: &'c ReportEntry, values: &Values<'_>) -> Advice<'c> {
    let remedies: Vec<&Known> = report.remedies.iter().map(|place| &catalog.remedies[usize::from(*place)]).collect();
    Advice {
        title: report.title.fill(values),
        verdict: Verdict {
            fault: report.fault,
            actor: report.actor.fill(values),
            act: report.act,
            summary: report.summary.fill(values),
        },
        for_whom: ForWhom {
            author: report.author.fill(values),
            hosted: report.hosted.fill(values),
            administrator: report.administrator.fill(values),
        },
        remedies: remedies.iter().map(|remedy| told(catalog, remedy, values)).collect(),
        settings: Vec::new(),
        channel: first_channel(remedies.into_iter()),
    }
}

fn told<'c>(catalog: &'c Catalog, remedy: &'c Known, values: &Values<'_>) -> Remedy<'c> {
    Remedy {
        id: remedy.id,
        title: remedy.title.fill(values),
        who: remedy.who.as_str(),
        channel: way(catalog, remedy.channel, values),
        proves: remedy.proves,
        steps: remedy.steps.iter().map(|step| step.fill(values)).collect(),
    }
}

/// Whom the first person to ask is reached by.
fn first_channel<'c>(mut remedies: impl Iterator<Item = &'c Known>) -> Channel {
    remedies.find(|remedy| remedy.channel != Channel::Nobody).map_or(Channel::Nobody, |remedy| remedy.channel)
}

/// How one asks on a channel.
fn way<'c>(catalog: &'c Catalog, channel: Channel, values: &Values<'_>) -> Option<Cow<'c, str>> {
    let letter = catalog.letters.iter().find(|letter| letter.channel == channel)?;
    Some(letter.way.fill(values))
}

/// Our own software's settings for the cause, then those of the refusing side.
fn settings<'c>(situation: &Situation<'c>) -> Vec<ServerSetting<'c>> {
    let of = |software: Option<&'c Software>, side: SettingSide| {
        let settings =
            software.into_iter().flat_map(|software| software.settings.iter().map(move |setting| (software, setting)));
        settings.filter(move |(_, setting)| setting.cause == situation.cause && setting.side == side).map(
            move |(software, setting)| ServerSetting {
                software: software.name,
                on_refusing_side: side == SettingSide::Receiver,
                text: setting.text,
                command: setting.command,
            },
        )
    };
    of(situation.own_software, SettingSide::Sender).chain(of(situation.software, SettingSide::Receiver)).collect()
}
