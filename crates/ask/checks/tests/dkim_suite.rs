//! Signed messages of public suites, with their keys: each must verify, and none once it was changed. Without the suites
//! nothing is tested, and that is said loudly.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails; a skip is told")]

mod offline;

use std::path::PathBuf;
use std::sync::Arc;

use redeliver_checks::{Known, Target};
use redeliver_model::{Fact, Finding, Timestamp};
use redeliver_net::dns::{Data, FakeDns, Text};
use redeliver_net::http::FakeWeb;
use redeliver_net::smtp::FakeMail;

/// The folder with the suite; none, and a loud word, if it is not there.
fn suite(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let shared = std::env::var("REDELIVER_SHARED")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared")), PathBuf::from);
    let folder = shared.join("suites/dkim").join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is not there, so NO message of it was verified", folder.display());
        return None;
    };
    let mut files: Vec<(String, Vec<u8>)> = entries
        .flatten()
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    Some(files)
}

/// Checks a message on a day on which none of the suite's signatures was over.
async fn check(dns: FakeDns, bytes: Vec<u8>) -> Vec<Finding> {
    check_at(dns, bytes, Timestamp::from_date(2022, 11, 8)).await
}

async fn check_at(dns: FakeDns, bytes: Vec<u8>, now: Timestamp) -> Vec<Finding> {
    let net = offline::net(&Arc::new(dns), FakeMail::default(), FakeWeb::default());
    offline::check_at(net, Target::Message { bytes }, Known::default(), now, |_| {}).await
}

fn result(findings: &[Finding], id: &str) -> String {
    let found = findings.iter().find(|finding| finding.id == id);
    found.and_then(|finding| finding.facts.text("result")).unwrap_or("-").to_owned()
}

fn signatures(findings: &[Finding]) -> Vec<String> {
    let found = findings.iter().find(|finding| finding.id == "message-dkim").unwrap();
    let Some(Fact::List(list)) = found.facts.get("signatures") else { return Vec::new() };
    list.iter()
        .filter_map(|one| if let Fact::Group(facts) = one { facts.text("result").map(str::to_owned) } else { None })
        .collect()
}

/// A file: lines `name record`, a blank line, the message with lines that end in LF.
fn cut(file: &[u8]) -> (FakeDns, Vec<u8>) {
    let text = String::from_utf8_lossy(file).replace("\r\n", "\n");
    let (records, message) = text.split_once("\n\n").unwrap();
    let mut dns = FakeDns::default();
    for line in records.lines() {
        let (name, record) = line.split_once(' ').unwrap();
        let strings: Vec<&[u8]> = record.as_bytes().chunks(255).collect();
        dns.add(name, Data::Txt(Text::of(&strings)));
    }
    (dns, message.replace('\n', "\r\n").into_bytes())
}

#[tokio::test]
async fn good_messages_verify_and_changed_ones_do_not() {
    let Some(files) = suite("mail-auth") else { return };
    let mut seen = 0;
    for (name, file) in files {
        let (dns, message) = cut(&file);
        let good = check(dns, message.clone()).await;
        assert_eq!(result(&good, "message-dkim"), "pass", "{name}: {:?}", signatures(&good));
        let (dns, _) = cut(&file);
        let mut changed = message;
        changed.extend_from_slice(b"And a line that nobody signed.\r\n");
        assert_eq!(result(&check(dns, changed).await, "message-dkim"), "fail", "{name} with a changed body");
        let (_, message) = cut(&file);
        assert_eq!(
            result(&check(FakeDns::default(), message).await, "message-dkim"),
            "permerror",
            "{name} without keys"
        );
        let (dns, message) = cut(&file);
        let ends = message.windows(4).any(|window| window == b" x=1");
        let later = check_at(dns, message, Timestamp::from_date(2026, 11, 21)).await;
        assert_eq!(result(&later, "message-dkim"), if ends { "permerror" } else { "pass" }, "{name} years later");
        seen += 1;
    }
    assert_eq!(seen, 6);
    eprintln!("dkim suite: {seen} messages verified, and not verified once changed");
}

#[tokio::test]
async fn messages_whose_keys_are_gone_are_read_without_a_pass() {
    let Some(files) = suite("mailauth-node") else { return };
    let mut seen = 0;
    for (name, bytes) in
        files.into_iter().filter(|(name, _)| name.rsplit_once('.').is_some_and(|(_, ending)| ending == "eml"))
    {
        let signed = bytes.windows(15).any(|window| window.eq_ignore_ascii_case(b"dkim-signature:"));
        let sealed = bytes.windows(9).any(|window| window.eq_ignore_ascii_case(b"arc-seal:"));
        let found = check(FakeDns::default(), bytes).await;
        let dkim = result(&found, "message-dkim");
        assert_eq!(dkim == "none", !signed, "{name}: {dkim}");
        assert!(dkim != "pass", "{name}");
        // Without the sealer's key a chain cannot hold (RFC 8617 5.2), and it is never "pass".
        assert_eq!(result(&found, "message-arc"), if sealed { "fail" } else { "-" }, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}
