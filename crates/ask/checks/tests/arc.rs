//! ARC chains (RFC 8617) that were sealed for this test: one whole, one of two sealers, and what breaks each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod offline;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use mail_auth::arc::ArcSealer;
use mail_auth::common::cache::NoCache;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::common::parse::TxtRecordParser as _;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    ArcOutput, AuthenticatedMessage, AuthenticationResults, MessageAuthenticator, Parameters, ResolverCache, Txt,
};
use redeliver_checks::{Known, Target};
use redeliver_model::{Finding, Timestamp};
use redeliver_net::dns::{Data, FakeDns, Text, Why};
use redeliver_net::http::FakeWeb;
use redeliver_net::smtp::FakeMail;

const MESSAGE: &str = "From: ann@example.org\r\nTo: list@lists.example\r\nSubject: hello\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nhi\r\n";

/// A sealer with a fresh key.
struct Sealer {
    domain: &'static str,
    key: Vec<u8>,
    record: String,
}

impl Sealer {
    fn new(domain: &'static str) -> Self {
        let key = Ed25519Key::generate_pkcs8().unwrap();
        let public = Ed25519Key::from_pkcs8_der(&key).unwrap().public_key();
        Self { domain, key, record: format!("v=DKIM1; k=ed25519; p={}", base64(&public)) }
    }

    fn name(&self) -> String {
        format!("arc._domainkey.{}", self.domain)
    }

    /// The message with one more set on top.
    async fn seal(&self, message: &str, before: &[&Self]) -> String {
        let parsed = AuthenticatedMessage::parse(message.as_bytes()).unwrap();
        let key = |sealer: &&Self| {
            let key = DomainKey::parse(sealer.record.as_bytes()).unwrap();
            (format!("{}.", sealer.name()).into_boxed_str(), Txt::DomainKey(Arc::new(key)))
        };
        let keys = Keys(before.iter().map(key).collect());
        let output = if before.is_empty() { ArcOutput::default() } else { verified(&parsed, &keys).await };
        let results = AuthenticationResults::new(self.domain);
        let key = Ed25519Key::from_pkcs8_der(&self.key).unwrap();
        let sealer =
            ArcSealer::from_key(key).domain(self.domain).selector("arc").headers(["From", "To", "Subject", "Date"]);
        format!("{}{message}", sealer.seal(&parsed, &results, &output).unwrap().to_header())
    }
}

/// RFC 4648 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(piece.get(at).copied().unwrap_or(0)));
        for at in 0..=piece.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]));
        }
        text.extend(std::iter::repeat_n('=', 3 - piece.len()));
    }
    text
}

/// Keys in memory, so that the library asks nobody.
struct Keys(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Keys {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// What the next sealer finds when he verifies the chain so far.
async fn verified<'x>(message: &'x AuthenticatedMessage<'x>, keys: &'x Keys) -> ArcOutput<'x> {
    let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let library = MessageAuthenticator::new(nobody, ResolverOpts::default()).unwrap();
    let parameters = Parameters {
        params: message,
        cache_txt: Some(keys),
        cache_mx: None::<&NoCache<_, _>>,
        cache_ptr: None::<&NoCache<_, _>>,
        cache_ipv4: None::<&NoCache<_, _>>,
        cache_ipv6: None::<&NoCache<_, _>>,
    };
    library.verify_arc(parameters).await
}

async fn arc(message: &str, dns: FakeDns) -> String {
    let net = offline::net(&Arc::new(dns), FakeMail::default(), FakeWeb::default());
    let target = Target::Message { bytes: message.as_bytes().to_vec() };
    let now = Timestamp::from_date(2026, 11, 21);
    let found = offline::check_at(net, target, Known::default(), now, |_| {}).await;
    let found: Option<&Finding> = found.iter().find(|finding| finding.id == "message-arc");
    found.and_then(|finding| finding.facts.text("result")).unwrap_or("-").to_owned()
}

fn world(sealers: &[&Sealer]) -> FakeDns {
    let mut dns = FakeDns::default();
    for sealer in sealers {
        dns.add(&sealer.name(), Data::Txt(Text::one(&sealer.record)));
    }
    dns
}

#[tokio::test]
async fn a_whole_chain_passes_and_a_broken_one_does_not() {
    let (list, forwarder) = (Sealer::new("lists.example"), Sealer::new("forward.example"));
    let all = [&list, &forwarder];
    let once = list.seal(MESSAGE, &[]).await;
    let twice = forwarder.seal(&once, &[&list]).await;
    assert_eq!(arc(MESSAGE, world(&all)).await, "-", "nobody sealed it");
    assert_eq!(arc(&once, world(&all)).await, "pass");
    assert_eq!(arc(&twice, world(&all)).await, "pass", "{twice}");

    let changed = twice.replace("\r\n\r\nhi\r\n", "\r\n\r\nhi, and more\r\n");
    assert_eq!(arc(&changed, world(&all)).await, "fail", "the body was changed behind the last sealer");
    assert_eq!(arc(&twice.replace("Subject: hello", "Subject: other"), world(&all)).await, "fail");
    // RFC 8617 5.2 step 3: sets are numbered without a gap.
    assert_eq!(arc(&twice.replace("i=1;", "i=3;"), world(&all)).await, "fail");
    assert_eq!(arc(&twice.replace("cv=pass", "cv=fail"), world(&all)).await, "fail");
    assert_eq!(arc(&twice, world(&[&list, &Sealer::new("forward.example")])).await, "fail", "somebody else's key");
    assert_eq!(arc(&twice, world(&[&list])).await, "fail", "no key");
}

#[tokio::test]
async fn a_key_that_cannot_be_asked_for_is_no_broken_chain() {
    let list = Sealer::new("lists.example");
    let sealed = list.seal(MESSAGE, &[]).await;
    let mut dns = FakeDns::default();
    dns.add_failure(&list.name(), None, Why::ServerFailure);
    assert_eq!(arc(&sealed, dns).await, "temperror");
}
