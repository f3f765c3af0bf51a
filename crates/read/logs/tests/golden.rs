//! Recorded and hand-made logs against what is known of each refusal in them: all found, nothing superfluous.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use redeliver_logs::{Event, Format, Outcome, Reader, Refused, YearRule, recognise};
use redeliver_model::{Reply, Timestamp};
use serde_json::Value;

#[path = "../benches/made/mod.rs"]
mod made;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../testdata/logs")
}

/// One refusal as expected or as found, in the words of `expected.jsonl`.
#[derive(Debug, Clone, Default, PartialEq)]
struct Case {
    recipient: Option<String>,
    sender: Option<String>,
    stage: Option<String>,
    host: Option<String>,
    ip: Option<String>,
    reply: Option<String>,
    outcome: String,
    attempts: Option<u64>,
    first: Option<String>,
    last: Option<String>,
}

fn expected(folder: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap();
    let case = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Case {
            recipient: text("recipient"),
            sender: text("sender"),
            stage: text("stage"),
            host: text("refused_by_host"),
            ip: text("refused_by_ip"),
            reply: text("reply").map(|reply| plain(&Reply::parse(&reply))),
            outcome: text("outcome").unwrap(),
            attempts: value["attempts"].as_u64(),
            first: text("first_time"),
            last: text("last_time"),
        }
    };
    text.lines().map(case).collect()
}

/// Code, status and words without blanks: logs join lines in their own ways.
fn plain(reply: &Reply<'_>) -> String {
    reply.to_string().chars().filter(|c| !c.is_whitespace()).collect()
}

/// What the events of a file come to, by recipient and message.
#[derive(Default)]
struct Ledger {
    cases: BTreeMap<String, Case>,
    order: Vec<String>,
    unreadable: Vec<String>,
    events: u64,
    counts_expiry: bool,
}

impl Ledger {
    fn take(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        self.events += 1;
        match event {
            Event::Refused(refused) => self.refused(refused),
            Event::Delivered(delivered) => {
                let key = format!("{:?} {:?}", Some(&delivered.recipient), delivered.queue_id);
                if let Some(case) = self.cases.get_mut(&key) {
                    "delivered-after-deferral".clone_into(&mut case.outcome);
                    case.attempts = case.attempts.map(|attempts| attempts + 1);
                    case.last = delivered.time.map(|time| time.to_string());
                }
            }
            Event::Submitted(_) => {}
            Event::Unreadable(unreadable) => self.unreadable.push(format!("{unreadable:?}")),
        }
        ControlFlow::Continue(())
    }

    fn refused(&mut self, refused: &Refused<'_>) {
        let refusal = &refused.refusal;
        let ours = refused.outcome == Outcome::RejectedByUs;
        let key = if ours {
            format!("{:?} {:?} {}", refusal.recipient, refusal.sender, refused.text)
        } else {
            format!("{:?} {:?}", refusal.recipient.as_ref(), refusal.queue_id)
        };
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let time = refusal.time.map(|time| time.to_string());
        let before = self.cases.get(&key).cloned();
        if before.is_none() {
            self.order.push(key.clone());
        }
        let outcome = match refused.outcome {
            Outcome::Expired | Outcome::Suppressed => "bounced",
            outcome => outcome.as_str(),
        };
        // Being given up is no attempt, but to Exim, which decides it for each recipient.
        let more = u64::from(refused.outcome != Outcome::Expired || self.counts_expiry);
        let case = Case {
            recipient: owned(&refusal.recipient),
            sender: owned(&refusal.sender),
            stage: refusal.stage.map(|stage| stage.as_str().to_owned()),
            host: owned(&refusal.refused_by.host),
            ip: refusal.refused_by.ip.map(|ip| ip.to_string()),
            reply: Some(plain(&refusal.reply)),
            outcome: outcome.to_owned(),
            attempts: Some(before.as_ref().and_then(|case| case.attempts).unwrap_or(0) + more),
            first: before.and_then(|case| case.first).or_else(|| time.clone()),
            last: time,
        };
        self.cases.insert(key, case);
    }

    fn found(self) -> Vec<Case> {
        let Self { mut cases, order, .. } = self;
        order.iter().filter_map(|key| cases.remove(key)).collect()
    }
}

fn rule() -> YearRule {
    YearRule::utc(Timestamp::from_date(2026, 12, 1))
}

