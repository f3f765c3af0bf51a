//! Check `dkim`: the keys of the selectors that are known, or found under common names. A guess that finds nothing says
//! nothing: it is never called missing.

use futures_util::future::{join, join_all};
use redeliver_model::{Cause, Facts, Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_records::{DkimKey, Effect, KeyMaterial, Parsed};

use crate::asked::{Asked, raw};
use crate::bulk::refused_in_bulk;
use crate::known::Known;

/// The name of the check.
const DKIM: &str = "dkim";
/// How many selectors are asked for; whoever signs has a handful.
const MOST_SELECTORS: usize = 20;
/// Selectors of widespread services and software, tried when none is known.
const COMMON: [&str; 14] =
    ["default", "dkim", "mail", "s1", "s2", "selector1", "selector2", "google", "k1", "k2", "k3", "fm1", "mx", "pm"];

/// One selector.
#[derive(Debug)]
pub(crate) struct Selector {
    pub name: String,
    pub asked: Asked,
}

/// What was gathered.
#[derive(Debug)]
pub(crate) struct DkimEvidence {
    /// Whether the selectors are known, and no guesses.
    pub known: bool,
    pub selectors: Vec<Selector>,
    /// `_domainkey` itself: if it does not exist, no selector does (RFC 8020).
    pub above: Asked,
}

/// Asks for keys.
pub(crate) async fn gather(dns: &dyn Dns, domain: &Name, known: &Known) -> DkimEvidence {
    let given = !known.selectors.is_empty();
    let names: Vec<String> =
        if given { known.selectors.clone() } else { COMMON.iter().map(|name| (*name).to_owned()).collect() };
    let asking = names.into_iter().take(MOST_SELECTORS).map(|name| async move {
        let asked = Asked::below(dns, domain, &format!("{name}._domainkey"), RecordType::Txt).await;
        Selector { name, asked }
    });
    let above = Asked::below(dns, domain, "_domainkey", RecordType::Txt);
    let (selectors, above) = join(join_all(asking), above).await;
    DkimEvidence { known: given, selectors, above }
}

impl Selector {
    /// The records that are meant as keys, read: those with a tag that only keys have.
    pub(crate) fn keys(&self) -> Vec<Parsed<DkimKey>> {
        keys_of(&self.asked)
    }
}

/// The records of an answer that are meant as keys, read.
pub(crate) fn keys_of(asked: &Asked) -> Vec<Parsed<DkimKey>> {
    asked.answer.texts().map(redeliver_net::dns::Text::joined).filter(|text| is_key(text)).map(DkimKey::parse).collect()
}

/// Whether a text is meant as a key: it says so, or has a `p=`. A wildcard with an SPF record answers here too.
pub(crate) fn is_key(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let start = text.trim_start();
    !start.starts_with("v=spf1")
        && (start.starts_with("v=DKIM1") || start.split(';').any(|tag| tag.trim_start().starts_with("p=")))
}

impl DkimEvidence {
    /// Whether one good key is known.
    pub(crate) fn works(&self) -> bool {
        self.selectors.iter().any(|selector| {
            let keys = selector.keys();
            keys.len() == 1 && !keys[0].is_broken()
        })
    }
}

/// Judges. With a working SPF policy a broken key weakens; without one nothing is left that authenticates.
pub(crate) fn judge(domain: &str, evidence: &DkimEvidence, spf_works: bool, known: &Known) -> Vec<Finding> {
    let severity = if spf_works { Severity::Weakens } else { Severity::Refuses };
    let judge = Judge { domain, severity, known };
    let mut findings: Vec<Finding> = Vec::new();
    for selector in &evidence.selectors {
        let keys = selector.keys();
        match (keys.is_empty(), evidence.known) {
            (true, true) => findings.push(judge.absent(selector)),
            (true, false) => {}
            (false, _) => findings.extend(judge.present(selector, &keys)),
        }
    }
    if findings.is_empty() {
        let finding = if evidence.above.answer.is_no_such_name() {
            // Some servers deny a name that only has names below it, against RFC 8020: so no more than a warning.
            let summary = format!("{domain} publishes no DKIM key, it seems: `_domainkey` does not exist there.");
            let finding = Finding::warn(DKIM, "dkim-none", Severity::Weakens, summary).because(Cause::DkimFail);
            finding.at(refused_in_bulk(known.daily))
        } else {
            let summary = format!("Which DKIM selectors {domain} uses is not known; its mail or its software tells.");
            Finding::could_not_ask(DKIM, "dkim-selector-unknown", summary)
        };
        let tried: Vec<String> = evidence.selectors.iter().map(|selector| selector.name.clone()).collect();
        findings.push(finding.fact("tried", tried).fact("asked", raw([&evidence.above])));
    }
    findings
}

struct Judge<'a> {
    domain: &'a str,
    severity: Severity,
    known: &'a Known,
}

