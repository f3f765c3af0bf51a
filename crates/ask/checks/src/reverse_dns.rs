//! Check `reverse-dns`: the name of the sending IP, whether it leads back, and whether it looks like an end user's.

use std::net::IpAddr;

use futures_util::future::join_all;
use redeliver_model::{Cause, Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_records::registrable_domain;

use crate::asked::{Asked, raw};

/// The name of the check.
const REVERSE_DNS: &str = "reverse-dns";
/// How many names of one IP are followed; more than that no receiver follows either (RFC 7208 5.5 says ten).
const MOST_NAMES: usize = 10;

/// Words of providers for the names of their end users.
const END_USER: [&str; 21] = [
    "adsl",
    "broadband",
    "cable",
    "catv",
    "client",
    "cpe",
    "customer",
    "dhcp",
    "dial",
    "dialin",
    "dialup",
    "dsl",
    "dyn",
    "dynamic",
    "dynamicip",
    "fiber",
    "ftth",
    "pool",
    "ppp",
    "pppoe",
    "residential",
];

/// What was gathered.
#[derive(Debug)]
pub(crate) struct ReverseEvidence {
    pub ip: IpAddr,
    pub ptr: Asked,
    /// Each name with its A or AAAA.
    pub forward: Vec<(Name, Asked)>,
}

/// Asks for the names of an IP, and for the addresses of the names.
pub(crate) async fn gather(dns: &dyn Dns, ip: IpAddr) -> ReverseEvidence {
    let ptr = Asked::at(dns, &Name::reverse(ip), RecordType::Ptr).await;
    let record_type = if ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
    let names: Vec<Name> = ptr.answer.targets().take(MOST_NAMES).cloned().collect();
    let asking = names.into_iter().map(|name| async move {
        let asked = Asked::at(dns, &name, record_type).await;
        (name, asked)
    });
    let forward = join_all(asking).await;
    ReverseEvidence { ip, ptr, forward }
}

impl ReverseEvidence {
    /// The names that lead back.
    pub(crate) fn confirmed(&self) -> Vec<&Name> {
        let back = |asked: &Asked| asked.answer.addresses().any(|address| address == self.ip);
        self.forward.iter().filter(|(_, asked)| back(asked)).map(|(name, _)| name).collect()
    }
}

/// Judges.
pub(crate) fn judge(evidence: &ReverseEvidence) -> Finding {
    let ip = evidence.ip;
    let names: Vec<String> = evidence.forward.iter().map(|(name, _)| name.to_string()).collect();
    let confirmed = evidence.confirmed();
    let unknown = evidence.forward.iter().any(|(_, asked)| asked.why_not().is_some());
    let wrong =
        |id, severity, summary: String| Finding::fail(REVERSE_DNS, id, severity, summary).because(Cause::ReverseDns);
    let less =
        |id, summary: String| Finding::warn(REVERSE_DNS, id, Severity::Weakens, summary).because(Cause::ReverseDns);
    let finding = if let Some(no) = evidence.ptr.why_not() {
        Finding::could_not_ask(
            REVERSE_DNS,
            "ptr-could-not-ask",
            format!("The reverse name of {ip} is not known: {no}."),
        )
    } else if names.is_empty() {
        wrong("ptr-missing", Severity::Refuses, format!("{ip} has no reverse name (PTR)."))
    } else if confirmed.is_empty() && unknown {
        let summary = format!("Whether the reverse name of {ip} leads back to it is not known.");
        Finding::could_not_ask(REVERSE_DNS, "ptr-could-not-ask", summary)
    } else if confirmed.is_empty() {
        let summary = format!("The reverse name of {ip}, {}, does not lead back to it.", names.join(", "));
        wrong("ptr-mismatch", Severity::Refuses, summary)
    } else if confirmed.iter().all(|name| is_generic(name.as_str(), ip)) {
        let summary = format!("The reverse name of {ip}, {}, looks like an end user's.", names.join(", "));
        less("ptr-generic", summary)
    } else if confirmed.len() < names.len() && !unknown {
        let summary = format!("{ip} has {} reverse names, and not all of them lead back to it.", names.len());
        less("ptr-multiple", summary)
    } else {
        let summary = format!("{ip} is {}, and the name leads back.", names.join(", "));
        Finding::pass(REVERSE_DNS, "ptr-good", summary)
    };
    let asked = std::iter::once(&evidence.ptr).chain(evidence.forward.iter().map(|(_, asked)| asked));
    finding.fact("ip", ip.to_string()).fact("names", names).fact("asked", raw(asked))
}

/// Whether a name is made from the address, or carries a provider's word for end users beside a number.
pub(crate) fn is_generic(name: &str, ip: IpAddr) -> bool {
    let own = registrable_domain(name).unwrap_or_default();
    let host = name.strip_suffix(own.as_str()).unwrap_or(name).trim_end_matches('.').to_ascii_lowercase();
    let digits = host.bytes().any(|byte| byte.is_ascii_digit());
    let mut words = host.split(|c: char| !c.is_ascii_alphabetic());
    digits && (holds_address(&host, ip) || words.any(|word| END_USER.contains(&word)))
}

fn holds_address(host: &str, ip: IpAddr) -> bool {
    let IpAddr::V4(v4) = ip else {
        let digits: String = ip.to_string().chars().filter(char::is_ascii_hexdigit).collect();
        let bare: String = host.chars().filter(char::is_ascii_hexdigit).collect();
        return digits.len() >= 8 && bare.contains(&digits);
    };
    let [a, b, c, d] = v4.octets();
    let runs: Vec<u32> = host.split(|c: char| !c.is_ascii_digit()).filter_map(|run| run.parse().ok()).collect();
    let has = |wanted: &[u8]| {
        let wanted: Vec<u32> = wanted.iter().map(|octet| (*octet).into()).collect();
        runs.windows(wanted.len()).any(|window| window == wanted)
    };
    let joined = format!("{a:03}{b:03}{c:03}{d:03}");
    let hex = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
    has(&[a, b, c, d])
        || has(&[d, c, b, a])
        || has(&[b, c, d])
        || has(&[d, c, b])
        || host.contains(&joined)
        || host.contains(&hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_users_names_are_told_from_servers_names() {
        for (name, ip, generic) in [
            ("192-0-2-7.dyn.isp.example", "192.0.2.7", true),
            ("7.2.0.192.isp.example", "192.0.2.7", true),
            ("host192000002007.isp.example", "192.0.2.7", true),
            ("c0000207.isp.example", "192.0.2.7", true),
            ("pool-12.isp.example", "192.0.2.7", true),
            ("ip-0-2-7.isp.example", "192.0.2.7", true),
            ("mail.example.org", "192.0.2.7", false),
            ("mail7.example.org", "192.0.2.7", false),
            ("mx2.mail.example.org", "192.0.2.7", false),
            ("dynamic.example.org", "192.0.2.7", false),
            ("out-198-51-100-1.example.org", "192.0.2.7", false),
            ("20010db8000000000000000000000007.isp.example", "2001:db8::7", false),
        ] {
            assert_eq!(is_generic(name, ip.parse().unwrap()), generic, "{name}");
        }
    }
}
