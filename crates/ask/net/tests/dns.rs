//! DNS against servers of a few lines on loopback: silent, failing, lying, stale, cut off. The right state each time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, rdata};
use redeliver_net::dns::{
    Absence, Answer, Data, Dns, Dnssec, Name, Patience, Question, RecordType, Resolver, Soa, Text, Why,
};
use redeliver_net::{Guard, Reach};
use scripted_dns::{By, ScriptedDns, a, name, record, response_to, soa, txt, unknown, with, with_code};

mod scripted_dns;

/// Short, since everything is on loopback; the tests only ask that nothing takes longer than `question` allows.
const PATIENCE: Patience = Patience { one_try: Duration::from_millis(400), question: Duration::from_secs(2) };

fn guard() -> Guard {
    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    Guard::default().allow_only(loopback()).assume_public(loopback())
}

fn resolver(servers: &[SocketAddr]) -> Resolver {
    Resolver::new(servers.to_vec(), guard()).with_patience(PATIENCE)
}

fn question(name: &str, record_type: RecordType) -> Question {
    Question::parse(name, record_type).unwrap()
}

/// Asks for the A record of mail.example.org; more than the deadline (and some slack for a busy machine) fails.
async fn ask(dns: &dyn Dns) -> Answer {
    let question = question("mail.example.org", RecordType::A);
    tokio::time::timeout(PATIENCE.question * 5, dns.ask(&question)).await.expect("an answer within the deadline")
}

fn why(answer: &Answer) -> Why {
    answer.could_not_ask().unwrap_or_else(|| panic!("{answer:?}")).why
}

#[tokio::test]
async fn a_silent_resolver_is_no_missing_record() {
    let silent = ScriptedDns::new(|_, _, _| None).await;
    let answer = ask(&resolver(&[silent.address])).await;
    assert_eq!(why(&answer), Why::Timeout);
    assert_eq!(answer.could_not_ask().unwrap().server, Some(silent.address));
    assert!(silent.questions() >= 2, "one lost datagram must not look like an outage");
}

#[tokio::test]
async fn a_silent_resolver_gives_way_to_the_next() {
    let silent = ScriptedDns::new(|_, _, _| None).await;
    let good = ScriptedDns::new(|_, answer, _| Some(with(answer, a("192.0.2.1")))).await;
    let answer = ask(&resolver(&[silent.address, good.address])).await;
    assert_eq!(answer.addresses().next().unwrap().to_string(), "192.0.2.1");
    assert_eq!(answer.origin().unwrap().server, Some(good.address));
}

#[tokio::test]
async fn codes_of_failure_are_kept_apart() {
    for (code, expected) in [
        (ResponseCode::ServFail, Why::ServerFailure),
        (ResponseCode::Refused, Why::Refused),
        (ResponseCode::NotAuth, Why::BadAnswer),
        (ResponseCode::FormErr, Why::BadAnswer),
    ] {
        let broken = ScriptedDns::new(move |_, answer, _| Some(with_code(answer, code))).await;
        let answer = ask(&resolver(&[broken.address])).await;
        assert_eq!(why(&answer), expected);
        assert_eq!(answer.could_not_ask().unwrap().code, Some(u16::from(code)));
    }
}

#[tokio::test]
async fn absent_names_and_absent_types_are_told_apart() {
    for (code, absence) in [(ResponseCode::NXDomain, Absence::NoSuchName), (ResponseCode::NoError, Absence::NoSuchType)]
    {
        let empty = ScriptedDns::new(move |_, mut answer, _| {
            answer.add_authority(record("example.org.", soa(1)));
            Some(with_code(answer, code))
        })
        .await;
        let Answer::Absent { absence: found, origin } = ask(&resolver(&[empty.address])).await else { panic!() };
        assert_eq!((found, origin.ttl), (absence, 60), "the lesser of the SOA's TTL and minimum");
    }
}

