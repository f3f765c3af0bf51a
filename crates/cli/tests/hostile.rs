//! What strangers write stays text: in every form of output, on both streams, whatever the text, the names of files and of
//! members of archives; and the order of files never matters.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Escapes, a turned text, a formula, NUL, a bell, C1, overlong UTF-8 (RFC 3629 3), a half of a surrogate, markup.
const NASTY: &[u8] =
    b"=cmd|' /C calc'!A0 \x1b[2J\x1b]0;own\x07 \xe2\x80\xaeevil \x00 \xc2\x9b31m \xc0\xaf\xe0\x80\xaf \xed\xa0\x80 <script>alert(1)</script> [x](javascript:y) |`*_";

/// The same as a word of an address or a name, where no blank may stand.
const NASTY_WORD: &[u8] = b"=cmd|'\x1b[2J\xe2\x80\xae\xc2\x9bx";

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn bounce() -> Vec<u8> {
    bytes(&[
        b"From: MAILER-DAEMON@mx.example.net (",
        NASTY,
        b")\r\nTo: ",
        NASTY_WORD,
        b"@example.org\r\nSubject: ",
        NASTY,
        &b"S".repeat(10 << 20)[..],
        b"\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\ncould not be delivered\r\n",
        NASTY,
        b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; ",
        NASTY_WORD,
        b"\r\n\r\nFinal-Recipient: rfc822; ",
        NASTY_WORD,
        b"@example.net\r\nAction: failed\r\nStatus: 5.1.1 (",
        NASTY,
        b")\r\nRemote-MTA: dns; ",
        NASTY_WORD,
        b"\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown ",
        NASTY,
        b"\r\n\r\n--b--\r\n",
    ])
}

/// The subject is longer than what is read of a mail; here a short one, so that the rest is seen.
fn short_bounce() -> Vec<u8> {
    let whole = bounce();
    let at = whole.windows(64).position(|window| window.iter().all(|byte| *byte == b'S')).unwrap();
    bytes(&[&whole[..at], &whole[at + (10 << 20)..]])
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("redeliver-hostile-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&str], paths: &[&Path], stdin: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redeliver"));
    command.arg("explain").args(arguments).args(paths);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&stdin);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Every form of output that there is.
const FORMS: &[&[&str]] = &[
    &["--format", "text", "--each"],
    &["--format", "text", "--each", "-v"],
    &["--format", "json"],
    &["--format", "jsonl"],
    &["--format", "csv"],
    &["--format", "markdown", "--each"],
    &["--summary"],
    &["--summary", "--format", "json"],
    &["--summary", "--format", "csv"],
    &["--summary", "--format", "markdown"],
    &["--addresses"],
    &["--addresses", "--format", "text"],
    &["--addresses", "--format", "jsonl"],
    &["--addresses", "--format", "markdown"],
    &["--letter"],
];

