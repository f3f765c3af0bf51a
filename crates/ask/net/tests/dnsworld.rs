//! The resolver against a real world of BIND-like servers on loopback (`shared/dnsworld`: a validating unbound, an
//! authoritative knot, a silent address). Start it first; without it nothing is tested, and that is said loudly.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails; a skip is told")]

use std::time::Duration;

use redeliver_net::Guard;
use redeliver_net::dns::{Allowance, Answer, Dns, Dnssec, Patience, Question, RecordType, Resolver, Why};

const RESOLVER: &str = "127.53.0.1:53";
const AUTHORITATIVE: &str = "127.53.0.2:53";
const SILENT: &str = "127.53.0.4:53";

fn question(name: &str, record_type: RecordType) -> Question {
    Question::parse(name, record_type).unwrap()
}

fn resolver() -> Resolver {
    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    let guard = Guard::default().allow_only(loopback()).assume_public(loopback());
    Resolver::new(vec![RESOLVER.parse().unwrap()], guard)
}

/// Whether the world is up; says so loudly if not.
async fn is_up(dns: &Resolver) -> bool {
    let up = !dns.ask(&question("good.test", RecordType::Mx)).await.records().is_empty();
    if !up {
        eprintln!(
            "SKIPPED: no DNS world at {RESOLVER} (shared/dnsworld/start.sh), so NOTHING was tested against real servers"
        );
    }
    up
}

fn why(answer: &Answer) -> Option<Why> {
    answer.could_not_ask().map(|no| no.why)
}

#[tokio::test]
async fn real_servers_are_read_right() {
    let dns = resolver();
    if !is_up(&dns).await {
        return;
    }
    let good = dns.ask(&question("good.test", RecordType::Mx)).await;
    assert_eq!(good.origin().unwrap().dnssec, Dnssec::Secure);
    assert!(good.exchanges()[0].1.as_str().ends_with("good.test"));
    for (name, record_type) in
        [("good.test", RecordType::Soa), ("good.test", RecordType::Dnskey), ("good.test", RecordType::Ds)]
    {
        let answer = dns.ask(&question(name, record_type)).await;
        assert!(!answer.records().is_empty(), "{name} {record_type}: {answer:?}");
    }
    assert_eq!(why(&dns.ask(&question("bogus.test", RecordType::A)).await), Some(Why::Bogus));
    assert!(dns.ask(&question("gone.test", RecordType::A)).await.is_no_such_name());
    let none = dns.ask(&question("good.test", RecordType::Tlsa)).await;
    assert!(none.is_absent() && !none.is_no_such_name(), "{none:?}");
    let direct = dns.ask_server(AUTHORITATIVE.parse().unwrap(), &question("good.test", RecordType::Soa)).await;
    assert!(direct.origin().unwrap().authoritative);
}

#[tokio::test]
async fn what_real_servers_do_not_answer_ends_in_time() {
    let dns = resolver();
    if !is_up(&dns).await {
        return;
    }
    let lame = question("lame.test", RecordType::A);
    let allowed = Allowance::new(&dns, Duration::from_secs(5), 10);
    let answer = tokio::time::timeout(Duration::from_secs(7), allowed.ask(&lame)).await.unwrap();
    assert!(matches!(why(&answer), Some(Why::Timeout | Why::ServerFailure)), "{answer:?}");
    let brief = Patience { one_try: Duration::from_millis(100), question: Duration::from_millis(300) };
    let direct = resolver().with_patience(brief).ask_server(SILENT.parse().unwrap(), &lame).await;
    assert!(matches!(why(&direct), Some(Why::Timeout | Why::Unreachable)), "{direct:?}");
}
