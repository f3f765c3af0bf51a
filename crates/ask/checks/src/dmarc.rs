//! Check `dmarc`: the policy that applies to a domain (RFC 9989), where it stands, and where it was meant to stand.
//! A policy of `none`, and reports that cannot be delivered, never refuse anybody's mail.

use futures_util::future::{join_all, join4};
use redeliver_model::{Cause, Domain, Facts, Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_records::{
    DmarcFound, DmarcRecord, Effect, Level, Organisational, Parsed, Policy, SelectedBy, organisational_domain,
    registrable_domain, walk_order,
};

use crate::asked::{Asked, raw};
use crate::bulk::refused_in_bulk;
use crate::known::Known;

/// The name of the check.
pub(crate) const DMARC: &str = "dmarc";
/// How many domains that get reports are asked whether they want them.
const MOST_RECEIVERS: usize = 10;
/// A label that nobody has: what answers there answers everywhere.
const NOBODY: &str = "no-such-label-asked-by-redeliver";

/// The answers of the tree walk from one domain.
#[derive(Debug)]
pub(crate) struct Walk {
    pub domain: Domain,
    /// Each domain of the walk, nearest first, with the answer at its `_dmarc`.
    pub levels: Vec<(String, Asked)>,
}

/// What was gathered.
#[derive(Debug)]
pub(crate) struct DmarcEvidence {
    pub walk: Walk,
    /// TXT of the domain itself: a policy may have been put there.
    pub apex: Asked,
    /// `_dmarc.DOMAIN.DOMAIN`: a panel that adds the domain by itself puts it there.
    pub doubled: Asked,
    /// TXT of a label that nobody has.
    pub wildcard: Asked,
    /// Domains outside that get reports, and whether they want them.
    pub receivers: Vec<(String, Asked)>,
}

/// The record that applies.
#[derive(Debug)]
pub(crate) struct Applying {
    /// Where it stands.
    pub at: String,
    pub text: String,
    pub read: Parsed<DmarcRecord>,
}

impl Applying {
    /// The policy for a domain to which the record applies.
    pub(crate) fn policy_for(&self, domain: &str) -> Option<Policy> {
        let level = if self.at == domain { Level::Itself } else { Level::Subdomain };
        self.read.record.applied_policy(level)
    }
}

/// Asks all domains of the walk at once.
pub(crate) async fn walk(dns: &dyn Dns, domain: &Domain) -> Walk {
    let asking = walk_order(domain).into_iter().map(|level| async move {
        let asked = match Name::parse(&level) {
            Ok(name) => Asked::below(dns, &name, "_dmarc", RecordType::Txt).await,
            Err(_) => Asked::below(dns, &Name::root(), "_dmarc", RecordType::Txt).await,
        };
        (level, asked)
    });
    Walk { domain: domain.clone(), levels: join_all(asking).await }
}

/// Gathers.
pub(crate) async fn gather(dns: &dyn Dns, domain: &Domain, name: &Name) -> DmarcEvidence {
    let walking = async {
        let walk = walk(dns, domain).await;
        let receivers = receivers(dns, &walk).await;
        (walk, receivers)
    };
    let front = format!("_dmarc.{}", name.as_str());
    let ((walk, receivers), apex, doubled, wildcard) = join4(
        walking,
        Asked::at(dns, name, RecordType::Txt),
        Asked::below(dns, name, &front, RecordType::Txt),
        Asked::below(dns, name, NOBODY, RecordType::Txt),
    )
    .await;
    DmarcEvidence { walk, apex, doubled, wildcard, receivers }
}

/// Asks the domains outside that get reports whether they want them (RFC 9990 4).
async fn receivers(dns: &dyn Dns, walk: &Walk) -> Vec<(String, Asked)> {
    let Ok(Some(applying)) = walk.applying() else { return Vec::new() };
    let record = &applying.read.record;
    let uris = record.aggregate_reports.iter().chain(&record.failure_reports);
    let mut outside: Vec<String> = Vec::new();
    for address in uris.filter_map(redeliver_records::ReportUri::mail_address) {
        let domain = address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        let same =
            registrable_domain(&domain).is_some() && registrable_domain(&domain) == registrable_domain(&applying.at);
        if !same && domain != applying.at && !outside.contains(&domain) && outside.len() < MOST_RECEIVERS {
            outside.push(domain);
        }
    }
    let asking = outside.into_iter().map(|domain| {
        let front = format!("{}._report._dmarc", applying.at);
        async move {
            let name = Name::parse(&domain).unwrap_or_else(|_| Name::root());
            let asked = Asked::below(dns, &name, &front, RecordType::Txt).await;
            (domain, asked)
        }
    });
    join_all(asking).await
}

/// The texts of an answer that are DMARC records.
fn records(asked: &Asked) -> Vec<String> {
    asked.texts().into_iter().filter(|text| DmarcRecord::is_dmarc(text)).collect()
}

impl Walk {
    /// The record that applies to the domain: its own, or that of its organisational domain (RFC 9989 4.10.1); none if there
    /// is none; the question that decides if it could not be asked.
    pub(crate) fn applying(&self) -> Result<Option<Applying>, &Asked> {
        for (level, asked) in &self.levels {
            // RFC 9989 4.10: several records at one place count as none.
            if let [text] = records(asked).as_slice() {
                let own = level == self.domain.as_str();
                let organisation = self.organisational();
                if own || *level == organisation.domain || is_suffix_of(level, &organisation) {
                    let read = DmarcRecord::parse(text);
                    return Ok(Some(Applying { at: level.clone(), text: text.clone(), read }));
                }
            }
            if asked.why_not().is_some() {
                return Err(asked);
            }
        }
        Ok(None)
    }

    /// The organisational domain, as far as answers came.
    pub(crate) fn organisational(&self) -> Organisational {
        let found: Vec<DmarcFound> = self
            .levels
            .iter()
            .filter_map(|(level, asked)| match records(asked).as_slice() {
                [text] => Some(DmarcFound { domain: level.clone(), psd: DmarcRecord::parse(text).record.psd }),
                _ => None,
            })
            .collect();
        organisational_domain(&self.domain, &found)
    }
}

/// Whether a level is the public suffix domain right above the organisation; its record applies where nothing else does.
fn is_suffix_of(level: &str, organisation: &Organisational) -> bool {
    organisation.selected_by == SelectedBy::BelowPublicSuffix
        && organisation.domain.split_once('.').is_some_and(|(_, above)| above == level)
}

/// Judges the policy of a domain.
pub(crate) fn judge(evidence: &DmarcEvidence, known: &Known) -> Vec<Finding> {
    let domain = evidence.walk.domain.as_str();
    let findings = match evidence.walk.applying() {
        Err(asked) => {
            let no = asked.why_not().map(ToString::to_string).unwrap_or_default();
            vec![Finding::could_not_ask(
                DMARC,
                "dmarc-could-not-ask",
                format!("The DMARC policy of {domain} is not known: {no}."),
            )]
        }
        Ok(None) => without(domain, evidence, known),
        Ok(Some(applying)) => with(domain, evidence, &applying, known),
    };
    let asked = evidence.walk.levels.iter().map(|(_, asked)| asked);
    let asked: Vec<&Asked> = asked.chain(evidence.receivers.iter().map(|(_, asked)| asked)).collect();
    findings.into_iter().map(|finding| finding.fact("asked", raw(asked.iter().copied()))).collect()
}

/// There is no policy: is there something that was meant as one?
fn without(domain: &str, evidence: &DmarcEvidence, known: &Known) -> Vec<Finding> {
    let own: &[String] = &evidence.walk.levels.first().map(|(_, asked)| asked.texts()).unwrap_or_default();
    let meant = |texts: &[String]| texts.iter().find(|text| text.to_ascii_uppercase().contains("DMARC1")).cloned();
    let wrong = |id: &'static str, summary: String, text: Option<String>| {
        let finding = Finding::fail(DMARC, id, Severity::Weakens, summary).because(Cause::DmarcFail);
        finding.fact("record", text).at(refused_in_bulk(known.daily))
    };
    let count = own.iter().filter(|text| DmarcRecord::is_dmarc(text)).count();
    let finding = if count > 1 {
        let summary =
            format!("{domain} has {count} DMARC records; with more than one receivers act as if there were none.");
        wrong("dmarc-multiple", summary, None).fact("records", own.to_vec())
    } else if let Some(text) = meant(own) {
        let fault = DmarcRecord::parse(&text).faults.into_iter().find(|fault| fault.effect == Effect::BreaksRecord);
        let why = fault.map_or_else(|| "It does not begin with `v=DMARC1`.".to_owned(), |fault| fault.text);
        wrong("dmarc-bad-version", format!("The DMARC record of {domain} is ignored. {why}"), Some(text))
    } else if let Some(text) = meant(&evidence.doubled.texts()) {
        let place = &evidence.doubled.question.name;
        wrong(
            "dmarc-double-name",
            format!("The DMARC record of {domain} stands at {place}, where nobody looks."),
            Some(text),
        )
    } else if let Some(text) = meant(&evidence.apex.texts()) {
        let summary =
            format!("The DMARC record of {domain} stands at {domain} itself; it must stand at _dmarc.{domain}.");
        wrong("dmarc-at-apex", summary, Some(text))
    } else if let (Some(text), false) = (own.first(), evidence.wildcard.answer.texts().next().is_none()) {
        let summary =
            format!("A wildcard TXT record of {domain} answers at _dmarc too, and there is no policy behind it.");
        wrong("wildcard-txt", summary, Some(text.clone()))
    } else {
        wrong("dmarc-missing", format!("{domain} has no DMARC policy."), None)
    };
    vec![finding]
}

