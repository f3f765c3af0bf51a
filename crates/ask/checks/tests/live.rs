//! Mail and web servers on loopback, each with one property, behind a DNS of a few lines: every finding must be right, and a
//! server that cannot be reached must never be called bad.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[path = "../../net/tests/made_certificates/mod.rs"]
mod made_certificates;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use made_certificates::{Authority, clock, self_signed, self_signed_der};
use redeliver_checks::{Checker, Known, Scope, Target};
use redeliver_diagnose::Engine;
use redeliver_model::{CheckResult, Domain, Finding, Severity};
use redeliver_net::dns::{Answer, Asking, Data, Dns, Dnssec, FakeDns, Name, Question, Text};
use redeliver_net::http::HttpClient;
use redeliver_net::smtp::SmtpClient;
use redeliver_net::tls::{Tls, TlsClient};
use redeliver_net::{Guard, Identity, Net, ScriptedPeer, Turn};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// Servers on loopback, and the DNS that leads to them.
struct World {
    dns: FakeDns,
    authority: Authority,
    smtp_port: u16,
    https_port: u16,
    last: u8,
    peers: Vec<ScriptedPeer>,
}

impl World {
    async fn new() -> Self {
        // A port that is free at one loopback address is hardly taken at its neighbours.
        let free = async || TcpListener::bind("127.192.9.1:0").await.unwrap().local_addr().unwrap().port();
        let (smtp_port, https_port) = (free().await, free().await);
        let authority = Authority::new("An authority");
        Self { dns: FakeDns::default(), authority, smtp_port, https_port, last: 1, peers: Vec::new() }
    }

    fn next_address(&mut self) -> Ipv4Addr {
        self.last += 1;
        Ipv4Addr::new(127, 192, 9, self.last)
    }

    /// A domain with one mail server; returns its address.
    fn domain(&mut self, domain: &str) -> Ipv4Addr {
        let address = self.next_address();
        let host = format!("mx.{domain}");
        self.dns.add(domain, Data::Mx { preference: 10, exchange: Name::parse(&host).unwrap() });
        self.dns.add(domain, Data::A(address)).add(&host, Data::A(address));
        address
    }

    /// The same, and a server that plays a script.
    async fn mail(&mut self, domain: &str, script: Vec<Turn>) {
        let address = SocketAddr::from((self.domain(domain), self.smtp_port));
        self.peers.push(ScriptedPeer::start_on(&address.to_string(), script).await);
    }

    /// A policy host that serves a text.
    async fn policy(&mut self, domain: &str, identity: Identity, status: &str, body: &str) {
        let address = self.next_address();
        let host = format!("mta-sts.{domain}");
        self.dns.add(&format!("_mta-sts.{domain}"), Data::Txt(Text::one("v=STSv1; id=1")));
        self.dns.add(&host, Data::A(address));
        let response = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let script = vec![Turn::Tls(identity), Turn::HearTo("\r\n\r\n"), Turn::Say(response.into_bytes())];
        let server = SocketAddr::from((address, self.https_port)).to_string();
        self.peers.push(ScriptedPeer::start_on(&server, script).await);
    }

    /// Looks at domains as recipients.
    async fn check(self, domains: &[&str], change: impl FnOnce(&mut Scope)) -> BTreeMap<String, Vec<Finding>> {
        self.check_signed(domains, "", change).await
    }

    /// The same, where DNSSEC vouches for all names that end so.
    async fn check_signed(
        self,
        domains: &[&str],
        signed: &'static str,
        change: impl FnOnce(&mut Scope),
    ) -> BTreeMap<String, Vec<Finding>> {
        let engine = Engine::builtin().unwrap();
        let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
        let guard = Guard::default().allow_only(loopback()).assume_public(loopback());
        let tls = self.authority.trusted();
        let mut scope = Scope {
            smtp_port: self.smtp_port,
            https_port: self.https_port,
            own_name: "client.example.org".to_owned(),
            egress_references: Vec::new(),
            ..Scope::default()
        };
        change(&mut scope);
        let dns: Arc<dyn Dns> =
            if signed.is_empty() { Arc::new(self.dns) } else { Arc::new(Signed { dns: self.dns, names: signed }) };
        let net = net(&guard, dns, &tls, self.https_port);
        let checker = Checker { net, guard, engine: &engine, scope, now: clock().now() };
        let targets: Vec<_> = domains
            .iter()
            .map(|domain| ((*domain).to_owned(), Target::Recipient(Domain::parse(domain).unwrap()), Known::default()))
            .collect();
        let found = checker.check_all(&targets, |_| {}).await;
        domains.iter().map(|domain| (*domain).to_owned()).zip(found).collect()
    }
}

