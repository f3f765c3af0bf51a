//! Nobody can turn us inward: URLs, names, redirects and changing DNS answers that point at our own network, with trap
//! listeners that must not be hit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use made_certificates::clock;
use redeliver_net::dns::{Answer, Asking, Data, Dns, FakeDns, Origin, Question, Record, RecordType};
use redeliver_net::http::{FetchError, Get, Http, HttpClient};
use redeliver_net::tls::{Roots, Tls};
use redeliver_net::{Guard, ScriptedPeer, Turn};

mod made_certificates;

/// The only range that counts as public; the traps stand outside it.
const PUBLIC: &str = "127.77.0.0/16";

/// Hosts that lead inward, as they stand in a URL. `PORT` is put behind each.
const INWARD: &[&str] = &[
    // the address itself, in every way in which it can be written
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0x7f.0.0.0x1",
    "127.000.000.001",
    "%31%32%37.0.0.1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "0",
    "0.0.0.0",
    "0x0",
    "127.255.255.254",
    "127.76.255.255",
    "127.78.0.0",
    // in the clothes of IPv6
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f4d:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::1]",
    "[::ffff:0:127.0.0.1]",
    "[fe80::1]",
    "[fd00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2606:4700::5efe:7f00:1]",
    // other networks that are nobody else's business
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "2852039166",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    // names that mean the machine or its network
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "localhost.localdomain",
    "printer.local",
    "metadata.google.internal",
    "router.lan",
    "nas.home.arpa",
    "intranet",
    // names that resolve inward
    "loop.example.org",
    "loop.example.org.",
    "private.example.org",
    "metadata.example.org",
    "six.example.org",
    "mapped.example.org",
    "translated.example.org",
    "alias.example.org",
    "two.example.org",
];

fn dns() -> FakeDns {
    FakeDns {
        a: &[
            ("public.example.org", "127.77.0.1"),
            ("loop.example.org", "127.0.0.1"),
            ("private.example.org", "10.0.0.1"),
            ("metadata.example.org", "169.254.169.254"),
            ("two.example.org", "127.0.0.1"),
            ("two.example.org", "10.0.0.1"),
        ],
        aaaa: &[
            ("six.example.org", "::1"),
            ("mapped.example.org", "::ffff:127.0.0.1"),
            ("translated.example.org", "64:ff9b::7f00:1"),
        ],
        cname: &[("alias.example.org", "loop.example.org")],
        ..FakeDns::default()
    }
}

/// Listeners on the machine's own addresses, all on one port.
async fn traps() -> (u16, Vec<ScriptedPeer>) {
    let first = ScriptedPeer::start(vec![Turn::Silence]).await;
    let port = first.address().port();
    let mut traps = vec![first];
    for address in ["127.255.255.254", "127.76.255.255", "127.78.0.0", "[::1]"] {
        if let Ok(free) = std::net::TcpListener::bind(format!("{address}:{port}")) {
            drop(free);
            traps.push(ScriptedPeer::start_on(&format!("{address}:{port}"), vec![Turn::Silence]).await);
        }
    }
    (port, traps)
}

fn client(dns: Arc<dyn Dns>, ports: Vec<u16>) -> HttpClient {
    let guard = Guard::default().assume_public(vec![PUBLIC.parse().unwrap()]);
    HttpClient::new(guard, dns, Tls::new(Roots::none(), clock())).with_ports(ports)
}

fn hits(traps: &[ScriptedPeer]) -> u32 {
    traps.iter().map(ScriptedPeer::connections).sum()
}

#[tokio::test]
async fn no_way_of_writing_a_host_leads_inward() {
    let (port, traps) = traps().await;
    let client = client(Arc::new(dns()), vec![port]);
    for host in INWARD {
        for url in [format!("http://{host}:{port}/"), format!("https://{host}:{port}/x")] {
            let result = client.get(&Get::new(&url)).await;
            assert!(matches!(result, Err(FetchError::Inward(_) | FetchError::BadUrl(_))), "{url}: {result:?}");
        }
    }
    assert!(INWARD.len() >= 40 && traps.len() >= 4);
    assert_eq!(hits(&traps), 0);
}

