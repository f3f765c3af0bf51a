//! Three days of a mail server: a stolen log-in, a hacked web form, and a busy day with a newsletter that accuses nobody.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::ops::ControlFlow;

use redeliver_logs::submissions::{Accused, Evidence, Source, Submissions, Suspicion};
use redeliver_logs::{Event, Format, Reader, YearRule};
use redeliver_model::Timestamp;

/// Writes what Postfix logs of a day.
#[derive(Default)]
struct Day {
    log: String,
    number: u64,
}

enum From<'a> {
    Login(&'a str, String),
    Script(&'a str),
    Client(&'a str),
}

impl Day {
    /// A message in an hour; of its recipients so many are unknown.
    fn message(&mut self, hour: u64, from: &From<'_>, sender: &str, recipients: u64, unknown: u64) {
        self.number += 1;
        let id = format!("{:X}", 0x40_0000_0000 + self.number * 7);
        let head = format!("Nov 24 {hour:02}:{:02}:{:02} mail postfix/", self.number / 60 % 60, self.number % 60);
        match from {
            From::Login(login, ip) => {
                let _ = writeln!(
                    self.log,
                    "{head}smtpd[1]: {id}: client=unknown[{ip}], sasl_method=PLAIN, sasl_username={login}"
                );
            }
            From::Script(script) => {
                let _ = writeln!(self.log, "{head}pickup[1]: {id}: uid=33 from=<{sender}>");
                let _ = writeln!(
                    self.log,
                    "{head}cleanup[1]: {id}: info: header X-PHP-Originating-Script: 33:{script} from local; from=<{sender}>"
                );
            }
            From::Client(ip) => {
                let _ = writeln!(self.log, "{head}smtpd[1]: {id}: client=app.example.org[{ip}]");
            }
        }
        let _ = writeln!(self.log, "{head}qmgr[1]: {id}: from=<{sender}>, size=900, nrcpt={recipients} (queue active)");
        for recipient in 0..recipients {
            let (status, text) = if recipient < unknown {
                ("bounced", "host mx.a.example[203.0.113.9] said: 550 5.1.1 User unknown (in reply to RCPT TO command)")
            } else {
                ("sent", "250 2.0.0 Ok: queued as 4Fz")
            };
            let _ = writeln!(
                self.log,
                "{head}smtp[1]: {id}: to=<r{recipient}.{}@a.example>, relay=mx.a.example[203.0.113.9]:25, delay=1, dsn=2.0.0, status={status} ({text})",
                self.number
            );
        }
    }

    /// What the office does every day: three people, a shop, its forms.
    fn ordinary(&mut self) {
        for hour in 6..20 {
            for _ in 0..4 {
                self.message(hour, &From::Login("anna", "192.0.2.10".into()), "anna@example.org", 1, 0);
                self.message(hour, &From::Login("ben", format!("198.51.100.{hour}")), "ben@example.org", 2, 0);
                self.message(hour, &From::Script("contact.php"), "www-data@example.org", 1, 0);
                self.message(hour, &From::Client("192.0.2.80"), "shop@example.org", 1, 0);
            }
        }
    }

    fn verdict(&self) -> Vec<Accused> {
        let rule = YearRule::utc(Timestamp::from_date(2026, 11, 25));
        let mut reader = Reader::new(Format::Postfix, rule);
        let mut submissions = Submissions::default();
        let _ = reader
            .read(&mut self.log.as_bytes(), &mut |event| {
                submissions.take(event);
                if let Event::Refused(refused) = event {
                    // The engine says so; here the text does.
                    submissions.judged(refused, refused.text.contains("User unknown"), false);
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(!submissions.busiest().is_empty());
        submissions.verdict()
    }
}

#[test]
fn a_stolen_login_that_is_not_found() {
    let mut day = Day::default();
    day.ordinary();
    for number in 0..300_u64 {
        let ip = format!("203.0.{}.{}", number % 40, number % 200);
        day.message(20, &From::Login("anna", ip), &format!("offer{}@example.org", number % 12), 2, number % 3 / 2);
    }
    let accused = day.verdict();
    assert_eq!(accused.len(), 1, "{accused:?}");
    assert_eq!(accused[0].source, Source::Login("anna".into()));
    assert_eq!(accused[0].suspicion, Suspicion::StolenLogin);
    let evidence = &accused[0].evidence;
    assert!(matches!(evidence[0], Evidence::Burst { recipients: 600, before: 4, .. }), "{evidence:?}");
    assert!(evidence.contains(&Evidence::Networks(40)) && evidence.contains(&Evidence::Senders(12)), "{evidence:?}");
    assert!(evidence.iter().any(|one| matches!(one, Evidence::Unknown { unknown: 100, .. })), "{evidence:?}");
}

/// Only a few hours are kept with their networks and senders; the busiest is one of them.
#[test]
fn a_stolen_login_that_is_forgotten_in_the_hours_behind() {
    let mut day = Day::default();
    for hour in 1..24 {
        let stolen = if hour == 12 { 300_u64 } else { 3 };
        for number in 0..stolen {
            let ip = format!("203.0.{}.{}", number % 40, number % 200);
            day.message(hour, &From::Login("anna", ip), &format!("offer{}@example.org", number % 12), 1, 0);
        }
    }
    let accused = day.verdict();
    let evidence = &accused[0].evidence;
    assert!(evidence.contains(&Evidence::Networks(40)) && evidence.contains(&Evidence::Senders(12)), "{evidence:?}");
}

#[test]
fn a_hacked_web_form_that_is_not_found() {
    let mut day = Day::default();
    day.ordinary();
    for number in 0..400_u64 {
        day.message(21, &From::Script("contact.php"), "www-data@example.org", 1, u64::from(number % 4 == 0));
    }
    let accused = day.verdict();
    assert_eq!(accused.len(), 1, "{accused:?}");
    assert_eq!(accused[0].source, Source::Script("contact.php".into()));
    assert_eq!(accused[0].suspicion, Suspicion::HackedWebForm);
    assert_eq!(accused[0].evidence.len(), 2);
}

#[test]
fn a_newsletter_that_is_accused() {
    let mut day = Day::default();
    day.ordinary();
    // A customer letter from a log-in that seldom sends more than a few, and the shop's newsletter, both to clean lists.
    for _ in 0..40 {
        day.message(10, &From::Login("anna", "192.0.2.10".into()), "anna@example.org", 50, 0);
    }
    for number in 0..3000_u64 {
        day.message(15, &From::Client("192.0.2.80"), "news@example.org", 1, u64::from(number % 80 == 0));
    }
    assert_eq!(day.verdict(), []);
}