/// A resolver that validates, and found the signatures of some names right.
struct Signed {
    dns: FakeDns,
    names: &'static str,
}

impl Dns for Signed {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let mut answer = self.dns.ask(question).await;
            if let Answer::Present { origin, .. } | Answer::Absent { origin, .. } = &mut answer {
                let good = question.name.as_str().trim_end_matches('.').ends_with(self.names);
                origin.dnssec = if good { Dnssec::Secure } else { Dnssec::Insecure };
            }
            answer
        })
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        self.dns.ask_server(server, question)
    }
}

fn net(guard: &Guard, dns: Arc<dyn Dns>, tls: &Tls, https_port: u16) -> Net {
    let http = HttpClient::new(guard.clone(), dns.clone(), tls.clone()).with_ports(vec![https_port]);
    Net {
        dns,
        smtp: Arc::new(SmtpClient::new(guard.clone(), tls.clone())),
        tls: Arc::new(TlsClient::new(guard.clone(), tls.clone())),
        http: Arc::new(http),
    }
}

/// A mail server that offers STARTTLS and shows this.
fn encrypting(identity: Identity) -> Vec<Turn> {
    let mut script = vec![Turn::say("220 mx ESMTP")];
    script.extend(Turn::reply("250-mx\r\n250 STARTTLS"));
    script.extend(Turn::reply("220 go ahead"));
    script.push(Turn::Tls(identity));
    script.extend(Turn::reply("250 mx"));
    script.extend(Turn::reply("221 bye"));
    script
}

fn plain(lines: &[&str]) -> Vec<Turn> {
    let mut script: Vec<Turn> = lines.iter().take(1).map(|greeting| Turn::say(greeting)).collect();
    script.extend(lines.iter().skip(1).flat_map(|reply| Turn::reply(reply)));
    script
}

/// Whether a finding of that id came out so.
fn has(
    found: &BTreeMap<String, Vec<Finding>>,
    domain: &str,
    id: &str,
    result: CheckResult,
    severity: Option<Severity>,
) {
    let all = &found[domain];
    let good = all.iter().any(|one| one.id == id && one.result == result && one.severity == severity);
    let shown: Vec<_> = all.iter().map(|one| (&one.id, one.result, one.severity, &one.summary)).collect();
    assert!(good, "{domain} lacks {id} {result:?} {severity:?}: {shown:#?}");
}

#[tokio::test]
async fn certificates_are_judged_as_they_are() {
    let mut world = World::new().await;
    let good = world.authority.signs("mx.good.example", 2026, 2028);
    let expired = world.authority.signs("mx.expired.example", 2024, 2025);
    let wrong = world.authority.signs("mx.elsewhere.example", 2026, 2028);
    world.mail("good.example", encrypting(good)).await;
    world.mail("expired.example", encrypting(expired)).await;
    world.mail("wrong.example", encrypting(wrong)).await;
    world.mail("selfmade.example", encrypting(self_signed("mx.selfmade.example"))).await;
    world.mail("none.example", plain(&["220 mx", "250-mx\r\n250 SIZE 1000", "221 bye"])).await;
    world.mail("refuses.example", plain(&["220 mx", "250-mx\r\n250 STARTTLS", "454 4.7.0 not now", "221 bye"])).await;
    world.domain("closed.example"); // nobody listens there
    let domains = [
        "good.example",
        "expired.example",
        "wrong.example",
        "selfmade.example",
        "none.example",
        "refuses.example",
        "closed.example",
    ];
    let found = world.check(&domains, |_| {}).await;
    let weakens = Some(Severity::Weakens);
    has(&found, "good.example", "tls-good", CheckResult::Pass, None);
    has(&found, "expired.example", "certificate-expired", CheckResult::Warn, weakens);
    has(&found, "wrong.example", "certificate-wrong-name", CheckResult::Warn, weakens);
    has(&found, "selfmade.example", "certificate-self-signed", CheckResult::Warn, weakens);
    has(&found, "none.example", "tls-none", CheckResult::Fail, weakens);
    has(&found, "refuses.example", "tls-none", CheckResult::Fail, weakens);
    has(&found, "closed.example", "mx-no-connection", CheckResult::CouldNotAsk, None);
    assert!(found["good.example"].iter().all(|one| !one.is_wrong()), "{:#?}", found["good.example"]);
    assert!(found["closed.example"].iter().all(|one| !one.is_wrong()), "{:#?}", found["closed.example"]);
}

