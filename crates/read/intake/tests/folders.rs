//! Files, folders and standard input, from the outside: every input gives its item or its fault, in order.

mod place;

use std::io::{Cursor, Read as _};
use std::path::PathBuf;

use place::{Folder, read, told};
use redeliver_intake::{Content, Options, Taken, items};

const MAIL: &str = "From: a@example.com\r\nTo: b@example.net\r\nSubject: x\r\n\r\nhi\r\n";

#[test]
fn a_broken_file_stops_no_other() {
    let folder = Folder::new("thousand");
    for number in 0..1000 {
        let bytes = match number {
            n if n % 100 == 50 && n < 500 => b"".to_vec(),
            n if n % 100 == 50 => b"\0\x01\x02\x03".to_vec(),
            _ => MAIL.as_bytes().to_vec(),
        };
        folder.write(&format!("{number:04}.eml"), &bytes);
    }
    let mut reading = items(std::slice::from_ref(&folder.path), Options::default());
    let progress = reading.progress();
    let (mut mails, mut faults, mut names) = (0, Vec::new(), Vec::new());
    for taken in reading.by_ref() {
        match taken {
            Taken::Item(item) => {
                mails += usize::from(matches!(&item.content, Content::Mail(bytes) if bytes == MAIL.as_bytes()));
                names.push(item.origin.source.into_owned());
            }
            Taken::Fault(fault) => {
                faults.push(fault.code);
                names.push(fault.origin.source.into_owned());
            }
        }
    }
    assert_eq!((mails, faults), (990, [["empty"; 5], ["binary"; 5]].concat()));
    assert!(names.is_sorted() && names.len() == 1000);
    let done = progress.done();
    assert_eq!((done.files, done.files_known), (1001, 1001), "the folder counts as one");
    assert!((done.part - 1.0).abs() < 1e-9 && done.bytes > 990 * 50);
}

#[test]
fn faults_have_codes_and_say_what_to_do() {
    let folder = Folder::new("faults");
    folder.write("picture.eml", b"\x89PNG\r\n\x1a\n\0\0\0");
    folder.make("nothing");
    std::os::unix::net::UnixListener::bind(folder.path.join("socket")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path.join("dangling")).unwrap();
    let paths = ["missing", "nothing", "picture.eml", "socket", "dangling"].map(|name| folder.path.join(name));
    let got = told(&paths);
    let codes: Vec<&str> = got.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(codes, ["not-found", "directory-empty", "binary", "not-a-file", "not-found"], "{got:?}");
    assert_eq!(told(&[PathBuf::from("/dev/zero")]).len(), 1, "a device without an end is not read");
}

#[test]
fn a_link_in_a_folder_leads_nowhere() {
    let secret = Folder::new("links-outside");
    secret.write("passwd", b"root:x:0:0:554 5.7.1 no\n");
    let folder = Folder::new("links");
    folder.write("a/1.eml", MAIL.as_bytes());
    folder.write("b/2.eml", MAIL.as_bytes());
    let links = [("a/up", "..".into()), ("a/zb", "../b".into()), ("b/a", "../a".into())];
    for (name, to) in links.into_iter().chain([("file", secret.path.join("passwd")), ("z", secret.path.clone())]) {
        std::os::unix::fs::symlink(to, folder.path.join(name)).unwrap();
    }
    let got = told(std::slice::from_ref(&folder.path));
    let codes: Vec<&str> = got.iter().map(|line| line.split(' ').next().unwrap()).collect();
    let link = "not-a-file";
    assert_eq!(codes, ["mail", link, link, "mail", link, link, link], "{got:?}");
    // One that was named is followed.
    assert_eq!(told(&[folder.path.join("file"), folder.path.join("z")]).len(), 2);
    assert!(told(&[folder.path.join("a/zb")])[0].starts_with("mail "));
}

#[test]
fn maildir_and_mh_give_mails_and_nothing_else() {
    let folder = Folder::new("maildir");
    for name in ["cur/1.host:2,S", "new/2.host", "tmp/3.host", ".Sent/cur/4.host:2,", "dovecot.index", ".hidden/5"] {
        folder.write(name, MAIL.as_bytes());
    }
    folder.make("cur");
    folder.make(".Sent/new");
    let names = |folder: &Folder| -> Vec<String> {
        let root = format!("mail {}/", folder.path.display());
        told(std::slice::from_ref(&folder.path))
            .iter()
            .map(|line| line.strip_prefix(&root).unwrap_or(line).to_owned())
            .collect()
    };
    assert_eq!(names(&folder), [".Sent/cur/4.host:2,", "cur/1.host:2,S", "new/2.host"]);
    let folder = Folder::new("mh");
    for name in ["10", "9", "1", "inbox/2", ".mh_sequences"] {
        folder.write(name, MAIL.as_bytes());
    }
    assert_eq!(names(&folder), ["1", "9", "10", "inbox/2"]);
}

