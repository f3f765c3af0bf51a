//! A day of a mail server as its administrator looks at it: who of ours sends spam is named with evidence and the command that
//! stops him, and a busy day accuses nobody.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Lines of Postfix, message by message.
#[derive(Default)]
struct Log {
    text: String,
    number: u64,
}

impl Log {
    /// A message handed in as `how` says, of whose recipients every third does not exist where `bad`.
    fn message(&mut self, hour: u64, how: &str, sender: &str, recipients: u64, bad: bool) {
        self.number += 1;
        let id = format!("{:X}", 0x40_0000_0000 + self.number * 7);
        let (minute, second) = (self.number / 60 % 60, self.number % 60);
        let head = format!("2026-11-24T{hour:02}:{minute:02}:{second:02}.000000+00:00 mail postfix/");
        for line in how.lines() {
            let _ = writeln!(self.text, "{head}{}", line.replace("ID", &id));
        }
        let _ =
            writeln!(self.text, "{head}qmgr[1]: {id}: from=<{sender}>, size=900, nrcpt={recipients} (queue active)");
        for recipient in 0..recipients {
            let end = if bad && (self.number + recipient).is_multiple_of(3) {
                "dsn=5.1.1, status=bounced (host mx.a.example[203.0.113.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command))"
            } else {
                "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4Fz)"
            };
            let to = format!("r{recipient}.{}@a.example", self.number);
            let _ = writeln!(
                self.text,
                "{head}smtp[1]: {id}: to=<{to}>, relay=mx.a.example[203.0.113.9]:25, delay=1, {end}"
            );
        }
    }

    /// A day in an office with a newsletter for its customers.
    fn busy_day() -> Self {
        let mut log = Self::default();
        for hour in 6..20 {
            for _ in 0..4 {
                log.message(hour, &login("anna", "192.0.2.10"), "anna@example.org", 1, false);
                log.message(hour, &script("contact.php"), "www-data@example.org", 1, false);
                log.message(hour, "smtpd[1]: ID: client=shop.example.org[192.0.2.80]", "shop@example.org", 20, false);
            }
        }
        log
    }

    /// The screen, and the summary for programs.
    fn told(&self) -> (String, Value) {
        let run = |arguments: &[&str]| {
            let mut child = Command::new(env!("CARGO_BIN_EXE_redeliver"))
                .args(["explain", "--summary"])
                .args(arguments)
                .arg("-")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(self.text.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0));
            String::from_utf8(output.stdout).unwrap()
        };
        (run(&[]), serde_json::from_str(&run(&["--json"])).unwrap())
    }
}

fn login(name: &str, ip: &str) -> String {
    format!("smtpd[1]: ID: client=unknown[{ip}], sasl_method=PLAIN, sasl_username={name}")
}

fn script(name: &str) -> String {
    format!(
        "pickup[1]: ID: uid=33 from=<www-data>\ncleanup[1]: ID: info: header X-PHP-Originating-Script: 33:{name} from local; from=<www-data@example.org>"
    )
}

#[test]
fn a_stolen_login_is_named_with_what_stops_it() {
    let mut log = Log::busy_day();
    for number in 0..300_u64 {
        let ip = format!("203.0.{}.{}", number % 40, number % 200);
        log.message(20, &login("anna", &ip), &format!("offer{}@example.org", number % 12), 2, true);
    }
    let (screen, told) = log.told();
    assert!(screen.contains("Something of yours seems to send spam: anna (stolen-login)"), "{screen}");
    assert!(screen.contains("600 recipients in the hour from 2026-11-24T20:00:00Z"), "{screen}");
    assert!(screen.contains("40 networks") && screen.contains("check_sasl_access"), "{screen}");
    let suspects = told["suspects"].as_array().unwrap();
    assert_eq!((suspects.len(), &suspects[0]["source"]), (1, &Value::from("anna")));
    assert!(
        suspects[0]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .any(|step| step.as_str().unwrap().contains("Set-CASMailbox anna"))
    );
}

#[test]
fn a_hacked_web_form_is_named_with_what_stops_it() {
    let mut log = Log::busy_day();
    for _ in 0..400 {
        log.message(21, &script("contact.php"), "www-data@example.org", 1, true);
    }
    let (screen, told) = log.told();
    assert!(screen.contains("contact.php (hacked-web-form)"), "{screen}");
    assert_eq!(told["suspects"].as_array().unwrap().len(), 1);
}

#[test]
fn a_busy_day_accuses_nobody() {
    let (screen, told) = Log::busy_day().told();
    assert!(!screen.contains("seems to send spam"), "{screen}");
    assert_eq!(told["suspects"], Value::Array(Vec::new()));
}
