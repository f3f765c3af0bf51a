//! Two ways to the same answer: evaluating a client that nothing matches, and running through the analysed policy.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod suite;

use std::collections::BTreeSet;
use std::net::IpAddr;

use redeliver_net::dns::{Data, Dns, FakeDns, Name, Text, Why};
use redeliver_records::{MacroLetter, Mechanism, TermKind};
use redeliver_spf::{Family, Policy, Request, analyse, evaluate, outlook};

const STRANGERS: [(&str, Family); 2] = [("203.0.113.77", Family::Ip4), ("2001:db8:ffff::77", Family::Ip6)];

/// Whether the policy asks for something about the client or the mail.
fn depends_on_mail(policy: &Policy) -> bool {
    policy.terms.iter().any(|term| {
        let asks = match &term.kind {
            TermKind::Directive(directive) => {
                let domain = directive.mechanism.domain();
                matches!(directive.mechanism, Mechanism::Ptr(_))
                    || domain.is_some_and(|domain| domain.as_plain().is_none() && !domain.uses(MacroLetter::Domain))
                    || (domain.is_some() && term.target.is_none())
            }
            _ => term.policy.is_none() && term.term.starts_with("redirect") && term.target.is_none(),
        };
        asks || term.policy.as_deref().is_some_and(depends_on_mail)
    })
}

/// Compares both ways for a domain; whether they could be compared.
async fn compare(dns: &dyn Dns, domain: &str, what: &dyn Fn() -> String) -> bool {
    let analysis = analyse(dns, domain).await;
    if !analysis.complete || depends_on_mail(&analysis.policy) {
        return false;
    }
    for (ip, family) in STRANGERS {
        let request = Request::new(ip.parse::<IpAddr>().unwrap(), "client.example", format!("postmaster@{domain}"));
        let evaluation = evaluate(dns, &request).await;
        let stranger = analysis.stranger(family);
        assert_eq!(stranger.result, evaluation.result, "{domain} for {ip}: {stranger:?}\n{}", what());
        let sentences = outlook(&evaluation, &analysis).to_string();
        assert!(sentences.starts_with("This mail ") && sentences.ends_with('.'), "{sentences}");
    }
    true
}

#[tokio::test]
async fn both_ways_agree_on_the_domains_of_the_suite() {
    let Some(json) = suite::json() else { return };
    let mut compared = 0;
    for scenario in suite::scenarios(&json) {
        let domains: BTreeSet<&str> =
            scenario.cases.iter().filter_map(|case| Some(case.request.mail_from.rsplit_once('@')?.1)).collect();
        for domain in domains {
            compared += u32::from(compare(&scenario.zone, domain, &String::new).await);
        }
    }
    assert!(compared > 120, "{compared}");
}

/// A generator of numbers that are the same in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

const TERMS: &[&str] = &[
    "a",
    "mx",
    "a:h1.example",
    "a:h2.example/24",
    "a:nx1.example",
    "a:nx2.example//0",
    "mx:d1.example",
    "mx:many.example",
    "ip4:192.0.2.0/24",
    "ip4:0.0.0.0/0",
    "ip6:2001:db8:1::/48",
    "ip6:::/0",
    "include:d0.example",
    "include:d1.example",
    "-include:d2.example",
    "include:d3.example",
    "include:d4.example",
    "include:nx1.example",
    "include:silent.example",
    "exists:nx3.example",
    "exists:h1.example",
    "a:silent.example",
    "~all",
    "-all",
    "all",
    "redirect=d1.example",
    "redirect=d3.example",
    "redirect=nx1.example",
    "a/0",
    "a:h1.example//0",
    "moo=boo",
    "ipv4:192.0.2.1",
    "include:%{d}",
    "include:x.%{d}",
    "exp=h1.example",
    "mx/24",
    "ptr:d0.example",
    "exists:%{ir}.example",
    "a:%{l}.%{o}",
];

/// A world of random policies.
fn random_world(numbers: &mut Numbers) -> (FakeDns, Vec<String>) {
    let mut dns = FakeDns {
        a: &[("h1.example", "192.0.2.9"), ("h2.example", "198.51.100.4"), ("d1.example", "192.0.2.10")],
        aaaa: &[("h2.example", "2001:db8:1::9")],
        mx: &[("d1.example", (10, "h1.example")), ("d0.example", (5, "h2.example")), ("d2.example", (0, "."))],
        fail: &[("silent.example", Why::Timeout)],
        ..FakeDns::default()
    };
    for number in 0..11 {
        let exchange = Name::parse(&format!("mx{number}.example")).unwrap();
        dns.add("many.example", Data::Mx { preference: 10, exchange });
    }
    let mut records = Vec::new();
    for number in 0..5 {
        let mut record = "v=spf1".to_owned();
        for _ in 0..=numbers.below(5) {
            record.push(' ');
            record.push_str(TERMS[numbers.below(TERMS.len())]);
        }
        if numbers.below(20) == 0 {
            dns.add(&format!("d{number}.example"), Data::Txt(Text::one("v=spf1 -all")));
        }
        dns.add(&format!("d{number}.example"), Data::Txt(Text::one(&record)));
        records.push(format!("d{number}.example {record}"));
    }
    (dns, records)
}

#[tokio::test]
async fn both_ways_agree_on_random_policies() {
    let mut numbers = Numbers(0x7208);
    let mut compared = 0;
    for _ in 0..1500 {
        let (dns, records) = random_world(&mut numbers);
        compared += u32::from(compare(&dns, "d0.example", &|| records.join("\n")).await);
    }
    assert!(compared > 500, "{compared}");
}

#[tokio::test]
async fn hostile_bytes_in_every_input_never_panic() {
    let mut numbers = Numbers(0xdead);
    let odd = [
        "",
        ".",
        "..",
        "@",
        "%{",
        "\u{0}",
        "\u{fffd}.example",
        "a.b",
        "[192.0.2.1]",
        "x".repeat(300).leak(),
        "ö.example",
    ];
    for _ in 0..3000 {
        let mut record = b"v=spf1 ".to_vec();
        for _ in 0..numbers.below(4) {
            record.extend_from_slice(TERMS[numbers.below(TERMS.len())].as_bytes());
            record.push(b' ');
        }
        for _ in 0..numbers.below(3) {
            let at = 6 + numbers.below(record.len() - 6);
            record[at] = numbers.below(256) as u8;
        }
        let mut dns = FakeDns { a: &[("h1.example", "192.0.2.9")], ..FakeDns::default() };
        dns.add("a.b", Data::Txt(Text(vec![record.clone()])));
        let mut word = || odd[numbers.below(odd.len())].to_owned();
        let request = Request::new("192.0.2.9".parse().unwrap(), word(), format!("{}@{}", word(), word()));
        let got = evaluate(&dns, &request).await;
        for step in &got.visit.steps {
            assert_eq!(step.span.of(got.visit.record.as_deref().unwrap()), step.term);
        }
        let analysis = analyse(&dns, "a.b").await;
        let _ = outlook(&got, &analysis).to_string();
    }
}