#[tokio::test]
async fn a_refusal_at_the_greeting_keeps_every_line_and_its_cause() {
    let mut world = World::new().await;
    let reply = "554-mx.refusing.example\r\n554-Your access to this mail system has been rejected due to poor reputation\r\n554 of a domain used in message transfer";
    world.mail("refusing.example", plain(&[reply])).await;
    world.mail("busy.example", plain(&["421 4.3.2 too busy"])).await;
    world.mail("web.example", plain(&["HTTP/1.1 400 Bad Request"])).await;
    let found = world.check(&["refusing.example", "busy.example", "web.example"], |_| {}).await;
    has(&found, "refusing.example", "greeting-refused", CheckResult::Fail, Some(Severity::Refuses));
    has(&found, "busy.example", "greeting-refused", CheckResult::Warn, Some(Severity::Weakens));
    has(&found, "web.example", "mx-not-smtp", CheckResult::Fail, Some(Severity::Refuses));
    let refused = found["refusing.example"].iter().find(|one| one.id == "greeting-refused").unwrap();
    assert_eq!(refused.cause, Some(redeliver_model::Cause::PoorReputation));
    assert!(refused.summary.contains("of a domain used in message transfer"), "{}", refused.summary);
}

#[tokio::test]
async fn a_greeting_that_is_delayed_by_ten_seconds_is_waited_for_and_told() {
    let mut world = World::new().await;
    let address = SocketAddr::from((world.domain("slow.example"), world.smtp_port));
    let listener = TcpListener::bind(address).await.unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The delay itself is what is tested: it is as long as that of servers that greet late on purpose.
        tokio::time::sleep(Duration::from_secs(10)).await;
        stream.write_all(b"220 mx\r\n250 mx\r\n221 bye\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
    });
    let found = world.check(&["slow.example"], |_| {}).await;
    server.abort();
    has(&found, "slow.example", "greeting-slow", CheckResult::Warn, Some(Severity::Untidy));
}

#[tokio::test]
async fn policies_of_mta_sts_are_fetched_and_compared() {
    let mut world = World::new().await;
    let policy = |mode: &str, mx: &str| format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 604800\r\n");
    for domain in ["fits.example", "misfit.example", "missing.example", "badcert.example", "garbage.example"] {
        let identity = world.authority.signs(&format!("mx.{domain}"), 2026, 2028);
        world.mail(domain, encrypting(identity)).await;
    }
    let expired = world.authority.signs("mx.strict.example", 2024, 2025);
    world.mail("strict.example", encrypting(expired)).await;
    let signs = |world: &World, domain: &str| world.authority.signs(&format!("mta-sts.{domain}"), 2026, 2028);
    for (domain, status, body) in [
        ("fits.example", "200 OK", policy("enforce", "*.fits.example")),
        ("misfit.example", "200 OK", policy("enforce", "mail.other.example")),
        ("missing.example", "404 Not Found", "nothing here".to_owned()),
        ("garbage.example", "200 OK", "<html>Welcome</html>".to_owned()),
        ("strict.example", "200 OK", policy("enforce", "mx.strict.example")),
    ] {
        let identity = signs(&world, domain);
        world.policy(domain, identity, status, &body).await;
    }
    world
        .policy("badcert.example", self_signed("mta-sts.badcert.example"), "200 OK", &policy("enforce", "*.x.example"))
        .await;
    world.domain("away.example");
    world.dns.add("_mta-sts.away.example", Data::Txt(Text::one("v=STSv1; id=1")));
    let nobody = world.next_address();
    world.dns.add("mta-sts.away.example", Data::A(nobody));
    let domains = [
        "fits.example",
        "misfit.example",
        "missing.example",
        "badcert.example",
        "garbage.example",
        "strict.example",
        "away.example",
    ];
    let found = world.check(&domains, |_| {}).await;
    let (weakens, refuses) = (Some(Severity::Weakens), Some(Severity::Refuses));
    has(&found, "fits.example", "mta-sts-good", CheckResult::Pass, None);
    has(&found, "misfit.example", "mta-sts-mx-not-named", CheckResult::Fail, refuses);
    has(&found, "missing.example", "mta-sts-policy-missing", CheckResult::Fail, weakens);
    has(&found, "badcert.example", "mta-sts-certificate", CheckResult::Fail, weakens);
    has(&found, "garbage.example", "mta-sts-field-missing", CheckResult::Fail, weakens);
    // The policy enforces, so senders that heed it do not deliver to a server with an expired certificate.
    has(&found, "strict.example", "certificate-expired", CheckResult::Fail, refuses);
    has(&found, "away.example", "mta-sts-policy-could-not-ask", CheckResult::CouldNotAsk, None);
}

