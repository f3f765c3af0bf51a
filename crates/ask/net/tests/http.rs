//! Fetching from peers that behave, and from those that are too large, too slow, packed or no HTTP at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use made_certificates::{Authority, clock, self_signed};
use redeliver_net::dns::{CouldNotAsk, FakeDns, Why};
use redeliver_net::http::{FetchError, Fetched, Get, Http, HttpClient};
use redeliver_net::tls::{CertificateFault, Roots, Tls, TlsError};
use redeliver_net::{Guard, ScriptedPeer, Turn};

mod made_certificates;

fn client_with(peers: &[&ScriptedPeer], tls: Tls) -> HttpClient {
    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    let guard = Guard::default().allow_only(loopback()).assume_public(loopback());
    let dns = FakeDns {
        a: &[("www.example.org", "127.0.0.1"), ("half.example.org", "127.0.0.1")],
        fail: &[("broken.example.org", Why::ServerFailure)],
        fail_type: &[("half.example.org", (redeliver_net::dns::RecordType::Aaaa, Why::Timeout))],
        ..FakeDns::default()
    };
    HttpClient::new(guard, Arc::new(dns), tls).with_ports(peers.iter().map(|peer| peer.address().port()).collect())
}

async fn fetch(peer: &ScriptedPeer, get: impl FnOnce(&mut Get)) -> Result<Fetched, FetchError> {
    let client = client_with(&[peer], Tls::new(Roots::none(), clock()));
    let mut request = Get::new(format!("http://www.example.org:{}/policy?x=1", peer.address().port()));
    get(&mut request);
    client.get(&request).await
}

async fn serving(response: &[u8]) -> ScriptedPeer {
    ScriptedPeer::start(vec![Turn::HearTo("\r\n\r\n"), Turn::Say(response.to_vec())]).await
}

#[tokio::test]
async fn a_page_is_fetched_and_nothing_more_is_told_than_needed() {
    let peer =
        serving(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=b\r\nContent-Length: 5\r\n\r\nhello")
            .await;
    let fetched = fetch(&peer, |_| ()).await.unwrap();
    assert_eq!((fetched.status, fetched.body.as_slice(), fetched.server), (200, &b"hello"[..], peer.address()));
    assert_eq!(fetched.field("content-type"), Some("text/plain"));
    let asked = &peer.heard()[0];
    assert!(asked.starts_with("GET /policy?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: www.example.org:{}", peer.address().port())), "{asked}");
    assert!(!asked.to_lowercase().contains("cookie") && !asked.to_lowercase().contains("referer"), "{asked}");
}

