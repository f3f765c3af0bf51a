//! Check `ipv6`: a server that has an IPv6 address sends by it where it can. Does SPF let it?

use redeliver_model::{Cause, Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_spf::{Evaluation, Request, SpfResult, evaluate};

use crate::asked::{Asked, raw};

/// The name of the check.
const IPV6: &str = "ipv6";
/// How many addresses of one server are evaluated.
const MOST_ADDRESSES: usize = 4;

/// What was gathered.
#[derive(Debug)]
pub(crate) struct Ipv6Evidence {
    pub host: Name,
    pub aaaa: Asked,
    pub evaluations: Vec<Evaluation>,
}

/// Asks for the IPv6 addresses of the sending server, and what SPF says of them.
pub(crate) async fn gather(dns: &dyn Dns, host: Name, domain: &str) -> Ipv6Evidence {
    let aaaa = Asked::at(dns, &host, RecordType::Aaaa).await;
    let mut evaluations = Vec::new();
    for address in aaaa.answer.addresses().take(MOST_ADDRESSES) {
        let request = Request::new(address, host.as_str(), format!("postmaster@{domain}"));
        evaluations.push(evaluate(dns, &request).await);
    }
    Ipv6Evidence { host, aaaa, evaluations }
}

/// Judges; a server without IPv6 is fine.
pub(crate) fn judge(domain: &str, evidence: &Ipv6Evidence) -> Option<Finding> {
    let host = &evidence.host;
    let missed = evidence
        .evaluations
        .iter()
        .find(|evaluation| matches!(evaluation.result, SpfResult::Fail | SpfResult::SoftFail | SpfResult::Neutral));
    let finding = match (missed, evidence.evaluations.first()) {
        (Some(evaluation), _) => {
            let (ip, result) = (evaluation.ip, evaluation.result);
            let summary =
                format!("{host} may also send by IPv6 from {ip}, for which the SPF policy of {domain} gives {result}.");
            Finding::warn(IPV6, "ipv6-not-in-spf", Severity::Weakens, summary).because(Cause::SpfFail)
        }
        (None, Some(first)) if first.result == SpfResult::Pass => Finding::pass(
            IPV6,
            "ipv6-good",
            format!("The IPv6 address of {host} is in the SPF policy of {domain} too."),
        ),
        _ => return None,
    };
    Some(finding.fact("host", host.to_string()).fact("asked", raw([&evidence.aaaa])))
}
