//! `redeliver explain LOG --recovery`: an administrator whose mail a large receiver refuses for its reputation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of this test's own.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("redeliver-recovery-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Four days of Postfix: a hundred messages a day to Google, of which every third is put off for reputation, and ten to a company.
fn log() -> String {
    let mut log = String::new();
    for day in 20..24 {
        for number in 0..110 {
            let id = format!("{:05X}", day * 1000 + number);
            let at = format!("2026-11-{day}T10:{:02}:{:02}.000000+00:00 mail postfix", number / 60, number % 60);
            let (to, host) = if number < 100 {
                (format!("user{number}@gmail.com"), "gmail-smtp-in.l.google.com[192.0.2.26]")
            } else {
                (format!("user{number}@example.net"), "mx.example.net[192.0.2.27]")
            };
            let _ = writeln!(log, "{at}/qmgr[9]: {id}: from=<news@example.org>, size=900, nrcpt=1 (queue active)");
            let end = if number < 100 && number % 3 == 0 {
                format!(
                    "dsn=4.7.0, status=deferred (host {host} said: 421-4.7.0 Our system has detected that this message is 421-4.7.0 suspicious due to the very low reputation of the sending 421 4.7.0 domain. (in reply to end of DATA command))"
                )
            } else {
                "dsn=2.0.0, status=sent (250 2.0.0 OK)".to_owned()
            };
            let _ = writeln!(log, "{at}/smtp[8]: {id}: to=<{to}>, relay={host}:25, delay=1, delays=0/0/0/1, {end}");
        }
    }
    log
}

fn explain(folder: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redeliver"));
    command.arg("explain").args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_way_back_as_a_table_for_programs_and_for_a_calendar() {
    let folder = folder("forms");
    std::fs::write(folder.join("mail.log"), log()).unwrap();
    let screen = explain(&folder, &["mail.log", "--recovery"]);
    assert_eq!(screen.status.code(), Some(0), "{}", text(&screen.stderr));
    let screen = text(&screen.stdout);
    assert!(screen.starts_with("The way back at google, to the usual volume on "), "{screen}");
    assert!(screen.contains("A usual day has 100 messages (median of 2 days); 136 of 400 were refused"), "{screen}");
    assert!(screen.contains("who reacted in the last 30 days") && screen.contains("no bulk mail"), "{screen}");
    assert!(!screen.contains("example.net"), "nobody there refuses: {screen}");

    let all: Value = serde_json::from_slice(&explain(&folder, &["mail.log", "--recovery", "--json"]).stdout).unwrap();
    let steps = all[0]["steps"].as_array().unwrap();
    assert_eq!((&all[0]["place"], &all[0]["usual_a_day"]), (&Value::from("google"), &Value::from(100)));
    assert_eq!((&steps[1]["percent"], &steps[1]["most_a_day"]), (&Value::from(15), &Value::from(15)));
    assert_eq!(steps[steps.len() - 1]["most_a_day"], 100);

    let table = text(&explain(&folder, &["mail.log", "--recovery", "--format", "csv"]).stdout);
    assert_eq!(table.lines().count(), 1 + steps.len());
    assert!(table.starts_with("place,from,to,percent,most_a_day,engaged_within_days,addresses\n"), "{table}");

    let calendar = text(&explain(&folder, &["mail.log", "--recovery", "--ics"]).stdout);
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"), "{calendar}");
    assert_eq!(calendar.matches("BEGIN:VEVENT\r\n").count(), steps.len());
    assert_eq!(calendar.matches("DTSTART;VALUE=DATE:20").count(), steps.len());
    assert!(calendar.contains("SUMMARY:google: at most 15 a day (15 %)\r\n"), "{calendar}");
    // RFC 5545 3.1: lines of 75 octets at most, all ended by CR LF.
    assert!(calendar.split_terminator("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{calendar}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_list_says_who_gets_mail_again_from_when() {
    let folder = folder("list");
    std::fs::write(folder.join("mail.log"), log()).unwrap();
    let mut list = "Email,Last open\n".to_owned();
    for number in 0..100 {
        let _ = writeln!(list, "user{number}@gmail.com,2026-{:02}-15", 8 + number % 4);
    }
    list.push_str("nobody\nuser200@gmail.com,11/15/2026\n=cmd|@gmail.com,2026-11-15\nuser201@example.net,2020-01-01\n");
    std::fs::write(folder.join("list.csv"), list).unwrap();
    let output = explain(&folder, &["mail.log", "--recovery", "--addresses", "--engaged", "list.csv"]);
    assert_eq!(output.status.code(), Some(1), "two lines could not be read");
    let complaint = text(&output.stderr);
    assert!(complaint.contains("list.csv, line 102: there is no mail address"), "{complaint}");
    assert!(complaint.contains("list.csv, line 103: the date is to be written 2026-11-21"), "{complaint}");
    let table = text(&output.stdout);
    assert!(table.starts_with("address,place,engaged,from\nuser0@gmail.com,google,2026-08-15,"), "{table}");
    assert!(!table.contains("\n=cmd"), "no formula: {table}");
    assert!(!table.contains("example.net"), "mail there goes on as before");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_missing_is_said() {
    let folder = folder("wrong");
    std::fs::write(folder.join("reply.txt"), "421 4.7.0 very low reputation of the sending domain").unwrap();
    std::fs::write(folder.join("empty.csv"), "Email,Last open\n").unwrap();
    std::fs::write(folder.join("mail.log"), log()).unwrap();
    for (arguments, says) in [
        (&["reply.txt", "--recovery"][..], "--recovery needs a log"),
        (&["mail.log", "--recovery", "--addresses"][..], "needs the list: --engaged FILE"),
        (&["mail.log", "--recovery", "--engaged", "empty.csv"][..], "there is no address in it"),
        (&["mail.log", "--recovery", "--engaged", "none.csv"][..], "--engaged none.csv"),
        (&["mail.log", "--engaged", "empty.csv"][..], "--recovery"),
        (&["mail.log", "--recovery", "--cause", "unknown"][..], "--cause"),
    ] {
        let output = explain(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(says), "{arguments:?}: {}", text(&output.stderr));
    }
    std::fs::remove_dir_all(folder).unwrap();
}