/// Whether a character moves the cursor, hides text or turns its direction.
fn draws(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\r')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[track_caller]
fn is_inert(form: &[&str], output: &Output) {
    for (stream, written) in [("out", &output.stdout), ("err", &output.stderr)] {
        let text = std::str::from_utf8(written).unwrap_or_else(|error| panic!("{form:?} std{stream}: {error}"));
        let found = text
            .find(draws)
            .map(|at| &text[text.floor_char_boundary(at.saturating_sub(40))..text.ceil_char_boundary(at + 8)]);
        assert_eq!(found, None, "{form:?} std{stream}");
        assert!(!text.contains("panicked"), "{form:?}: {text}");
    }
    assert!(output.status.code().is_some(), "{form:?} ended by a signal");
    let text = std::str::from_utf8(&output.stdout).unwrap();
    if form.contains(&"csv") || *form == ["--addresses"] {
        for cell in cells(text) {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%']), "{form:?}: {cell}");
        }
    }
    if form.contains(&"markdown") {
        let live = |line: &str| line.replace("\\<", "").contains("<script") || line.contains("[x](javascript");
        assert!(!text.lines().any(|line| !line.starts_with("    ") && live(line)), "{form:?}: {text}");
    }
    if form.contains(&"jsonl") {
        assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{form:?}");
    } else if form.contains(&"json") {
        assert!(serde_json::from_str::<Value>(text).is_ok(), "{form:?}");
    }
}

/// The cells of a table (RFC 4180 2).
fn cells(table: &str) -> Vec<String> {
    let (mut all, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in table.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => all.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    all
}

/// The rows of docs/limits.md are the constants as they stand in the sources.
#[test]
fn every_limit_of_the_docs_stands_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let table = std::fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    assert!(rows.len() > 40, "{} limits", rows.len());
    for row in rows {
        let (name, value, file) = (row[1], row[2], row[3]);
        let source = std::fs::read_to_string(root.join("crates").join(file)).unwrap();
        let good = source.lines().any(|line| {
            line.split_once(&format!("const {name}: ")).is_some_and(|(_, rest)| rest.ends_with(&format!(" = {value};")))
        });
        assert!(good, "{file} has no {name} of {value}");
    }
}

#[test]
fn a_hostile_bounce_is_inert_in_every_form() {
    let place = Place::new("bounce");
    let path = place.put("bounce.eml", &short_bounce());
    for form in FORMS {
        let output = run(form, &[&path], b"");
        is_inert(form, &output);
        assert!(!output.stdout.is_empty() || form.contains(&"--letter"), "{form:?} says nothing");
    }
}

#[test]
fn a_subject_of_10_megabytes_and_100000_recipients_stay_bounded() {
    let place = Place::new("large");
    let recipient =
        |number: usize| format!("Final-Recipient: rfc822; =u{number}\u{202e}@example.net\r\nStatus: 5.1.1\r\n\r\n");
    let all: String = (0..100_000).map(recipient).collect();
    let many = format!(
        "From: MAILER-DAEMON@mx.example.net\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n{all}"
    );
    let paths = [place.put("subject.eml", &bounce()), place.put("recipients.eml", many.as_bytes())];
    for form in [&FORMS[3], &FORMS[4], &FORMS[6], &FORMS[10]] {
        let output = run(form, &[&paths[0], &paths[1]], b"");
        is_inert(form, &output);
        // 2,000 recipients are told of one report, at 4 KB of JSON each.
        assert!(output.stdout.len() < 16 << 20, "{form:?}: {} bytes", output.stdout.len());
    }
    let told = String::from_utf8(run(&["--format", "jsonl"], &[&paths[1]], b"").stdout).unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "too-complex");
}

#[test]
fn names_of_files_and_of_members_draw_nothing() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new("names");
    let name = Path::new(std::ffi::OsStr::from_bytes(b"=\x1b[2J\xe2\x80\xae\xff.eml"));
    let file = place.0.join(name);
    std::fs::write(&file, short_bounce()).unwrap();
    let broken = place.0.join(std::ffi::OsStr::from_bytes(b"@\x1b[31m\x07.zip"));
    std::fs::write(&broken, b"PK\x03\x04 and no more").unwrap();
    let archive = place.put("a.zip", &stored_zip(b"=\x1b[2J\xe2\x80\xae.eml", &short_bounce()));
    let missing = place.0.join(std::ffi::OsStr::from_bytes(b"\x1b]0;x\x07none"));
    for form in FORMS {
        is_inert(form, &run(form, &[&file, &broken, &archive, &missing], b""));
        is_inert(form, &run(form, &[&place.0], b""));
    }
}

/// A record that cannot be read is told with its place, in an archive too, and forges no line of ours.
#[test]
fn a_record_that_cannot_be_read_forges_nothing() {
    let cut = b"Nov 18 10:00:00 mx postfix/smtp[1]: 4ABC12345678: to=<u@x.example>, relay=";
    let good = b"Nov 18 10:00:01 mx postfix/smtp[1]: 4ABC12345679: to=<u@x.example>, relay=mx.x.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.x.example[192.0.2.1] said: 550 5.1.1 no such user)\n";
    let log = bytes(&[
        cut,
        String::from_utf8_lossy(NASTY).replace('\0', "").as_bytes(),
        b" ann\xef\xb8\x8f dsn=5.1.1\n",
        good,
    ]);
    let place = Place::new("records");
    let file = place.put("a\nredeliver: all was read.log", &log);
    let archive = place.put("a.zip", &stored_zip(b"inner.log", &log));
    for form in FORMS.iter().filter(|form| **form != ["--letter"]) {
        let output = run(form, &[&file, &archive], b"");
        is_inert(form, &output);
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert!(!complaints.lines().any(|line| line.starts_with("redeliver: all was read")), "{form:?}: {complaints}");
        assert!(complaints.contains("a.zip, inner.log, line 1: "), "{form:?}: {complaints}");
    }
}

