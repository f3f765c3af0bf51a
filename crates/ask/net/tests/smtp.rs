//! SMTP sessions and looks against peers that speak well, badly, too much or not at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::time::Duration;

use made_certificates::{Authority, clock, old_fashioned, self_signed};
use redeliver_model::Stage;
use redeliver_net::smtp::{Probe, Probed, Session, SessionError, Smtp, SmtpClient, SmtpPatience, Speaker};
use redeliver_net::tls::{CertificateFault, Demand, Look, Roots, Tls, TlsClient, TlsError, TlsLook};
use redeliver_net::{Guard, Identity, Reach, ScriptedPeer, Turn};

mod made_certificates;

const BRIEF: SmtpPatience = SmtpPatience {
    connect: Duration::from_secs(2),
    greeting: Duration::from_millis(600),
    command: Duration::from_millis(600),
    content: Duration::from_millis(600),
    session: Duration::from_secs(20),
};

/// For sessions that shake hands: cryptography on a busy machine takes its time.
const ROOMY: SmtpPatience = SmtpPatience {
    connect: Duration::from_secs(10),
    greeting: Duration::from_secs(10),
    command: Duration::from_secs(10),
    content: Duration::from_secs(10),
    session: Duration::from_mins(1),
};

fn guard() -> Guard {
    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    Guard::default().allow_only(loopback()).assume_public(loopback())
}

fn nobody_trusted() -> Tls {
    Tls::new(Roots::none(), clock())
}

fn probe_of(peer: &ScriptedPeer) -> Probe {
    Probe {
        server: peer.address(),
        name: Some("mx.example.net".into()),
        helo: "client.example.org".into(),
        start_tls: true,
        mail_from: Some(String::new()),
        recipients: vec!["ann@example.net".into()],
    }
}

async fn look(peer: &ScriptedPeer, patience: SmtpPatience) -> Probed {
    SmtpClient::new(guard(), nobody_trusted()).with_patience(patience).probe(&probe_of(peer)).await
}

async fn session(peer: &ScriptedPeer) -> Session {
    Session::connect(&guard(), Reach::World, peer.address(), ROOMY).await.unwrap()
}

#[tokio::test]
async fn a_look_says_everything_but_data() {
    let peer = ScriptedPeer::smtp(&[
        "220 mx.example.net ESMTP",
        "250-mx.example.net\r\n250 SIZE 1000",
        "250 2.1.0 ok",
        "550-5.1.1 no such user\r\n550 5.1.1 here",
        "250 2.0.0 reset",
        "221 2.0.0 bye",
    ])
    .await;
    let Probed { dialogue, broken_off } = look(&peer, ROOMY).await;
    assert_eq!(broken_off, None);
    assert_eq!(peer.heard(), ["EHLO client.example.org", "MAIL FROM:<>", "RCPT TO:<ann@example.net>", "RSET", "QUIT"]);
    let refused = dialogue.last(Stage::Rcpt).unwrap();
    assert_eq!((refused.reply().code, refused.is_accepted()), (Some(550), false));
    assert_eq!(refused.reply().words(), "no such user here");
    assert_eq!(dialogue.extensions.size(), Some(1000));
    let said: Vec<&str> = dialogue.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(&said[..3], ["220 mx.example.net ESMTP", "EHLO client.example.org", "250-mx.example.net"]);
    assert_eq!(dialogue.lines.iter().filter(|line| line.from == Speaker::Us).count(), 5);
    assert!(dialogue.lines.is_sorted_by_key(|line| line.at));
}

#[tokio::test]
async fn a_refusal_in_the_greeting_ends_the_look_politely() {
    let peer = ScriptedPeer::smtp(&["554 5.7.1 you are listed", "221 bye"]).await;
    let probed = look(&peer, ROOMY).await;
    assert_eq!((probed.broken_off, peer.heard()), (None, vec!["QUIT".to_owned()]));
    assert_eq!(probed.dialogue.last(Stage::Connect).unwrap().reply().code, Some(554));
}

#[tokio::test]
async fn whatever_breaks_a_session_off_is_told_apart() {
    let endless = || b"220-".iter().copied().chain(std::iter::repeat_n(b'x', 100_000)).collect::<Vec<u8>>();
    for (script, expected) in [
        (vec![Turn::Silence], SessionError::Timeout(Stage::Connect)),
        (vec![], SessionError::Closed(Stage::Connect)),
        (vec![Turn::Say(endless())], SessionError::TooLong(Stage::Connect)),
        (vec![Turn::Forever(b"220-more\r\n".to_vec())], SessionError::TooLong(Stage::Connect)),
        (vec![Turn::say("SSH-2.0-x")], SessionError::NotSmtp { stage: Stage::Connect, line: "SSH-2.0-x".into() }),
        (
            vec![Turn::say("220-mx"), Turn::say("250 mx")],
            SessionError::NotSmtp { stage: Stage::Connect, line: "250 mx".into() },
        ),
        (vec![Turn::say("220 mx"), Turn::HearTo("\n"), Turn::Silence], SessionError::Timeout(Stage::Helo)),
        (vec![Turn::say("220 mx"), Turn::HearTo("\n")], SessionError::Closed(Stage::Helo)),
    ] {
        let peer = ScriptedPeer::start(script).await;
        assert_eq!(look(&peer, BRIEF).await.broken_off, Some(expected));
    }
}

