//! What must never be painted red, and what must never be called good.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod offline;

use std::sync::Arc;

use offline::{check, check_in, domain, net, sending_from, told};
use redeliver_checks::{Known, Target};
use redeliver_model::{CheckResult, Domain, Finding, Severity, Stage};
use redeliver_net::dns::{FakeDns, Why};
use redeliver_net::http::FakeWeb;
use redeliver_net::smtp::{FakeMail, SessionError};

/// Mail servers that answer.
const GREETS: &[&str] = &["220 mx", "250 mx", "221 bye"];
const SERVERS: &[(&str, &[&str])] = &[("192.0.2.8", GREETS), ("192.0.2.9", GREETS)];

/// A domain that does everything for its mail.
fn good() -> FakeDns {
    FakeDns {
        soa: &[("example.org", ("ns1.example.org", 1))],
        mx: &[("example.org", (10, "mx.example.org"))],
        a: &[("mx.example.org", "192.0.2.7")],
        ptr: &[("192.0.2.7", "mx.example.org")],
        txt: &[
            ("example.org", &["v=spf1 mx -all"]),
            ("_dmarc.example.org", &["v=DMARC1; p=reject"]),
            ("s1._domainkey.example.org", &["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]),
        ],
        ..FakeDns::default()
    }
}

fn signing() -> Known {
    Known { selectors: vec!["s1".to_owned()], ..sending_from("192.0.2.7") }
}

fn wrong(findings: &[Finding]) -> Vec<String> {
    findings.iter().filter(|one| one.is_wrong()).map(|one| one.id.to_string()).collect()
}

fn find<'f>(findings: &'f [Finding], id: &str) -> &'f Finding {
    findings.iter().find(|one| one.id == id).unwrap_or_else(|| panic!("no {id}: {:?}", told(findings)))
}

#[tokio::test]
async fn a_good_domain_has_nothing_wrong() {
    let found = check(&Arc::new(good()), domain("example.org"), signing()).await;
    assert_eq!(wrong(&found), [""; 0], "{found:#?}");
}