fn ledger(format: Format, bytes: &[u8]) -> Ledger {
    let mut ledger = Ledger { counts_expiry: format == Format::EximMain, ..Ledger::default() };
    let mut reader = Reader::new(format, rule());
    let _ = reader.read(&mut &*bytes, &mut |event| ledger.take(event)).unwrap();
    ledger
}

/// How many of the expected values were found, field by field.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    expected: usize,
    found: usize,
    superfluous: usize,
    wrong: BTreeMap<&'static str, Vec<String>>,
}

impl Score {
    fn compare(&mut self, field: &'static str, want: Option<&String>, got: Option<&String>, who: &str) {
        // What the format cannot tell is null.
        if want.is_some() && want != got {
            self.wrong.entry(field).or_default().push(format!("{who}: {want:?} is {got:?}"));
        }
    }
}

/// The reply without its code.
fn words(case: &Case) -> Option<String> {
    case.reply.as_deref().map(|reply| {
        let code = reply.len() > 3 && reply.as_bytes()[..3].iter().all(u8::is_ascii_digit);
        if code { reply[3..].to_owned() } else { reply.to_owned() }
    })
}

fn score(expected: &[Case], mut found: Vec<Case>) -> Score {
    let mut score = Score { expected: expected.len(), ..Score::default() };
    for want in expected {
        let same = |got: &Case| {
            let ours = |case: &Case| case.outcome == "rejected-by-us";
            // Not every server names sender and recipient of what it refuses.
            let may_lack =
                |want: &Option<String>, other: &Option<String>| want == other || (ours(got) && other.is_none());
            let named = may_lack(&want.recipient, &got.recipient)
                && (want.sender.is_none() || may_lack(&want.sender, &got.sender));
            named && ours(want) == ours(got)
        };
        let exact = found.iter().position(|got| same(got) && words(got) == words(want));
        let Some(at) = exact.or_else(|| found.iter().position(same)) else {
            score.wrong.entry("missing").or_default().push(format!("{want:?}"));
            continue;
        };
        let got = found.remove(at);
        score.found += 1;
        let who = want.recipient.as_deref().unwrap_or("-");
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        score.compare("sender", want.sender.as_ref(), got.sender.as_ref(), who);
        score.compare("stage", want.stage.as_ref(), got.stage.as_ref(), who);
        // Syslog has the short name of our own host, or none.
        let short = |got: &str| want.host.as_deref().is_some_and(|want| want.starts_with(&format!("{got}.")));
        if want.outcome != "rejected-by-us" || got.host.as_deref().is_some_and(|got| !short(got)) {
            score.compare("host", want.host.as_ref(), got.host.as_ref(), who);
        }
        score.compare("ip", want.ip.as_ref(), got.ip.as_ref(), who);
        score.compare("recipient", want.recipient.as_ref(), got.recipient.as_ref(), who);
        // A server that does not write the code of its own refusals is compared without.
        let bare = got.reply.as_deref().is_some_and(|reply| !reply.starts_with(['2', '4', '5']));
        let want_reply = if bare { words(want) } else { want.reply.clone() };
        score.compare("reply", want_reply.as_ref(), got.reply.as_ref(), who);
        score.compare("outcome", Some(&want.outcome), Some(&got.outcome), who);
        score.compare("attempts", number(want.attempts).as_ref(), number(got.attempts).as_ref(), who);
        score.compare("first", want.first.as_ref(), got.first.as_ref(), who);
        score.compare("last", want.last.as_ref(), got.last.as_ref(), who);
    }
    score.superfluous = found.len();
    if !found.is_empty() {
        score.wrong.insert("superfluous", found.iter().map(|case| format!("{case:?}")).collect());
    }
    score
}

/// Folder, file, format, and what the log does not hold: field and how many.
type Sample = (&'static str, &'static str, Format, &'static [(&'static str, usize)]);

