//! SPF evaluated and analysed over records from strangers: bounded questions, a result, and the same one again.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redeliver_net::dns::{Data, FakeDns, Text};
use redeliver_spf::{Request, analyse, evaluate};

/// Records that are taken; more would only be slower.
const MOST_RECORDS: usize = 16;

/// RFC 7208 4.6.4: ten terms that ask, each with its name and ten mail servers or reverse names, and the explanation.
const MOST_QUESTIONS: usize = 10 * (1 + 2 * 10) + 32;

/// Questions of a whole policy, counted on past the limits: `MOST_QUESTIONS` of `spf/analyse/walk.rs`, and what one record may
/// ask at once when they are used up.
const MOST_OF_ANALYSIS: usize = 300 + 500;

/// The faked resolver answers at once, so nothing ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a faked answer had to be waited for"),
    }
}

/// Each line is the record of `d0.example`, `d1.example` ...
fn world(bytes: &[u8]) -> FakeDns {
    let mut dns = FakeDns {
        a: &[("a.example", "192.0.2.7"), ("mail.example", "192.0.2.8")],
        aaaa: &[("a.example", "2001:db8::7")],
        mx: &[("a.example", (10, "mail.example")), ("d0.example", (10, "a.example"))],
        ptr: &[("192.0.2.7", "a.example"), ("192.0.2.7", "d0.example")],
        ..FakeDns::default()
    };
    for (number, line) in bytes.split(|byte| *byte == b'\n').take(MOST_RECORDS).enumerate() {
        let strings: Vec<&[u8]> = line.chunks(255).collect();
        dns.add(&format!("d{number}.example"), Data::Txt(Text::of(&strings)));
    }
    dns
}

/// One policy, for two clients.
pub fn walk(bytes: &[u8]) {
    for ip in ["192.0.2.7", "2001:db8::9"] {
        let ip: IpAddr = ip.parse().expect("an address");
        let request = Request::new(ip, "d1.example", "\u{e4}nn.%{x}@d0.example");
        let dns = world(bytes);
        let first = now(evaluate(&dns, &request));
        assert!(first.lookups <= 11, "{} look-ups", first.lookups);
        assert!(dns.asked().len() <= MOST_QUESTIONS, "{} questions", dns.asked().len());
        assert_eq!(first, now(evaluate(&world(bytes), &request)));
    }
    let dns = world(bytes);
    let analysis = now(analyse(&dns, "d0.example"));
    assert!(dns.asked().len() <= MOST_OF_ANALYSIS, "{} questions", dns.asked().len());
    assert_eq!(analysis, now(analyse(&world(bytes), "d0.example")));
}