#[test]
fn windows_and_old_macs_save_text_in_their_own_ways() {
    let folder = Folder::new("windows");
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    folder.write("1.txt", &utf16(&format!("\u{feff}{MAIL}")));
    folder.write("2.txt", &utf16("\u{feff}554 5.7.1 Größe"));
    folder.write("3.txt", format!("\u{feff}{MAIL}").as_bytes());
    folder.write("4.txt", MAIL.replace("\r\n", "\r").as_bytes());
    folder.write("5.txt", &utf16("\u{feff}2026-11-21 10:00:00 a\r\n2026-11-21 10:00:01 b\r\n"));
    let got: Vec<String> = read(std::slice::from_ref(&folder.path), None).into_iter().map(|(_, text)| text).collect();
    let log = "lines: 2026-11-21 10:00:00 a\r\n2026-11-21 10:00:01 b\r\n";
    let mac = format!("mail: {}", MAIL.replace("\r\n", "\n"));
    assert_eq!(got, [&*format!("mail: {MAIL}"), "text: 554 5.7.1 Größe", &format!("mail: {MAIL}"), &mac, log]);
}

#[test]
fn standard_input_is_read_once() {
    let input = || Some(Box::new(Cursor::new(MAIL.as_bytes())) as Box<_>);
    let dash = PathBuf::from("-");
    assert_eq!(read(std::slice::from_ref(&dash), input()), [("-".to_owned(), format!("mail: {MAIL}"))]);
    let log = "Nov 21 10:00:00 mx a\nNov 21 10:00:00 mx b\n";
    let got = read(&[dash], Some(Box::new(Cursor::new(log))));
    assert_eq!(got, [("-".to_owned(), format!("lines: {log}"))]);
}

#[test]
fn a_text_too_large_to_be_taken_whole_is_lines() {
    let folder = Folder::new("large");
    let small = "words\n".repeat(1000);
    let large = "words\n".repeat(200_000);
    folder.write("1", small.as_bytes());
    folder.write("2", large.as_bytes());
    let got: Vec<String> = read(std::slice::from_ref(&folder.path), None).into_iter().map(|(_, text)| text).collect();
    assert!(got[0] == format!("text: {small}") && got[1] == format!("lines: {large}"));
}

/// A reader that gives one piece and then blocks until it is let go.
struct Waiting(Option<Vec<u8>>, std::sync::mpsc::Receiver<()>);

impl std::io::Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some(piece) = self.0.take() {
            return (&piece[..]).read(buffer);
        }
        let _ = self.1.recv();
        Ok(0)
    }
}

#[test]
fn lines_of_a_log_that_is_still_being_written_come_at_once() {
    let (go, wait) = std::sync::mpsc::channel();
    let log = b"Nov 21 10:00:00 mx a\nNov 21 10:00:00 mx b\n".to_vec();
    let options = Options { standard_input: Some(Box::new(Waiting(Some(log), wait))) };
    let mut reading = items(&[PathBuf::from("-")], options);
    let Some(Taken::Item(item)) = reading.next() else { panic!("no item") };
    let Content::Lines(mut lines) = item.content else { panic!("no lines") };
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "Nov 21 10:00:00 mx a\n");
    drop(go);
}

#[test]
fn lines_that_are_not_read_hold_nothing_up() {
    let folder = Folder::new("unread");
    let utf16: Vec<u8> = "\u{feff}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let line: Vec<u8> = "Nov 21 10:00:00 mx a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.write("1", &[utf16, line.repeat(100_000)].concat());
    folder.write("2", MAIL.as_bytes());
    let taken: Vec<Taken> = items(std::slice::from_ref(&folder.path), Options::default()).collect();
    assert_eq!(taken.len(), 2);
    let Some(Taken::Item(item)) = taken.into_iter().next() else { panic!("no item") };
    let Content::Lines(mut lines) = item.content else { panic!("no lines") };
    assert!(lines.read_to_end(&mut Vec::new()).is_err(), "lines that were cut say so");
}