const SAMPLES: &[Sample] = &[
    // "Refused to talk to me" is said at the greeting and at EHLO alike; the code of two refusals of our own is not written.
    ("postfix", "postfix.log", Format::Postfix, &[("reply", 2), ("stage", 4)]),
    ("journald-text", "journal.txt", Format::Postfix, &[]),
    ("journald-json", "journal.jsonl", Format::Postfix, &[]),
    // One recipient was put off and delivered in the same session, which Exim does not write down. Of its own refusals it writes
    // what it found, not what it said; the words of a refused STARTTLS are not there; two time-outs are cut behind the host.
    ("exim", "exim.log", Format::EximMain, &[("missing", 1), ("recipient", 1), ("reply", 7)]),
    // The sender of what we refused stands on a later line.
    ("sendmail", "maillog", Format::Sendmail, &[("sender", 2)]),
    // Deliveries name no stage, our own refusals no sender; a connection that was closed leaves nothing of what was said.
    ("opensmtpd", "opensmtpd.log", Format::OpenSmtpd, &[("recipient", 1), ("reply", 1), ("sender", 4), ("stage", 77)]),
    ("qmail", "current", Format::Qmail, &[]),
    ("exchange-tracking", "MSGTRK.LOG", Format::ExchangeTracking, &[]),
    ("exchange-smtp-send", "SEND.LOG", Format::ExchangeSmtp, &[]),
    ("exchange-smtp-receive", "RECV.LOG", Format::ExchangeSmtp, &[]),
    ("m365-trace-summary", "summary.csv", Format::M365Trace, &[]),
    ("m365-trace-extended", "extended.csv", Format::M365Trace, &[]),
    ("google-workspace", "email-log-search.csv", Format::GoogleLogSearch, &[]),
    ("haraka", "haraka.log", Format::Haraka, &[]),
    ("zonemta-text", "zonemta.log", Format::ZoneMta, &[]),
    ("zonemta-json", "zonemta.jsonl", Format::ZoneMta, &[]),
    ("kumomta", "kumomta.jsonl", Format::KumoMta, &[]),
    ("powermta", "acct.csv", Format::PowerMta, &[]),
    // Where nobody replied, the service's own status is taken along.
    ("ses", "sns.jsonl", Format::Ses, &[("reply", 2)]),
    ("sendgrid", "events.jsonl", Format::SendGrid, &[("reply", 1)]),
    ("mailgun", "webhooks.jsonl", Format::Mailgun, &[]),
    ("postmark", "webhooks.jsonl", Format::Postmark, &[]),
    ("sparkpost", "events.jsonl", Format::SparkPost, &[]),
    ("brevo", "webhooks.jsonl", Format::Brevo, &[]),
];

fn samples() -> impl Iterator<Item = (&'static Sample, Vec<u8>)> {
    SAMPLES.iter().map(|sample| (sample, std::fs::read(folder().join(sample.0).join(sample.1)).unwrap()))
}

