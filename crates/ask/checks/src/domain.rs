//! A domain as a whole: everything is gathered at once, then judged. The judging sees all evidence.

use futures_util::future::{join, join3, join5};
use redeliver_model::{Cause, Domain, Finding};
use redeliver_net::dns::{Dns, Name};
use redeliver_net::http::Http;

use crate::blocklist::{self, ListAnswer, Subject};
use crate::dkim::DkimEvidence;
use crate::dmarc::DmarcEvidence;
use crate::domain_age::AgeEvidence;
use crate::egress::Reference;
use crate::helo::HeloEvidence;
use crate::ipv6::Ipv6Evidence;
use crate::known::Known;
use crate::mail_servers::MailServers;
use crate::mta_sts::StsEvidence;
use crate::reverse_dns::ReverseEvidence;
use crate::sender_domain::{DomainEvidence, RECIPIENT, SENDER, Standing};
use crate::spf::SpfEvidence;
use crate::{
    asked::Asked, bimi, dane, dkim, dmarc, domain_age, egress, helo, ipv6, mail_servers, mta_sts, reverse_dns, run::Run,
};
use crate::{sender_domain, spf, tls, tls_rpt};

/// What was gathered about a sending domain.
struct Evidence<'c> {
    itself: DomainEvidence,
    servers: MailServers,
    spf: SpfEvidence,
    dkim: DkimEvidence,
    dmarc: DmarcEvidence,
    sts: StsEvidence,
    tls_rpt: Asked,
    bimi: Asked,
    lists: Vec<ListAnswer<'c>>,
    ip: Option<IpEvidence<'c>>,
    ipv6: Option<Ipv6Evidence>,
    egress: Vec<Reference>,
    age: Option<AgeEvidence>,
}

/// What was gathered about a sending IP.
pub(crate) struct IpEvidence<'c> {
    reverse: ReverseEvidence,
    helo: Option<HeloEvidence>,
    lists: Vec<ListAnswer<'c>>,
}

/// Gathers all there is about a sending IP.
pub(crate) async fn gather_ip<'c>(
    run: &Run<'c>,
    dns: &dyn Dns,
    ip: std::net::IpAddr,
    helo: Option<&str>,
) -> IpEvidence<'c> {
    let subject = Subject::Ip(ip);
    let helo = async {
        match helo {
            Some(helo) => Some(helo::gather(dns, helo, Some(ip)).await),
            None => None,
        }
    };
    let lists = blocklist::gather(dns, run.engine.catalog(), run.scope, &subject);
    let (reverse, helo, lists) = join3(reverse_dns::gather(dns, ip), helo, lists).await;
    IpEvidence { reverse, helo, lists }
}

/// Judges a sending IP.
pub(crate) fn judge_ip(evidence: &IpEvidence<'_>) -> Vec<Finding> {
    let mut findings = vec![reverse_dns::judge(&evidence.reverse)];
    findings.extend(evidence.helo.as_ref().map(helo::judge));
    findings.extend(blocklist::judge(&Subject::Ip(evidence.reverse.ip), &evidence.lists));
    findings
}

impl IpEvidence<'_> {
    /// The server's own name: what it greets with, or the reverse name that leads back.
    fn host(&self) -> Option<Name> {
        let greeted = self.helo.as_ref().and_then(|helo| Name::parse(&helo.helo).ok());
        greeted.or_else(|| self.reverse.confirmed().first().map(|name| (*name).clone()))
    }
}

/// The name that lists of domains hold: the one that somebody registered.
fn listed_name(domain: &str) -> Subject {
    Subject::Domain(redeliver_records::registrable_domain(domain).unwrap_or_else(|| domain.to_owned()))
}