fn with(domain: &str, evidence: &DmarcEvidence, applying: &Applying, known: &Known) -> Vec<Finding> {
    let record = &applying.read.record;
    let policy = applying.policy_for(domain);
    let mut findings: Vec<Finding> = applying.read.faults.iter().map(of_fault).collect();
    if policy == Some(Policy::None) && !record.policy_void {
        let summary = format!("The DMARC policy of {domain} is `none`: mail that fails it is only reported.");
        findings.push(Finding::warn(DMARC, "dmarc-p-none", Severity::Untidy, summary));
    }
    for (receiver, asked) in &evidence.receivers {
        findings.extend(of_receiver(receiver, asked));
    }
    if policy.is_none() {
        // Then receivers act as if there were no record, and bulk rules want one.
        for finding in findings.iter_mut().filter(|finding| finding.severity == Some(Severity::Weakens)) {
            finding.sites = refused_in_bulk(known.daily);
        }
    } else {
        let inherited = if applying.at == domain { String::new() } else { format!(", inherited from {}", applying.at) };
        let word = policy.map(Policy::as_str).unwrap_or_default();
        findings.push(Finding::pass(
            DMARC,
            "dmarc-found",
            format!("The DMARC policy of {domain} is `{word}`{inherited}."),
        ));
    }
    let organisation = evidence.walk.organisational().domain;
    let facts = Facts::new()
        .with("record", applying.text.clone())
        .with("at", applying.at.clone())
        .with("policy", policy.map(Policy::as_str))
        .with("organisational_domain", organisation);
    for finding in &mut findings {
        facts.iter().for_each(|(name, fact)| finding.facts.add(name.to_owned(), fact.clone()));
    }
    findings
}

