//! Policies and what is to be said about them.

use redeliver_net::dns::{FakeDns, RecordType, Why};

use super::*;
use crate::verdict::SpfResult;

/// A handful of domains that policies lead to.
fn world(record: &'static [&'static str]) -> FakeDns {
    let mut dns = FakeDns {
        txt: &[
            ("two.example", &["v=spf1 ip4:192.0.2.0/24 -all"]),
            ("two.example", &["v=spf1 -all"]),
            ("good.example", &["v=spf1 ip4:192.0.2.0/24 a:mail.example.org ?all"]),
            ("open.example", &["v=spf1 +all"]),
            ("none.example", &["no policy"]),
            ("loop.example", &["v=spf1 include:example.org -all"]),
            ("self.example", &["v=spf1 redirect=self.example"]),
            ("deep.example", &["v=spf1 include:good.example include:good.example mx:example.org -all"]),
            ("broken.example", &["v=spf1 ipv4:192.0.2.1 -all"]),
        ],
        a: &[("mail.example.org", "192.0.2.7"), ("only4.example.org", "192.0.2.8")],
        aaaa: &[("mail.example.org", "2001:db8::7")],
        mx: &[("example.org", (10, "mail.example.org"))],
        fail: &[("silent.example", Why::Timeout)],
        ..FakeDns::default()
    };
    dns.add("example.org", redeliver_net::dns::Data::Txt(redeliver_net::dns::Text::of(record)));
    for number in 0..11 {
        let exchange = redeliver_net::dns::Name::parse(&format!("mx{number}.example.org")).unwrap();
        dns.add("many.example", redeliver_net::dns::Data::Mx { preference: 10, exchange });
    }
    dns
}

async fn analysed(record: &'static [&'static str]) -> Analysis {
    analyse(&world(record), "example.org").await
}

#[tokio::test]
async fn every_defect_has_its_note() {
    let table: &[(&[&str], &[&str])] = &[
        (&["v=spf1 mx a:mail.example.org -all"], &[]),
        (&["v=spf1 exists:%{ir}.good.example -all"], &[]),
        (&["v=spf1 redirect=good.example"], &[]),
        (&["v=spf1 +all"], &["spf-plus-all"]),
        (&["v=spf1 include:open.example -all"], &["spf-plus-all"]),
        (&["v=spf1 mx"], &["spf-no-all"]),
        (&["v=spf1 ptr -all"], &["spf-ptr"]),
        (&["v=spf1 -all mx"], &["spf-after-all"]),
        (&["v=spf1 -all redirect=good.example"], &["spf-redirect-with-all"]),
        (&["v=spf1 mx mx -all"], &["spf-duplicate-term"]),
        (&["v=spf1 include:good.example include:deep.example -all"], &["spf-duplicate-include", "spf-duplicate-term"]),
        (&["v=spf1 include:none.example -all"], &["spf-include-missing"]),
        (&["v=spf1 include:nx.example -all"], &["spf-include-missing"]),
        (&["v=spf1 redirect=nx.example"], &["spf-redirect-missing"]),
        (&["v=spf1 include:two.example -all"], &["spf-multiple"]),
        (&["v=spf1 include:broken.example -all"], &["spf-syntax"]),
        (&["v=spf1 include:loop.example -all"], &["spf-include-loop"]),
        (&["v=spf1 include:example.org -all"], &["spf-include-loop"]),
        (&["v=spf1 redirect=self.example"], &["spf-redirect-self"]),
        (&["v=spf1 redirect=example.org"], &["spf-redirect-self"]),
        (&["v=spf1 mx:many.example -all"], &["spf-mx-over-10"]),
        (&["v=spf1 include:silent.example -all"], &["spf-could-not-ask"]),
        (&["v=spf1 a:silent.example -all"], &["spf-could-not-ask"]),
        (&["v=spf1 a:n1.example a:n2.example a:n3.example -all"], &["spf-void-lookups", "spf-void-term"]),
        (&["v=spf1 ip4:192.0.2.1", "include:good.example -all"], &["spf-bad-cidr", "spf-split-strings"]),
        (&["v=spf1", "mx -all"], &["spf-missing", "spf-split-strings"]),
        (&["v=spf1; mx -all"], &["spf-bad-version", "spf-missing"]),
    ];
    for (record, want) in table {
        let analysis = analysed(record).await;
        let mut got: Vec<&str> = analysis.notes.iter().map(|note| note.id).collect();
        got.sort_unstable();
        got.dedup();
        // A wrong term glued together is named by whatever rule it breaks.
        got.retain(|id| !(want.contains(&"spf-split-strings") && matches!(*id, "spf-bad-address" | "spf-bad-cidr")));
        let want: Vec<&str> =
            want.iter().copied().filter(|id| !(*id == "spf-bad-cidr" && want.contains(&"spf-split-strings"))).collect();
        assert_eq!(got, want, "{record:?} {:?}", analysis.notes);
        assert!(analysis.complete);
        for note in &analysis.notes {
            assert!(note.text.ends_with('.'), "{note:?}");
        }
    }
}

