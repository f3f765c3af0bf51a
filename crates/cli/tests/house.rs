//! The order of the house, as tests over `cargo metadata` and the files: who may depend on whom, where each heavy library
//! lives, which licences are linked in, how long a file may be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crate may use which others of ours, dev-dependencies included (ARCHITECTURE.md says why).
const MAY_USE: &[(&str, &[&str])] = &[
    ("redeliver-model", &[]),
    ("redeliver-catalog", &["redeliver-model"]),
    ("redeliver-records", &["redeliver-model"]),
    ("redeliver-net", &["redeliver-model"]),
    ("redeliver-spf", &["redeliver-model", "redeliver-net", "redeliver-records"]),
    (
        "redeliver-checks",
        &[
            "redeliver-model",
            "redeliver-catalog",
            "redeliver-records",
            "redeliver-message",
            "redeliver-diagnose",
            "redeliver-net",
            "redeliver-spf",
        ],
    ),
    ("redeliver-message", &["redeliver-model"]),
    ("redeliver-intake", &["redeliver-model", "redeliver-message"]),
    ("redeliver-logs", &["redeliver-model"]),
    ("redeliver-diagnose", &["redeliver-model", "redeliver-catalog", "redeliver-message"]),
    ("redeliver-remedies", &["redeliver-model", "redeliver-catalog"]),
    ("redeliver-report", &["redeliver-model", "redeliver-catalog"]),
    (
        "redeliver",
        &[
            "redeliver-model",
            "redeliver-catalog",
            "redeliver-checks",
            "redeliver-message",
            "redeliver-intake",
            "redeliver-logs",
            "redeliver-diagnose",
            "redeliver-net",
            "redeliver-remedies",
            "redeliver-report",
        ],
    ),
];

/// Heavy or sharp libraries and the only crates that may use them.
const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["redeliver"]),
    ("indicatif", &["redeliver"]),
    ("clap_complete", &["redeliver"]),
    ("clap_mangen", &["redeliver"]),
    ("anyhow", &["redeliver"]),
    ("toml", &["redeliver-catalog"]),
    ("csv", &["redeliver-report"]),
    ("icalendar", &["redeliver-report"]),
    ("postcard", &["redeliver-catalog"]),
    ("psl", &["redeliver-records"]),
    ("regex", &[]),
    ("sqlx", &[]),
    ("axum", &[]),
    ("hickory-resolver", &[]),
    ("hickory-proto", &["redeliver-net"]),
    ("rustls", &["redeliver-net"]),
    ("tokio-rustls", &["redeliver-net"]),
    ("hyper", &["redeliver-net"]),
    ("hyper-util", &["redeliver-net"]),
    ("x509-parser", &["redeliver-net"]),
    ("indicatif", &["redeliver"]),
    ("mail-auth", &["redeliver-checks"]),
    ("mail-parser", &["redeliver-message"]),
    // Unpacking is message's; intake's tests pack what it has to find.
    ("zip", &["redeliver-message", "redeliver-intake"]),
    ("tar", &["redeliver-message", "redeliver-intake"]),
    ("flate2", &["redeliver-message", "redeliver-intake"]),
    ("ruzstd", &["redeliver-message", "redeliver-intake"]),
    ("cfb", &["redeliver-intake"]),
    // Its own keys are weak; model gives it better ones.
    ("foldhash", &["redeliver-model"]),
];

/// Licences that a closed product can link.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "Unlicense",
    "Unicode-3.0",
];

const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    // What is linked in on this platform; crates of other platforms need not be there.
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ours(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let members = packages.filter(|package| members.contains(package["id"].as_str().unwrap()));
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    members
        .map(|package| (name(package), package["dependencies"].as_array().unwrap().iter().map(name).collect()))
        .collect()
}

#[test]
fn nobody_uses_a_crate_to_his_right() {
    let crates = ours(&metadata());
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    for (name, dependencies) in &crates {
        let allowed = table.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the table"));
        // A crate may test itself with its own fakes.
        for used in dependencies.iter().filter(|used| crates.contains_key(*used) && *used != name) {
            assert!(allowed.contains(&used.as_str()), "{name} must not use {used}");
        }
    }
    assert_eq!(crates.len(), MAY_USE.len(), "the table names a crate that is not there");
}

#[test]
fn heavy_libraries_stay_at_home() {
    for (name, dependencies) in ours(&metadata()) {
        for (library, homes) in HOMES {
            let used = dependencies.iter().any(|used| used == library);
            assert!(!used || homes.contains(&name.as_str()), "{library} may only be used by {homes:?}, not by {name}");
        }
    }
}

#[test]
fn every_crate_lives_in_its_wing() {
    for (name, wing) in [
        ("model", "know"),
        ("catalog", "know"),
        ("records", "know"),
        ("net", "ask"),
        ("spf", "ask"),
        ("checks", "ask"),
        ("message", "read"),
        ("intake", "read"),
        ("logs", "read"),
        ("diagnose", "read"),
        ("remedies", "act"),
        ("report", "act"),
    ] {
        assert!(root().join("crates").join(wing).join(name).join("src/lib.rs").is_file(), "crates/{wing}/{name}");
    }
}

/// Whether an SPDX expression can be met with the licences of the list.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    expression.split(" AND ").all(|all| all.split(" OR ").any(|one| LICENCES.contains(&one.trim())))
}

#[test]
fn only_permissive_licences_are_linked_in() {
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence), "{name} has the licence `{licence}`");
    }
}

#[test]
fn the_licence_test_can_fail() {
    assert!(
        is_allowed("MIT OR Apache-2.0")
            && is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0")
            && is_allowed("MIT/Apache-2.0")
    );
    assert!(!is_allowed("GPL-3.0") && !is_allowed("MIT AND AGPL-3.0") && !is_allowed(""));
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    assert!(files.len() > 20);
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_module_says_what_it_does() {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//! "), "{} has no header", file.display());
    }
}