#[tokio::test]
async fn a_server_that_drips_cannot_hold_us() {
    // Each octet comes well within the time of a command; the whole greeting does not.
    let peer = ScriptedPeer::start(vec![Turn::Drip(b'2', Duration::from_millis(20))]).await;
    assert_eq!(look(&peer, BRIEF).await.broken_off, Some(SessionError::Timeout(Stage::Connect)));
}

#[tokio::test]
async fn nobody_is_dialled_past_the_guard() {
    let peer = ScriptedPeer::smtp(&["220 mx"]).await;
    for guard in [Guard::default(), Guard::default().allow_only(vec!["192.0.2.0/24".parse().unwrap()])] {
        let client = SmtpClient::new(guard, nobody_trusted());
        let probed = client.probe(&probe_of(&peer)).await;
        assert!(matches!(probed.broken_off, Some(SessionError::Blocked(_))), "{probed:?}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connected = Session::connect(&guard(), Reach::World, closed, ROOMY).await;
    assert!(matches!(connected.unwrap_err(), SessionError::Unreachable(_)));
}

#[tokio::test]
async fn servers_older_than_ehlo_are_greeted_with_helo() {
    let peer = ScriptedPeer::smtp(&["220 mx", "502 what?", "250 mx", "250 ok", "250 ok", "250 ok", "221 bye"]).await;
    let probed = look(&peer, ROOMY).await;
    assert_eq!(probed.broken_off, None);
    assert_eq!(&peer.heard()[..2], ["EHLO client.example.org", "HELO client.example.org"]);
}

/// A server with STARTTLS and this identity.
async fn encrypting(identity: Identity) -> ScriptedPeer {
    let mut script = vec![Turn::say("220 mx.example.net ESMTP")];
    script.extend(Turn::reply("250-mx.example.net\r\n250 STARTTLS"));
    script.extend(Turn::reply("220 2.0.0 go ahead"));
    script.push(Turn::Tls(identity));
    for reply in ["250-mx.example.net\r\n250 SIZE 7", "250 ok", "250 ok", "354 go on", "250 got it"] {
        script.extend(Turn::reply(reply));
    }
    script.push(Turn::Silence);
    ScriptedPeer::start(script).await
}

#[tokio::test]
async fn a_bad_certificate_is_looked_at_and_its_faults_are_named() {
    use CertificateFault::{Expired, NotYetValid, SelfSigned, UnknownIssuer, WrongName};
    let (known, stranger) = (Authority::new("Known Authority"), Authority::new("Strange Authority"));
    for (identity, faults) in [
        (known.signs("mx.example.net", 2026, 2027), vec![]),
        (known.signs("other.example.net", 2026, 2027), vec![WrongName]),
        (known.signs("mx.example.net", 2020, 2021), vec![Expired]),
        (known.signs("mx.example.net", 2027, 2028), vec![NotYetValid]),
        (stranger.signs("mx.example.net", 2026, 2027), vec![UnknownIssuer]),
        (stranger.signs("x.example.net", 2020, 2021), vec![UnknownIssuer, Expired, WrongName]),
        (self_signed("mx.example.net"), vec![SelfSigned]),
    ] {
        let peer = encrypting(identity).await;
        let client = SmtpClient::new(guard(), known.trusted()).with_patience(ROOMY);
        let probe = Probe { mail_from: None, ..probe_of(&peer) };
        let Probed { dialogue, broken_off } = client.probe(&probe).await;
        assert_eq!(broken_off, None);
        let tls = dialogue.tls.unwrap();
        assert_eq!(tls.faults, faults, "{:?}", tls.chain[0].names);
        assert_eq!((tls.protocol.as_str(), tls.name.as_str()), ("TLSv1.3", "mx.example.net"));
        assert_eq!(dialogue.extensions.size(), Some(7), "the EHLO after the handshake counts");
    }
}

#[tokio::test]
async fn where_a_good_certificate_is_demanded_a_bad_one_ends_it() {
    let authority = Authority::new("Known Authority");
    let peer = encrypting(self_signed("mx.example.net")).await;
    let mut session = session(&peer).await;
    session.greeting().await.unwrap();
    session.hello("client.example.org").await.unwrap();
    let error = session.start_tls(&authority.trusted(), Some("mx.example.net"), Demand::Verified).await.unwrap_err();
    let SessionError::Tls(error) = error else { panic!("{error:?}") };
    assert!(matches!(*error, TlsError::Untrusted { faults, .. } if faults == [CertificateFault::SelfSigned]));
    assert!(session.mail("", "").await.is_err(), "nothing is said to a server that was not accepted");
    assert_eq!(peer.heard().len(), 2);
}

#[tokio::test]
async fn a_session_that_only_looks_sends_no_mail() {
    for (demand, sent) in [(Demand::Look, false), (Demand::Encrypt, true)] {
        let peer = encrypting(self_signed("mx.example.net")).await;
        let mut session = session(&peer).await;
        session.greeting().await.unwrap();
        session.hello("client.example.org").await.unwrap();
        session.start_tls(&nobody_trusted(), Some("mx.example.net"), demand).await.unwrap();
        session.hello("client.example.org").await.unwrap();
        session.mail("a@example.org", "").await.unwrap();
        session.rcpt("b@example.net", "").await.unwrap();
        let result = session.data(b"Subject: x\r\n\r\n.").await.map(redeliver_net::smtp::Step::is_accepted);
        assert_eq!(result, if sent { Ok(true) } else { Err(SessionError::OnlyLooking) });
        assert_eq!(peer.heard().iter().any(|line| line == "DATA"), sent);
        let record = format!("{:?}", session.dialogue());
        assert!(!record.contains("Subject"), "content is not recorded");
    }
}

#[tokio::test]
async fn a_line_slipped_in_before_tls_is_no_servers_word() {
    let peer = ScriptedPeer::start(vec![
        Turn::say("220 mx"),
        Turn::HearTo("\n"),
        Turn::say("250-mx\r\n250 STARTTLS"),
        Turn::HearTo("\n"),
        Turn::Say(b"220 go\r\n250 slipped in\r\n".to_vec()),
        Turn::Silence,
    ])
    .await;
    assert_eq!(look(&peer, ROOMY).await.broken_off, Some(SessionError::SpokeBeforeTls));
}

#[tokio::test]
async fn a_failed_handshake_is_no_refusal() {
    let peer = ScriptedPeer::start(vec![
        Turn::say("220 mx"),
        Turn::HearTo("\n"),
        Turn::say("250-mx\r\n250 STARTTLS"),
        Turn::HearTo("\n"),
        Turn::say("220 go"),
        Turn::HearTo("\u{1}"), // the first octets of a ClientHello
        Turn::say("this is no TLS"),
        Turn::Silence,
    ])
    .await;
    let broken_off = look(&peer, ROOMY).await.broken_off;
    assert!(
        matches!(&broken_off, Some(SessionError::Tls(error)) if matches!(**error, TlsError::Handshake(_))),
        "{broken_off:?}"
    );
}

#[tokio::test]
async fn a_line_end_in_an_argument_says_no_second_command() {
    let peer = ScriptedPeer::smtp(&["220 mx", "250 mx", "250 ok"]).await;
    let mut session = session(&peer).await;
    session.greeting().await.unwrap();
    for argument in ["x\r\nRCPT TO:<victim@example.net>", "x\ny", "x\0", &"x".repeat(2000)] {
        assert!(matches!(session.hello(argument).await, Err(SessionError::BadArgument(_))));
        assert!(matches!(session.mail(argument, "").await, Err(SessionError::BadArgument(_))));
        assert!(matches!(session.rcpt("a@example.net", argument).await, Err(SessionError::BadArgument(_))));
    }
    assert_eq!(peer.heard(), [""; 0]);
}

#[tokio::test]
async fn tls_from_the_first_octet_is_looked_at() {
    let authority = Authority::new("Known Authority");
    let identity = authority.signs("mail.example.net", 2026, 2027);
    let peer = ScriptedPeer::start(vec![Turn::Tls(identity), Turn::Silence]).await;
    let client = TlsClient::new(guard(), authority.trusted());
    let look = async |server, name: Option<&str>| client.look(&Look { server, name: name.map(str::to_owned) }).await;
    assert_eq!(look(peer.address(), Some("mail.example.net")).await.unwrap().faults, []);
    assert_eq!(look(peer.address(), Some("imap.example.net.")).await.unwrap().faults, [CertificateFault::WrongName]);
    assert_eq!(look(peer.address(), None).await.unwrap().name, "127.0.0.1");
    let old = ScriptedPeer::start(vec![Turn::Tls(old_fashioned("mail.example.net")), Turn::Silence]).await;
    let facts = look(old.address(), Some("mail.example.net")).await.unwrap();
    assert_eq!((facts.protocol.as_str(), facts.faults.as_slice()), ("TLSv1.2", &[CertificateFault::SelfSigned][..]));
    let silent = ScriptedPeer::start(vec![Turn::Silence]).await;
    let brief = client.clone().with_patience(Duration::from_millis(100));
    assert_eq!(brief.look(&Look { server: silent.address(), name: None }).await, Err(TlsError::Timeout));
    let shut = TlsClient::new(Guard::default(), authority.trusted());
    let blocked = shut.look(&Look { server: silent.address(), name: None }).await;
    assert!(matches!(blocked, Err(TlsError::NoConnection(_))), "{blocked:?}");
}
