//! A world recorded once is played again without a packet, and says of what it does not know that it does not know.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use made_certificates::{Authority, clock};
use redeliver_net::dns::{
    Allowance, Answer, Asking, Data, Dns, FakeDns, Name, Question, RUN_DEADLINE, RecordType, Resolver, Text, Why,
};
use redeliver_net::http::{FetchError, Get, HttpClient};
use redeliver_net::smtp::{Probe, SessionError, SmtpClient};
use redeliver_net::tls::{Look, Roots, Tls, TlsClient, TlsError};
use redeliver_net::world::{Recorded, Tape, World, WorldError};
use redeliver_net::{Guard, Identity, Net, ScriptedPeer, Turn};

mod made_certificates;

/// A file in memory.
#[derive(Clone, Default)]
struct Sheet(Arc<Mutex<Vec<u8>>>);

impl Write for Sheet {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn question(name: &str, record_type: RecordType) -> Question {
    Question::parse(name, record_type).unwrap()
}

/// A mail server with STARTTLS that refuses the recipient.
async fn mail_server(identity: Identity) -> ScriptedPeer {
    let mut script = vec![Turn::say("220 mx.example.org ESMTP")];
    script.extend(Turn::reply("250-mx\r\n250 STARTTLS"));
    script.extend(Turn::reply("220 go"));
    script.push(Turn::Tls(identity));
    for reply in ["250 mx", "250 ok", "550 5.1.1 no", "250 ok", "221 bye"] {
        script.extend(Turn::reply(reply));
    }
    ScriptedPeer::start(script).await
}

#[tokio::test]
async fn a_recorded_world_says_the_same_again_without_a_packet() {
    let authority = Authority::new("Known Authority");
    let mail = mail_server(authority.signs("mx.example.org", 2026, 2027)).await;
    let page = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\\\xff\0".to_vec();
    let web = ScriptedPeer::start(vec![Turn::HearTo("\r\n\r\n"), Turn::Say(page)]).await;

    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    let guard = Guard::default().allow_only(loopback()).assume_public(loopback());
    let stale = FakeDns { soa: &[("example.org", ("ns1.example.org", 7))], ..FakeDns::default() };
    let dns = Arc::new(FakeDns {
        a: &[("www.example.org", "127.0.0.1")],
        txt: &[("example.org", &["v=spf1 ", "-all"])],
        caa: &[("example.org", (true, "issue", "ca.example.net"))],
        tlsa: &[("_25._tcp.example.org", (3, 1, 1, &[1, 0xff]))],
        mx: &[("example.org", (10, "mx.example.org"))],
        fail: &[("broken.example", Why::Bogus)],
        servers: vec![("127.0.0.53".parse().unwrap(), stale)],
        ..FakeDns::default()
    });
    let tls = authority.trusted();
    let http = HttpClient::new(guard.clone(), dns.clone(), tls.clone()).with_ports(vec![web.address().port()]);
    let look = Look { server: mail.address(), name: None };
    let real = Net {
        dns,
        smtp: Arc::new(SmtpClient::new(guard.clone(), tls.clone())),
        tls: Arc::new(TlsClient::new(guard, tls)),
        http: Arc::new(http),
    };
    let sheet = Sheet::default();
    let tape = Arc::new(Tape::new(Box::new(sheet.clone())));
    let recorded = real.recorded(&tape);

    let questions = [
        question("example.org", RecordType::Txt),
        question("example.org", RecordType::Mx),
        question("example.org", RecordType::Caa),
        question("_25._tcp.example.org", RecordType::Tlsa),
        question("broken.example", RecordType::A),
        question("none.example", RecordType::A),
    ];
    let server = "127.0.0.53:53".parse().unwrap();
    let soa = question("example.org", RecordType::Soa);
    let probe = Probe {
        server: mail.address(),
        name: Some("mx.example.org".into()),
        helo: "client.example.net".into(),
        start_tls: true,
        mail_from: Some(String::new()),
        recipients: vec!["ann@example.org".into()],
    };
    let get = Get::new(format!("http://www.example.org:{}/x", web.address().port()));
    let inward = Get::new("http://127.0.0.1/");
    let ask = async |net: &Net| {
        (
            net.dns.ask_all(&questions).await,
            net.dns.ask_server(server, &soa).await,
            net.smtp.probe(&probe).await,
            net.tls.look(&look).await,
            net.http.get(&get).await,
            net.http.get(&inward).await,
        )
    };
    let first = ask(&recorded).await;
    tape.finish().unwrap();
    assert!(first.2.broken_off.is_none() && first.2.dialogue.tls.is_some(), "{:?}", first.2);
    let packets = (mail.connections(), web.connections());

    let text = String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 1 + 7 + 1 + 1 + 2);
    let played = Net::played(World::read(text.as_bytes()).unwrap());
    for _ in 0..2 {
        assert_eq!(ask(&played).await, first);
    }
    assert_eq!((mail.connections(), web.connections()), packets);