#[test]
fn a_refusal_that_is_missing_superfluous_or_cut_wrongly() {
    let mut failed = Vec::new();
    for ((name, _, format, allowed), bytes) in samples() {
        let ledger = ledger(*format, &bytes);
        let unreadable = ledger.unreadable.clone();
        let score = score(&expected(&folder().join(name)), ledger.found());
        let wrong: Vec<(&str, usize)> = score.wrong.iter().map(|(field, cases)| (*field, cases.len())).collect();
        println!(
            "{name}: {} of {} found, {} superfluous, wrong: {wrong:?}",
            score.found, score.expected, score.superfluous
        );
        if wrong != *allowed || !unreadable.is_empty() {
            failed.push(format!("{name}: {:#?} unreadable {unreadable:#?}", score.wrong));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_format_that_is_taken_for_another() {
    for ((name, _, format, _), bytes) in samples() {
        let head = &bytes[..bytes.len().min(64 * 1024)];
        assert_eq!(recognise(head), Some(*format), "{name}");
        // Not only from a whole file's head: from its first three lines too.
        let lines: usize = bytes.split_inclusive(|byte| *byte == b'\n').take(8).map(<[u8]>::len).sum();
        assert_eq!(recognise(&bytes[..lines]), Some(*format), "first lines of {name}");
    }
}

/// Everything that is told, in words.
fn told(
    bytes: &[u8],
    read: impl FnOnce(&mut Reader, &[u8], &mut redeliver_logs::Receiver<'_>),
    format: Format,
) -> Vec<String> {
    let mut told = Vec::new();
    let mut reader = Reader::new(format, rule());
    read(&mut reader, bytes, &mut |event| {
        told.push(format!("{event:?}"));
        ControlFlow::Continue(())
    });
    told
}

#[test]
fn events_that_depend_on_how_the_bytes_come() {
    for ((name, _, format, _), bytes) in samples() {
        let whole = told(&bytes, |reader, bytes, to| drop(reader.read(&mut &*bytes, to)), *format);
        assert!(!whole.is_empty(), "{name}");
        let parallel = told(&bytes, |reader, bytes, to| drop(reader.read_parallel(&mut &*bytes, to)), *format);
        assert!(whole == parallel, "{name}: on two threads");
        for size in [1, 7, 1000] {
            // One byte at a time costs the square of a record.
            let bytes = if size == 1 { &bytes[..bytes.len().min(6_000)] } else { &bytes[..] };
            let whole = told(bytes, |reader, bytes, to| drop(reader.read(&mut &*bytes, to)), *format);
            let fed = told(
                bytes,
                |reader, bytes, to| {
                    for piece in bytes.chunks(size) {
                        let _ = reader.feed(piece, to);
                    }
                    let _ = reader.finish(to);
                },
                *format,
            );
            assert!(whole == fed, "{name}: in pieces of {size}");
        }
    }
}

#[test]
fn a_reader_that_goes_on_tells_nothing_twice_and_forgets_nothing() {
    for ((name, _, format, _), bytes) in samples() {
        let whole = told(&bytes, |reader, bytes, to| drop(reader.read(&mut &*bytes, to)), *format);
        for part in [3, 5, 8] {
            let stop = bytes.len() * part / 10;
            let (mut parts, mut reader) = (Vec::new(), Reader::new(*format, rule()));
            let mut take = |event: &Event<'_>| {
                parts.push(format!("{event:?}"));
                ControlFlow::Continue(())
            };
            let _ = reader.feed(&bytes[..stop], &mut take);
            let checkpoint = reader.checkpoint();
            let from = checkpoint.look_back(*format) as usize;
            let mut reader = Reader::resume(*format, rule(), &checkpoint);
            let _ = reader.read(&mut &bytes[from..], &mut take).unwrap();
            assert!(whole == parts, "{name} stopped at {stop}");
        }
    }
}

#[test]
fn an_event_that_is_lost_when_the_receiver_has_enough() {
    for ((name, _, format, _), bytes) in samples() {
        if !matches!(format, Format::Postfix | Format::KumoMta | Format::EximMain) {
            continue; // Elsewhere a record may tell several events, and the rest of it is not told.
        }
        let whole = told(&bytes, |reader, bytes, to| drop(reader.read(&mut &*bytes, to)), *format);
        for parallel in [false, true] {
            let (mut parts, mut reader) = (Vec::new(), Reader::new(*format, rule()));
            let mut take = |event: &Event<'_>| {
                parts.push(format!("{event:?}"));
                if parts.len() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let stopped = if parallel {
                reader.read_parallel(&mut &*bytes, &mut take)
            } else {
                reader.read(&mut &*bytes, &mut take)
            };
            assert!(stopped.unwrap().is_break(), "{name}");
            let checkpoint = reader.checkpoint();
            let from = checkpoint.look_back(*format) as usize;
            let mut reader = Reader::resume(*format, rule(), &checkpoint);
            let _ = reader.read(&mut &bytes[from..], &mut take).unwrap();
            assert!(whole == parts, "{name}, parallel {parallel}");
        }
    }
}

#[test]
fn a_long_log_that_is_told_differently_on_several_cores() {
    let mut log = Vec::new();
    made::write(&mut log, 4_000_000, 20).unwrap();
    // A line that fills several chunks, and one that is no UTF-8, somewhere in the middle.
    let middle = log.len() / 2 + log[log.len() / 2..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let odd =
        [vec![b'x'; 1_500_000], b"\nNov 25 21:33:43 mail postfix/smtp[1]: 71F: to=<a@b.example>, caf\xe9\n".to_vec()]
            .concat();
    log.splice(middle..middle, odd);
    let whole = told(&log, |reader, bytes, to| drop(reader.read(&mut &*bytes, to)), Format::Postfix);
    let parallel = told(&log, |reader, bytes, to| drop(reader.read_parallel(&mut &*bytes, to)), Format::Postfix);
    assert!(whole.len() > 9_000 && whole == parallel);
    let fed = told(
        &log,
        |reader, bytes, to| {
            for piece in bytes.chunks(9_973) {
                let _ = reader.feed(piece, to);
            }
            let _ = reader.finish(to);
        },
        Format::Postfix,
    );
    assert!(whole == fed);
    let unreadable = whole.iter().filter(|event| event.starts_with("Unreadable")).count();
    assert_eq!(unreadable, 2);
}