#[tokio::test]
async fn a_status_that_says_no_is_an_answer() {
    let peer = serving(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(fetch(&peer, |_| ()).await.unwrap().status, 404);
}

#[tokio::test]
async fn too_much_is_never_read() {
    let bodies = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
        [b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n".to_vec(), vec![b'x'; 101]].concat(),
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n".to_vec(), vec![b'x'; 101]].concat(),
        [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 101]].concat(),
    ];
    for response in bodies {
        let peer = serving(&response).await;
        assert_eq!(fetch(&peer, |get| get.longest = 100).await, Err(FetchError::TooLarge(100)));
    }
    let endless = |what: &[u8]| {
        vec![Turn::HearTo("\r\n\r\n"), Turn::Say(b"HTTP/1.1 200 OK\r\n".to_vec()), Turn::Forever(what.to_vec())]
    };
    let body = ScriptedPeer::start(endless(b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")).await;
    assert!(fetch(&body, |_| ()).await.is_err());
    let head = ScriptedPeer::start(endless(b"X-More: and more\r\n")).await;
    assert!(matches!(fetch(&head, |_| ()).await, Err(FetchError::NotHttp(_))));
}

#[tokio::test]
async fn what_is_packed_is_not_unpacked() {
    for coding in ["gzip", "br", "deflate", "gzip, gzip"] {
        let response = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 3\r\n\r\nabc");
        let peer = serving(response.as_bytes()).await;
        assert_eq!(fetch(&peer, |_| ()).await, Err(FetchError::Compressed(coding.to_owned())));
    }
}

#[tokio::test]
async fn the_slow_and_the_silent_are_left() {
    for script in [
        vec![Turn::Silence],
        vec![Turn::HearTo("\r\n\r\n"), Turn::Drip(b'H', std::time::Duration::from_millis(10))],
        vec![
            Turn::HearTo("\r\n\r\n"),
            Turn::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n".to_vec()),
            Turn::Silence,
        ],
    ] {
        let slow = matches!(script.last(), Some(Turn::Drip(..)));
        let peer = ScriptedPeer::start(script).await;
        let result = fetch(&peer, |get| get.patience = 300).await;
        assert!(result == Err(FetchError::Timeout) || (slow && result.is_err()), "{result:?}");
    }
}

#[tokio::test]
async fn what_is_no_http_is_told() {
    for response in ["220 mx.example.net ESMTP\r\n", "HTTP/1.1 abc\r\n\r\n", ""] {
        let peer = serving(response.as_bytes()).await;
        assert!(matches!(fetch(&peer, |_| ()).await, Err(FetchError::NotHttp(_))), "{response}");
    }
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_no_further() {
    let circle = serving(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(fetch(&circle, |_| ()).await, Err(FetchError::TooManyRedirects(5)));
    assert_eq!(circle.connections(), 6);
    // RFC 8461 3.3: whoever fetches an MTA-STS policy follows none, and sees the redirect.
    assert_eq!(fetch(&circle, |get| get.redirects = 0).await.unwrap().status, 302);
    let page = serving(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let there = format!("HTTP/1.1 301 Moved\r\nLocation: //www.example.org:{}/new\r\n\r\n", page.address().port());
    let moved = serving(there.as_bytes()).await;
    let client = client_with(&[&moved, &page], Tls::new(Roots::none(), clock()));
    let fetched =
        client.get(&Get::new(format!("http://www.example.org:{}/old", moved.address().port()))).await.unwrap();
    assert_eq!((fetched.status, fetched.passed.len()), (200, 1));
    assert!(fetched.url.ends_with("/new") && fetched.passed[0].ends_with("/old"));
}

#[tokio::test]
async fn over_https_only_a_good_certificate_will_do() {
    let authority = Authority::new("Known Authority");
    let encrypted = |identity| {
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
        ScriptedPeer::start(vec![Turn::Tls(identity), Turn::HearTo("\r\n\r\n"), Turn::Say(response)])
    };
    for (identity, fault) in [
        (authority.signs("www.example.org", 2026, 2027), None),
        (authority.signs("other.example.org", 2026, 2027), Some(CertificateFault::WrongName)),
        (authority.signs("www.example.org", 2020, 2021), Some(CertificateFault::Expired)),
        (self_signed("www.example.org"), Some(CertificateFault::SelfSigned)),
    ] {
        let peer = encrypted(identity).await;
        let client = client_with(&[&peer], authority.trusted());
        let result = client.get(&Get::new(format!("https://www.example.org:{}/", peer.address().port()))).await;
        match (result, fault) {
            (Ok(fetched), None) => assert_eq!(fetched.tls.unwrap().faults, []),
            (Err(FetchError::Tls(error)), Some(fault)) => {
                assert!(matches!(*error, TlsError::Untrusted { faults, .. } if faults == [fault]));
                assert_eq!(peer.heard(), [""; 0], "nothing is asked of a server that was not accepted");
            }
            (result, fault) => panic!("{fault:?}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn encryption_is_not_given_up_by_a_redirect() {
    let authority = Authority::new("Known Authority");
    let plain = serving(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let down = format!("HTTP/1.1 302 Found\r\nLocation: http://www.example.org:{}/\r\n\r\n", plain.address().port());
    let identity = authority.signs("www.example.org", 2026, 2027);
    let peer =
        ScriptedPeer::start(vec![Turn::Tls(identity), Turn::HearTo("\r\n\r\n"), Turn::Say(down.into_bytes())]).await;
    let client = client_with(&[&peer, &plain], authority.trusted());
    let result = client.get(&Get::new(format!("https://www.example.org:{}/", peer.address().port()))).await;
    assert_eq!((result, plain.connections()), (Err(FetchError::Downgrade), 0));
}

#[tokio::test]
async fn names_without_an_answer_are_told_from_names_without_an_address() {
    let peer = serving(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let client = client_with(&[&peer], Tls::new(Roots::none(), clock()));
    let get = async |host: &str| client.get(&Get::new(format!("http://{host}:{}/", peer.address().port()))).await;
    let failed = FetchError::Dns(CouldNotAsk::new(Why::ServerFailure));
    assert_eq!(get("broken.example.org").await, Err(failed));
    assert_eq!(get("none.example.org").await, Err(FetchError::NoAddress));
    assert_eq!(get("half.example.org").await.unwrap().status, 200);
}
