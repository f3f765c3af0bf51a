//! The JSON contract: `docs/explain.schema.json` against what the binary writes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod schema;

use std::process::Command;

use schema::faults;
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/explain.schema.json");

const BOUNCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/bounces");
const MAILS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/mails");

fn told(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(["explain", "--format", "jsonl"])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_written_keeps_the_contract() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut objects = told(&[
        "--host",
        "mx.google.com",
        "--ip",
        "192.0.2.7",
        "--software",
        "postfix",
        "--reply",
        "550-5.7.25 no PTR\n550 5.7.25 for [192.0.2.7]",
        "--reply",
        "452 4.2.2 <bob@example.net> over quota",
        "--reply",
        "no code, no sense",
        "--reply",
        "",
        "no-such-file",
    ]);
    for cause in redeliver_model::Cause::ALL {
        let catalog = redeliver_catalog::Catalog::builtin().unwrap();
        objects.extend(told(&["--reply", &redeliver_diagnose::cause_reply(&catalog, *cause)]));
    }
    objects.extend(told(&["--ours", "example.org,192.0.2.0/24", BOUNCES, MAILS]));
    let kinds: std::collections::BTreeSet<&str> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert!(kinds.len() == 8, "{kinds:?}");
    assert!(objects.len() >= 99, "{}", objects.len());
    for object in &objects {
        let mut found = Vec::new();
        faults(&schema, &schema, object, "", &mut found);
        assert!(found.is_empty(), "{found:?} in {object}");
    }
}

#[test]
fn the_check_can_fail() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut object = told(&["--reply", "550 5.1.1 User unknown"]).remove(0);
    object["retry"] = "perhaps".into();
    let mut found = Vec::new();
    faults(&schema, &schema["$defs"]["explanation"], &object, "", &mut found);
    assert_eq!(found, [".retry: \"perhaps\" is not one of the words"]);
}
