//! The SPF defects of the DNS world that lies outside this repository: each is named, and the good policies are left in peace.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, and one that is left out says so"
)]

mod suite;

use std::process::Command;

use redeliver_spf::{Harm, Request, SpfResult, analyse, evaluate};
use serde_json::Value;

/// The reader of zone files.
const READER: &str = include_str!("zones2json.py");

/// A folder or file of the DNS world.
fn world(name: &str) -> std::path::PathBuf {
    suite::suite_file("").join("../../dnsworld").join(name)
}

fn zones() -> Option<Value> {
    let output = Command::new("python3").args(["-c", READER]).arg(world("zones")).output();
    match output {
        Ok(output) if output.status.success() && output.stdout.len() > 1000 => {
            Some(serde_json::from_slice(&output.stdout).unwrap())
        }
        other => {
            let words = other.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
            eprintln!("SKIPPED: the SPF defects of the DNS world were NOT looked for: {words:?}");
            None
        }
    }
}

#[tokio::test]
async fn every_spf_defect_is_named_and_nothing_else_is() {
    let Some(zones) = zones() else { return };
    let defects: Value = serde_json::from_str(&std::fs::read_to_string(world("defects.json")).unwrap()).unwrap();
    let zone = suite::Zone::of(&zones);
    let mut seen = 0;
    for defect in defects.as_array().unwrap() {
        let word = |key: &str| defect[key].as_str().unwrap();
        let (domain, id) = (word("domain"), word("id"));
        // These live in DNS itself, not in a policy.
        if matches!(id, "dnssec-bogus" | "dns-lame" | "domain-nxdomain" | "domain-dbl")
            || !id.starts_with("spf-") && word("expect") != "clean"
        {
            continue;
        }
        let analysis = analyse(&zone, domain).await;
        let grave: Vec<&str> =
            analysis.notes.iter().filter(|note| note.harm != Harm::Untidy).map(|note| note.id).collect();
        match (id, word("expect")) {
            ("spf-ip-not-listed", _) => {
                let request = Request::new(word("ip").parse().unwrap(), "client.example", format!("a@{domain}"));
                assert_eq!(evaluate(&zone, &request).await.result, SpfResult::Fail);
            }
            (_, "clean") => assert!(grave.is_empty(), "{domain}: {:?}", analysis.notes),
            _ => assert!(grave.contains(&id), "{domain} lacks {id}: {:?}", analysis.notes),
        }
        seen += 1;
    }
    eprintln!("DNS world: {seen} domains looked at");
    assert!(seen > 20, "{seen}");
}