/// A zip of one stored member (APPNOTE 4.3).
fn stored_zip(name: &[u8], content: &[u8]) -> Vec<u8> {
    let (size, length) = ((content.len() as u32).to_le_bytes(), (name.len() as u16).to_le_bytes());
    let about = bytes(&[b"\0\0\0\0\0\0\0\0\0\0", &crc(content).to_le_bytes(), &size, &size, &length, b"\0\0"]);
    let local = bytes(&[b"PK\x03\x04", &about, name, content]);
    let record = bytes(&[b"PK\x01\x02\0\0", &about, &[0; 14], name]);
    let (record_size, start) = ((record.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes());
    bytes(&[&local, &record, b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &record_size, &start, b"\0\0"])
}

fn crc(content: &[u8]) -> u32 {
    !content.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn texts_and_lines_on_standard_input_are_inert() {
    let text = bytes(&[b"554 5.7.1 \xff ", NASTY_WORD, b" blocked using zen.spamhaus.org [192.0.2.7]"]);
    for form in FORMS {
        is_inert(form, &run(form, &[], &text));
        is_inert(form, &run(form, &[], NASTY));
        let lines = [&text[..], b"\n", NASTY, b"\n"].concat().repeat(3);
        is_inert(form, &run(&[form, &["--replies", "-"][..]].concat(), &[], &lines));
    }
}

/// The lines of JSON, each without what says where it came from, in an order of their own.
fn told(paths: &[&Path]) -> Vec<String> {
    let output = run(&["--format", "jsonl"], paths, b"");
    let mut lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn the_order_of_files_never_matters_and_the_second_time_says_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/bounces");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    paths.sort();
    let mut order: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let first = told(&order);
    assert!(first.len() >= paths.len() && first == told(&order));
    order.reverse();
    assert_eq!(first, told(&order));
    let (even, odd): (Vec<_>, Vec<_>) = order.iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let mixed: Vec<&Path> = odd.into_iter().chain(even).map(|(_, path)| *path).collect();
    assert_eq!(first, told(&mixed));
    let summary = |paths: &[&Path]| run(&["--summary", "--format", "json"], paths, b"").stdout;
    assert_eq!(summary(&mixed), summary(&mixed));
}

#[test]
fn the_order_of_catalog_files_never_matters() {
    let rule = |id: &str, cause: &str, phrase: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\ncause = \"{cause}\"\nconfidence = 0.9\nany = [\"{phrase}\"]\nmeaning = \"x\"\nsource = \"a letter\"\nexamples = [\"550 {phrase}\"]\n"
        )
    };
    let rules = [
        rule("one", "greylisted", "frobnicated until teatime"),
        rule("two", "mailbox-full", "the drawer overflows with frobs"),
        rule("three", "policy", "frobnicated until teatime again"),
    ];
    let replies =
        ["450 frobnicated until teatime", "550 the drawer overflows with frobs", "550 frobnicated until teatime again"];
    let mut answers = Vec::new();
    for (number, names) in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]].iter().enumerate() {
        let place = Place::new(&format!("catalog-{number}"));
        std::fs::create_dir_all(place.0.join("phrases")).unwrap();
        for (name, rule) in names.iter().zip(&rules) {
            std::fs::write(place.0.join(format!("phrases/{name}.toml")), rule).unwrap();
        }
        let folder = place.0.to_str().unwrap();
        let lines =
            run(&["--catalog", folder, "--replies", "-", "--format", "jsonl"], &[], replies.join("\n").as_bytes());
        let causes: Vec<Value> = String::from_utf8(lines.stdout)
            .unwrap()
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                let causes = line["causes"].as_array().unwrap().iter();
                causes.map(|one| Value::from(format!("{} {}", one["cause"], one["confidence"]))).collect()
            })
            .collect();
        assert_eq!(causes.len(), 3);
        answers.push(causes);
    }
    assert!(answers.iter().all(|one| one == &answers[0]), "{answers:?}");
}

