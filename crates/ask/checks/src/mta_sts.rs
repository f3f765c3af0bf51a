//! Check `mta-sts`: the record, the policy behind it, and whether the mail servers fit it (RFC 8461). Mail *to* the domain is
//! what a broken policy keeps out, so it refuses only where the policy enforces and no server fits.

use redeliver_model::{Cause, Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_net::http::{FetchError, Fetched, Get, Http};
use redeliver_net::tls::TlsError;
use redeliver_records::{Effect, Fault, MtaStsMode, MtaStsPolicy, MtaStsRecord};

use crate::asked::{Asked, raw};
use crate::known::Scope;
use crate::mail_servers::MailServers;
use crate::tls::Demanded;

/// The name of the check.
const MTA_STS: &str = "mta-sts";
/// A policy is a few hundred octets; senders take 64 KiB (RFC 8461 3.2 leaves it to them).
const LONGEST_POLICY: usize = 64 * 1024;
/// Senders wait about a minute (RFC 8461 3.3); whoever looks does not want to.
const PATIENCE: u64 = 6_000;

/// What was gathered.
#[derive(Debug)]
pub(crate) struct StsEvidence {
    pub txt: Asked,
    /// The policy, if a record says that there is one.
    pub fetched: Option<Result<Fetched, FetchError>>,
    /// The addresses of the policy's host: whether it exists is told by DNS alone.
    pub host: Vec<Asked>,
}

/// Asks for the record and fetches the policy.
pub(crate) async fn gather(dns: &dyn Dns, http: &dyn Http, scope: &Scope, name: &Name) -> StsEvidence {
    let txt = Asked::below(dns, name, "_mta-sts", RecordType::Txt).await;
    let mut evidence = StsEvidence { txt, fetched: None, host: Vec::new() };
    if evidence.records().is_empty() {
        return evidence;
    }
    if let Ok(host) = name.below("mta-sts") {
        evidence.host = Asked::each(dns, &host, [RecordType::A, RecordType::Aaaa]).await;
        let absent = evidence.host.iter().all(|asked| asked.answer.is_absent());
        if scope.connect && !absent {
            let port = if scope.https_port == 443 { String::new() } else { format!(":{}", scope.https_port) };
            let url = format!("https://{host}{port}/.well-known/mta-sts.txt");
            // RFC 8461 3.3: no redirects.
            let get = Get { redirects: 0, longest: LONGEST_POLICY, patience: PATIENCE, ..Get::new(url) };
            evidence.fetched = Some(http.get(&get).await);
        }
    }
    evidence
}

impl StsEvidence {
    fn records(&self) -> Vec<String> {
        self.txt.texts().into_iter().filter(|text| MtaStsRecord::is_mta_sts(text)).collect()
    }

    fn policy(&self) -> Option<MtaStsPolicy> {
        let fetched = self.fetched.as_ref()?.as_ref().ok().filter(|fetched| fetched.status == 200)?;
        let parsed = MtaStsPolicy::parse(&fetched.body);
        (!parsed.is_broken()).then_some(parsed.record)
    }

    /// Whether the policy makes senders insist on good certificates.
    pub(crate) fn demanded(&self) -> Demanded {
        let enforced = self.policy().is_some_and(|policy| policy.mode == MtaStsMode::Enforce);
        if enforced { Demanded::ByMtaSts } else { Demanded::No }
    }
}

/// Judges.
pub(crate) fn judge(domain: &str, evidence: &StsEvidence, servers: &MailServers) -> Vec<Finding> {
    let findings = findings(domain, evidence, servers);
    let asked = || std::iter::once(&evidence.txt).chain(&evidence.host);
    let records = evidence.records();
    findings.into_iter().map(|finding| finding.fact("records", records.clone()).fact("asked", raw(asked()))).collect()
}

fn wrong(id: &'static str, severity: Severity, summary: String) -> Finding {
    Finding::fail(MTA_STS, id, severity, summary).because(Cause::TlsFailed)
}

fn of_fault(fault: &Fault) -> Finding {
    match fault.effect {
        Effect::Untidy => Finding::warn(MTA_STS, fault.id, Severity::Untidy, fault.text.clone()),
        _ => wrong(fault.id, Severity::Weakens, fault.text.clone()),
    }
}

fn findings(domain: &str, evidence: &StsEvidence, servers: &MailServers) -> Vec<Finding> {
    if let Some(no) = evidence.txt.why_not() {
        let summary = format!("Whether {domain} has an MTA-STS policy is not known: {no}.");
        return vec![Finding::could_not_ask(MTA_STS, "mta-sts-could-not-ask", summary)];
    }
    let records = evidence.records();
    let record = match records.as_slice() {
        [] => {
            return vec![Finding::pass(
                MTA_STS,
                "mta-sts-none",
                format!("{domain} has no MTA-STS policy; it need not."),
            )];
        }
        [record] => MtaStsRecord::parse(record),
        several => {
            // RFC 8461 3.1: several records count as none.
            let summary = format!("{domain} has {} MTA-STS records; they count as none.", several.len());
            return vec![wrong("mta-sts-multiple", Severity::Weakens, summary)];
        }
    };
    let mut findings: Vec<Finding> = record.faults.iter().map(of_fault).collect();
    findings.extend(of_policy(domain, evidence, servers));
    findings
}

fn of_policy(domain: &str, evidence: &StsEvidence, servers: &MailServers) -> Vec<Finding> {
    let unknown = |summary: String| vec![Finding::could_not_ask(MTA_STS, "mta-sts-policy-could-not-ask", summary)];
    if evidence.host.iter().all(|asked| asked.answer.is_absent()) {
        let summary =
            format!("{domain} says that it has an MTA-STS policy, but the host mta-sts.{domain} does not exist.");
        return vec![wrong("mta-sts-txt-only", Severity::Weakens, summary)];
    }
    let fetched = match &evidence.fetched {
        None => return unknown(format!("The MTA-STS policy of {domain} was not fetched.")),
        Some(Ok(fetched)) => fetched,
        Some(Err(FetchError::Tls(error))) => {
            return match error.as_ref() {
                TlsError::Untrusted { faults, .. } => {
                    let summary = format!(
                        "The MTA-STS policy of {domain} is not taken: its server's certificate is not good ({faults:?})."
                    );
                    vec![wrong("mta-sts-certificate", Severity::Weakens, summary)]
                }
                error => unknown(format!("The MTA-STS policy of {domain} could not be fetched: {error}.")),
            };
        }
        Some(Err(error @ (FetchError::TooLarge(_) | FetchError::NotHttp(_) | FetchError::Compressed(_)))) => {
            let summary = format!("The MTA-STS policy of {domain} cannot be read: {error}.");
            return vec![wrong("mta-sts-policy-unreadable", Severity::Weakens, summary)];
        }
        Some(Err(error)) => return unknown(format!("The MTA-STS policy of {domain} could not be fetched: {error}.")),
    };
    if fetched.status != 200 {
        let summary = format!("The MTA-STS policy of {domain} is not there: the server answers {}.", fetched.status);
        return vec![
            wrong("mta-sts-policy-missing", Severity::Weakens, summary).fact("status", u32::from(fetched.status)),
        ];
    }
    let parsed = MtaStsPolicy::parse(&fetched.body);
    let text = String::from_utf8_lossy(&fetched.body).into_owned();
    let mut findings: Vec<Finding> = parsed.faults.iter().map(of_fault).collect();
    if !parsed.is_broken() {
        findings.push(fit(domain, &parsed.record, servers));
    }
    findings.into_iter().map(|finding| finding.fact("policy", text.clone()).fact("url", fetched.url.clone())).collect()
}

/// Whether the mail servers are those of the policy (RFC 8461 4.1).
fn fit(domain: &str, policy: &MtaStsPolicy, servers: &MailServers) -> Finding {
    let hosts: Vec<&str> = servers.hosts.iter().map(|host| host.name.as_str()).collect();
    let strangers: Vec<&str> = hosts.iter().copied().filter(|host| !policy.allows(host)).collect();
    let mode = policy.mode.as_str();
    if policy.mode == MtaStsMode::None || strangers.is_empty() {
        return Finding::pass(
            MTA_STS,
            "mta-sts-good",
            format!("The MTA-STS policy of {domain} (mode {mode}) fits its mail servers."),
        );
    }
    let names = strangers.join(", ");
    let summary = format!("The MTA-STS policy of {domain} (mode {mode}) does not name its mail server {names}.");
    let all = strangers.len() == hosts.len();
    let severity = if policy.mode == MtaStsMode::Enforce && all { Severity::Refuses } else { Severity::Weakens };
    wrong("mta-sts-mx-not-named", severity, summary)
}