#[tokio::test]
async fn reports_logos_and_a_policy_of_none_never_refuse() {
    let dns = FakeDns {
        txt: &[
            ("example.org", &["v=spf1 mx -all"]),
            ("_dmarc.example.org", &["v=DMARC1; p=none; rua=mailto:a@stranger.example,b@example.org"]),
            ("s1._domainkey.example.org", &["k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]),
            ("_smtp._tls.example.org", &["v=TLSRPTv1;"]),
            ("default._bimi.example.org", &["v=BIMI1; l=http://example.org/logo.gif"]),
        ],
        ..good()
    };
    let found = check(&Arc::new(dns), domain("example.org"), signing()).await;
    for id in
        ["dmarc-p-none", "dmarc-rua-unauthorised", "dmarc-rua-no-mailto", "tlsrpt-bad", "bimi-p-none", "bimi-not-https"]
    {
        assert_eq!(find(&found, id).severity, Some(Severity::Untidy), "{id}");
        assert_eq!(find(&found, id).result, CheckResult::Warn, "{id}");
    }
}

#[tokio::test]
async fn a_domain_that_does_not_send_gets_no_senders_advice() {
    let dns = FakeDns {
        soa: &[("example.org", ("ns1.example.org", 1))],
        txt: &[("example.org", &["v=spf1 -all"]), ("_dmarc.example.org", &["v=DMARC1; p=reject"])],
        mx: &[("example.org", (0, "."))],
        ..FakeDns::default()
    };
    let found = check(&Arc::new(dns), domain("example.org"), Known::default()).await;
    assert_eq!(wrong(&found), [""; 0], "{found:#?}");
    find(&found, "does-not-send");
    find(&found, "mx-null");
    assert!(!found.iter().any(|one| one.check == "dkim" || one.id == "sending-ip-unknown"), "{:?}", told(&found));
}

#[tokio::test]
async fn a_guessed_ip_is_neither_asked_about_nor_called_clean() {
    let dns = Arc::new(good());
    let found = check(&dns, domain("example.org"), Known::default()).await;
    assert_eq!(find(&found, "sending-ip-unknown").result, CheckResult::CouldNotAsk);
    assert!(!found.iter().any(|one| one.check == "reverse-dns"));
    assert!(!dns.asked().iter().any(|question| question.name.as_str().starts_with("7.2.0.192")));
}

#[tokio::test]
async fn a_guessed_selector_is_never_called_missing() {
    let dns =
        FakeDns { txt: &[("a.b._domainkey.example.org", &["p="]), ("example.org", &["v=spf1 mx -all"])], ..good() };
    let found = check(&Arc::new(dns), domain("example.org"), sending_from("192.0.2.7")).await;
    assert_eq!(find(&found, "dkim-selector-unknown").result, CheckResult::CouldNotAsk);
}

#[tokio::test]
async fn what_could_not_be_asked_is_never_a_fail() {
    for why in [Why::Timeout, Why::ServerFailure, Why::Refused, Why::Truncated, Why::Blocked, Why::NoResolver] {
        let dns = FakeDns {
            fail: Box::leak(Box::new([
                ("example.org", why),
                ("_dmarc.example.org", why),
                ("s1._domainkey.example.org", why),
                ("7.2.0.192.in-addr.arpa", why),
                ("mx.example.org", why),
                ("org", why),
            ])),
            ..good()
        };
        let found = check(&Arc::new(dns), domain("example.org"), signing()).await;
        assert_eq!(wrong(&found), [""; 0], "{why}: {:?}", told(&found));
    }
}

#[tokio::test]
async fn our_own_closed_port_is_told_before_the_others_are_blamed() {
    let dns = Arc::new(FakeDns {
        mx: &[
            ("example.org", (10, "mx.example.org")),
            ("big.example", (10, "mx.big.example")),
            ("great.example", (10, "mx.great.example")),
        ],
        a: &[("mx.example.org", "192.0.2.7"), ("mx.big.example", "192.0.2.8"), ("mx.great.example", "192.0.2.9")],
        ..good()
    });
    let deaf = || SessionError::Timeout(Stage::Connect);
    for (shut, id) in [(true, "egress-blocked"), (false, "egress-open")] {
        let fail: &'static [(&'static str, SessionError)] = if shut {
            Box::leak(Box::new([("192.0.2.7", deaf()), ("192.0.2.8", deaf()), ("192.0.2.9", deaf())]))
        } else {
            Box::leak(Box::new([("192.0.2.7", deaf())]))
        };
        let mail = FakeMail { fail, servers: SERVERS, ..FakeMail::default() };
        let target = Target::Recipient(Domain::parse("example.org").unwrap());
        let found = check_in(net(&dns, mail, FakeWeb::default()), target, Known::default(), |scope| {
            scope.connect = true;
            scope.egress_references = vec!["big.example".to_owned(), "great.example".to_owned()];
        })
        .await;
        find(&found, id);
        assert_eq!(find(&found, "mx-no-connection").result, CheckResult::CouldNotAsk);
    }
}

#[tokio::test]
async fn volume_decides_whether_bulk_rules_apply() {
    for (daily, sites) in [(None, 3), (Some(200), 0), (Some(20_000), 3)] {
        let dns = FakeDns { txt: &[("example.org", &["v=spf1 mx -all"])], ..good() };
        let found = check(&Arc::new(dns), domain("example.org"), Known { daily, ..sending_from("192.0.2.7") }).await;
        let missing = find(&found, "dmarc-missing");
        assert_eq!((missing.severity, missing.sites.len()), (Some(Severity::Weakens), sites));
    }
}

#[tokio::test]
async fn lame_servers_are_proved_by_asking_them() {
    let mut parent = FakeDns::default();
    parent.add_failure("example.org", None, Why::NotAuthoritative);
    let dns = FakeDns {
        fail: &[("example.org", Why::Timeout), ("_dmarc.example.org", Why::Timeout)],
        ns: &[("org", "ns.org.example")],
        a: &[("ns.org.example", "192.0.2.53")],
        servers: vec![("192.0.2.53".parse().unwrap(), parent)],
        ..FakeDns::default()
    };
    let found = check(&Arc::new(dns), domain("example.org"), Known::default()).await;
    // The delegation names nobody here, so nothing is proved: it is a warning, and no fail.
    assert_eq!(find(&found, "dns-lame").result, CheckResult::Warn);
    let found_lame = find(&found, "dns-lame");
    assert_eq!(found_lame.severity, Some(Severity::Refuses));
}
