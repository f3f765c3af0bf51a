//! A checker whose DNS is a literal and that connects nowhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::{Arc, LazyLock};

use redeliver_checks::{Checker, Known, KnownBy, Scope, Target};
use redeliver_diagnose::Engine;
use redeliver_model::{Domain, Finding, Timestamp};
use redeliver_net::dns::FakeDns;
use redeliver_net::http::FakeWeb;
use redeliver_net::smtp::FakeMail;
use redeliver_net::tls::{Look, Looking, TlsError, TlsLook};
use redeliver_net::{Guard, Net};

/// The knowledge, read once for all tests of a file.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::builtin().unwrap());

struct NoTls;

impl TlsLook for NoTls {
    fn look<'a>(&'a self, _: &'a Look) -> Looking<'a> {
        Box::pin(async { Err(TlsError::NotRecorded) })
    }
}

/// A network of these fakes.
pub fn net(dns: &Arc<FakeDns>, mail: FakeMail, web: FakeWeb) -> Net {
    Net { dns: dns.clone(), smtp: Arc::new(mail), tls: Arc::new(NoTls), http: Arc::new(web) }
}

/// Checks one target; documentation addresses count as public.
pub async fn check_in(net: Net, target: Target, known: Known, change: impl FnOnce(&mut Scope)) -> Vec<Finding> {
    check_at(net, target, known, Timestamp::from_date(2026, 11, 21), change).await
}

/// The same at another time.
pub async fn check_at(
    net: Net,
    target: Target,
    known: Known,
    now: Timestamp,
    change: impl FnOnce(&mut Scope),
) -> Vec<Finding> {
    let ranges = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"];
    let guard = Guard::default().assume_public(ranges.map(|range| range.parse().unwrap()).to_vec());
    let mut scope = Scope { connect: false, ..Scope::default() };
    change(&mut scope);
    let checker = Checker { net, guard, engine: &ENGINE, scope, now };
    checker.check_all(&[("target".to_owned(), target, known)], |_| {}).await.remove(0)
}

/// The same without mail or web servers.
pub async fn check(dns: &Arc<FakeDns>, target: Target, known: Known) -> Vec<Finding> {
    check_in(net(dns, FakeMail::default(), FakeWeb::default()), target, known, |_| {}).await
}

pub fn domain(name: &str) -> Target {
    Target::Domain(Domain::parse(name).unwrap())
}

pub fn ip(address: &str) -> Target {
    Target::Address(address.parse().unwrap())
}

pub fn sending_from(address: &str) -> Known {
    Known { ip: Some((address.parse().unwrap(), KnownBy::Given)), ..Known::default() }
}

/// Ids with their results, for comparison.
pub fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|one| format!("{} {}", one.id, one.result)).collect()
}