#[tokio::test]
async fn dane_binds_where_dnssec_vouches_for_it() {
    let mut world = World::new().await;
    for (domain, fits) in [("fits.signed.example", true), ("other.signed.example", false), ("unsigned.example", false)]
    {
        let (identity, der) = self_signed_der(&format!("mx.{domain}"));
        let data = if fits { der } else { self_signed_der("mx.elsewhere.example").1 };
        world.mail(domain, encrypting(identity)).await;
        world.dns.add(&format!("_25._tcp.mx.{domain}"), Data::Tlsa { usage: 3, selector: 0, matching: 0, data });
    }
    let domains = ["fits.signed.example", "other.signed.example", "unsigned.example"];
    let found = world.check_signed(&domains, ".signed.example", |_| {}).await;
    has(&found, "fits.signed.example", "dane-good", CheckResult::Pass, None);
    has(&found, "other.signed.example", "dane-mismatch", CheckResult::Fail, Some(Severity::Refuses));
    has(&found, "unsigned.example", "dane-without-dnssec", CheckResult::Warn, Some(Severity::Untidy));
    // RFC 7672 3.1.1: the record vouches for the certificate, and no authority need do so.
    let good = &found["fits.signed.example"];
    assert!(good.iter().all(|one| !one.is_wrong() || one.severity == Some(Severity::Untidy)), "{good:#?}");
}

#[tokio::test]
async fn an_open_relay_is_found_only_where_it_was_asked_for() {
    let relaying = ["220 mx", "250 mx", "250 ok", "250 ok", "250 reset", "221 bye"];
    for (opted_in, reply, id) in [
        (true, "250 ok", "open-relay"),
        (true, "554 5.7.1 Relay access denied", "no-open-relay"),
        (false, "250 ok", ""),
    ] {
        let mut world = World::new().await;
        let mut lines = relaying;
        lines[3] = reply;
        let (name, port) = (world.domain("relay.example"), world.smtp_port);
        // One script for both sessions: the look without MAIL says QUIT after EHLO and hears one of the later lines.
        let peer = ScriptedPeer::start_on(&SocketAddr::from((name, port)).to_string(), plain(&lines)).await;
        world.peers.push(peer);
        let engine = Engine::builtin().unwrap();
        let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
        let guard = Guard::default().allow_only(loopback()).assume_public(loopback());
        let tls = world.authority.trusted();
        let scope = Scope { open_relay: opted_in, smtp_port: port, egress_references: Vec::new(), ..Scope::default() };
        let net = net(&guard, Arc::new(world.dns), &tls, 443);
        let checker = Checker { net, guard, engine: &engine, scope, now: clock().now() };
        let target = Target::Domain(Domain::parse("relay.example").unwrap());
        let found =
            checker.check_all(&[("relay.example".to_owned(), target, Known::default())], |_| {}).await.remove(0);
        let relay: Vec<&str> =
            found.iter().filter(|one| one.check == "open-relay").map(|one| one.id.as_ref()).collect();
        assert_eq!(relay.join(""), id);
        assert_eq!(world.peers[0].heard().iter().any(|line| line.starts_with("RCPT")), opted_in);
    }
}
