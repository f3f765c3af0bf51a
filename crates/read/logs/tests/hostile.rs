//! What nobody should write into a log, and somebody will.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;

use redeliver_logs::{
    Event, Format, LONGEST_ADDRESS, LONGEST_LINE, LONGEST_NAME, LONGEST_RECORD, Origin, Reader, Refused, Unreadable,
    YearRule, recognise,
};
use redeliver_model::Timestamp;

fn events(format: Format, bytes: &[u8]) -> Vec<String> {
    events_in(format, &[bytes])
}

/// What is told of a log that comes in pieces.
fn events_in(format: Format, pieces: &[&[u8]]) -> Vec<String> {
    let mut told = Vec::new();
    let mut reader = Reader::new(format, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
    let mut take = |event: &Event<'_>| {
        if let Event::Unreadable(unreadable) = event {
            assert!(unreadable.line.len() <= 3 * Unreadable::SHOWN);
        }
        told.push(format!("{event:?}"));
        ControlFlow::Continue(())
    };
    for piece in pieces {
        let _ = reader.feed(piece, &mut take);
    }
    let _ = reader.finish(&mut take);
    told
}

/// A small sample of every format, by folder.
fn samples() -> Vec<(Format, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../testdata/logs");
    let mut samples = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let Ok(files) = std::fs::read_dir(entry.path()) else { continue };
        for file in files.flatten() {
            if file.path().is_file() && file.file_name() != "expected.jsonl" {
                let bytes = std::fs::read(file.path()).unwrap();
                let format = recognise(&bytes).unwrap();
                // Whole lines.
                let end = bytes[..bytes.len().min(12_000)].iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
                samples.push((format, bytes[..end].to_vec()));
            }
        }
    }
    assert!(samples.len() >= 24);
    samples.sort_by_key(|(format, _)| *format);
    samples
}

/// Numbers that are the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides.max(1) as u64) as usize
    }
}

/// Bytes and texts that break parsers.
const NASTY: &[&[u8]] = &[
    b"\0",
    b"\x1b[2J",
    b"\xff\xfe",
    b"\xc3",
    b"\n",
    b"\r\n",
    b"\"",
    b"\"\"",
    b"<",
    b">",
    b"<>",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\\",
    b"\\n",
    b": ",
    b", ",
    b";",
    b"##",
    b"{LED=",
    b"H=",
    b"@",
    b"@4",
    b"]: ",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae",
    b"99999999999999999999",
    b"-",
    b"+",
    b" ",
    b"to=<",
    b"status=",
    b"reject: ",
    b"550-",
    b"5.7.1 ",
];

