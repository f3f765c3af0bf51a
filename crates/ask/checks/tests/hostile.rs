//! Messages and records that are broken in every way: nothing panics, nothing is called good.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod offline;

use std::sync::Arc;

use offline::{check, domain};
use redeliver_checks::{Known, KnownBy, Target};
use redeliver_net::dns::{Data, FakeDns, Text};

const MESSAGE: &str = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=s1; t=1700000000; x=1900000000;\r\n l=4; h=from:to:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\nARC-Seal: i=1; a=rsa-sha256; t=1700000000; cv=none; d=example.net; s=a; b=AAAA\r\nARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=a; h=from:to; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\nARC-Authentication-Results: i=1; mx.example.net; spf=pass\r\nReceived: from mail.example.org (mail.example.org [192.0.2.7]) by mx.example.net; Sat, 21 Nov 2026 10:00:00 +0000\r\nReturn-Path: <ann@example.org>\r\nFrom: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?x?=\r\n\r\nbody\r\n";

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

/// The octets with some changed, doubled, cut or put elsewhere.
fn mutated(octets: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for _ in 0..=numbers.next(6) {
        let at = numbers.next(octets.len());
        match numbers.next(6) {
            0 => octets[at] = u8::try_from(numbers.next(256)).unwrap(),
            1 => octets.truncate(at.max(1)),
            2 => octets.insert(at, b";=,:\"<>\r\n\0"[numbers.next(10)]),
            3 => {
                octets.remove(at);
            }
            4 => {
                let end = (at + numbers.next(80)).min(octets.len());
                let part = octets[at..end].to_vec();
                octets.splice(at..at, part);
            }
            _ => {
                let end = (at + numbers.next(40)).min(octets.len());
                octets.drain(at..end);
            }
        }
        if octets.is_empty() {
            octets.push(b'\n');
        }
    }
    octets
}

#[tokio::test]
async fn no_broken_message_makes_us_panic() {
    let dns = Arc::new(FakeDns {
        txt: &[
            ("s1._domainkey.example.org", &["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]),
            ("a._domainkey.example.net", &["p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]),
        ],
        ..FakeDns::default()
    });
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..1000 {
        let bytes = mutated(MESSAGE.as_bytes(), &mut numbers);
        let found = check(&dns, Target::Message { bytes }, Known::default()).await;
        let dkim = found.iter().find(|one| one.id == "message-dkim");
        assert!(dkim.is_none_or(|one| one.facts.text("result") != Some("pass")));
    }
}

#[tokio::test]
async fn no_broken_record_makes_us_panic() {
    let records = [
        ("example.org", "v=spf1 mx a:b.example.org include:example.net -all"),
        ("_dmarc.example.org", "v=DMARC1; p=reject; rua=mailto:a@example.net,mailto:b@example.com!10m; fo=1"),
        ("s1._domainkey.example.org", "v=DKIM1; k=rsa; t=y; h=sha256; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQ"),
        ("_mta-sts.example.org", "v=STSv1; id=20260101"),
        ("_smtp._tls.example.org", "v=TLSRPTv1; rua=mailto:a@example.org"),
        ("default._bimi.example.org", "v=BIMI1; l=https://example.org/l.svg; a="),
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..400 {
        let mut dns = FakeDns { mx: &[("example.org", (10, "mx.example.org"))], ..FakeDns::default() };
        for (name, record) in records {
            let octets = mutated(record.as_bytes(), &mut numbers);
            let cut = numbers.next(octets.len());
            dns.add(name, Data::Txt(Text(vec![octets[..cut].to_vec(), octets[cut..].to_vec()])));
        }
        let known = Known {
            ip: Some(("192.0.2.7".parse().unwrap(), KnownBy::Log)),
            selectors: vec!["s1".to_owned()],
            ..Known::default()
        };
        check(&Arc::new(dns), domain("example.org"), known).await;
    }
}

#[tokio::test]
async fn names_that_dns_cannot_hold_are_told_and_not_asked() {
    let long = format!("{}.example", vec!["a".repeat(60); 4].join("."));
    for name in ["example", "xn--a.example", &long[..250], "m\u{fc}ller.example"] {
        let found = check(&Arc::new(FakeDns::default()), domain(name), Known::default()).await;
        assert!(!found.is_empty(), "{name}");
    }
}
