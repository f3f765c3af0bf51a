//! Bounce mails as golden pairs: `testdata/bounces/NAME.eml` with what `explain` must say of it in `NAME.json`.
//!
//! A pair's JSON holds `ours` (what is passed with `--ours`), `expect` (for each object, in order, values by dotted path)
//! and `not_in_output` (texts that must not be told).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn pairs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/bounces");
    let mut pairs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pairs.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    pairs.sort();
    pairs
}

/// The value at `causes.0.cause`.
fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, key| match key.parse::<usize>() {
        Ok(number) => &value[number],
        Err(_) => &value[key],
    })
}

/// What is wrong with one pair.
fn faults(pair: &Path) -> Vec<String> {
    let want: Value = serde_json::from_str(&std::fs::read_to_string(pair).unwrap()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_redeliver"));
    command.args(["explain", "--format", "jsonl"]).arg(pair.with_extension("eml"));
    let ours: Vec<&str> = want["ours"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !ours.is_empty() {
        command.args(["--ours", &ours.join(",")]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut faults = Vec::new();
    let wanted = want["expect"].as_array().unwrap();
    if told.len() != wanted.len() {
        faults.push(format!("{} objects instead of {}", told.len(), wanted.len()));
    }
    for (number, (wanted, told)) in wanted.iter().zip(&told).enumerate() {
        for (path, value) in wanted.as_object().unwrap() {
            let got = at(told, path);
            if got != value {
                faults.push(format!("object {number}: {path} is {got} instead of {value}"));
            }
        }
    }
    for text in want["not_in_output"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if told.iter().any(|told| told.to_string().contains(text)) {
            faults.push(format!("it says {text:?}"));
        }
    }
    faults
}

#[test]
fn every_pair_is_told_as_written() {
    let pairs = pairs();
    assert!(pairs.len() >= 30, "only {} pairs", pairs.len());
    let mut wrong = Vec::new();
    for pair in &pairs {
        let name = pair.file_stem().unwrap().to_string_lossy().into_owned();
        wrong.extend(faults(pair).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
