//! The real DNS: the resolver of choice, or the system's, and direct questions to single servers.
//!
//! It never decides what an answer means. On failure it says why: a silent resolver is a time-out at the deadline, a
//! resolver that fails is asked once more without checking signatures, to tell bogus from broken.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::answer::{Answer, CouldNotAsk, Question, Why};
use super::cache::Cache;
use super::exchange::Exchange;
use super::{Asking, Dns};
use crate::guard::{Guard, Reach};

/// The port of DNS (RFC 1035 4.2).
pub const DNS_PORT: u16 = 53;
/// How many resolvers of `resolv.conf` are used, as the system's library does (resolv.conf(5)).
const MOST_RESOLVERS: usize = 3;
/// How many times the resolvers are tried in all: one lost datagram must not look like an outage.
const MOST_TRIES: usize = 3;

/// How many questions are under way at once: each has a socket of its own, and many systems give a program 1024 files.
const MOST_AT_ONCE: usize = 256;

/// How long questions may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one try at one server.
    pub one_try: Duration,
    /// For one question, with all its tries.
    pub question: Duration,
}

impl Default for Patience {
    /// 1.5 seconds a try, 5 seconds a question: a resolver that has to find a far server needs about one.
    fn default() -> Self {
        Self { one_try: Duration::from_millis(1500), question: Duration::from_secs(5) }
    }
}

/// Why a text names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no IP address with or without port: 192.0.2.53, 192.0.2.53:5353, 2001:db8::53, [2001:db8::53]:5353")]
pub struct NoServer;

/// Reads `IP[:PORT]`; the port is 53 unless said.
pub fn parse_server(text: &str) -> Result<SocketAddr, NoServer> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match (text.parse::<SocketAddr>(), bare.parse::<IpAddr>()) {
        (Ok(server), _) if server.port() != 0 => Ok(server),
        (_, Ok(address)) => Ok(SocketAddr::new(address, DNS_PORT)),
        _ => Err(NoServer),
    }
}

/// The real DNS.
#[derive(Debug)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    guard: Guard,
    patience: Patience,
    cache: Cache,
    places: Semaphore,
}

impl Resolver {
    /// Asks these resolvers, the first one first; none means that every question is could-not-ask.
    pub fn new(servers: Vec<SocketAddr>, guard: Guard) -> Self {
        Self {
            servers,
            guard,
            patience: Patience::default(),
            cache: Cache::default(),
            places: Semaphore::new(MOST_AT_ONCE),
        }
    }

    /// Asks the resolvers that this machine uses (`/etc/resolv.conf`).
    pub fn of_this_machine(guard: Guard) -> Self {
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Self::new(resolvers_of(&text), guard)
    }

    /// Changes how long questions may take.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The resolvers that are asked.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    async fn ask_resolvers(&self, question: &Question) -> Answer {
        let _place = self.places.acquire().await; // never closed; without a place it would still be asked
        let deadline = Instant::now() + self.patience.question;
        let mut last = Answer::unasked(Why::NoResolver);
        let mut dumb = Vec::new(); // those that answered with a failure: asking again will not help
        for server in self.servers.iter().cycle().take(MOST_TRIES.max(self.servers.len())) {
            if dumb.contains(server) || Instant::now() >= deadline {
                continue;
            }
            let exchange = self.exchange(*server, Reach::Anywhere, true, deadline);
            last = exchange.ask(question, false).await;
            let Some(no) = last.could_not_ask() else { return last };
            match no.why {
                Why::Timeout => {}
                Why::ServerFailure => {
                    last = told_apart(&exchange, question, last).await;
                    if !matches!(last.could_not_ask(), Some(CouldNotAsk { why: Why::ServerFailure, .. })) {
                        return last;
                    }
                    dumb.push(*server);
                }
                _ => dumb.push(*server),
            }
        }
        last
    }

    fn exchange(&self, server: SocketAddr, reach: Reach, recursion: bool, deadline: Instant) -> Exchange<'_> {
        Exchange { guard: &self.guard, reach, server, recursion, patience: self.patience.one_try, deadline }
    }
}

/// Tells a failure over signatures from any other: bogus is what answers without checking, and still fails with it.
async fn told_apart(exchange: &Exchange<'_>, question: &Question, failed: Answer) -> Answer {
    // RFC 4035 3.2.2: with the CD bit a validating resolver hands out what it could not validate.
    if exchange.ask(question, true).await.could_not_ask().is_some() {
        return failed;
    }
    let again = exchange.ask(question, false).await;
    match again.could_not_ask() {
        None => again,
        Some(no) if no.why == Why::ServerFailure => Answer::CouldNotAsk(CouldNotAsk { why: Why::Bogus, ..no.clone() }),
        Some(_) => failed,
    }
}

impl Dns for Resolver {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.cache.get_or_ask(question, self.ask_resolvers(question)))
    }

    /// The server's address came from DNS, so it must be public; the answer is never remembered.
    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let _place = self.places.acquire().await;
            let deadline = Instant::now() + self.patience.question;
            let exchange = self.exchange(server, Reach::World, false, deadline);
            let first = exchange.ask(question, false).await;
            match first.could_not_ask() {
                Some(no) if no.why == Why::Timeout => exchange.ask(question, false).await,
                _ => first,
            }
        })
    }
}

/// The resolvers named in a `resolv.conf`; zone indices (`%eth0`) are not known to us and dropped with their line.
fn resolvers_of(text: &str) -> Vec<SocketAddr> {
    let addresses = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse::<IpAddr>().ok()).flatten()
    });
    addresses.take(MOST_RESOLVERS).map(|address| SocketAddr::new(address, DNS_PORT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_with_and_without_port() {
        for (text, server) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[2001:db8::53]", "[2001:db8::53]:53"),
            ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ] {
            assert_eq!(parse_server(text).map(|server| server.to_string()), Ok(server.to_owned()), "{text}");
        }
        for wrong in ["", "dns.example.org", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "[192.0.2", ":53"] {
            assert_eq!(parse_server(wrong), Err(NoServer), "{wrong}");
        }
    }

    #[test]
    fn the_machines_resolvers_are_found() {
        let text = "# nameserver 192.0.2.1\nsearch example.org\nnameserver 192.0.2.2\nnameserver\t2001:db8::2 # x\nnameserver fe80::1%eth0\n";
        let servers: Vec<String> = resolvers_of(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.2:53", "[2001:db8::2]:53"]);
    }

    #[tokio::test]
    async fn without_a_resolver_nobody_is_asked() {
        let question = Question::parse("example.org", crate::dns::RecordType::A).unwrap();
        let answer = Resolver::new(Vec::new(), Guard::default()).ask(&question).await;
        assert_eq!(answer.could_not_ask().unwrap().why, Why::NoResolver);
    }
}