/// A bounce with the words of a stranger in it.
fn bounce_about(sender: &str, recipient: &str, host: &str, reply: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@mx.example.net\r\nSubject: failure\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\ncould not be delivered\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.0.0\r\nRemote-MTA: dns; {host}\r\n\
         Diagnostic-Code: smtp; {reply}\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <{sender}>\r\n\
         From: {sender}\r\nTo: {recipient}\r\n\r\nHello\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

/// Commands and records are pasted: no value of a stranger may bring anything into them that a shell or a zone reads.
#[test]
fn no_command_to_paste_holds_what_a_shell_would_run() {
    let place = Place::new("paste");
    let replies = [
        "550 5.1.1 suppressed: recipient is on your suppression list",
        "554 5.7.1 Relay access denied",
        "550 5.7.23 SPF check failed",
        "550 5.7.26 DMARC policy: rejected",
        "550 5.7.20 No valid DKIM signature",
        "450 4.1.8 Sender address rejected: Domain not found",
        "550 5.7.25 no PTR record for your IP",
        "451 4.7.5 TLS handshake failed",
        "535 5.7.8 authentication failed",
        "550 5.1.2 Host or domain name not found",
    ];
    for (number, poison) in ["`id`", "$(reboot)", "';id;'", "\"+all\"", "|sh", "&id", ">x", "\\x"].iter().enumerate() {
        for (which, reply) in replies.iter().enumerate() {
            let sender = format!("bob{poison}@sender{poison}.org");
            let (recipient, host) = (format!("a{poison}b@ex{poison}.net"), format!("mx{poison}.example.net"));
            let path = place.0.join(format!("{number}-{which}.eml"));
            std::fs::write(&path, bounce_about(&sender, &recipient, &host, reply)).unwrap();
            let output = run(&["--format", "json"], &[&path], b"");
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            for remedy in told.as_array().unwrap().iter().flat_map(|one| one["remedies"].as_array().unwrap()) {
                for step in remedy["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap()) {
                    // Between back-ticks stands a command or a record.
                    for span in step.split('`').skip(1).step_by(2) {
                        assert!(!span.contains(poison.trim_matches('`')), "{reply}: {step}");
                    }
                }
            }
        }
    }
}

/// Nothing that a stranger wrote begins a field or a paragraph of a letter.
#[test]
fn a_letter_has_no_field_from_a_stranger() {
    let event = r#"[{"email":"a\r\nBcc: e@x@b.example","event":"bounce","status":"5.7.1","reason":"554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org\r\n\r\nPlease pay","timestamp":1764000000,"sg_event_id":"x","sg_message_id":"y"}]"#;
    let place = Place::new("letter");
    let path = place.0.join("events.json");
    std::fs::write(&path, event).unwrap();
    let output = run(&["--letter"], &[&path], b"");
    let letter = String::from_utf8(output.stdout).unwrap();
    assert!(letter.contains("To: "), "{letter}");
    assert!(!letter.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("Please pay")), "{letter}");
}

/// All events of an array on one line are told, and not its beginning as a reply.
#[test]
fn an_array_of_events_on_one_line_is_read_whole() {
    let event = |number: u32| {
        format!(
            r#"{{"email":"user{number}@example.net","event":"bounce","status":"5.1.1","reason":"550 5.1.1 User unknown","timestamp":1764000000,"sg_event_id":"x{number}","sg_message_id":"y"}}"#
        )
    };
    let events = format!("[{}]", (0..20).map(event).collect::<Vec<_>>().join(","));
    let output = run(&["--format", "jsonl", "-"], &[], events.as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 20);
}

/// What could not be read of a log changes the exit code and stands in the JSON.
#[test]
fn damaged_records_are_never_lost_in_silence() {
    let good = r#"{"email":"user@example.net","event":"bounce","status":"5.1.1","reason":"550 5.1.1 User unknown","timestamp":1764000000,"sg_event_id":"x","sg_message_id":"y"}"#;
    let cut = &good[..60];
    let output = run(&["--format", "jsonl", "-"], &[], format!("{good}\n{cut}\n{good}\n").as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines.iter().filter(|line| line["error"]["code"] == "unreadable").count(), 1, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["kind"] == "refusal").count(), 2, "{lines:?}");
}

/// A reply that repeats itself for pages costs by its length, not by the square of it.
#[test]
fn a_repeating_reply_is_read_in_line_with_its_length() {
    let text = |times: usize| format!("550 5.7.1 {}", "spam rejected by policy ".repeat(times));
    let told = |times: usize| {
        let output = run(&["--format", "json", "--replies", "-"], &[], text(times).as_bytes());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        told[0]["causes"][0]["cause"].as_str().unwrap().to_owned()
    };
    assert_eq!(told(5), told(600));
}

/// A report that stands behind what is read of a mail is missed, but not in silence.
#[test]
fn a_mail_that_was_cut_says_so() {
    let place = Place::new("cut");
    let path = place.0.join("large.eml");
    let mut mail = b"From: ann@example.org\r\nSubject: photos\r\n\r\n".to_vec();
    mail.extend(b"just some words of ours\r\n".repeat((8 << 20) / 25 + 1000));
    std::fs::write(&path, mail).unwrap();
    let output = run(&["--format", "jsonl"], &[&path], b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("too-long") && text.contains("8 MB"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}
