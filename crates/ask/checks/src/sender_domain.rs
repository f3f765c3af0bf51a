//! Check `sender-domain`: does the domain exist, does it answer, can mail for it be delivered somewhere? Receivers look at
//! this before they take MAIL FROM.

use redeliver_model::{Cause, Fact, Facts, Finding, Severity};
use redeliver_net::dns::{Answer, Dns, Name, RecordType, Why};

use crate::asked::{Asked, raw, told};
use crate::delegation::{self, Delegation};
use crate::mail_servers::{MailHost, MailServers, Trouble};

/// The name of the check when the domain sends.
pub(crate) const SENDER: &str = "sender-domain";
/// The name of the check when mail is sent to it.
pub(crate) const RECIPIENT: &str = "recipient-domain";

/// What was gathered about the domain itself.
#[derive(Debug)]
pub(crate) struct DomainEvidence {
    /// SOA, A, AAAA.
    pub asked: Vec<Asked>,
    /// Only if the resolver got no answer.
    pub delegation: Option<Delegation>,
}

/// How a domain stands in DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It exists.
    There,
    /// There is no such name.
    NoSuchName,
    /// Its signatures are wrong.
    Bogus,
    /// Its servers do not answer.
    Silent,
    /// Nobody knows.
    Unknown,
}

/// Asks for the domain itself.
pub(crate) async fn gather(dns: &dyn Dns, name: &Name) -> DomainEvidence {
    let asked = Asked::each(dns, name, [RecordType::Soa, RecordType::A, RecordType::Aaaa]).await;
    let silent = asked.iter().all(|asked| {
        asked.why_not().is_some_and(|no| matches!(no.why, Why::Timeout | Why::ServerFailure | Why::Unreachable))
    });
    let delegation = if silent { delegation::follow(dns, name).await } else { None };
    DomainEvidence { asked, delegation }
}

impl DomainEvidence {
    /// How the domain stands.
    pub(crate) fn standing(&self) -> Standing {
        if self.asked.iter().any(|asked| asked.answer.is_no_such_name()) {
            return Standing::NoSuchName;
        }
        if self.asked.iter().any(|asked| asked.answer.could_not_ask().is_none()) {
            return Standing::There;
        }
        if self.asked.iter().any(|asked| asked.why_not().is_some_and(|no| no.why == Why::Bogus)) {
            return Standing::Bogus;
        }
        if self.delegation.is_some() { Standing::Silent } else { Standing::Unknown }
    }

    /// Addresses of the domain itself, to which mail goes without MX (RFC 5321 5.1).
    fn addresses(&self) -> usize {
        self.asked.iter().map(|asked| asked.answer.addresses().count()).sum()
    }

    /// Judges whether the domain is there; with nothing to say further checks go on.
    pub(crate) fn judge(&self, domain: &str, check: &'static str, cause: Cause) -> Option<Finding> {
        let finding = match self.standing() {
            Standing::There => return None,
            Standing::NoSuchName => {
                let summary = format!("The domain {domain} does not exist.");
                Finding::fail(check, "domain-nxdomain", Severity::Refuses, summary).because(Cause::DomainNotFound)
            }
            Standing::Bogus => {
                let summary = format!(
                    "The DNSSEC signatures of {domain} are wrong: every receiver that checks them sees no domain at all."
                );
                Finding::fail("dnssec", "dnssec-bogus", Severity::Refuses, summary).because(cause)
            }
            Standing::Silent => self.lame(domain, check).because(cause),
            Standing::Unknown => {
                let summary = format!("Nobody could be asked about {domain}.");
                Finding::could_not_ask(check, "domain-could-not-ask", summary)
            }
        };
        Some(finding.fact("asked", raw(&self.asked)))
    }

    fn lame(&self, domain: &str, check: &'static str) -> Finding {
        let Some(delegation) = &self.delegation else {
            return Finding::could_not_ask(
                check,
                "domain-could-not-ask",
                format!("Nobody could be asked about {domain}."),
            );
        };
        let server = |(name, address, answer): &(Name, std::net::IpAddr, Answer)| {
            let asked = told(&redeliver_net::dns::Question::new(name.clone(), RecordType::Soa), answer);
            Fact::Group(
                Facts::new().with("name", name.to_string()).with("address", address.to_string()).with("said", asked),
            )
        };
        let servers: Vec<Fact> = delegation.servers.iter().map(server).collect();
        let finding = if delegation.is_lame() {
            let names: Vec<&str> = delegation.servers.iter().map(|(name, ..)| name.as_str()).collect();
            let summary = format!("No name server that {domain} is delegated to answers for it: {}.", names.join(", "));
            Finding::fail(check, "dns-lame", Severity::Refuses, summary)
        } else if delegation.parent.answer.could_not_ask().is_none() {
            // The resolver reaches the domain above, and not one question about this one: seen from here, not proved.
            let summary = format!(
                "The resolver reaches the domain above {domain}, but got no answer from the servers of {domain} itself: \
                 receivers will hardly fare better."
            );
            Finding::warn(check, "dns-lame", Severity::Refuses, summary)
        } else {
            let summary = format!("Neither {domain} nor the domain above it could be asked about.");
            Finding::could_not_ask(check, "domain-could-not-ask", summary)
        };
        finding.fact("parent", delegation.parent.facts()).fact("servers", servers)
    }
}