#[tokio::test]
async fn look_ups_are_priced_past_the_limit() {
    let analysis = analysed(&[
        "v=spf1 a mx include:deep.example include:deep.example include:good.example exists:%{i}.good.example -all",
    ])
    .await;
    let prices: Vec<(&str, u32)> =
        analysis.policy.terms.iter().map(|term| (term.term.as_str(), term.cost.lookups)).collect();
    assert_eq!(
        prices,
        [
            ("a", 1),
            ("mx", 1),
            ("include:deep.example", 6),
            ("include:deep.example", 6),
            ("include:good.example", 2),
            ("exists:%{i}.good.example", 1),
            ("-all", 0),
        ]
    );
    assert_eq!(analysis.policy.cost.lookups, 17);
    assert!(analysis.has("spf-too-many-lookups"));
    // Within the second `deep.example` the eleventh look-up would be made.
    let stranger = &analysis.stranger_ip4;
    assert_eq!(stranger.result, SpfResult::PermError);
    assert_eq!(stranger.place.to_string(), "`a:mail.example.org` of good.example");
    assert_eq!(stranger.through.as_ref().unwrap().span, Some(analysis.policy.terms[3].span));
}

#[tokio::test]
async fn voids_are_counted_by_the_kind_of_client() {
    let analysis =
        analysed(&["v=spf1 a:only4.example.org a:only4.example.org/31 a:only4.example.org/30 a:x.example -all"]).await;
    assert_eq!((analysis.policy.cost.voids_ip4, analysis.policy.cost.voids_ip6), (1, 4));
    assert_eq!(analysis.stranger_ip4.result, SpfResult::Fail);
    assert_eq!(analysis.stranger_ip6.result, SpfResult::PermError);
    assert!(analysis.notes.iter().any(|note| note.text.contains("IPv6 clients")));
}

#[tokio::test]
async fn no_question_is_asked_twice() {
    let dns = world(&["v=spf1 include:deep.example include:good.example mx a:mail.example.org -all"]);
    analyse(&dns, "example.org").await;
    let mut asked = dns.asked();
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all);
}

#[tokio::test]
async fn type_99_and_nothing_at_all_are_told_apart() {
    let dns = FakeDns { spf: &[("old.example", &["v=spf1 -all"])], ..FakeDns::default() };
    assert!(analyse(&dns, "old.example").await.has("spf-type99-only"));
    let nothing = analyse(&dns, "none.example").await;
    assert!(nothing.has("spf-missing") && nothing.notes.len() == 1);
    assert_eq!(nothing.stranger_ip4.result, SpfResult::None);
    let dns = FakeDns { fail_type: &[("example.org", (RecordType::Txt, Why::Timeout))], ..FakeDns::default() };
    let unknown = analyse(&dns, "example.org").await;
    assert!(unknown.has("spf-could-not-ask") && !unknown.has("spf-missing"));
    assert_eq!(unknown.stranger_ip4.result, SpfResult::TempError);
}

#[tokio::test]
async fn a_bomb_of_includes_is_cut_off() {
    let mut dns = FakeDns::default();
    for number in 0..40 {
        let record = format!("v=spf1 include:b{0}.example include:b{0}.example -all", number + 1);
        dns.add(&format!("b{number}.example"), redeliver_net::dns::Data::Txt(redeliver_net::dns::Text::one(&record)));
    }
    let analysis = analyse(&dns, "b0.example").await;
    assert!(!analysis.complete);
    assert!(analysis.policy.cost.lookups < 1000);
}

#[tokio::test]
async fn a_chain_of_hundreds_does_not_eat_the_stack() {
    let mut dns = FakeDns::default();
    for number in 0..400 {
        let record = format!("v=spf1 include:c{}.example -all", number + 1);
        dns.add(&format!("c{number}.example"), redeliver_net::dns::Data::Txt(redeliver_net::dns::Text::one(&record)));
    }
    let analysis = analyse(&dns, "c0.example").await;
    assert!(!analysis.complete && analysis.has("spf-too-many-lookups"));
    let request = crate::Request::new("192.0.2.1".parse().unwrap(), "", "a@c0.example");
    let limits = crate::Limits { lookups: u32::MAX, ..crate::RFC_LIMITS };
    assert_eq!(crate::evaluate_within(&dns, &request, limits).await.result, SpfResult::PermError);
}

#[tokio::test]
async fn long_records_and_long_answers_are_seen() {
    let record: String = std::iter::once("v=spf1".to_owned())
        .chain((0..30).map(|number| format!(" ip4:198.51.100.{number}")))
        .chain([" -all".to_owned()])
        .collect();
    let mut dns = FakeDns { txt: &[("example.org", &["some other text"])], ..FakeDns::default() };
    let strings: Vec<&[u8]> = record.as_bytes().chunks(255).collect();
    dns.add("example.org", redeliver_net::dns::Data::Txt(redeliver_net::dns::Text::of(&strings)));
    let analysis = analyse(&dns, "example.org").await;
    assert!(analysis.has("spf-record-long") && analysis.has("spf-answer-too-big"));
    // 12 header, 17 question, 28 for the other text, 12 + 3 and the record itself.
    assert_eq!(analysis.policy.answer_octets, 12 + 17 + 28 + 15 + record.len());
}
