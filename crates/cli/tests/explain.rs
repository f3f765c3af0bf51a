//! `redeliver explain` as its users call it: a person with a reply, an administrator with a list, a script reading JSON.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const LISTED: &str = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org";

fn run(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_redeliver"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A child that has nothing to read may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn one(arguments: &[&str]) -> Value {
    let mut all = vec!["explain", "--format", "jsonl"];
    all.extend(arguments);
    let output = run(&all, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    lines(&output).remove(0)
}

fn first(told: &Value) -> (&str, f64) {
    (told["causes"][0]["cause"].as_str().unwrap(), told["causes"][0]["confidence"].as_f64().unwrap())
}

#[test]
fn a_person_gets_one_screen_worst_first() {
    let output = run(&["explain", "--reply", LISTED], b"");
    let screen = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(screen.starts_with("On a blocklist\n"), "{screen}");
    assert!(screen.contains("192.0.2.7") && screen.contains("Spamhaus ZEN") && screen.contains("  1. "), "{screen}");
    assert!(!screen.contains('\u{1b}'), "no colour where there is no terminal");
    assert!(screen.lines().count() <= 60, "{} lines", screen.lines().count());
    assert!(screen.lines().all(|line| line.chars().count() <= 104), "{screen}");
}

#[test]
fn the_same_code_from_two_hosts_has_two_causes() {
    let reply = "554 5.7.9 Message not accepted for policy reasons";
    let yahoo = one(&["--host", "mta5.am0.yahoodns.net", "--reply", reply]);
    let elsewhere = one(&["--host", "mx.example.net", "--reply", reply]);
    assert_eq!(first(&yahoo).0, "unauthenticated");
    assert_eq!(first(&elsewhere).0, "policy");
    let google = one(&["--host", "gmail-smtp-in.l.google.com", "--reply", "550 5.7.30 Refused"]);
    let microsoft = one(&["--host", "example-net.mail.protection.outlook.com", "--reply", "550 5.7.30 Refused"]);
    assert_eq!(first(&google).0, "dkim-fail");
    assert_eq!(first(&microsoft).0, "auth-failed");
}

#[test]
fn a_tag_names_its_site_and_an_unknown_list_is_named_all_the_same() {
    assert_eq!(one(&["--reply", "554 5.7.1 [CS01] Message rejected due to local policy."])["site"], "apple");
    let told = one(&["--reply", "554 5.7.1 Client host [192.0.2.7] blocked using dnsbl.nobody-knows.example"]);
    assert_eq!((first(&told).0, &told["list"]), ("blocklisted", &Value::from("dnsbl.nobody-knows.example")));
}

#[test]
fn a_text_with_two_meanings_gives_both_and_the_check_that_decides() {
    let told = one(&["--reply", "554 5.7.1 - Message rejected due to local policy"]);
    let causes: Vec<&str> =
        told["causes"].as_array().unwrap().iter().filter_map(|cause| cause["cause"].as_str()).collect();
    assert_eq!(causes[0], "policy");
    assert!(causes.contains(&"poor-reputation") && causes.contains(&"unauthenticated"), "{causes:?}");
    assert!(told["settled_by"].as_array().unwrap().iter().any(|check| check == "authentication"));
}

#[test]
fn a_guess_is_called_one_and_tells_nobody_to_stop() {
    let screen = text(&run(&["explain", "--reply", "550"], b"").stdout);
    assert!(screen.starts_with("Not clear; perhaps: "), "{screen}");
    let told = one(&["--reply", "550"]);
    assert_eq!((&told["verdict"]["act"], &told["address_is_bad"]), (&Value::from("ask"), &Value::from("unproven")));
}

#[test]
fn what_is_given_wins_over_what_the_text_names() {
    let output =
        run(&["explain", "--ip", "203.0.113.9", "--reply", "550 5.7.25 PTR record missing for [192.0.2.7]"], b"");
    let screen = text(&output.stdout);
    assert!(screen.contains("dig +short -x 203.0.113.9"), "{screen}");
}

#[test]
fn a_dead_list_is_the_receivers_fault_from_the_day_it_died() {
    let reply = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using dnsbl.sorbs.net";
    let today = one(&["--reply", reply]);
    assert_eq!((first(&today).0, &today["verdict"]["fault"]), ("receiver-misconfigured", &Value::from("receiver")));
    assert!(today["causes"].as_array().unwrap().iter().any(|cause| cause["cause"] == "blocklisted"));
    let then = one(&["--time", "2020-01-01", "--reply", reply]);
    assert_eq!(first(&then).0, "blocklisted");
}

#[test]
fn pasted_and_flattened_replies_are_the_same() {
    let pasted = "550-5.7.1 Client host 192.0.2.7 is\r\n550-5.7.1 listed at bl.example.net\r\n550 5.7.1 see https://bl.example.net/";
    let flat = pasted.replace("\r\n", " ");
    let (pasted, flat) = (one(&["--reply", pasted]), one(&["--reply", &flat]));
    assert_eq!(pasted["reply"]["lines"].as_array().unwrap().len(), 3);
    assert_eq!(pasted["reply"], flat["reply"]);
    assert_eq!(first(&pasted), first(&flat));
}

#[test]
fn a_screen_of_a_web_mailer_on_standard_input() {
    let screen = "Message not delivered\n\nYour message to bob@example.net was refused.\n\nThe response from the remote server was:\n\n\
                  550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in local recipient table\n\n© Example Mail";
    let output = run(&["explain", "--format", "jsonl"], screen.as_bytes());
    let told = lines(&output).remove(0);
    assert_eq!(first(&told).0, "recipient-unknown");
    assert_eq!(told["recipient"], "bob@example.net");
    assert_eq!((&told["address_is_bad"], &told["reply"]["code"]), (&Value::from("yes"), &Value::from(550)));
}

#[test]
fn a_log_line_names_host_stage_and_our_own_software() {
    let line = "to=<b@example.net>, relay=mx.example.net[198.51.100.7]:25, status=bounced (host mx.example.net[198.51.100.7] said: \
                550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7] (in reply to RCPT TO command))";
    let told = one(&["--reply", line]);
    assert_eq!(first(&told).0, "reverse-dns");
    assert_eq!(told["stage"], "rcpt");
    assert_eq!(told["roles"]["refused_by"]["host"], "mx.example.net");
    assert_eq!(told["roles"]["client"]["ip"], "192.0.2.7");
    let ours: Vec<&Value> =
        told["settings"].as_array().unwrap().iter().filter(|setting| setting["side"] == "ours").collect();
    assert!(ours.iter().any(|setting| setting["software"] == "Postfix"), "{ours:?}");
}

#[test]
fn exchange_gets_its_powershell_line() {
    let output =
        run(&["explain", "--software", "exchange-server", "--reply", "550 5.7.1 HELO name does not resolve"], b"");
    assert!(text(&output.stdout).contains("Set-SendConnector"), "{}", text(&output.stdout));
}

#[test]
fn the_letter_carries_the_facts_and_goes_not_to_the_refusing_host() {
    let output = run(&["explain", "--letter", "--sender", "ann@example.org", "--reply", LISTED], b"");
    let letter = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(letter.starts_with("To: ") && letter.contains(LISTED) && letter.contains("192.0.2.7"), "{letter}");
}

#[test]
fn every_format_speaks() {
    for (format, want) in [
        ("text", "Reply"),
        ("json", "\"schema\":1"),
        ("jsonl", "\"schema\":1"),
        ("csv", "blocklisted"),
        ("markdown", "## On a blocklist"),
    ] {
        let output = run(&["explain", "--format", format, "--reply", LISTED, "--reply", "550 5.1.1 User unknown"], b"");
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert!(text(&output.stdout).contains(want), "{format}: {}", text(&output.stdout));
    }
    let output = run(&["explain", "--json", "--reply", LISTED, "--reply", "550 5.1.1 User unknown"], b"");
    let array: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(array.as_array().unwrap().len(), 2);
}

#[test]
fn lists_are_answered_line_by_line_and_what_cannot_be_read_is_named() {
    let mut list = b"550 5.1.1 User unknown\n\n\x00\x01binary\n".to_vec();
    list.extend(b"x".repeat(1_000_000));
    list.extend(b"\n452 4.2.2 Mailbox full\n\n\n");
    let output = run(&["explain", "--replies", "-", "--format", "jsonl"], &list);
    let told = lines(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(told.len(), 5);
    assert_eq!(first(&told[0]).0, "recipient-unknown");
    let errors: Vec<(&str, &str)> = told[1..4]
        .iter()
        .map(|line| (line["error"]["code"].as_str().unwrap(), line["error"]["place"].as_str().unwrap()))
        .collect();
    assert_eq!(errors, [("empty", "line 2"), ("binary", "line 3"), ("too-long", "line 4")]);
    assert_eq!((first(&told[4]).0, &told[4]["line"]), ("mailbox-full", &Value::from(5)));
}

#[test]
fn wrong_calls_are_told_what_to_do() {
    for (arguments, stdin, words) in [
        (&["explain", "no-such-file"][..], &b""[..], "there is no such file; to explain a text use --reply"),
        (&["explain", "--reply", ""], b"", "there is no text: paste the whole reply"),
        (&["explain"], b"  \n", "there is nothing in it"),
        (&["explain"], b"\x7fELF\x00\x00", "this is a program"),
        (&["explain", "--software", "sendmial", "--reply", "550 no"], b"", "redeliver catalog list software"),
        (&["explain", "--reply", "250 OK"], b"", "the server did not refuse"),
        (&["explain", "--host", "x;reboot", "--reply", "550 no"], b"", "not a host name"),
        (&["explain", "--catalog", "/dev", "--reply", "550 no"], b"", "there is no catalog file in it"),
        (&["explain", "--sender", "nobody", "--reply", "550 no"], b"", "not a mail address"),
        (&["explain", "--time", "yesterday", "--reply", "550 no"], b"", "not a time"),
        (&["explian"], b"", "explain"),
    ] {
        let output = run(arguments, stdin);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(words), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn hostile_text_draws_nothing() {
    let reply = "550 \u{1b}[2J\u{202e}evil\u{7} =cmd|' /C calc'!A0 <b>bold</b>";
    for format in ["text", "json", "csv", "markdown"] {
        let shown = text(&run(&["explain", "--format", format, "--reply", reply], b"").stdout);
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{format}: {shown:?}");
    }
}

#[test]
fn an_operators_overlay_wins() {
    let folder = std::env::temp_dir().join(format!("redeliver-overlay-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("phrases")).unwrap();
    let rule = "[[rule]]\nid = \"house-rule\"\ncause = \"greylisted\"\nconfidence = 0.95\nany = [\"frobnicated until teatime\"]\n\
                meaning = \"Our neighbour says so.\"\nsource = \"a letter\"\nexamples = [\"450 You are frobnicated until teatime\"]\n";
    std::fs::write(folder.join("phrases/own.toml"), rule).unwrap();
    let path = folder.to_str().unwrap();
    let told = one(&["--catalog", path, "--reply", "450 frobnicated until teatime"]);
    assert_eq!((first(&told).0, &told["causes"][0]["rule"]), ("greylisted", &Value::from("own/house-rule")));
    std::fs::write(folder.join("phrases/own.toml"), rule.replace("cause", "causes")).unwrap();
    let output = run(&["catalog", "test", path], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("phrases/own.toml:3: unknown field `causes`"), "{}", text(&output.stdout));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The mails of the repository's own set.
fn own_mails() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mails");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn of_a_thousand_files_ten_broken_ones_are_named() {
    let folder = std::env::temp_dir().join(format!("redeliver-thousand-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mails = own_mails();
    for number in 0..1000 {
        let bytes = match (number % 100, number / 100 % 4) {
            (50, 0) => Vec::new(),
            (50, 1) => b"\x7fELF\0\0\0".to_vec(),
            (50, 2) => b"PK\x03\x04 cut off".to_vec(),
            (50, _) => b"\x1f\x8b\x08\0 no gzip".to_vec(),
            _ => mails[number % mails.len()].clone(),
        };
        std::fs::write(folder.join(format!("{number:04}.eml")), bytes).unwrap();
    }
    let output = run(&["explain", "--format", "jsonl", folder.to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(1));
    let told: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let broken: Vec<&str> =
        told.iter().filter(|one| one["error"].is_object()).map(|one| one["source"].as_str().unwrap()).collect();
    assert_eq!(broken.len(), 10, "{broken:?}");
    assert!(broken.iter().all(|name| name.ends_with("50.eml")), "{broken:?}");
    let explained: std::collections::BTreeSet<&str> =
        told.iter().filter(|one| one["kind"].is_string()).map(|one| one["source"].as_str().unwrap()).collect();
    assert_eq!(explained.len(), 990);
    let screen = run(&["explain", folder.to_str().unwrap()], b"");
    assert_eq!(text(&screen.stderr).lines().filter(|line| line.contains("50.eml")).count(), 10);
    assert!(text(&screen.stdout).lines().count() < 60, "more than a screen");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_list_owner_gets_a_table_of_addresses() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/mails");
    let output = run(&["explain", "--addresses", folder.to_str().unwrap()], b"");
    let table = text(&output.stdout);
    assert!(table.starts_with("address,dead,why,cause,refusals,first,last\n"));
    for word in [",yes,", ",no,", ",unproven,"] {
        assert!(table.contains(word), "no {word}");
    }
}

#[test]
fn some_other_file_is_no_reply() {
    let long = "The words rejected, blocked and spam stand in many a file.\n".repeat(60);
    let output = run(&["explain", "--format", "jsonl"], long.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output)[0]["error"]["code"], "no-reply");
    // A notice in plain words may be short, and a long text may hold a reply.
    let output = run(&["explain", "--format", "jsonl"], b"Your message was not delivered: the mailbox is full.");
    assert_eq!(first(&lines(&output)[0]).0, "mailbox-full");
    let output = run(&["explain", "--format", "jsonl"], format!("{long}550 5.1.1 User unknown\n").as_bytes());
    assert_eq!(first(&lines(&output)[0]).0, "recipient-unknown");
}

#[test]
fn the_catalog_is_listed_in_every_form() {
    let list =
        |form: &str| String::from_utf8(run(&["catalog", "list", "sites", "--format", form], b"").stdout).unwrap();
    assert!(list("csv").starts_with("kind,id,what\nsite,"), "{}", list("csv"));
    assert!(
        list("markdown").starts_with("| kind | id | what |\n| --- | --- | --- |\n| site |"),
        "{}",
        list("markdown")
    );
    assert!(list("text").starts_with("site "), "{}", list("text"));
}