fn mutated(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.roll(12) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.roll(bytes.len());
        match dice.roll(5) {
            0 => bytes[at] = dice.roll(256) as u8,
            1 => drop(bytes.splice(at..at, NASTY[dice.roll(NASTY.len())].iter().copied())),
            2 => drop(bytes.drain(at..(at + dice.roll(60)).min(bytes.len()))),
            3 => bytes.truncate(at),
            _ => {
                let from = dice.roll(bytes.len());
                let piece = bytes[from..(from + dice.roll(200)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn a_panic_on_mutated_logs() {
    let mut dice = Dice(2026);
    let formats: Vec<Format> = Format::all().collect();
    for (format, bytes) in samples() {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for round in 0..150 {
            let start = dice.roll(lines.len());
            let part: Vec<u8> = lines[start..(start + 1 + dice.roll(12)).min(lines.len())].concat();
            let bad = mutated(&part, &mut dice);
            let format = if round % 5 == 0 { formats[dice.roll(formats.len())] } else { format };
            let _ = events(format, &bad);
            let _ = recognise(&bad);
        }
    }
}

#[test]
fn every_prefix_of_a_line_is_read_by_every_format() {
    for (_, bytes) in samples() {
        for line in bytes.split(|byte| *byte == b'\n').take(3) {
            for end in (0..line.len()).step_by(37) {
                for format in Format::all() {
                    let _ = events(format, &line[..end]);
                }
            }
        }
    }
}

#[test]
fn a_line_without_end_that_fills_the_memory() {
    for (format, bytes) in samples() {
        let good = String::from_utf8_lossy(&bytes).lines().take(400).collect::<Vec<_>>().join("\n");
        let alone = events(format, good.as_bytes());
        let mut long = good.clone().into_bytes();
        long.push(b'\n');
        long.extend(std::iter::repeat_n(b'x', 3 * LONGEST_RECORD + 5));
        long.push(b'\n');
        let told = events(format, &long);
        assert!(told.len() == alone.len() + 1, "{format}: {:?}", told.last());
        assert!(told.last().unwrap().contains("TooLong"), "{format}");
    }
}

#[test]
fn what_stands_behind_an_overlong_line_is_lost() {
    let line = "Nov 25 21:33:43 mail postfix/smtp[30]: 71F: to=<a@b.example>, relay=none, delay=1, dsn=5.0.0, status=bounced (no)\n";
    for length in [LONGEST_LINE + 1, 300 * 1024, 2 * 1024 * 1024] {
        let told = events(Format::Postfix, format!("{line}{}\n{line}", "y".repeat(length)).as_bytes());
        assert_eq!(told.iter().filter(|event| event.starts_with("Refused")).count(), 2, "{length}");
        assert_eq!(told.iter().filter(|event| event.contains("TooLong")).count(), 1, "{length}");
        assert!(told[2].contains("line: 3"), "{}", told[2]);
    }
}

#[test]
fn an_overlong_object_is_said_to_stand_on_the_line_before() {
    let good = r#"[{"email":"a@b.example","event":"bounce","reason":"550 5.1.1 no","sg_event_id":"e"}]"#;
    let log = format!("{good}\n{{\"a\":{}}}\n", "1".repeat(1_200_000));
    let mut reader = Reader::new(Format::SendGrid, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
    let mut lines = Vec::new();
    let read = reader.read_parallel(&mut log.as_bytes(), &mut |event| {
        lines.push(event.place().line);
        ControlFlow::Continue(())
    });
    assert!(read.is_ok());
    assert_eq!(lines, [1, 2]);
}

/// A record that was cut anywhere, as a full disk or a crash leaves it: it is told with its line, and all others as without it.
#[test]
fn a_damaged_record_that_takes_others_with_it() {
    for (format, bytes) in samples() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let one_line = |line: &&str| line.starts_with(['{', '[']) && line.ends_with(['}', ']']);
        let is_json = lines.iter().all(one_line);
        if !is_json && !lines.last().unwrap().contains(",\"") {
            continue;
        }
        let places = |told: &[String]| told.iter().map(|event| event.replace(char::is_numeric, "")).collect::<Vec<_>>();
        let whole = events(format, text.as_bytes());
        let bad = lines[lines.len() - 1];
        let mark = bad.rfind('"').unwrap();
        let cuts = if is_json {
            vec![2, mark, mark + 1, bad.trim_end_matches(['}', ']']).len()]
        } else {
            vec![bad.rfind(",\"").unwrap() + 2]
        };
        for cut in cuts {
            let at = lines.len() / 2;
            let with = [&lines[..at], &[&bad[..cut]], &lines[at..]].concat().join("\n");
            let mut told = events(format, with.as_bytes());
            let damaged: Vec<usize> = (0..told.len()).filter(|one| told[*one].starts_with("Unreadable")).collect();
            assert_eq!(damaged.len(), 1, "{format} cut at {cut}");
            assert!(told.remove(damaged[0]).contains(&format!("line: {},", at + 1)), "{format} cut at {cut}");
            assert!(places(&told) == places(&whole), "{format} cut at {cut}");
        }
    }
}

/// What is shown of a damaged record is the same wherever the piece ended that it came in: at a blank too.
#[test]
fn a_damaged_record_that_ends_with_its_piece() {
    let bad = format!("{{\"type\":{}\n{{}}\n", "a ".repeat(Unreadable::SHOWN));
    assert_eq!(&bad[Unreadable::SHOWN - 2..Unreadable::SHOWN], "a ");
    for format in Format::all() {
        let whole = events(format, bad.as_bytes());
        for cut in 0..bad.len() {
            let (front, back) = bad.as_bytes().split_at(cut);
            assert_eq!(events_in(format, &[front, back]), whole, "{format} cut at {cut}");
        }
    }
}

/// The longest address, and the longest name of a host, of an event.
fn longest(event: &Event<'_>) -> (usize, usize) {
    let (sender, recipient, id, origin, parties) = match event {
        Event::Refused(Refused { refusal, origin, .. }) => {
            let parties = vec![&refusal.reported_by, &refusal.refused_by, &refusal.client];
            (&refusal.sender, refusal.recipient.clone(), &refusal.queue_id, origin.clone(), parties)
        }
        Event::Delivered(event) => {
            (&event.sender, Some(event.recipient.clone()), &event.queue_id, Origin::default(), vec![&event.to])
        }
        Event::Submitted(event) => (&event.sender, None, &event.queue_id, event.origin.clone(), Vec::new()),
        Event::Unreadable(_) => return (0, 0),
    };
    let length = |text: &Option<Cow<'_, str>>| text.as_deref().map_or(0, str::len);
    let addresses = [sender, &recipient, id, &origin.login, &origin.user, &origin.script, &origin.directory];
    let names = parties.iter().flat_map(|party| [&party.host, &party.helo]).chain([&origin.host]);
    (addresses.map(length).into_iter().max().unwrap_or(0), names.map(length).max().unwrap_or(0))
}

#[test]
fn names_and_addresses_that_fill_the_memory() {
    let long = "n".repeat(20_000);
    for (format, bytes) in samples() {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(6000)]).into_owned();
        for text in [text.replace('@', &format!("{long}@")), text.replace(".example", &format!("{long}.example"))] {
            let mut reader = Reader::new(format, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
            let _ = reader.read(&mut text.as_bytes(), &mut |event| {
                let (address, name) = longest(event);
                assert!(address <= LONGEST_ADDRESS && name <= LONGEST_NAME, "{format}: {address}, {name}");
                ControlFlow::Continue(())
            });
        }
    }
}

#[test]
fn an_address_is_cut_at_its_domain_and_a_host_at_its_length() {
    let (long, letters) = ("d".repeat(5000), "\u{e9}".repeat(5000));
    for (recipient, want) in [
        (format!("a@{long}"), format!("a@{}", &long[..LONGEST_NAME])),
        (long.clone(), long[..LONGEST_ADDRESS].to_owned()),
        (letters.clone(), letters[..LONGEST_ADDRESS].to_owned()),
        (format!("a@b.{}.example", &long[..200]), format!("a@b.{}.example", &long[..200])),
    ] {
        let line = format!(
            "Nov 25 21:33:43 mail postfix/smtp[30]: 71F: to=<{recipient}>, relay={long}[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (ok)\n"
        );
        let mut told = 0;
        let mut reader = Reader::new(Format::Postfix, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
        let _ = reader.read(&mut line.as_bytes(), &mut |event| {
            let Event::Delivered(delivered) = event else { panic!("{event:?}") };
            assert_eq!(delivered.recipient, want);
            assert_eq!(delivered.to.host.as_deref(), Some(&long[..LONGEST_NAME]));
            told += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(told, 1);
    }
}

#[test]
fn a_bomb_of_json() {
    let deep = format!("{}{}\n", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let wide = format!("{{\"mail\":{{}},\"eventType\":\"Bounce\",\"x\":[{}1]}}\n", "1,".repeat(400_000));
    for format in Format::all() {
        let _ = events(format, deep.as_bytes());
        let _ = events(format, wide.as_bytes());
    }
    assert_eq!(recognise(deep.as_bytes()), None);
    let nested = "{\"Message\":\"{\\\"Message\\\":\\\"{}\\\"}\",\"TopicArn\":\"x\"}";
    assert_eq!(events(Format::Ses, nested.as_bytes()), Vec::<String>::new());
}

#[test]
fn a_reply_that_pretends_to_be_another_line() {
    // The other server chose these words; none of them may end up as recipient, sender or outcome.
    let text =
        "host m.a[192.0.2.1] said: 550 no, status=sent (ok) to=<victim@x.example>, relay=y[1.2.3.4]:25, dsn=2.0.0";
    let line = format!(
        "Nov 25 21:33:43 mail postfix/smtp[30]: 71F: to=<a@b.example>, relay=m.a[192.0.2.1]:25, delay=1, dsn=5.0.0, status=bounced ({text})\n"
    );
    let told = events(Format::Postfix, line.as_bytes());
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("outcome: Bounced") && told[0].contains("recipient: Some(\"a@b.example\")"),
        "{}",
        told[0]
    );
}

#[test]
fn broken_bytes_in_a_refusal_lose_it() {
    let line = b"Nov 25 21:33:43 mail postfix/smtp[30]: 71F: to=<a@b.example>, relay=none, delay=1, dsn=5.0.0, status=bounced (caf\xe9 \0 \x1b[31m)\n";
    let told = events(Format::Postfix, line);
    assert!(told.len() == 1 && told[0].contains("caf\u{fffd}"), "{told:?}");
}

#[test]
fn what_is_too_long_is_cut_between_characters() {
    for length in [8, 9, 10, 11, 83, 84, 85, 106, 107, 108, 340, 341, 342] {
        let long = "\u{fffd}".repeat(length);
        for (format, line) in [
            (
                Format::OpenSmtpd,
                format!(
                    "Nov 25 21:34:42 mail smtpd[2]: 6dae7e0a7d22b850 smtp connected address=192.0.2.1 host=a{long}\n"
                ),
            ),
            (
                Format::Qmail,
                format!("Nov 25 21:34:42 mail qmail: 1.2 starting delivery 1: msg 40{long} to remote a@b.example\n"),
            ),
            (
                Format::Sendmail,
                format!(
                    "Nov 25 21:34:42 mail sm-mta[2]: xAP1: AUTH=server, relay=[192.0.2.1], authid=a{long}, mech=PLAIN\n"
                ),
            ),
            (
                Format::Sendmail,
                format!("Nov 25 21:34:42 mail sm-mta[2]: xAP1: from=<ab{long}>, size=1, nrcpts=1, relay=[192.0.2.1]\n"),
            ),
        ] {
            let _ = events(format, line.as_bytes());
        }
    }
}

/// A block of zero bytes in front of a line, as a file system leaves after a power cut, and a log that was emptied while its writer
/// went on: the line behind is read, whatever the pieces.
#[test]
fn zeros_in_front_of_a_line_that_lose_it() {
    let plain = |told: &[String]| told.iter().map(|event| event.replace(char::is_numeric, "")).collect::<Vec<_>>();
    for (format, bytes) in samples() {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let whole = plain(&events(format, &bytes));
        for at in [0, lines.len() / 2, lines.len() - 1] {
            let front = lines[..at].concat();
            let with = [&front, &[0; 700][..], &lines[at..].concat()].concat();
            assert_eq!(recognise(&with), Some(format), "{format} at {at}");
            for cut in [0, front.len() + 1, front.len() + 700] {
                let (one, two) = with.split_at(cut);
                assert_eq!(plain(&events_in(format, &[one, two])), whole, "{format} at {at}, cut at {cut}");
            }
            let mut told = Vec::new();
            let mut reader = Reader::new(format, YearRule::utc(Timestamp::from_date(2026, 12, 1)));
            let _ = reader.read_parallel(&mut &*with, &mut |event| {
                told.push(format!("{event:?}"));
                ControlFlow::Continue(())
            });
            assert_eq!(plain(&told), whole, "{format} at {at}, on several cores");
        }
    }
}
