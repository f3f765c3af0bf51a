//! The official tests of the Public Suffix List, which lie outside this repository.

use std::path::PathBuf;

use redeliver_records::registrable_domain;

fn shared(path: &str) -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    std::env::var_os("REDELIVER_SHARED").map_or(beside, PathBuf::from).join(path)
}

#[test]
fn the_lists_own_tests() {
    let path = shared("suites/psl/test_psl.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} is not there, so the Public Suffix List was NOT tested", path.display());
        return;
    };
    let mut tested = 0;
    for line in text.lines() {
        let Some(arguments) = line.strip_prefix("checkPublicSuffix(").and_then(|rest| rest.strip_suffix(");")) else {
            continue;
        };
        let (name, want) = arguments.split_once(", ").unwrap();
        let name = name.trim_matches('\'');
        let want = (want != "null").then(|| want.trim_matches('\''));
        let name = if name == "null" { "" } else { name };
        assert_eq!(registrable_domain(name).as_deref(), want, "{name}");
        tested += 1;
    }
    assert!(tested > 70, "{tested}");
}

#[test]
fn a_domain_under_a_suffix_of_two_labels() {
    assert_eq!(registrable_domain("Mail.Example.Co.UK.").as_deref(), Some("example.co.uk"));
    assert_eq!(registrable_domain("co.uk"), None);
    assert_eq!(registrable_domain("a..uk"), None);
}
