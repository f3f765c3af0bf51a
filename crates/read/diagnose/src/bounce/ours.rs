//! What belongs to us: domains and networks, by which we know our own servers and our own mail.

use std::net::IpAddr;

use redeliver_model::Domain;

use super::report::Report;

/// Our domains and networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ours {
    domains: Vec<Domain>,
    networks: Vec<(IpAddr, u8)>,
}

/// Why a word is neither a domain, nor an IP, nor a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOurs(pub String);

impl std::fmt::Display for NotOurs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is no domain (example.org), IP (192.0.2.7) or network (192.0.2.0/24)", self.0)
    }
}

impl std::error::Error for NotOurs {}

impl Ours {
    /// Adds a domain, an IP or a network.
    pub fn add(&mut self, word: &str) -> Result<(), NotOurs> {
        let word = word.trim();
        let wrong = || NotOurs(word.to_owned());
        if let Some((ip, length)) = word.split_once('/') {
            let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
            let most = if ip.is_ipv4() { 32 } else { 128 };
            let length = length.parse().ok().filter(|length| *length <= most).ok_or_else(wrong)?;
            self.networks.push((ip, length));
        } else if let Ok(ip) = word.parse::<IpAddr>() {
            self.networks.push((ip, if ip.is_ipv4() { 32 } else { 128 }));
        } else {
            let domain = Domain::parse(word.trim_start_matches('@')).map_err(|_| wrong())?;
            if !domain.as_str().contains('.') {
                return Err(wrong());
            }
            self.domains.push(domain);
        }
        Ok(())
    }

    /// Whether nothing is known to be ours.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty() && self.networks.is_empty()
    }

    /// Whether networks are known.
    pub fn has_networks(&self) -> bool {
        !self.networks.is_empty()
    }

    /// Whether a host name is one of ours, or below one.
    pub fn has_host(&self, host: &str) -> bool {
        Domain::parse(host).is_ok_and(|host| self.domains.iter().any(|own| host.is_within(own.as_str())))
    }

    /// Whether an address is in one of our domains.
    pub fn has_address(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(_, domain)| self.has_host(domain))
    }

    /// Whether an IP is one of ours.
    pub fn has_ip(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|(network, length)| match (network, ip) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(*length)).unwrap_or(0);
                (u32::from(*network) ^ u32::from(ip)) & mask == 0
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
                (u128::from(*network) ^ u128::from(ip)) & mask == 0
            }
            _ => false,
        })
    }
}

/// Most Received fields that are looked through.
const MOST_HOPS: usize = 30;

/// Whether the returned message was never ours: it has traces, and none of them is of a host, a name or a signature of
/// ours. A message without any trace proves nothing.
pub fn is_backscatter(report: &Report<'_>, ours: &Ours) -> bool {
    if ours.is_empty() {
        return false;
    }
    let returned = report.returned_headers();
    let mut traces = 0;
    for hop in returned.received().take(MOST_HOPS) {
        let names = [hop.from.as_deref(), hop.by.as_deref()];
        if hop.ip.is_some_and(|ip| ours.has_ip(ip)) || names.into_iter().flatten().any(|name| ours.has_host(name)) {
            return false;
        }
        traces += usize::from(hop.ip.is_some() || hop.by.is_some() || hop.from.is_some());
    }
    // The library reads the common forms of Received; a name of ours anywhere in one counts as well.
    for raw in returned.all("received").take(MOST_HOPS) {
        let words = String::from_utf8_lossy(raw);
        let mut words = words.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':')));
        let own = |word: &str| {
            // `for <ann@example.org>` names the recipient, not a server: hosts only.
            word.contains('.') && (word.parse().is_ok_and(|ip| ours.has_ip(ip)))
        };
        if words.any(own) {
            return false;
        }
    }
    if let Some(id) = returned.text("message-id") {
        traces += 1;
        if ours.has_address(id.trim().trim_matches(|c| matches!(c, '<' | '>'))) {
            return false;
        }
    }
    for signature in returned.all("dkim-signature") {
        let text = String::from_utf8_lossy(signature).into_owned();
        let domain = text.split(';').find_map(|tag| tag.trim().strip_prefix("d=").map(str::trim));
        if domain.is_some_and(|domain| ours.has_host(domain)) {
            return false;
        }
    }
    traces > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_ips_and_networks() {
        let mut ours = Ours::default();
        for word in ["example.org", "192.0.2.0/24", "2001:db8::/32", "198.51.100.7"] {
            ours.add(word).unwrap();
        }
        assert!(ours.has_host("mail.Example.org") && !ours.has_host("badexample.org"));
        assert!(ours.has_ip("192.0.2.255".parse().unwrap()) && !ours.has_ip("192.0.3.1".parse().unwrap()));
        assert!(ours.has_ip("2001:db8::1".parse().unwrap()) && ours.has_ip("198.51.100.7".parse().unwrap()));
        for bad in ["", "org", "192.0.2.0/33", "a b", "192.0.2.0/x"] {
            assert!(ours.add(bad).is_err(), "{bad}");
        }
        let mut all = Ours::default();
        all.add("0.0.0.0/0").unwrap();
        assert!(all.has_ip("203.0.113.1".parse().unwrap()));
    }
}