#[tokio::test]
async fn bad_signatures_are_told_from_a_broken_server() {
    let validating = ScriptedDns::new(|asked, answer, _| {
        Some(if asked.metadata.checking_disabled {
            with(answer, a("192.0.2.1"))
        } else {
            with_code(answer, ResponseCode::ServFail)
        })
    })
    .await;
    assert_eq!(why(&ask(&resolver(&[validating.address])).await), Why::Bogus);
}

#[tokio::test]
async fn the_dnssec_state_is_the_resolvers_word() {
    for (bit, state) in [(true, Dnssec::Secure), (false, Dnssec::Insecure)] {
        let validating = ScriptedDns::new(move |asked, mut answer, _| {
            assert!(asked.metadata.authentic_data && asked.metadata.recursion_desired);
            answer.metadata.authentic_data = bit;
            Some(with(answer, a("192.0.2.1")))
        })
        .await;
        assert_eq!(ask(&resolver(&[validating.address])).await.origin().unwrap().dnssec, state);
    }
}

#[tokio::test]
async fn an_answer_cut_off_is_asked_for_over_tcp() {
    let long = ScriptedDns::new(|_, mut answer, by| {
        answer.metadata.truncation = by == By::Udp;
        Some(if by == By::Tcp { with(answer, a("192.0.2.1")) } else { answer })
    })
    .await;
    let answer = ask(&resolver(&[long.address])).await;
    assert_eq!((answer.records().len(), long.questions()), (1, 2));
}

#[tokio::test]
async fn a_part_of_an_answer_is_never_used() {
    // The datagram holds one record of two, and TCP is not to be had.
    let half = ScriptedDns::raw(|asked, by| match by {
        By::Udp => {
            let mut answer = response_to(asked);
            answer.metadata.truncation = true;
            vec![with(answer, a("192.0.2.1")).to_vec().unwrap()]
        }
        By::Tcp => Vec::new(),
    })
    .await;
    assert_eq!(why(&ask(&resolver(&[half.address])).await), Why::Truncated);
    // Broken off in the midst of a record.
    let broken = ScriptedDns::raw(|asked, by| {
        let mut answer = with(response_to(asked), a("192.0.2.1"));
        answer.metadata.truncation = by == By::Udp;
        let mut octets = answer.to_vec().unwrap();
        octets.truncate(if by == By::Udp { octets.len() - 2 } else { octets.len() });
        vec![octets]
    })
    .await;
    assert_eq!(ask(&resolver(&[broken.address])).await.records().len(), 1);
}

#[tokio::test]
async fn guesses_from_outside_are_passed_over() {
    let attacked = ScriptedDns::raw(|asked, _| {
        let mut wrong_id = with(response_to(asked), a("203.0.113.66"));
        wrong_id.metadata.id = asked.metadata.id.wrapping_add(1);
        let mut wrong_name = with(response_to(asked), a("203.0.113.67"));
        wrong_name.queries[0].name = name("other.example.org.");
        let right = with(response_to(asked), a("192.0.2.1"));
        [wrong_id, wrong_name, right].iter().map(|answer| answer.to_vec().unwrap()).collect()
    })
    .await;
    let answer = ask(&resolver(&[attacked.address])).await;
    assert_eq!(answer.addresses().next().unwrap().to_string(), "192.0.2.1");
}

#[tokio::test]
async fn records_of_other_names_are_not_taken_in() {
    let poisoning = ScriptedDns::new(|_, mut answer, _| {
        answer.add_answer(record("victim.example.net.", a("203.0.113.66")));
        answer.add_additional(record("mail.example.org.", a("203.0.113.67")));
        answer.add_authority(record("example.org.", soa(1)));
        Some(answer)
    })
    .await;
    assert!(ask(&resolver(&[poisoning.address])).await.is_absent());
}

