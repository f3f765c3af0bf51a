//! Check `spf`: the policy as a whole, and what it says of the sending IP. Whether it was advice-worthy is for others.

use redeliver_model::{Cause, Fact, Facts, Finding, Severity};
use redeliver_net::dns::Dns;
use redeliver_records::{Mechanism, Qualifier};
use redeliver_spf::{
    Analysis, Evaluation, Harm, Note, Policy, Problem, Request, SpfResult, analyse, evaluate, outlook,
};

use crate::asked::raw_look_ups;
use crate::bulk::refused_in_bulk;
use crate::known::Known;

/// The name of the check.
const SPF: &str = "spf";

/// What was gathered.
#[derive(Debug)]
pub(crate) struct SpfEvidence {
    pub analysis: Analysis,
    /// What the policy says of the sending IP, if that is known.
    pub evaluation: Option<Evaluation>,
}

/// Analyses the policy of a domain, and evaluates it for the sending IP.
pub(crate) async fn gather(dns: &dyn Dns, domain: &str, known: &Known) -> SpfEvidence {
    let evaluating = async {
        let (ip, _) = known.ip?;
        let helo = known.helo.clone().unwrap_or_else(|| domain.to_owned());
        let mail_from = known
            .mail_from
            .clone()
            .filter(|from| from.rsplit('@').next().is_some_and(|of| of.eq_ignore_ascii_case(domain)));
        let request = Request::new(ip, helo, mail_from.unwrap_or_else(|| format!("postmaster@{domain}")));
        Some(evaluate(dns, &request).await)
    };
    let (analysis, evaluation) = futures_util::future::join(analyse(dns, domain), evaluating).await;
    SpfEvidence { analysis, evaluation }
}

impl SpfEvidence {
    /// Whether the policy lets anybody send; none if nobody knows.
    pub(crate) fn sends(&self) -> Option<bool> {
        let policy = &self.analysis.policy;
        policy.record.as_ref()?;
        let lets = |qualifier| matches!(qualifier, Qualifier::Pass | Qualifier::Neutral);
        let some = policy.parsed.directives().any(|(_, directive)| {
            // "?all" and the like only leave open who sends.
            lets(directive.qualifier)
                && !(directive.mechanism == Mechanism::All && directive.qualifier == Qualifier::Neutral)
        });
        Some(some || policy.parsed.redirect().is_some() || policy.problem.is_some() || policy.parsed.all().is_none())
    }

    /// Whether the policy works for the sender that is known, or for all if none is. What could not be asked may well work.
    pub(crate) fn works(&self) -> bool {
        match &self.evaluation {
            Some(evaluation) => matches!(evaluation.result, SpfResult::Pass | SpfResult::TempError),
            None if self.analysis.notes.iter().any(|note| note.harm == Harm::PermError) => false,
            None => !matches!(self.analysis.policy.problem, Some(Problem::NoRecord | Problem::NotADomain)),
        }
    }
}

/// Judges. `dkim_works` tells whether a good DKIM key is known: then lacking SPF refuses only in bulk.
pub(crate) fn judge(evidence: &SpfEvidence, known: &Known, dkim_works: bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let analysis = &evidence.analysis;
    let passes = evidence.evaluation.as_ref().is_some_and(|evaluation| evaluation.result == SpfResult::Pass);
    // Both readings: what the sender that is known gets, and what any other does.
    let both = evidence.evaluation.as_ref().filter(|_| passes).map(|evaluation| sentences(evaluation, analysis));
    for note in &analysis.notes {
        let Some(mut finding) = of_note(note, analysis, passes, dkim_works, known) else { continue };
        if let (Some(both), Harm::PermError) = (&both, note.harm) {
            finding.summary = format!("{} {both}", finding.summary);
        }
        findings.push(finding);
    }
    let permanent = findings.iter().any(|finding| finding.is_wrong() && finding.severity != Some(Severity::Untidy));
    if let Some(evaluation) = &evidence.evaluation {
        findings.extend(of_evaluation(evaluation, analysis, permanent));
    }
    if findings.iter().all(|finding| !finding.is_wrong()) && evidence.evaluation.is_none() {
        let could_not = findings.iter().any(|finding| finding.result == redeliver_model::CheckResult::CouldNotAsk);
        if !could_not {
            let summary = format!("The SPF policy of {} is sound. {}", analysis.domain, analysis.stranger_ip4);
            findings.push(Finding::pass(SPF, "spf-sound", summary));
        }
    }
    let facts = facts(evidence);
    for finding in &mut findings {
        for (name, fact) in facts.iter() {
            if finding.facts.get(name).is_none() {
                finding.facts.add(name.to_owned(), fact.clone());
            }
        }
    }
    findings
}

