//! Messages saved by Outlook, made here property by property: what comes out is a mail that reads as one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod place;

use std::io::{Cursor, Write as _};

use cfb::CompoundFile;
use place::{Folder, read};
use redeliver_intake::{Content, Options, Taken, items};
use redeliver_message::Mail;

/// A compound file on its way.
struct Saved(CompoundFile<Cursor<Vec<u8>>>);

impl Saved {
    fn new() -> Self {
        Self(CompoundFile::create(Cursor::new(Vec::new())).unwrap())
    }

    fn stream(&mut self, path: &str, bytes: &[u8]) {
        self.0.create_stream(path).unwrap().write_all(bytes).unwrap();
    }

    /// An object: the numbers among its properties, behind a header of this length.
    fn object(&mut self, path: &str, header: usize, numbers: &[(u16, u32)]) {
        if path != "/" {
            self.0.create_storage(path).unwrap();
        }
        let mut bytes = vec![0; header];
        for (tag, value) in numbers {
            bytes.extend(3_u16.to_le_bytes());
            bytes.extend(tag.to_le_bytes());
            bytes.extend([6, 0, 0, 0]);
            bytes.extend(u64::from(*value).to_le_bytes());
        }
        self.stream(&format!("{}/__properties_version1.0", path.trim_end_matches('/')), &bytes);
    }

    fn text(&mut self, path: &str, tag: u16, text: &str) {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.stream(&format!("{}/__substg1.0_{tag:04X}001F", path.trim_end_matches('/')), &bytes);
    }

    fn bytes(&mut self, path: &str, tag: u16, kind: u16, bytes: &[u8]) {
        self.stream(&format!("{}/__substg1.0_{tag:04X}{kind:04X}", path.trim_end_matches('/')), bytes);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.flush().unwrap();
        self.0.into_inner().into_inner()
    }
}