/// Judges where mail for the domain goes.
pub(crate) fn judge_mail(
    domain: &str,
    evidence: &DomainEvidence,
    servers: &MailServers,
    check: &'static str,
    sends: Option<bool>,
) -> Vec<Finding> {
    let cause = if check == RECIPIENT { Cause::DomainNotFound } else { Cause::SenderInvalid };
    let exchanges = servers.mx.answer.exchanges();
    if let Some(no) = servers.mx.why_not() {
        let summary = format!("The mail servers of {domain} are not known: {no}.");
        return vec![Finding::could_not_ask(check, "mx-could-not-ask", summary).fact("asked", raw([&servers.mx]))];
    }
    let finding = if exchanges.is_empty() {
        without_mx(domain, evidence, check, sends, cause)
    } else if exchanges.iter().any(|(_, host)| host.is_root()) {
        null_mx(domain, exchanges.len(), check, sends, cause)
    } else {
        return hosts(domain, servers, check, cause);
    };
    let asked = evidence.asked.iter().chain([&servers.mx]);
    vec![finding.fact("asked", raw(asked))]
}

fn without_mx(
    domain: &str,
    evidence: &DomainEvidence,
    check: &'static str,
    sends: Option<bool>,
    cause: Cause,
) -> Finding {
    if evidence.addresses() > 0 {
        let summary = format!("{domain} has no MX; mail goes to its own address, which some receivers do not like.");
        return Finding::warn(check, "mx-missing", Severity::Untidy, summary);
    }
    let unsure = evidence.asked.iter().any(|asked| {
        matches!(asked.question.record_type, RecordType::A | RecordType::Aaaa) && asked.why_not().is_some()
    });
    if unsure {
        return Finding::could_not_ask(
            check,
            "mx-could-not-ask",
            format!("Whether {domain} has an address is not known."),
        );
    }
    if check == SENDER && sends == Some(false) {
        return Finding::pass(check, "does-not-send", format!("{domain} neither sends nor takes mail, and says so."));
    }
    let summary =
        format!("{domain} has neither MX nor address: bounces cannot be delivered, so receivers refuse it as sender.");
    let summary =
        if check == RECIPIENT { format!("{domain} has neither MX nor address: it takes no mail.") } else { summary };
    Finding::fail(check, "mx-and-a-missing", Severity::Refuses, summary).because(cause)
}

/// RFC 7505: "no mail"; such a domain must not be used as sender either (4.2).
fn null_mx(domain: &str, count: usize, check: &'static str, sends: Option<bool>, cause: Cause) -> Finding {
    if count > 1 {
        let summary = format!("{domain} says with a null MX that it takes no mail, and names mail servers beside it.");
        return Finding::fail(check, "mx-null-with-others", Severity::Weakens, summary).because(cause);
    }
    if check == RECIPIENT {
        let summary = format!("{domain} takes no mail: it has a null MX.");
        return Finding::fail(check, "mx-null", Severity::Refuses, summary).because(cause);
    }
    if sends == Some(true) {
        let summary = format!(
            "{domain} says with a null MX that it takes no mail, yet its SPF lets servers send: receivers refuse a sender \
             that no bounce can reach."
        );
        return Finding::fail(check, "mx-null-but-sends", Severity::Refuses, summary).because(cause);
    }
    Finding::pass(check, "mx-null", format!("{domain} takes no mail, and says so with a null MX."))
}

fn hosts(domain: &str, servers: &MailServers, check: &'static str, cause: Cause) -> Vec<Finding> {
    let good = servers.hosts.iter().any(|host| host.trouble().is_none());
    let mut findings: Vec<Finding> = Vec::new();
    for host in &servers.hosts {
        let Some(trouble) = host.trouble() else { continue };
        findings.push(of_trouble(domain, host, trouble, good, check, cause));
    }
    if findings.is_empty() {
        let names: Vec<String> = servers.hosts.iter().map(|host| host.name.to_string()).collect();
        let summary = format!("Mail for {domain} goes to {}.", names.join(", "));
        findings.push(Finding::pass(check, "mx-good", summary));
    }
    let asked = || std::iter::once(&servers.mx).chain(servers.hosts.iter().flat_map(|host| &host.asked));
    findings.into_iter().map(|finding| finding.fact("asked", raw(asked()))).collect()
}

fn of_trouble(
    domain: &str,
    host: &MailHost,
    trouble: Trouble,
    good: bool,
    check: &'static str,
    cause: Cause,
) -> Finding {
    let name = &host.name;
    // Another server can be reached: senders and receivers go there.
    let severity = if good { Severity::Weakens } else { Severity::Refuses };
    let finding = match trouble {
        Trouble::IpLiteral => {
            let summary = format!("The MX of {domain} names the address {name}; it must name a host.");
            Finding::fail(check, "mx-ip-literal", severity, summary)
        }
        Trouble::Alias => {
            let summary = format!("The MX of {domain} names {name}, which is an alias; some servers do not follow it.");
            // RFC 5321 5.1, RFC 2181 10.3.
            Finding::fail(check, "mx-cname", Severity::Weakens, summary)
        }
        Trouble::NoSuchHost => {
            Finding::fail(check, "mx-nxdomain", severity, format!("The mail server {name} of {domain} does not exist."))
        }
        Trouble::NoAddress => Finding::fail(
            check,
            "mx-no-address",
            severity,
            format!("The mail server {name} of {domain} has no address."),
        ),
        Trouble::NotPublic => {
            let summary = format!("The mail server {name} of {domain} has an address that leads to nobody outside.");
            Finding::fail(check, "mx-loopback", severity, summary)
        }
        Trouble::CouldNotAsk => {
            let summary = format!("The address of {name}, mail server of {domain}, is not known.");
            return Finding::could_not_ask(check, "mx-could-not-ask", summary);
        }
    };
    finding.because(cause).fact("host", name.to_string())
}
