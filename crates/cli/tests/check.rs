//! `redeliver check` as it is called: a recorded world in, findings, exit codes and the JSON contract out. Nothing is connected to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod schema;

use std::path::PathBuf;
use std::process::{Command, Output};

use schema::faults;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../docs/check.schema.json");
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A recording: names with what they have; every other name that is asked for is not in it, and so could not be asked.
struct World(Vec<Value>);

impl World {
    fn new() -> Self {
        Self(vec![json!({"redeliver-world": 1})])
    }

    fn answer(mut self, name: &str, record_type: &str, answer: &Value) -> Self {
        let question = json!({"name": name, "type": record_type});
        self.0.push(json!({"dns": {"server": null, "question": question, "answer": answer}}));
        self
    }

    fn has(self, name: &str, record_type: &str, data: &Value) -> Self {
        let record = json!({"name": name, "ttl": 300, "data": data});
        self.answer(name, record_type, &json!({"present": {"records": [record], "origin": origin()}}))
    }

    fn lacks(self, name: &str, record_type: &str) -> Self {
        self.answer(name, record_type, &json!({"absent": {"absence": "no-such-type", "origin": origin()}}))
    }

    /// A domain whose mail is in order, but for `_dmarc`.
    fn of_a_domain() -> Self {
        let mut world = Self::new()
            .has("example.org", "TXT", &json!({"txt": ["v=spf1 mx -all"]}))
            .has("example.org", "MX", &json!({"mx": {"preference": 10, "exchange": "mx.example.org"}}))
            .has("mx.example.org", "A", &json!({"a": "192.0.2.7"}))
            .has("7.2.0.192.in-addr.arpa", "PTR", &json!({"ptr": "mx.example.org"}))
            .has("s1._domainkey.example.org", "TXT", &json!({"txt": [KEY]}));
        for (name, record_type) in [
            ("example.org", "SOA"),
            ("example.org", "A"),
            ("example.org", "AAAA"),
            ("example.org", "SPF"),
            ("mx.example.org", "AAAA"),
            ("_25._tcp.mx.example.org", "TLSA"),
            ("_domainkey.example.org", "TXT"),
            ("_mta-sts.example.org", "TXT"),
            ("_smtp._tls.example.org", "TXT"),
            ("default._bimi.example.org", "TXT"),
            ("no-such-label-asked-by-redeliver.example.org", "TXT"),
            ("_dmarc.example.org.example.org", "TXT"),
            ("_dmarc.org", "TXT"),
        ] {
            world = world.lacks(name, record_type);
        }
        world
    }

    fn write(&self, name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("redeliver-check-{}-{name}.jsonl", std::process::id()));
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        path
    }
}

fn origin() -> Value {
    json!({"server": "192.0.2.53:53", "authoritative": false, "dnssec": "insecure", "ttl": 300})
}

fn run(world: &World, name: &str, arguments: &[&str]) -> Output {
    let path = world.write(name);
    let output = Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(["check", "--assume-public", "192.0.2.0/24", "--world"])
        .arg(&path)
        .args(arguments)
        .output()
        .unwrap();
    std::fs::remove_file(path).unwrap();
    output
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_written_keeps_the_contract() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let world = World::of_a_domain().lacks("_dmarc.example.org", "TXT");
    let arguments = [
        "--format",
        "jsonl",
        "--ip",
        "192.0.2.7",
        "--selector",
        "s1",
        "example.org",
        "192.0.2.7",
        "no domain",
        "gone.eml",
    ];
    let output = run(&world, "contract", &arguments);
    let objects = lines(&output);
    assert!(objects.len() > 20, "{}", objects.len());
    for object in &objects {
        let mut found = Vec::new();
        faults(&schema, &schema, object, "", &mut found);
        assert!(found.is_empty(), "{found:?} in {object}");
    }
    let missing = objects.iter().find(|object| object["id"] == "dmarc-missing").unwrap();
    assert_eq!((&missing["result"], &missing["severity"]), (&json!("fail"), &json!("weakens")));
    assert_eq!(missing["facts"]["asked"][0]["question"], "_dmarc.example.org TXT");
    assert_eq!(objects.iter().filter(|object| !object["error"].is_null()).count(), 2);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_contract_can_be_broken() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let output = run(&World::new(), "broken", &["--format", "jsonl", "example.org"]);
    let mut object = lines(&output).remove(0);
    object["result"] = "perhaps".into();
    let mut found = Vec::new();
    faults(&schema, &schema["$defs"]["finding"], &object, "", &mut found);
    assert_eq!(found, [".result: \"perhaps\" is not one of the words"]);
}

#[test]
fn exit_codes_say_what_was_found() {
    let policy = |text: &str| World::of_a_domain().has("_dmarc.example.org", "TXT", &json!({"txt": [text]}));
    let of_domain = ["--ip", "192.0.2.7", "--selector", "s1", "example.org"];
    // Nothing is wrong, but nobody answers for the blocklists.
    assert_eq!(run(&policy("v=DMARC1; p=reject"), "unknown", &of_domain).status.code(), Some(3));
    assert_eq!(run(&policy("v=DMARC1; p=none"), "findings", &of_domain).status.code(), Some(1));
    assert_eq!(run(&World::new(), "nobody", &["example.org"]).status.code(), Some(3));
    assert_eq!(run(&World::new(), "usage", &[]).status.code(), Some(2));
    assert_eq!(run(&World::new(), "nothing", &["missing.eml"]).status.code(), Some(2));
    let fields = std::env::temp_dir().join(format!("redeliver-check-fields-{}.eml", std::process::id()));
    std::fs::write(&fields, format!("From: a@example.org\n{}\nx", "X:\n".repeat(20_001))).unwrap();
    let output = run(&World::new(), "fields", &["--format", "jsonl", fields.to_str().unwrap()]);
    std::fs::remove_file(&fields).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output)[0]["error"]["code"], "too-complex");
    assert_eq!(run(&World::new(), "cidr", &["--net-allow", "nonsense", "example.org"]).status.code(), Some(2));
}

#[test]
fn targets_come_from_a_list_and_the_order_stays() {
    let list = std::env::temp_dir().join(format!("redeliver-check-{}-targets.txt", std::process::id()));
    std::fs::write(&list, "# ours\nb.example\n\na.example # the second\n").unwrap();
    let output = run(&World::new(), "list", &["--format", "jsonl", "--targets", list.to_str().unwrap()]);
    std::fs::remove_file(list).unwrap();
    let mut targets: Vec<String> =
        lines(&output).iter().map(|object| object["target"].as_str().unwrap().to_owned()).collect();
    targets.dedup();
    assert_eq!(targets, ["b.example", "a.example"]);
}

#[test]
fn every_form_is_written() {
    let world = World::of_a_domain().lacks("_dmarc.example.org", "TXT");
    for (form, begins) in [
        ("text", "example.org\n"),
        ("json", "[\n{\"schema\":1,\"target\":\"example.org\""),
        ("csv", "target,check,id,result,severity,cause,summary\n"),
        ("markdown", "### example.org\n"),
    ] {
        let output = run(&world, form, &["--format", form, "example.org", "--selector", "s1"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with(begins), "{form}: {text}");
    }
    let open = run(&world, "verbose", &["-v", "example.org", "--selector", "s1"]);
    assert!(String::from_utf8(open.stdout).unwrap().contains("question: s1._domainkey.example.org TXT"));
}
