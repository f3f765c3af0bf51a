//! Blocklists that are healthy, sick, dead, deaf or asked through a lying resolver: only a healthy one lists or clears.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod offline;

use std::sync::Arc;

use offline::{check, check_in, domain, ip, net, sending_from, told};
use redeliver_model::{Cause, CheckResult, Finding, Severity};
use redeliver_net::dns::{FakeDns, Why};
use redeliver_net::http::FakeWeb;
use redeliver_net::smtp::FakeMail;

fn of<'f>(findings: &'f [Finding], zone: &str) -> &'f Finding {
    let check = format!("blocklist:{zone}");
    findings.iter().find(|one| one.check == check).unwrap_or_else(|| panic!("no {check}: {:?}", told(findings)))
}

#[tokio::test]
async fn a_healthy_list_lists_and_clears_and_its_codes_are_read() {
    let dns = Arc::new(FakeDns {
        a: &[
            ("2.0.0.127.zen.spamhaus.org", "127.0.0.2"),
            ("7.2.0.192.zen.spamhaus.org", "127.0.0.4"),
            ("8.2.0.192.zen.spamhaus.org", "127.0.0.11"),
            ("2.0.0.127.bl.spamcop.net", "127.0.0.2"),
            ("2.0.0.127.psbl.surriel.com", "127.0.0.2"),
            ("7.2.0.192.psbl.surriel.com", "127.0.0.2"),
        ],
        txt: &[("7.2.0.192.zen.spamhaus.org", &["https://check.spamhaus.example/"])],
        ..FakeDns::default()
    });
    let found = check(&dns, ip("192.0.2.7"), sending_from("192.0.2.7")).await;
    let zen = of(&found, "zen.spamhaus.org");
    assert_eq!(
        (zen.id.as_ref(), zen.severity, zen.cause),
        ("ip-dnsbl", Some(Severity::Refuses), Some(Cause::Blocklisted))
    );
    assert_eq!(of(&found, "bl.spamcop.net").result, CheckResult::Pass);
    // Few receivers use it, so it does not refuse.
    assert_eq!(of(&found, "psbl.surriel.com").severity, Some(Severity::Weakens));
    let found = check(&dns, ip("192.0.2.8"), sending_from("192.0.2.8")).await;
    let zen = of(&found, "zen.spamhaus.org");
    assert_eq!((zen.id.as_ref(), zen.cause), ("ip-pbl", Some(Cause::DynamicIp)));
}

#[tokio::test]
async fn a_sick_list_neither_lists_nor_clears() {
    for (a, why, id) in [
        // It lists everything.
        (&[("1.0.0.127", "127.0.0.2"), ("2.0.0.127", "127.0.0.2"), ("7.2.0.192", "127.0.0.2")][..], None, "list-sick"),
        // It lists nothing.
        (&[], None, "list-sick"),
        // It refuses us.
        (&[("2.0.0.127", "127.255.255.254"), ("7.2.0.192", "127.255.255.254")], None, "list-does-not-answer"),
        (&[("2.0.0.127", "127.0.0.2"), ("1.0.0.127", "127.255.255.255")], None, "list-does-not-answer"),
        // Its domain was sold, and a search page answers.
        (&[("2.0.0.127", "203.0.113.9"), ("7.2.0.192", "203.0.113.9")], None, "list-does-not-answer"),
        // It does not answer at all.
        (&[("7.2.0.192", "127.0.0.2")], Some(Why::Timeout), "list-does-not-answer"),
        // It answers its test points, and a refusal to the question itself.
        (&[("2.0.0.127", "127.0.0.2"), ("7.2.0.192", "127.255.255.254")], None, "list-does-not-answer"),
    ] {
        let mut dns = FakeDns::default();
        for (front, address) in a {
            let address = redeliver_net::dns::Data::A(address.parse().unwrap());
            dns.add(&format!("{front}.bl.spamcop.net"), address);
        }
        if let Some(why) = why {
            dns.add_failure("2.0.0.127.bl.spamcop.net", None, why);
        }
        let found = check(&Arc::new(dns), ip("192.0.2.7"), sending_from("192.0.2.7")).await;
        let list = of(&found, "bl.spamcop.net");
        assert_eq!((list.id.as_ref(), list.result), (id, CheckResult::CouldNotAsk), "{a:?}");
    }
}

