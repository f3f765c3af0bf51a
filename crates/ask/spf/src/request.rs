//! Who wants to send: the input of an evaluation. No I/O.

use std::net::IpAddr;

use redeliver_model::Timestamp;
use redeliver_net::dns::Name;
use serde::Serialize;

/// More of a local part is cut off: RFC 5321 4.5.3.1.1 allows 64 octets, and macros repeat it.
const LONGEST_LOCAL_PART: usize = 256;

/// The name that a macro asked for and nobody knows (RFC 7208 7.3).
pub(crate) const UNKNOWN: &str = "unknown";

/// A client and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's address; an IPv4-mapped IPv6 address counts as IPv4.
    pub ip: IpAddr,
    /// What it said at HELO or EHLO.
    pub helo: String,
    /// The address of MAIL FROM, with or without angle brackets; empty for a bounce, then the HELO name is checked.
    pub mail_from: String,
    /// The receiving host, for the macro `%{r}`.
    pub receiver: Option<String>,
    /// The time, for the macro `%{t}`.
    pub now: Timestamp,
}

impl Request {
    /// A request without a receiver's name; the time for `%{t}` is 0.
    pub fn new(ip: IpAddr, helo: impl Into<String>, mail_from: impl Into<String>) -> Self {
        Self { ip, helo: helo.into(), mail_from: mail_from.into(), receiver: None, now: Timestamp(0) }
    }
}

/// Which name was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// The domain of MAIL FROM.
    MailFrom,
    /// The HELO name, since MAIL FROM was empty (RFC 7208 2.4).
    Helo,
}

/// The request as macros see it.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) identity: Identity,
    pub(crate) local: String,
    pub(crate) domain: String,
    pub(crate) helo: String,
    pub(crate) ip: IpAddr,
}

impl Sender {
    pub(crate) fn of(request: &Request) -> Self {
        let mail_from = request.mail_from.trim();
        let mail_from = mail_from.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')).unwrap_or(mail_from);
        let helo = ascii(request.helo.trim());
        let (identity, local, domain) = if mail_from.is_empty() {
            (Identity::Helo, "", helo.clone())
        } else {
            let (local, domain) = mail_from.rsplit_once('@').unwrap_or(("", mail_from));
            (Identity::MailFrom, local, ascii(domain))
        };
        // RFC 7208 2.4, 4.3: without a local part it is "postmaster".
        let local = if local.is_empty() { "postmaster" } else { local };
        let local = local.chars().take(LONGEST_LOCAL_PART).collect();
        // RFC 7208 5: an IPv4-mapped address is an IPv4 address.
        Self { identity, local, domain, helo, ip: request.ip.to_canonical() }
    }
}

/// A domain with its U-labels as A-labels (RFC 7208 4.3); as it is if that cannot be done.
fn ascii(domain: &str) -> String {
    let short: String = domain.chars().take(LONGEST_LOCAL_PART).collect();
    if short.is_ascii() {
        return short;
    }
    Name::parse(&short).map_or(short, |name| name.as_str().to_owned())
}
