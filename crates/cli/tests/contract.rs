//! The JSON contract: `docs/explain.schema.json` against what the binary writes. The small part of JSON Schema that the file
//! uses is read here: type, const, enum, required, properties, items, minItems, oneOf, $ref.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::process::Command;

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../docs/explain.schema.json");

const BOUNCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/bounces");

const MAILS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/mails");

/// What is wrong with `value`, with its place.
fn faults(schema: &Value, rule: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = rule["$ref"].as_str() {
        let target = schema.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("no {name}"));
        return faults(schema, target, value, place, found);
    }
    if let Some(choices) = rule["oneOf"].as_array() {
        let fits = |choice: &&Value| {
            let mut inner = Vec::new();
            faults(schema, choice, value, place, &mut inner);
            inner.is_empty()
        };
        let count = choices.iter().filter(fits).count();
        if count != 1 {
            found.push(format!("{place}: fits {count} of the choices"));
        }
        return;
    }
    let types: Vec<&str> = match &rule["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = types.contains(&own) || (own == "integer" && types.contains(&"number"));
    if !types.is_empty() && !fits {
        found.push(format!("{place}: {own} instead of {types:?}"));
    }
    if !rule["const"].is_null() && rule["const"] != *value {
        found.push(format!("{place}: not {}", rule["const"]));
    }
    if let Some(words) = rule["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{place}: {value} is not one of the words"));
    }
    if value.is_object() {
        for name in rule["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                found.push(format!("{place}: no {name}"));
            }
        }
        for (name, inner) in rule["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                faults(schema, inner, value, &format!("{place}.{name}"), found);
            }
        }
    }
    if let Some(items) = value.as_array() {
        if rule["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
            found.push(format!("{place}: too few"));
        }
        for (number, item) in items.iter().enumerate().filter(|_| !rule["items"].is_null()) {
            faults(schema, &rule["items"], item, &format!("{place}[{number}]"), found);
        }
    }
}

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