#[tokio::test]
async fn no_user_in_a_url_hides_the_host() {
    let (port, traps) = traps().await;
    let client = client(Arc::new(dns()), vec![port]);
    for url in [
        format!("http://public.example.org@127.0.0.1:{port}/"),
        format!("http://public.example.org:{port}@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}\\@public.example.org/"),
        format!("http://127.0.0.1:{port}#@public.example.org/"),
        format!("http://public.example.org%40127.0.0.1:{port}/"),
    ] {
        let result = client.get(&Get::new(&url)).await;
        assert!(matches!(result, Err(FetchError::Inward(_) | FetchError::BadUrl(_))), "{url}: {result:?}");
    }
    assert_eq!(hits(&traps), 0);
}

#[tokio::test]
async fn no_redirect_leads_inward() {
    let (port, traps) = traps().await;
    for (number, host) in INWARD.iter().enumerate() {
        let status = [301, 302, 303, 307, 308][number % 5];
        let redirect = |to: &str| format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        let serve = |response: String| {
            let script = vec![Turn::HearTo("\r\n\r\n"), Turn::Say(response.into_bytes())];
            ScriptedPeer::start_on("127.77.0.1:0", script)
        };
        // A chain: public, public, inward.
        let second = serve(redirect(&format!("http://{host}:{port}/"))).await;
        let second_port = second.address().port();
        let first = serve(redirect(&format!("http://public.example.org:{second_port}/"))).await;
        let first_port = first.address().port();
        let client = client(Arc::new(dns()), vec![port, first_port, second_port]);
        let result = client.get(&Get::new(format!("http://public.example.org:{first_port}/"))).await;
        // Octets that are no ASCII are not even looked at as a place.
        assert!(
            matches!(result, Err(FetchError::Inward(_) | FetchError::BadUrl(_) | FetchError::NotHttp(_))),
            "{host}: {result:?}"
        );
        assert_eq!((first.connections(), second.connections()), (1, 1), "{host}");
    }
    assert_eq!(hits(&traps), 0);
}

/// Says a public address the first time, an inward one ever after.
struct Rebinding {
    asked: AtomicU32,
}

impl Dns for Rebinding {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            if question.record_type != RecordType::A {
                return FakeDns::default().ask(question).await;
            }
            let first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
            let data = Data::A(if first { "127.77.0.1" } else { "127.0.0.1" }.parse().unwrap());
            let records = vec![Record { name: question.name.clone(), ttl: 0, data }];
            Answer::Present { records, origin: Origin::default() }
        })
    }

    fn ask_server<'a>(&'a self, _: SocketAddr, question: &'a Question) -> Asking<'a> {
        self.ask(question)
    }
}

#[tokio::test]
async fn an_answer_that_changes_between_vetting_and_dialling_changes_nothing() {
    let response = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".to_vec();
    let public = ScriptedPeer::start_on("127.77.0.1:0", vec![Turn::HearTo("\r\n\r\n"), Turn::Say(response)]).await;
    let port = public.address().port();
    let trap = ScriptedPeer::start_on(&format!("127.0.0.1:{port}"), vec![Turn::Silence]).await;
    let dns = Arc::new(Rebinding { asked: AtomicU32::new(0) });
    let client = client(dns.clone(), vec![port]);
    let result = client.get(&Get::new(format!("http://rebind.example.org:{port}/"))).await;
    // The first request reaches the public address; the redirect is resolved and vetted anew.
    assert!(matches!(result, Err(FetchError::Inward(_))), "{result:?}");
    assert_eq!((public.connections(), trap.connections(), dns.asked.load(Ordering::SeqCst)), (1, 0, 2));
}

#[tokio::test]
async fn other_ports_are_not_knocked_at() {
    let public = ScriptedPeer::start_on("127.77.0.1:0", vec![Turn::Silence]).await;
    let port = public.address().port();
    let client = client(Arc::new(dns()), vec![80, 443]);
    let result = client.get(&Get::new(format!("http://public.example.org:{port}/"))).await;
    assert_eq!((result, public.connections()), (Err(FetchError::PortNotAllowed(port)), 0));
}