async fn gather<'c>(run: &Run<'c>, dns: &dyn Dns, domain: &Domain, name: &Name, known: &Known) -> Evidence<'c> {
    let http: &dyn Http = &*run.net.http;
    let means = run.means(dns);
    let subject = listed_name(name.as_str());
    let servers = async {
        let servers = mail_servers::gather(means, name).await;
        let reached = |host: &mail_servers::MailHost| host.look.as_ref().is_some_and(|look| look.broken_off.is_none());
        let timed_out = servers.hosts.iter().any(mail_servers::MailHost::timed_out);
        let references =
            if timed_out && !servers.hosts.iter().any(reached) { references(run).await } else { Vec::new() };
        (servers, references)
    };
    let ip = async {
        let Some((ip, _)) = known.ip else { return (None, None) };
        let evidence = gather_ip(run, dns, ip, known.helo.as_deref()).await;
        let ipv6 = match evidence.host() {
            Some(host) if ip.is_ipv4() => Some(ipv6::gather(dns, host, name.as_str()).await),
            _ => None,
        };
        (Some(evidence), ipv6)
    };
    let records = join5(
        dkim::gather(dns, name, known),
        dmarc::gather(dns, domain, name),
        mta_sts::gather(dns, http, run.scope, name),
        tls_rpt::gather(dns, name),
        bimi::gather(dns, name),
    );
    let age = async { if run.scope.rdap { domain_age::gather(http, name.as_str()).await } else { None } };
    let lists = join(blocklist::gather(dns, run.engine.catalog(), run.scope, &subject), age);
    let first = join5(sender_domain::gather(dns, name), servers, spf::gather(dns, name.as_str(), known), ip, lists);
    let (first, (dkim, dmarc, sts, tls_rpt, bimi)) = join(first, records).await;
    let (itself, (servers, egress), spf, (ip, ipv6), (lists, age)) = first;
    Evidence { itself, servers, spf, dkim, dmarc, sts, tls_rpt, bimi, lists, ip, ipv6, egress, age }
}

/// Tries our own way out.
async fn references(run: &Run<'_>) -> Vec<Reference> {
    let later = run.later();
    egress::gather(run.means(&later)).await
}

/// The name as DNS knows it, and the domain in the same letters (A-labels).
pub(crate) fn in_ascii(domain: &Domain) -> Option<(Name, Domain)> {
    let name = Name::try_from(domain).ok()?;
    let domain = Domain::parse(name.as_str()).ok()?;
    Some((name, domain))
}

/// Checks a domain as sender.
pub(crate) async fn check(run: &Run<'_>, dns: &dyn Dns, domain: &Domain, known: &Known) -> Vec<Finding> {
    let Some((name, domain)) = in_ascii(domain) else {
        let summary = format!("{domain} is no name that DNS could hold.");
        return vec![
            Finding::fail(SENDER, "domain-bad-name", redeliver_model::Severity::Refuses, summary)
                .because(Cause::SenderInvalid),
        ];
    };
    let evidence = gather(run, dns, &domain, &name, known).await;
    judge(run, name.as_str(), known, &evidence)
}

fn judge(run: &Run<'_>, domain: &str, known: &Known, evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let standing = evidence.itself.standing();
    findings.extend(evidence.itself.judge(domain, SENDER, Cause::SenderInvalid));
    if standing == Standing::NoSuchName {
        return findings; // what is not there has no records that could be wrong
    }
    let there = standing == Standing::There;
    let sends = evidence.spf.sends();
    let quiet = sends == Some(false);
    if there {
        findings.extend(sender_domain::judge_mail(domain, &evidence.itself, &evidence.servers, SENDER, sends));
        findings.extend(signed(domain, &evidence.itself));
    }
    let (spf_works, dkim_works) = (evidence.spf.works(), evidence.dkim.works());
    findings.extend(spf::judge(&evidence.spf, known, dkim_works));
    // A domain that says that it sends nothing needs no keys.
    if !quiet || evidence.dkim.known {
        findings.extend(dkim::judge(domain, &evidence.dkim, spf_works, known));
    }
    findings.extend(dmarc::judge(&evidence.dmarc, known));
    let applying = evidence.dmarc.walk.applying().ok().flatten();
    let policy = applying.and_then(|applying| applying.policy_for(domain));
    findings.extend(bimi::judge(domain, &evidence.bimi, policy));
    if !evidence.servers.hosts.is_empty() || evidence.servers.mx.why_not().is_some() {
        findings.extend(transport(run, domain, evidence));
    }
    findings.extend(blocklist::judge(&listed_name(domain), &evidence.lists));
    findings.extend(evidence.age.as_ref().map(|age| domain_age::judge(age, run.now)));
    match (&evidence.ip, known.ip) {
        (Some(ip), Some((_, by))) => {
            findings.extend(judge_ip(ip).into_iter().map(|finding| finding.fact("ip_known_by", by.as_str())));
            findings.extend(evidence.ipv6.as_ref().and_then(|ipv6| ipv6::judge(domain, ipv6)));
        }
        _ if quiet => {}
        _ => findings.push(unknown_ip(domain, &evidence.servers)),
    }
    if quiet {
        findings.push(Finding::pass(SENDER, "does-not-send", format!("{domain} says that it sends no mail.")));
    }
    findings
}

