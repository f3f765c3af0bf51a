//! Check `helo`: the name that the sending server says at HELO or EHLO (RFC 5321 4.1.1.1, 4.1.4).

use std::net::IpAddr;

use redeliver_model::{Cause, Domain, Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};

use crate::asked::{Asked, raw};

/// The name of the check.
const HELO: &str = "helo";

/// What was gathered.
#[derive(Debug)]
pub(crate) struct HeloEvidence {
    pub helo: String,
    pub ip: Option<IpAddr>,
    /// A and AAAA, if the name can have any.
    pub asked: Vec<Asked>,
}

/// Asks for the addresses of the name.
pub(crate) async fn gather(dns: &dyn Dns, helo: &str, ip: Option<IpAddr>) -> HeloEvidence {
    let asked = match Name::parse(helo).ok().filter(|_| is_host_name(helo)) {
        Some(name) => Asked::each(dns, &name, [RecordType::A, RecordType::Aaaa]).await,
        None => Vec::new(),
    };
    HeloEvidence { helo: helo.to_owned(), ip, asked }
}

/// Letters, digits and hyphens in at least two labels, the last of which is no number.
fn is_host_name(helo: &str) -> bool {
    let good = Domain::parse(helo).is_ok() && helo.is_ascii() && !helo.contains('_') && helo.parse::<IpAddr>().is_err();
    good && helo.trim_end_matches('.').contains('.') && !helo.to_ascii_lowercase().ends_with(".localdomain")
}

/// Judges.
pub(crate) fn judge(evidence: &HeloEvidence) -> Finding {
    let helo = &evidence.helo;
    let wrong = |id, severity, summary: String| Finding::fail(HELO, id, severity, summary).because(Cause::HeloInvalid);
    let bare = helo.trim_start_matches('[').trim_end_matches(']').trim_start_matches("IPv6:");
    let addresses: Vec<IpAddr> = evidence.asked.iter().flat_map(|asked| asked.answer.addresses()).collect();
    let finding = if bare.parse::<IpAddr>().is_ok() {
        if helo.starts_with('[') {
            let summary = format!("The server greets with an address ({helo}) instead of its name; many refuse that.");
            wrong("helo-literal", Severity::Weakens, summary)
        } else {
            let summary = format!("The server greets with the bare address {helo}, which is no host name.");
            wrong("helo-address", Severity::Refuses, summary)
        }
    } else if !is_host_name(helo) {
        let summary = format!("The server greets as {helo}, which is no full host name.");
        wrong("helo-no-host-name", Severity::Refuses, summary)
    } else if addresses.is_empty() && evidence.asked.iter().any(|asked| asked.why_not().is_some()) {
        Finding::could_not_ask(HELO, "helo-could-not-ask", format!("The address of {helo} is not known."))
    } else if addresses.is_empty() {
        wrong("helo-no-address", Severity::Refuses, format!("The server greets as {helo}, a name without an address."))
    } else if evidence.ip.is_some_and(|ip| !addresses.contains(&ip)) {
        let summary = format!("The server greets as {helo}, a name of another address than the one it sends from.");
        Finding::warn(HELO, "helo-other-address", Severity::Untidy, summary)
    } else {
        Finding::pass(HELO, "helo-good", format!("The server greets as {helo}, a host name with an address."))
    };
    finding.fact("helo", helo.clone()).fact("asked", raw(&evidence.asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use redeliver_net::dns::{FakeDns, Why};

    #[tokio::test]
    async fn names_that_receivers_refuse_are_told_from_those_they_do_not() {
        let dns = FakeDns {
            a: &[("mail.example.org", "192.0.2.7"), ("other.example.org", "192.0.2.8")],
            fail: &[("broken.example", Why::ServerFailure)],
            ..FakeDns::default()
        };
        for (helo, id) in [
            ("mail.example.org", "helo-good"),
            ("MAIL.Example.org.", "helo-good"),
            ("other.example.org", "helo-other-address"),
            ("none.example.org", "helo-no-address"),
            ("broken.example", "helo-could-not-ask"),
            ("localhost", "helo-no-host-name"),
            ("localhost.localdomain", "helo-no-host-name"),
            ("my_pc.example.org", "helo-no-host-name"),
            ("192.0.2.7", "helo-address"),
            ("[192.0.2.7]", "helo-literal"),
            ("[IPv6:2001:db8::7]", "helo-literal"),
            ("", "helo-no-host-name"),
        ] {
            let evidence = gather(&dns, helo, Some("192.0.2.7".parse().unwrap())).await;
            assert_eq!(judge(&evidence).id, id, "{helo}");
        }
    }
}