fn mail(bytes: &[u8]) -> Vec<u8> {
    let folder = Folder::new("outlook");
    let path = folder.write("x.msg", bytes);
    match items(&[path], Options::default()).next() {
        Some(Taken::Item(item)) => match item.content {
            Content::Mail(bytes) => bytes,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn kinds<'m>(mail: &'m Mail<'_>) -> Vec<&'m str> {
    mail.parts.iter().map(|part| part.content_type.kind.as_str()).collect()
}

fn report() -> Vec<u8> {
    let mut saved = Saved::new();
    saved.object("/", 32, &[]);
    saved.text("/", 0x001a, "REPORT.IPM.Note.NDR");
    saved.text("/", 0x0037, "Undeliverable: Größe");
    saved.text("/", 0x0c1a, "System Administrator");
    saved.text("/", 0x1001, "Your message did not reach some or all of the intended recipients.");
    for (number, address, said) in [
        (0, "a@example.net", "<mx.example.net #5.1.10 smtp;550 5.1.10 no such user>"),
        (1, "b@example.net", "554 5.7.1 refused\r\nX-Injected: yes"),
    ] {
        let path = format!("/__recip_version1.0_#{number:08}");
        saved.object(&path, 8, &[(0x0c20, 520), (0x0c04, 1), (0x0c05, 5), (0x0c15, 1)]);
        saved.text(&path, 0x3001, "Somebody");
        saved.text(&path, 0x39fe, address);
        saved.text(&path, 0x0c1b, said);
    }
    saved.text("/__recip_version1.0_#00000001", 0x0c21, "mx2.example.net");
    let path = "/__attach_version1.0_#00000000";
    saved.object(path, 8, &[(0x3705, 5)]);
    let inner = format!("{path}/__substg1.0_3701000D");
    saved.object(&inner, 24, &[]);
    saved.text(&inner, 0x007d, "Message-ID: <1@example.com>\r\nSubject: Größe\r\nContent-Type: text/html;\r\n charset=x\r\nReceived: from a\r\n by b\r\n\r\n");
    saved.text(&inner, 0x1000, "The first text.");
    saved.finish()
}

#[test]
fn a_report_becomes_a_report() {
    let bytes = mail(&report());
    let mail = Mail::read(&bytes);
    let want = ["multipart/report", "text/plain", "message/delivery-status", "message/rfc822", "text/plain"];
    assert_eq!(kinds(&mail), want, "{}", String::from_utf8_lossy(&bytes));
    assert!(mail.faults.is_empty());
    assert!(mail.parts[1].text().starts_with("Your message did not reach"));
    let status = String::from_utf8_lossy(mail.parts[2].body);
    let groups: Vec<&str> = status.split("\r\n\r\n").map(str::trim).filter(|group| !group.is_empty()).collect();
    assert_eq!(
        groups[0],
        "Final-Recipient: rfc822; a@example.net\r\nAction: failed\r\nStatus: 5.1.10\r\nRemote-MTA: dns; mx.example.net\r\nDiagnostic-Code: smtp;550 5.1.10 no such user\r\nX-MAPI-Reason-Code: 1\r\nX-MAPI-Diagnostic-Code: 5"
    );
    assert_eq!(
        groups[1],
        "Final-Recipient: rfc822; b@example.net\r\nAction: failed\r\nStatus: 5.2.0\r\nRemote-MTA: dns; mx2.example.net\r\nDiagnostic-Code: smtp; 554 5.7.1 refused X-Injected: yes\r\nX-MAPI-Reason-Code: 1\r\nX-MAPI-Diagnostic-Code: 5"
    );
    let inner = &mail.parts[3].body;
    let inner = Mail::read(inner);
    assert_eq!(inner.root().headers.raw("message-id"), Some(&b"<1@example.com>"[..]));
    assert!(inner.root().headers.raw("received").is_some_and(|raw| raw.ends_with(b"by b")));
    assert_eq!(inner.root().text().trim(), "The first text.");
}

#[test]
fn a_message_without_its_header_gets_one() {
    let mut saved = Saved::new();
    saved.object("/", 32, &[(0x3ffd, 1251)]);
    saved.text("/", 0x001a, "IPM.Note");
    saved.bytes("/", 0x0037, 0x001e, b"\xed\xe5\xf2");
    saved.text("/", 0x0c1a, "A \"Person\"\r\nBcc: x@example.org");
    saved.text("/", 0x5d01, "a@example.com");
    saved.text("/", 0x1000, "plain");
    saved.bytes("/", 0x1013, 0x0102, b"<p>html</p>");
    let path = "/__recip_version1.0_#00000000";
    saved.object(path, 8, &[(0x0c15, 1)]);
    saved.text(path, 0x3001, "b@example.net");
    let path = "/__attach_version1.0_#00000000";
    saved.object(path, 8, &[(0x3705, 1)]);
    saved.text(path, 0x3707, "../a\"b.bin");
    saved.bytes(path, 0x3701, 0x0102, b"\0\x01\x02");
    let path = "/__attach_version1.0_#00000001";
    saved.object(path, 8, &[(0x3705, 1)]);
    saved.text(path, 0x370e, "message/delivery-status");
    saved.bytes(path, 0x3701, 0x0102, b"Reporting-MTA: dns; mx.example.net\r\n");
    let bytes = mail(&saved.finish());
    let mail = Mail::read(&bytes);
    let want = [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/octet-stream",
        "message/delivery-status",
    ];
    assert_eq!(kinds(&mail), want, "{}", String::from_utf8_lossy(&bytes));
    let headers = &mail.root().headers;
    assert_eq!(headers.raw("subject"), Some("нет".as_bytes()));
    assert_eq!(headers.raw("from"), Some(&b"\"A Person Bcc: x@example.org\" <a@example.com>"[..]));
    assert!(headers.raw("bcc").is_none());
    assert_eq!(headers.raw("to"), Some(&b"\"b@example.net\" <b@example.net>"[..]));
    assert_eq!(mail.parts[3].text().trim(), "html");
    assert_eq!(mail.parts[4].decoded().as_ref(), b"\0\x01\x02");
    assert_eq!(mail.parts[4].file_name().as_deref(), Some("../ab.bin"));
}

#[test]
fn messages_in_messages_have_an_end() {
    let mut saved = Saved::new();
    saved.object("/", 32, &[]);
    let mut path = String::new();
    for depth in 0..9 {
        saved.text(if depth == 0 { "/" } else { &path }, 0x1000, &format!("depth {depth}"));
        let attachment = format!("{path}/__attach_version1.0_#00000000");
        saved.object(&attachment, 8, &[]);
        path = format!("{attachment}/__substg1.0_3701000D");
        saved.object(&path, 24, &[]);
    }
    let bytes = mail(&saved.finish());
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("depth 6") && !text.contains("depth 7"));
}

#[test]
fn other_compound_files_are_no_messages() {
    let mut saved = Saved::new();
    saved.stream("/WordDocument", b"words");
    let folder = Folder::new("word");
    let path = folder.write("x.doc", &saved.finish());
    assert!(read(&[path], None)[0].1.starts_with("binary: this is a document"));
}

#[test]
fn no_damage_is_too_odd() {
    let whole = report();
    let folder = Folder::new("odd");
    let mut seed = 7_u32;
    let mut paths = Vec::new();
    for number in 0..300 {
        let mut wrong = whole.clone();
        for _ in 0..=number % 8 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 8) as usize % wrong.len();
            wrong[at] = seed as u8;
        }
        if number % 10 == 0 {
            wrong.truncate(wrong.len() * number / 300);
        }
        paths.push(folder.write(&format!("{number:03}"), &wrong));
    }
    let got = read(&paths, None);
    assert_eq!(got.len(), paths.len());
    let internal = got.iter().filter(|(_, told)| told.starts_with("internal: ")).count();
    assert_eq!(internal, 0);
}