#[tokio::test]
async fn garbage_is_a_bad_answer() {
    let garbled = ScriptedDns::raw(|asked, _| {
        let mut octets = asked.metadata.id.to_be_bytes().to_vec();
        octets.extend_from_slice(&[0x80, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0xc0, 0x0c]);
        vec![octets]
    })
    .await;
    assert_eq!(why(&ask(&resolver(&[garbled.address])).await), Why::BadAnswer);
}

#[tokio::test]
async fn a_server_without_edns_is_asked_again_without_it() {
    let old = ScriptedDns::new(|asked, answer, _| {
        let edns = asked.edns.is_some();
        Some(if edns { with_code(answer, ResponseCode::FormErr) } else { with(answer, a("192.0.2.1")) })
    })
    .await;
    assert_eq!(ask(&resolver(&[old.address])).await.records().len(), 1);
}

#[tokio::test]
async fn a_wildcard_that_answers_everything_shows_itself_on_a_name_nobody_has() {
    let lying = ScriptedDns::new(|_, answer, _| Some(with(answer, a("203.0.113.80")))).await;
    let dns = resolver(&[lying.address]);
    for name in ["mail.example.org", "nobody-has-this-name-7f3a.example.org"] {
        let answer = dns.ask(&question(name, RecordType::A)).await;
        assert_eq!(answer.records()[0].name, Name::parse(name).unwrap());
    }
    // An A record in answer to a question for TXT is no TXT record.
    assert_eq!(dns.ask(&question("mail.example.org", RecordType::Txt)).await.records().len(), 0);
}

#[tokio::test]
async fn aliases_are_followed_and_shown() {
    let aliased = ScriptedDns::new(|_, answer, _| {
        let mut answer = with(answer, RData::CNAME(rdata::CNAME(name("WEB.example.net."))));
        answer.add_answer(record("web.example.net.", a("192.0.2.9")));
        Some(answer)
    })
    .await;
    let answer = ask(&resolver(&[aliased.address])).await;
    assert_eq!(answer.records()[0].name.as_str(), "web.example.net");
    assert_eq!(answer.origin().unwrap().aliases, [Name::parse("mail.example.org").unwrap()]);
    let circle =
        ScriptedDns::new(|_, answer, _| Some(with(answer, RData::CNAME(rdata::CNAME(name("mail.example.org."))))))
            .await;
    assert_eq!(why(&ask(&resolver(&[circle.address])).await), Why::BadAnswer);
}

#[tokio::test]
async fn of_two_name_servers_the_stale_and_the_silent_one_are_seen() {
    let server = |serial| {
        ScriptedDns::new(move |asked, mut answer, _| {
            assert!(!asked.metadata.recursion_desired, "an authoritative server is not asked to recurse");
            answer.metadata.authoritative = true;
            Some(with(answer, soa(serial)))
        })
    };
    let (fresh, stale) = (server(2_026_112_101).await, server(2_026_112_001).await);
    let silent = ScriptedDns::new(|_, _, _| None).await;
    let dns = resolver(&[]);
    let question = question("example.org", RecordType::Soa);
    let servers = [fresh.address, stale.address, silent.address];
    let answers = futures_util::future::join_all(servers.map(|server| dns.ask_server(server, &question))).await;
    let serial = |answer: &Answer| {
        answer.data().find_map(|data| if let Data::Soa(Soa { serial, .. }) = data { Some(*serial) } else { None })
    };
    assert_eq!((serial(&answers[0]), serial(&answers[1])), (Some(2_026_112_101), Some(2_026_112_001)));
    assert!(answers[1].origin().unwrap().authoritative);
    assert_eq!(answers[0].origin().unwrap().dnssec, Dnssec::Unknown);
    assert_eq!(why(&answers[2]), Why::Timeout);
}

