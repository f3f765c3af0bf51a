//! Where a URL leads, judged before anything is asked: scheme, user, host, port.
//!
//! Pure. The URL is read as browsers read it (so `0x7f.1` and `2130706433` are the addresses that they are), and host names
//! that never mean a public server are refused without a question to DNS.

use std::net::IpAddr;

use url::{Host, Url};

use super::fetch_error::FetchError;
use crate::dns::Name;

/// The longest URL that is fetched; longer ones are attacks or trackers.
const LONGEST_URL: usize = 2048;
/// Names below which nothing public lives (RFC 6761, RFC 6762, RFC 8375, RFC 7686, and the private `internal`).
const NEVER_PUBLIC: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "home.arpa",
    "localdomain",
    "onion",
    "invalid",
];

/// A place to fetch from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub url: Url,
    pub host: TargetHost,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TargetHost {
    Name(Name),
    Address(IpAddr),
}

impl Target {
    /// Reads and judges a URL; `ports` are allowed.
    pub(super) fn parse(text: &str, ports: &[u16]) -> Result<Self, FetchError> {
        if text.len() > LONGEST_URL {
            return Err(FetchError::BadUrl("it is too long".to_owned()));
        }
        Self::of(Url::parse(text).map_err(|error| FetchError::BadUrl(error.to_string()))?, ports)
    }

    /// Where a redirect from here leads.
    pub(super) fn redirected(&self, location: &str, ports: &[u16]) -> Result<Self, FetchError> {
        if location.len() > LONGEST_URL {
            return Err(FetchError::BadUrl("it is too long".to_owned()));
        }
        let url = self.url.join(location).map_err(|error| FetchError::BadUrl(error.to_string()))?;
        let target = Self::of(url, ports)?;
        if self.is_https() && !target.is_https() {
            return Err(FetchError::Downgrade);
        }
        Ok(target)
    }

    fn of(url: Url, ports: &[u16]) -> Result<Self, FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::BadUrl(format!("the scheme is {}", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::BadUrl("it names a user".to_owned()));
        }
        let host = match url.host() {
            Some(Host::Ipv4(address)) => TargetHost::Address(address.into()),
            Some(Host::Ipv6(address)) => TargetHost::Address(address.into()),
            Some(Host::Domain(name)) => TargetHost::Name(public_name(name)?),
            None => return Err(FetchError::BadUrl("it has no host".to_owned())),
        };
        let port = url.port_or_known_default().unwrap_or(0);
        if !ports.contains(&port) {
            return Err(FetchError::PortNotAllowed(port));
        }
        Ok(Self { url, host, port })
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host as HTTP and TLS want it named, without a trailing dot.
    pub(super) fn host_name(&self) -> Option<&str> {
        match &self.host {
            TargetHost::Name(name) => Some(name.as_str()),
            TargetHost::Address(_) => None,
        }
    }

    /// The value of the Host field (RFC 9110 7.2).
    pub(super) fn host_field(&self) -> String {
        let host = match &self.host {
            TargetHost::Name(name) => name.to_string(),
            TargetHost::Address(IpAddr::V6(address)) => format!("[{address}]"),
            TargetHost::Address(address) => address.to_string(),
        };
        self.url.port().map_or(host.clone(), |port| format!("{host}:{port}"))
    }

    /// Path and query: what is asked for (RFC 9112 3.2.1).
    pub(super) fn path(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.url.path())
    }
}

/// The name of a host that may be public; names without a dot belong to somebody's own network.
fn public_name(text: &str) -> Result<Name, FetchError> {
    let inward = || FetchError::Inward(text.to_owned());
    let name = Name::parse(text.trim_end_matches('.')).map_err(|_| FetchError::BadUrl("the host is no name".into()))?;
    let labels = name.labels();
    let below = |zone: &str| Name::parse(zone).is_ok_and(|zone| name.is_within(&zone));
    // A last label of digits is an address that somebody writes in a way of his own (RFC 3696 2).
    let numeric = labels.last().is_some_and(|label| label.iter().all(u8::is_ascii_digit));
    if labels.len() < 2 || numeric || NEVER_PUBLIC.iter().any(|zone| below(zone)) {
        return Err(inward());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mangled_url_gets_past_the_judgement() {
        for octets in crate::mutated(b"http://127.0.0.1:80/", 20_000) {
            let text = String::from_utf8_lossy(&octets);
            let Ok(target) = Target::parse(&text, &[80]) else { continue };
            // Whatever it became: it has one host, one allowed port, no user, and goes before the guard as an address.
            assert!(target.port == 80 && target.url.username().is_empty(), "{text}");
            assert!(
                matches!(target.host, TargetHost::Address(_)) || target.host_name().unwrap().contains('.'),
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_url_means_is_known_before_anybody_is_asked() {
        let good = Target::parse("https://MTA-sts.Example.ORG./.well-known/mta-sts.txt?x=1#y", &[443]).unwrap();
        assert_eq!((good.host_name(), good.port), (Some("mta-sts.example.org"), 443));
        assert_eq!(good.path(), "/.well-known/mta-sts.txt?x=1");
        assert_eq!(good.host_field(), "mta-sts.example.org");
        assert_eq!(Target::parse("http://[2606:4700::1]:8080", &[8080]).unwrap().host_field(), "[2606:4700::1]:8080");
        let long = format!("http://example.org/{}", "x".repeat(3000));
        for wrong in [
            "",
            "example.org",
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "data:text/plain,x",
            "http://user@example.org/",
            "http://user:secret@example.org/",
            "http://example.org@192.0.2.1/",
            "http://exa mple.org/",
            "http://[::1",
            &long,
        ] {
            assert!(matches!(Target::parse(wrong, &[80]), Err(FetchError::BadUrl(_))), "{wrong}");
        }
        for port in [22, 25, 6379, 0] {
            let url = format!("http://example.org:{port}/");
            assert_eq!(Target::parse(&url, &[80, 443]), Err(FetchError::PortNotAllowed(port)), "{url}");
        }
    }
}
