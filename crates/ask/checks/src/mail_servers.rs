//! The mail servers of a domain: gathered once, for all checks that look at them. It judges only whether a host can be reached
//! by name; what a session showed is for `tls`, `dane` and `mta_sts`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures_util::future::join_all;
use redeliver_model::Stage;
use redeliver_net::Guard;
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_net::smtp::{Probe, Probed, SessionError, Smtp};

use crate::asked::Asked;
use crate::known::Scope;

/// How many hosts are asked about; well-kept domains name two to five, spammers' traps hundreds.
const MOST_HOSTS: usize = 10;
/// How many hosts are connected to: enough to see whether they differ.
const MOST_LOOKS: usize = 4;

/// The mail servers of a domain.
#[derive(Debug)]
pub(crate) struct MailServers {
    pub mx: Asked,
    /// By preference.
    pub hosts: Vec<MailHost>,
}

/// One mail server.
#[derive(Debug)]
pub(crate) struct MailHost {
    pub name: Name,
    /// A and AAAA.
    pub asked: Vec<Asked>,
    /// TLSA for port 25.
    pub tlsa: Option<Asked>,
    /// Its addresses that may be contacted, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// What a session showed; none if nobody connected.
    pub look: Option<Probed>,
    /// What happens to a stranger's mail to another stranger, if that was tried.
    pub relay: Option<Probed>,
}

/// Why a host cannot be reached by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    IpLiteral,
    Alias,
    NoSuchHost,
    NoAddress,
    NotPublic,
    CouldNotAsk,
}

impl MailHost {
    /// Whether nobody answered the dial at all: then our own way out may be closed.
    pub(crate) fn timed_out(&self) -> bool {
        let error = self.look.as_ref().and_then(|look| look.broken_off.as_ref());
        matches!(error, Some(SessionError::Timeout(Stage::Connect)))
    }

    /// What is wrong with the host's name and addresses.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        if self.name.as_str().parse::<Ipv4Addr>().is_ok() {
            return Some(Trouble::IpLiteral);
        }
        let alias =
            self.asked.iter().filter_map(|asked| asked.answer.origin()).any(|origin| !origin.aliases.is_empty());
        let found = self.asked.iter().flat_map(|asked| asked.answer.addresses()).count();
        if found == 0 {
            if self.asked.iter().any(|asked| asked.why_not().is_some()) {
                return Some(Trouble::CouldNotAsk);
            }
            let gone = self.asked.iter().any(|asked| asked.answer.is_no_such_name());
            return Some(if gone { Trouble::NoSuchHost } else { Trouble::NoAddress });
        }
        if self.addresses.is_empty() {
            return Some(Trouble::NotPublic);
        }
        alias.then_some(Trouble::Alias)
    }
}

/// Whom and what the gathering may use.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub dns: &'a dyn Dns,
    pub smtp: &'a dyn Smtp,
    pub guard: &'a Guard,
    pub scope: &'a Scope,
}

/// Asks for the mail servers and looks at them.
pub(crate) async fn gather(means: Means<'_>, domain: &Name) -> MailServers {
    let mx = Asked::at(means.dns, domain, RecordType::Mx).await;
    let names: Vec<Name> = mx.answer.exchanges().into_iter().map(|(_, name)| name.clone()).collect();
    let names = names.into_iter().filter(|name| !name.is_root()).take(MOST_HOSTS).enumerate();
    let hosts = join_all(names.map(|(number, name)| host(means, name, number < MOST_LOOKS))).await;
    MailServers { mx, hosts }
}

async fn host(means: Means<'_>, name: Name, look: bool) -> MailHost {
    let mut found = MailHost { name, asked: Vec::new(), tlsa: None, addresses: Vec::new(), look: None, relay: None };
    if found.name.as_str().parse::<Ipv4Addr>().is_ok() {
        return found;
    }
    let addresses = async {
        let asked = Asked::each(means.dns, &found.name, [RecordType::A, RecordType::Aaaa]).await;
        let public = asked.iter().flat_map(|asked| asked.answer.addresses());
        let public: Vec<IpAddr> = public.filter(|address| means.guard.is_public(*address)).collect();
        let session = match public.first().filter(|_| look && means.scope.connect) {
            Some(address) => Some(means.smtp.probe(&greet(means.scope, &found.name, *address)).await),
            None => None,
        };
        let relay = match public.first().filter(|_| look && means.scope.open_relay) {
            Some(address) => Some(means.smtp.probe(&relay(means.scope, &found.name, *address)).await),
            None => None,
        };
        (asked, public, session, relay)
    };
    let tlsa = Asked::below(means.dns, &found.name, "_25._tcp", RecordType::Tlsa);
    let ((asked, public, look, relay), tlsa) = futures_util::future::join(addresses, tlsa).await;
    found.asked = asked;
    found.addresses = public;
    found.look = look;
    found.relay = relay;
    found.tlsa = Some(tlsa);
    found
}

/// A look that ends after STARTTLS.
pub(crate) fn greet(scope: &Scope, name: &Name, address: IpAddr) -> Probe {
    Probe {
        server: SocketAddr::new(address, scope.smtp_port),
        name: Some(name.to_string()),
        helo: scope.own_name.clone(),
        start_tls: true,
        mail_from: None,
        recipients: Vec::new(),
    }
}

/// A stranger who asks for another stranger; both are names that nobody has (RFC 2606).
fn relay(scope: &Scope, name: &Name, address: IpAddr) -> Probe {
    Probe {
        mail_from: Some("relay-test@example.org".to_owned()),
        recipients: vec!["relay-test@example.com".to_owned()],
        ..greet(scope, name, address)
    }
}