#[tokio::test]
async fn a_dead_list_is_never_asked_and_a_paid_one_only_with_its_key() {
    let dns = Arc::new(FakeDns::default());
    check(&dns, ip("192.0.2.7"), sending_from("192.0.2.7")).await;
    check(&dns, domain("example.org"), sending_from("192.0.2.7")).await;
    let asked = |part: &str| dns.asked().iter().any(|question| question.name.as_str().contains(part));
    assert!(asked("zen.spamhaus.org") && !asked("dnsbl.sorbs.net") && !asked("abusix") && !asked("dnsbl.ahbl.org"));
    let dns = Arc::new(FakeDns {
        a: &[
            ("2.0.0.127.secret.combined.mail.abusix.zone", "127.0.0.2"),
            ("7.2.0.192.secret.combined.mail.abusix.zone", "127.0.0.2"),
        ],
        ..FakeDns::default()
    });
    let net = net(&dns, FakeMail::default(), FakeWeb::default());
    let found = check_in(net, ip("192.0.2.7"), sending_from("192.0.2.7"), |scope| {
        scope.list_keys.insert("combined.mail.abusix.zone".to_owned(), "secret".to_owned());
    })
    .await;
    let list = of(&found, "combined.mail.abusix.zone");
    assert_eq!(list.id, "ip-dnsbl");
    assert!(!format!("{list:?}").contains("secret"), "the key must not be shown: {list:?}");
}

#[tokio::test]
async fn a_resolver_that_invents_addresses_makes_everything_unknown() {
    let mut dns = FakeDns {
        mx: &[("example.org", (10, "mx.example.org"))],
        txt: &[("example.org", &["v=spf1 mx -all"])],
        ..FakeDns::default()
    };
    for name in [
        "no-such-name-asked-by-redeliver.invalid",
        "no-such-name-asked-by-redeliver-0123456789abcdef.com",
        "mx.example.org",
        "2.0.0.127.zen.spamhaus.org",
        "1.0.0.127.zen.spamhaus.org",
        "7.2.0.192.zen.spamhaus.org",
    ] {
        dns.add(name, redeliver_net::dns::Data::A("198.51.100.99".parse().unwrap()));
    }
    let dns = Arc::new(dns);
    let found = check(&dns, domain("example.org"), sending_from("192.0.2.7")).await;
    assert_eq!(of(&found, "zen.spamhaus.org").result, CheckResult::CouldNotAsk);
    let resolver = found.iter().find(|one| one.check == "resolver").unwrap();
    assert_eq!((resolver.id.as_ref(), resolver.result), ("resolver-invents-addresses", CheckResult::CouldNotAsk));
    let wrong = |one: &&Finding| one.refuses() && one.check != "reverse-dns";
    assert_eq!(found.iter().filter(wrong).count(), 0, "{:?}", told(&found));
}

#[tokio::test]
async fn an_ipv6_address_is_asked_only_where_lists_take_it() {
    let dns = Arc::new(FakeDns {
        a: &[
            ("2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.zen.spamhaus.org", "127.0.0.2"),
            ("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.spamhaus.org", "127.0.0.3"),
        ],
        ..FakeDns::default()
    });
    let found = check(&dns, ip("2001:db8::7"), sending_from("2001:db8::7")).await;
    assert_eq!(of(&found, "zen.spamhaus.org").id, "ip-dnsbl");
    let lists = found.iter().filter(|one| one.check.starts_with("blocklist:")).count();
    assert_eq!(lists, 1, "lists that take no IPv6 are not spoken of: {:?}", told(&found));
}
