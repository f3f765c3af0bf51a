//! What people are told: the two sentences, and the domain's own words about a fail.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use redeliver_net::dns::{FakeDns, Why};
use redeliver_spf::{Request, analyse, evaluate, outlook};

fn world() -> FakeDns {
    FakeDns {
        txt: &[
            ("moved.example", &["v=spf1 redirect=example.org"]),
            ("example.org", &["v=spf1 ip4:192.0.2.7 include:lists.example -all"]),
            ("lists.example", &["v=spf1 ip4:192.0.2.8 a:silent.example -all"]),
            ("wrong.example", &["v=spf1 mx ipv4:192.0.2.7 -all"]),
            ("open.example", &["v=spf1 mx"]),
            ("words.example", &["v=spf1 -all exp=why.words.example"]),
            ("why.words.example", &["%{h} may not send for %{d} (%{c})"]),
        ],
        fail: &[("silent.example", Why::Timeout)],
        ..FakeDns::default()
    }
}

#[tokio::test]
async fn both_sentences_name_term_record_and_reason() {
    let dns = world();
    for (domain, ip, this_mail, others) in [
        (
            "example.org",
            "192.0.2.8",
            "This mail passes because `include:lists.example` of example.org matches first, by `ip4:192.0.2.8` of lists.example.",
            "Any other sender gets temperror at `a:silent.example` of lists.example (by `include:lists.example`): \
             silent.example A: could not ask: timeout.",
        ),
        (
            "moved.example",
            "192.0.2.7",
            "This mail passes because `redirect=example.org` of moved.example leads to `ip4:192.0.2.7` of example.org, which matches first.",
            "Any other sender gets temperror at `a:silent.example` of lists.example (by `redirect=example.org`): \
             silent.example A: could not ask: timeout.",
        ),
        (
            "wrong.example",
            "192.0.2.7",
            "This mail gets permerror at `ipv4:192.0.2.7` of wrong.example: \
             `ipv4:192.0.2.7` is no mechanism of SPF. It is written `ip4:`.",
            "Any other sender gets permerror at `ipv4:192.0.2.7` of wrong.example: \
             `ipv4:192.0.2.7` is no mechanism of SPF. It is written `ip4:`.",
        ),
        (
            "open.example",
            "192.0.2.7",
            "This mail gets neutral because nothing in the record of open.example matches.",
            "Any other sender gets neutral, since nothing ends the record of open.example.",
        ),
        (
            "nothing.example",
            "192.0.2.7",
            "This mail gets none: the domain has no SPF record.",
            "Any other sender gets none: the domain has no SPF record.",
        ),
    ] {
        let request = Request::new(ip.parse().unwrap(), "client.example", format!("ann@{domain}"));
        let evaluation = evaluate(&dns, &request).await;
        let sentences = outlook(&evaluation, &analyse(&dns, domain).await);
        assert_eq!(sentences.this_mail.to_string(), this_mail);
        assert_eq!(sentences.others.to_string(), others);
    }
}

#[tokio::test]
async fn a_clients_line_break_does_not_get_into_the_explanation() {
    let request = Request::new("192.0.2.9".parse().unwrap(), "x\r\n250 ok", "ann@words.example");
    let evaluation = evaluate(&world(), &request).await;
    assert_eq!(evaluation.explanation.as_deref(), Some("x??250 ok may not send for words.example (192.0.2.9)"));
}