fn of_note(note: &Note, analysis: &Analysis, passes: bool, dkim_works: bool, known: &Known) -> Option<Finding> {
    let own = note.domain == analysis.domain;
    let finding = match (note.harm, note.id) {
        (Harm::CouldNotAsk, id) => Finding::could_not_ask(SPF, id, note.text.clone()),
        // Nobody but its owner can tidy another domain's record.
        (Harm::Untidy, _) if !own => return None,
        (Harm::Untidy, id) => Finding::warn(SPF, id, Severity::Untidy, note.text.clone()),
        (_, "spf-plus-all") => {
            Finding::warn(SPF, note.id, Severity::Weakens, note.text.clone()).because(Cause::PoorReputation)
        }
        (_, "spf-ptr" | "spf-no-all") => {
            Finding::warn(SPF, note.id, Severity::Weakens, note.text.clone()).because(Cause::SpfFail)
        }
        (_, "spf-missing" | "spf-type99-only" | "spf-bad-version") => {
            // Google wants SPF or DKIM of everybody, both of bulk senders.
            let severity = if dkim_works { Severity::Weakens } else { Severity::Refuses };
            let finding = Finding::fail(SPF, note.id, severity, note.text.clone()).because(Cause::SpfFail);
            finding.at(refused_in_bulk(known.daily))
        }
        (Harm::PermError, id) => {
            // The sender that is known passes before the fault is met; the others do not.
            let severity = if passes { Severity::Weakens } else { Severity::Refuses };
            let finding = Finding::fail(SPF, id, severity, note.text.clone()).because(Cause::SpfFail);
            finding.at(refused_in_bulk(known.daily))
        }
        (Harm::Weakens, id) => Finding::warn(SPF, id, Severity::Weakens, note.text.clone()).because(Cause::SpfFail),
    };
    let place = note.span.and_then(|span| {
        let record = analysis.policy.record.as_deref().filter(|_| own)?;
        Some(Facts::new().with("term", span.of(record)).with("from", span.start).with("to", span.end))
    });
    Some(finding.fact("in", note.domain.clone()).fact("place", place))
}

fn of_evaluation(evaluation: &Evaluation, analysis: &Analysis, permanent: bool) -> Option<Finding> {
    let summary = sentences(evaluation, analysis);
    let finding = match evaluation.result {
        SpfResult::Pass => Finding::pass(SPF, "spf-pass", summary),
        SpfResult::Fail => Finding::fail(SPF, "spf-ip-not-listed", Severity::Refuses, summary).because(Cause::SpfFail),
        SpfResult::SoftFail => {
            Finding::fail(SPF, "spf-ip-not-listed", Severity::Weakens, summary).because(Cause::SpfFail)
        }
        SpfResult::Neutral => Finding::warn(SPF, "spf-neutral", Severity::Weakens, summary).because(Cause::SpfFail),
        SpfResult::TempError => Finding::could_not_ask(SPF, "spf-could-not-ask", summary),
        // The fault is named already.
        SpfResult::PermError | SpfResult::None if permanent => return None,
        SpfResult::PermError => Finding::fail(SPF, "spf-permerror", Severity::Refuses, summary).because(Cause::SpfFail),
        SpfResult::None => return None,
    };
    Some(finding)
}

/// Why the sender that is known gets its result, and what any other gets.
fn sentences(evaluation: &Evaluation, analysis: &Analysis) -> String {
    let from = format!("Mail from {}", evaluation.ip);
    outlook(evaluation, analysis).to_string().replacen("This mail", &from, 1)
}

/// What every finding of SPF opens down to.
fn facts(evidence: &SpfEvidence) -> Facts {
    let analysis = &evidence.analysis;
    let cost = analysis.policy.cost;
    let mut facts = Facts::new()
        .with("record", analysis.policy.record.clone())
        .with("lookups", cost.lookups)
        .with("void_lookups", cost.voids_ip4.max(cost.voids_ip6))
        .with("includes", includes(&analysis.policy))
        .with("any_other_sender", analysis.stranger_ip4.to_string());
    if let Some(evaluation) = &evidence.evaluation {
        facts.add("ip", evaluation.ip.to_string());
        facts.add("spf", evaluation.result.as_str());
        facts.add("explanation", evaluation.explanation.clone());
        facts.add("asked", raw_look_ups(look_ups(evaluation)));
    } else {
        facts.add("asked", raw_look_ups(&analysis.policy.look_up));
    }
    facts
}

/// The price of each include, with all below it.
fn includes(policy: &Policy) -> Vec<Fact> {
    let priced = policy.terms.iter().filter(|term| term.policy.is_some() || term.loops);
    priced
        .map(|term| Fact::Group(Facts::new().with("term", term.term.clone()).with("lookups", term.cost.lookups)))
        .collect()
}

/// The questions of an evaluation, the record first.
pub(crate) fn look_ups(evaluation: &Evaluation) -> Vec<&redeliver_spf::LookUp> {
    let mut all = Vec::new();
    let mut visits = vec![&evaluation.visit];
    while let Some(visit) = visits.pop() {
        all.extend(&visit.look_up);
        for step in &visit.steps {
            all.extend(&step.look_ups);
            visits.extend(step.visit.as_deref());
        }
    }
    all
}