    let unknown = played.dns.ask(&question("other.example", RecordType::A)).await;
    assert_eq!(unknown.could_not_ask().unwrap().why, Why::NotRecorded);
    let other = Look { server: mail.address(), name: Some("other.example".into()) };
    assert_eq!(played.tls.look(&other).await, Err(TlsError::NotRecorded));
    let other = Probe { recipients: Vec::new(), ..probe };
    assert_eq!(played.smtp.probe(&other).await.broken_off, Some(SessionError::NotRecorded));
    assert_eq!(played.http.get(&Get::new("http://other.example/")).await, Err(FetchError::NotRecorded));
}

#[tokio::test]
async fn an_answer_that_changed_changes_again() {
    let text = concat!(
        r#"{"redeliver-world":1}"#,
        "\n",
        r#"{"dns":{"server":null,"question":{"name":"example.org","type":"A"},"answer":{"could-not-ask":{"why":"timeout","server":null,"code":null}}}}"#,
        "\n",
        r#"{"dns":{"server":null,"question":{"name":"example.org","type":"A"},"answer":{"present":{"records":[{"name":"example.org","ttl":60,"data":{"a":"192.0.2.1"}}],"origin":{"server":null,"authoritative":false,"dnssec":"unknown","ttl":60}}}}}"#,
    );
    let net = Net::played(World::read(text.as_bytes()).unwrap());
    let question = question("example.org", RecordType::A);
    assert!(net.dns.ask(&question).await.could_not_ask().is_some());
    for _ in 0..2 {
        assert_eq!(net.dns.ask(&question).await.addresses().count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_cut_off_by_the_deadline_is_a_time_out_in_the_recording_too() {
    /// Never answers.
    struct Hanging;
    impl Dns for Hanging {
        fn ask<'a>(&'a self, _: &'a Question) -> Asking<'a> {
            Box::pin(std::future::pending())
        }

        fn ask_server<'a>(&'a self, _: SocketAddr, _: &'a Question) -> Asking<'a> {
            Box::pin(std::future::pending())
        }
    }
    let sheet = Sheet::default();
    let tape = Arc::new(Tape::new(Box::new(sheet.clone())));
    let run = Allowance::new(Recorded::new(Hanging, tape.clone()), RUN_DEADLINE, 10);
    let question = question("example.org", RecordType::A);
    let answer = run.ask(&question).await;
    tape.finish().unwrap();
    let text = sheet.0.lock().unwrap().clone();
    assert_eq!(World::read(text.as_slice()).unwrap().ask(&question).await, answer);
}

#[tokio::test]
async fn records_can_be_proposed_over_a_played_world() {
    let name = Name::parse("_dmarc.example.org").unwrap();
    let world = World::read(&b"{\"redeliver-world\":1}\n"[..]).unwrap();
    let net = Net::played(world).proposed(|overlay| {
        overlay.propose(name.clone(), RecordType::Txt, vec![Data::Txt(Text::one("v=DMARC1; p=none"))]);
    });
    let answer = net.dns.look_up(&name, RecordType::Txt).await;
    assert_eq!(answer.texts().next().unwrap().to_text(), "v=DMARC1; p=none");
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let read = |text: &str| World::read(text.as_bytes()).unwrap_err();
    assert!(matches!(read(""), WorldError::OtherFormat));
    assert!(matches!(read("{\"redeliver-world\":2}\n"), WorldError::OtherFormat));
    assert!(matches!(read("Subject: hello\n"), WorldError::OtherFormat));
    for wrong in ["{}", "", "{\"dns\":{}}", "{\"ftp\":{}}", "[1"] {
        let error = read(&format!("{{\"redeliver-world\":1}}\n{wrong}\n"));
        assert!(matches!(error, WorldError::BadLine { line: 2, .. }), "{wrong}: {error}");
    }
}

#[tokio::test]
async fn a_full_disk_disturbs_nobody_and_is_told_at_the_end() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let tape = Arc::new(Tape::new(Box::new(Full)));
    let resolver = Resolver::new(Vec::new(), Guard::default());
    let net = Net::real(&Guard::default(), resolver, Tls::new(Roots::none(), clock())).recorded(&tape);
    let answer = net.dns.ask(&question("example.org", RecordType::A)).await;
    assert_eq!(answer, Answer::unasked(Why::NoResolver));
    assert!(tape.finish().is_err());
}