#[tokio::test]
async fn a_server_that_points_elsewhere_is_not_an_absence() {
    let lame = ScriptedDns::new(|_, mut answer, _| {
        answer.add_authority(record("example.org.", RData::NS(rdata::NS(name("ns1.example.net.")))));
        Some(answer)
    })
    .await;
    let question = question("example.org", RecordType::Txt);
    let answer = resolver(&[]).ask_server(lame.address, &question).await;
    assert_eq!(why(&answer), Why::NotAuthoritative);
    assert_eq!(answer.could_not_ask().unwrap().referral, [Name::parse("ns1.example.net").unwrap()]);
}

#[tokio::test]
async fn the_guard_lets_no_packet_out() {
    let trap = ScriptedDns::new(|_, answer, _| Some(with(answer, a("192.0.2.1")))).await;
    let shut = Guard::default().allow_only(vec!["192.0.2.0/24".parse().unwrap()]);
    let dns = Resolver::new(vec![trap.address], shut).with_patience(PATIENCE);
    assert_eq!(why(&ask(&dns).await), Why::Blocked);
    // A name server's address comes from DNS: it must be public, even where everything is allowed.
    let open = Resolver::new(vec![trap.address], Guard::default()).with_patience(PATIENCE);
    let question = question("example.org", RecordType::Soa);
    assert_eq!(why(&open.ask_server(trap.address, &question).await), Why::Blocked);
    assert_eq!(trap.questions(), 0);
    assert!(guard().permit(trap.address.ip(), Reach::World).is_ok());
}

#[tokio::test]
async fn a_refused_connection_is_known_at_once() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(why(&ask(&resolver(&[closed])).await), Why::Unreachable);
}

#[tokio::test]
async fn an_answer_is_remembered_and_a_failure_not_asked_twice() {
    let good = ScriptedDns::new(|_, answer, _| Some(with(answer, a("192.0.2.1")))).await;
    let dns = resolver(&[good.address]);
    futures_util::future::join_all((0..50).map(|_| ask(&dns))).await;
    assert_eq!(good.questions(), 1);
}

#[tokio::test]
async fn odd_names_and_raw_octets_survive_the_wire() {
    let world = ScriptedDns::new(|asked, answer, _| {
        Some(match u16::from(asked.queries[0].query_type) {
            16 => with(answer, txt(&[b"v=spf1 ", b"\xff\x00-all"])),
            99 => with(answer, unknown(99, b"\x03v=s\x02pf")),
            43 => with(answer, unknown(43, &[0x12, 0x34, 13, 2, 0xaa, 0xbb])),
            48 => with(answer, unknown(48, &[1, 1, 3, 13, 0xcc])),
            52 => with(answer, unknown(52, &[3, 1, 1, 0xdd])),
            257 => with(answer, unknown(257, b"\x80\x05issueca.example.net")),
            _ => answer,
        })
    })
    .await;
    let dns = resolver(&[world.address]);
    for (name, record_type, data) in [
        ("_dmarc.M\u{dc}ller.example", RecordType::Txt, Data::Txt(Text::of(&[&b"v=spf1 "[..], b"\xff\x00-all"]))),
        ("a b\\.c.example", RecordType::Spf, Data::Spf(Text::of(&["v=s", "pf"]))),
        (
            "example.org",
            RecordType::Ds,
            Data::Ds { key_tag: 0x1234, algorithm: 13, digest_type: 2, digest: vec![0xaa, 0xbb] },
        ),
        ("example.org", RecordType::Dnskey, Data::Dnskey { flags: 257, algorithm: 13, key: vec![0xcc] }),
        ("_25._tcp.example.org", RecordType::Tlsa, Data::Tlsa { usage: 3, selector: 1, matching: 1, data: vec![0xdd] }),
        (
            "example.org",
            RecordType::Caa,
            Data::Caa { critical: true, tag: "issue".into(), value: b"ca.example.net".to_vec() },
        ),
    ] {
        let answer = dns.ask(&question(name, record_type)).await;
        assert_eq!(answer.data().collect::<Vec<_>>(), [&data], "{name} {record_type}: {answer:?}");
        assert_eq!(answer.records()[0].name, Name::parse(name).unwrap());
    }
}