fn of_fault(fault: &redeliver_records::Fault) -> Finding {
    let reports = fault.id.starts_with("dmarc-rua") || matches!(fault.id, "dmarc-bad-uri" | "dmarc-other-scheme");
    let finding = match fault.effect {
        _ if reports => Finding::warn(DMARC, fault.id, Severity::Untidy, fault.text.clone()),
        Effect::BreaksRecord => {
            Finding::fail(DMARC, fault.id, Severity::Weakens, fault.text.clone()).because(Cause::DmarcFail)
        }
        Effect::LosesPart => {
            Finding::warn(DMARC, fault.id, Severity::Weakens, fault.text.clone()).because(Cause::DmarcFail)
        }
        Effect::Untidy => Finding::warn(DMARC, fault.id, Severity::Untidy, fault.text.clone()),
    };
    finding.fact("from", fault.span.start).fact("to", fault.span.end)
}

/// Whether a domain outside wants the reports.
fn of_receiver(receiver: &str, asked: &Asked) -> Option<Finding> {
    if let Some(no) = asked.why_not() {
        let summary = format!("Whether {receiver} takes the reports is not known: {no}.");
        return Some(Finding::could_not_ask(DMARC, "dmarc-rua-could-not-ask", summary).fact("receiver", receiver));
    }
    let agrees = asked.texts().iter().any(DmarcRecord::is_dmarc);
    let summary = format!("{receiver} does not say that it takes these reports, so nobody sends them there.");
    (!agrees)
        .then(|| Finding::warn(DMARC, "dmarc-rua-unauthorised", Severity::Untidy, summary).fact("receiver", receiver))
}