/// Judges what other servers meet when they deliver to the domain.
fn transport(run: &Run<'_>, domain: &str, evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = tls::judge(run.engine, &evidence.servers, evidence.sts.demanded(), run.now);
    findings.extend(tls::judge_relay(&evidence.servers));
    findings.extend(egress::judge(&evidence.egress));
    findings.extend(mta_sts::judge(domain, &evidence.sts, &evidence.servers));
    findings.extend(dane::judge(&evidence.servers));
    findings.extend(tls_rpt::judge(domain, &evidence.tls_rpt));
    findings
}

/// Whether DNSSEC vouches for the domain; it need not.
fn signed(domain: &str, itself: &DomainEvidence) -> Option<Finding> {
    let soa = itself.asked.first().filter(|asked| asked.answer.could_not_ask().is_none())?;
    let (id, summary) = if soa.is_secure() {
        ("dnssec-secure", format!("DNSSEC vouches for {domain}."))
    } else {
        ("dnssec-unsigned", format!("DNSSEC does not vouch for {domain}, or the resolver does not check; it need not."))
    };
    Some(Finding::pass("dnssec", id, summary).fact("asked", crate::asked::raw([soa])))
}

/// From where the domain sends is not known: no list is asked about a guess, and nothing is called clean.
fn unknown_ip(domain: &str, servers: &MailServers) -> Finding {
    let guess = servers.hosts.iter().flat_map(|host| &host.addresses).next();
    let summary = format!(
        "From which IP {domain} sends is not known, so reverse DNS and blocklists were not looked at. Tell it with --ip."
    );
    Finding::could_not_ask(SENDER, "sending-ip-unknown", summary).fact("guess", guess.map(ToString::to_string))
}

/// Checks a domain as recipient.
pub(crate) async fn check_recipient(run: &Run<'_>, dns: &dyn Dns, domain: &Domain) -> Vec<Finding> {
    let Ok(name) = Name::try_from(domain) else {
        let summary = format!("{domain} is no name that DNS could hold.");
        return vec![
            Finding::fail(RECIPIENT, "domain-bad-name", redeliver_model::Severity::Refuses, summary)
                .because(Cause::DomainNotFound),
        ];
    };
    let http: &dyn Http = &*run.net.http;
    let (itself, servers, sts) = join3(
        sender_domain::gather(dns, &name),
        mail_servers::gather(run.means(dns), &name),
        mta_sts::gather(dns, http, run.scope, &name),
    )
    .await;
    let mut findings: Vec<Finding> =
        itself.judge(name.as_str(), RECIPIENT, Cause::DomainNotFound).into_iter().collect();
    if itself.standing() != Standing::There {
        return findings;
    }
    findings.extend(sender_domain::judge_mail(name.as_str(), &itself, &servers, RECIPIENT, None));
    findings.extend(tls::judge(run.engine, &servers, sts.demanded(), run.now));
    findings.extend(mta_sts::judge(name.as_str(), &sts, &servers));
    findings.extend(dane::judge(&servers));
    if servers.hosts.iter().any(mail_servers::MailHost::timed_out) {
        findings.extend(egress::judge(&references(run).await));
    }
    findings
}