impl Judge<'_> {
    fn wrong(&self, id: &'static str, summary: String) -> Finding {
        Finding::fail(DKIM, id, self.severity, summary).because(Cause::DkimFail).at(refused_in_bulk(self.known.daily))
    }

    /// A selector that is known to sign has no key.
    fn absent(&self, selector: &Selector) -> Finding {
        let (name, domain) = (&selector.name, self.domain);
        let finding = if let Some(no) = selector.asked.why_not() {
            let summary = format!("The key of selector {name} of {domain} is not known: {no}.");
            Finding::could_not_ask(DKIM, "dkim-could-not-ask", summary)
        } else if let Some(alias) = dangling(&selector.asked) {
            let summary = format!("The selector {name} of {domain} is an alias to {alias}, where there is no key.");
            self.wrong("dkim-dangling-cname", summary)
        } else {
            self.wrong("dkim-none", format!("There is no DKIM key for selector {name} of {domain}."))
        };
        finding.fact("selector", name.clone()).fact("asked", raw([&selector.asked]))
    }

    fn present(&self, selector: &Selector, keys: &[Parsed<DkimKey>]) -> Vec<Finding> {
        let (name, domain) = (&selector.name, self.domain);
        let mut findings = Vec::new();
        if keys.len() > 1 {
            // RFC 6376 3.6.2.2: what verifiers do with several is undefined.
            let summary =
                format!("There are {} keys for selector {name} of {domain}; verifiers take any of them.", keys.len());
            findings.push(self.wrong("dkim-two-records", summary));
        }
        for key in keys {
            findings.extend(self.faults(name, key));
        }
        if !findings.iter().any(|finding| finding.is_wrong() && finding.severity != Some(Severity::Untidy)) {
            let kind = keys.first().map(|key| kind(&key.record)).unwrap_or_default();
            findings.push(Finding::pass(
                DKIM,
                "dkim-key-good",
                format!("The key of selector {name} of {domain} is good ({kind})."),
            ));
        }
        let facts = Facts::new()
            .with("selector", name.clone())
            .with("records", selector.asked.texts())
            .with("asked", raw([&selector.asked]));
        let with = |mut finding: Finding| {
            facts.iter().for_each(|(name, fact)| finding.facts.add(name.to_owned(), fact.clone()));
            finding
        };
        findings.into_iter().map(with).collect()
    }

    fn faults(&self, name: &str, key: &Parsed<DkimKey>) -> Vec<Finding> {
        let short_and_testing = key.faults.iter().any(|fault| fault.id == "dkim-1024") && key.record.testing;
        let mut findings: Vec<Finding> = key
            .faults
            .iter()
            .map(|fault| {
                let summary = format!("Selector {name}: {}", fault.text);
                let finding = match fault.effect {
                    Effect::BreaksRecord => self.wrong(fault.id, summary),
                    Effect::LosesPart => {
                        Finding::warn(DKIM, fault.id, Severity::Weakens, summary).because(Cause::DkimFail)
                    }
                    Effect::Untidy => Finding::warn(DKIM, fault.id, Severity::Untidy, summary),
                };
                finding.fact("from", fault.span.start).fact("to", fault.span.end)
            })
            .collect();
        if short_and_testing {
            // Both together are what a set-up that was never finished looks like.
            let summary = format!("Selector {name}: a key of 1024 bits that still says it is only a test (`t=y`).");
            findings.push(Finding::warn(DKIM, "dkim-1024-test", Severity::Weakens, summary).because(Cause::DkimFail));
        }
        findings
    }
}

fn kind(key: &DkimKey) -> String {
    match &key.key {
        KeyMaterial::Rsa { bits } => format!("RSA, {bits} bits"),
        KeyMaterial::Ed25519(_) => "Ed25519".to_owned(),
        KeyMaterial::Revoked => "withdrawn".to_owned(),
        KeyMaterial::Unreadable => "unreadable".to_owned(),
    }
}

/// The alias that led to nothing.
fn dangling(asked: &Asked) -> Option<String> {
    let origin = asked.answer.origin().filter(|_| asked.answer.is_absent())?;
    origin.aliases.last().map(ToString::to_string)
}
