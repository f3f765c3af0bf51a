//! How much a log may cost: what one record tells, and what is remembered from one to the next.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::ops::ControlFlow;

use redeliver_logs::submissions::Submissions;
use redeliver_logs::{Event, Fault, Format, LONGEST_LINE, LONGEST_RECORD, Reader, YearRule, recognise};
use redeliver_model::Timestamp;

/// How many recipients are told, the bytes of text told with them, and how often it is told that some were passed over.
fn sum(format: Format, log: &str) -> (usize, usize, usize) {
    let (mut recipients, mut bytes, mut passed_over) = (0, 0, 0);
    let mut reader = Reader::new(format, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
    let _ = reader.read(&mut log.as_bytes(), &mut |event| {
        match event {
            Event::Refused(refused) => {
                recipients += 1;
                bytes += refused.text.len();
            }
            Event::Delivered(_) => recipients += 1,
            Event::Unreadable(unreadable) if unreadable.why == Fault::TooComplex => passed_over += 1,
            event => panic!("{format}: {event:?}"),
        }
        ControlFlow::Continue(())
    });
    (recipients, bytes, passed_over)
}

/// One record of each format that can name many recipients, with a text for all of them.
fn shared(recipients: usize, text: &str) -> Vec<(Format, String)> {
    let list = |one: &str, between: &str| vec![one; recipients].join(between);
    let tracking = |event: &str, status: &str| {
        let to = list("someone@recipient.example", ";");
        format!(
            "#Fields: date-time,source,event-id,recipient-address,recipient-status,sender-address\n2026-11-04T08:17:13Z,SMTP,{event},{to},{status},a@b.example\n"
        )
    };
    let ses = |kind: &str, rest: &str| {
        let to = list("\"someone@recipient.example\"", ",");
        let mail = format!("\"mail\":{{\"messageId\":\"1\",\"source\":\"a@b.example\",\"destination\":[{to}]}}");
        format!("{{\"eventType\":\"{kind}\",{mail},{rest}}}\n")
    };
    let each = list("{\"emailAddress\":\"someone@recipient.example\"}", ",");
    let to = list("<someone@recipient.example>", ",");
    vec![
        (Format::ExchangeTracking, tracking("FAIL", text)),
        (Format::ExchangeTracking, tracking("DELIVER", text)),
        (Format::Ses, ses("Reject", &format!("\"reject\":{{\"reason\":\"{text}\"}}"))),
        (
            Format::Ses,
            ses(
                "DeliveryDelay",
                &format!("\"deliveryDelay\":{{\"delayType\":\"{text}\",\"delayedRecipients\":[{each}]}}"),
            ),
        ),
        (
            Format::Sendmail,
            format!(
                "Nov 25 21:34:42 mail sm-mta[2]: xAPLYgKL000001: to={to}, delay=1, relay=m.a [192.0.2.1], stat={text}\n"
            ),
        ),
    ]
}

/// One record with a text that all of its recipients share: so many times told, it would be the square of its size.
#[test]
fn many_recipients_with_one_long_text_that_fill_the_disk() {
    let most = 2 * 1024 * 1024;
    for (format, record) in shared(6000, &"550 5.1.1 no such user here. ".repeat(15_000)) {
        if format == Format::Sendmail {
            continue; // Its records are lines.
        }
        assert!(record.len() < LONGEST_RECORD);
        // And the record behind has all its room again.
        let again = record.lines().last().unwrap();
        let (recipients, bytes, passed_over) = sum(format, &format!("{record}{again}\n"));
        // A delivery has no text.
        let want = if bytes == 0 { (12_000, 0) } else { (2 * 5, 2) };
        assert_eq!((recipients, passed_over), want, "{format}");
        assert!(bytes <= 2 * (most + LONGEST_RECORD), "{format}: {bytes}");
    }
    let (_, line) = shared(1000, &"550 5.1.1 no such user here. ".repeat(1000)).pop().unwrap();
    let (recipients, bytes, passed_over) = sum(Format::Sendmail, &line);
    assert!(recipients < 100 && bytes <= most + LONGEST_LINE && passed_over == 1, "{recipients} {bytes} {passed_over}");
    let (_, many) = shared(38_000, "ok").remove(1);
    let (recipients, _, passed_over) = sum(Format::ExchangeTracking, &many);
    assert!(recipients < most / 64 + 2 && passed_over == 1, "{recipients} {passed_over}");
}

#[test]
fn ten_thousand_recipients_that_are_passed_over() {
    let text = "550 5.1.1 The email account that you tried to reach does not exist. Please check for typing errors.";
    for (format, record) in shared(10_000, text) {
        if format != Format::Sendmail {
            assert_eq!((sum(format, &record).0, sum(format, &record).2), (10_000, 0), "{format}");
        }
    }
    let (_, line) = shared(2000, text).pop().unwrap();
    assert_eq!(sum(Format::Sendmail, &line), (2000, 2000 * text.len(), 0));
}

/// A transaction ends when DATA or the message is answered: the next refusal is nobody's of before.
#[test]
fn recipients_that_are_refused_again_with_every_later_reply() {
    let mail = [
        "<MAIL FROM:<a@b.example>",
        ">250 ok",
        "<RCPT TO:<c@d.example>",
        ">250 ok",
        "<RCPT TO:<e@d.example>",
        ">250 ok",
    ];
    let told = |kind: &str, rows: &[&str]| {
        let mut log =
            format!("#Log-type: SMTP {kind} Protocol Log\n#Fields: date-time,session-id,event,data,context\n");
        for row in [&[">220 m.example", "<EHLO c", ">250 ok"], &mail[..], rows].concat() {
            let (mut event, data) = row.split_at(1);
            if kind == "Send" {
                event = if event == "<" { ">" } else { "<" };
            }
            let _ = writeln!(log, "2026-11-04T08:17:13Z,1,{event},{data},");
        }
        sum(Format::ExchangeSmtp, &log).0
    };
    for kind in ["Receive", "Send"] {
        let again = usize::from(kind == "Receive");
        assert_eq!(told(kind, &["<DATA", ">451 later", "<DATA", ">503 no"]), 2 + again, "{kind}");
        assert_eq!(told(kind, &["<DATA", ">354 go", ">550 no", "<DATA", ">503 no"]), 2 + again, "{kind}");
        for command in ["<RSET", "<EHLO c"] {
            assert_eq!(told(kind, &[command, ">250 ok", "<DATA", ">503 no"]), again, "{kind} {command}");
        }
    }
}

/// Exim's reject log names the recipients of a refusal on lines of their own.
#[test]
fn a_refusal_of_exim_with_very_many_recipients() {
    let refusal = |length: usize| {
        let words = "no ".repeat(length / 3);
        format!(
            "2026-11-25 21:34:27 1xWKcs-00000L-1w H=c.example [192.0.2.1] F=<a@b.example> rejected after DATA: {words}\n"
        )
    };
    let to = "Envelope-to: <c@d.example>\n".repeat(2000);
    let (recipients, bytes, passed_over) =
        sum(Format::EximReject, &format!("{0}{to}{0}{to}", refusal(LONGEST_LINE - 1000)));
    assert_eq!((recipients, passed_over), (2 * 33, 2));
    assert!(bytes < 2 * (2 * 1024 * 1024 + LONGEST_LINE));
    assert_eq!(sum(Format::EximReject, &format!("{}{to}", refusal(300))).0, 2000);
}

/// Pages within pages: each held a copy of all that is within.
#[test]
fn pages_within_pages_that_fill_the_memory() {
    let nested = |inner: &str| format!("{}{inner}{}", "{\"items\":[".repeat(58), "]}".repeat(58));
    let numbers = format!("{{\"items\":[{{}}],\"x\":[{}1]}}", "1,".repeat(400_000));
    assert_eq!(recognise(nested(&numbers).as_bytes()), None);
    let event = r#"{"event":"failed","recipient":"a@b.example","log-level":"error"}"#;
    assert_eq!(recognise(nested(event).as_bytes()), Some(Format::Mailgun));
    assert!(peak() < 200 * 1024, "{} KiB", peak());
}

/// The most memory that this process ever had, in KiB; nothing where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim_end_matches(" kB").trim().parse().ok());
    peak.unwrap_or_default()
}

/// As many log-ins and clients as are told apart, each seen once.
#[test]
fn senders_without_number_that_fill_the_memory() {
    let mut log = String::new();
    for number in 0..41_000 {
        let (a, b) = (number / 250 % 250, number % 250);
        let login = if number % 2 == 0 { format!(", sasl_username=user{number}@example.org") } else { String::new() };
        let head = "Nov 24 10:00:00 mail postfix/";
        let _ = writeln!(log, "{head}smtpd[1]: {number:X}: client=a.example[10.1.{a}.{b}]{login}");
        let _ =
            writeln!(log, "{head}qmgr[1]: {number:X}: from=<s{number}@example.org>, size=9, nrcpt=1 (queue active)");
    }
    let before = peak();
    let mut submissions = Submissions::default();
    let mut reader = Reader::new(Format::Postfix, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
    let _ = reader.read(&mut log.as_bytes(), &mut |event| {
        submissions.take(event);
        ControlFlow::Continue(())
    });
    assert_eq!(submissions.busiest().len(), 2 * 20_000);
    // 21 MB; room for the tests beside it, where they share a process.
    assert!(peak() - before < 48 * 1024, "{} KiB", peak() - before);
}
