//! Mailboxes, compressed files and archives, from the outside: every member gives its item or its fault, in order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod place;

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use place::{Folder, read, told};
use redeliver_intake::{Content, Options, Taken, items};
use redeliver_message::LARGEST_MAIL;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use zip::write::{SimpleFileOptions, ZipWriter};

const MAIL: &str = "From: a@example.com\nTo: b@example.net\nSubject: x\n\nhi\n";
const LOG: &str = "Nov 21 10:00:00 mx postfix/smtp[1]: a\nNov 21 10:00:01 mx postfix/smtp[1]: b\n";
const BOX: &str = "From a@example.com Sat Nov 21 10:00:00 2026\nSubject: 1\n\none\n\nFrom b@example.com Sat Nov 21 10:00:00 2026\nSubject: 2\n\ntwo\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// What a file of this content gives: `member: what`.
fn taken(name: &str, bytes: &[u8]) -> Vec<String> {
    let folder = Folder::new(name);
    let path = folder.write("x", bytes);
    let place = path.display().to_string();
    read(&[path], None).iter().map(|(at, told)| format!("{}{told}", at.strip_prefix(&place).unwrap())).collect()
}

#[test]
fn a_packed_file_is_what_is_in_it() {
    let mail = format!("mail: {MAIL}");
    let log = format!("lines: {LOG}");
    let two = ["!1:1mail: Subject: 1\n\none\n", "!2:6mail: Subject: 2\n\ntwo\n"];
    for (name, pack) in [("plain", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("gzip", gzip), ("zstd", zstd)] {
        assert_eq!(taken(name, &pack(MAIL.as_bytes())), [mail.as_str()], "{name}");
        assert_eq!(taken(name, &pack(LOG.as_bytes())), [log.as_str()], "{name}");
        assert_eq!(taken(name, &pack(BOX.as_bytes())), two, "{name}");
        let one = &BOX[..BOX.find("\nFrom b").unwrap()];
        assert_eq!(taken(name, &pack(one.as_bytes())), ["mail: Subject: 1\n\none\n"], "{name}: a box of one mail");
    }
}

#[test]
fn members_of_archives_in_their_order_and_archives_in_archives() {
    let members: &[(&str, &[u8])] = &[
        ("b/2.eml", MAIL.as_bytes()),
        ("a.log", LOG.as_bytes()),
        ("../../box", BOX.as_bytes()),
        ("empty", b""),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0"),
        (".DS_Store", b"\0\0"),
        ("554.txt", b"554 5.7.1 no"),
    ];
    let want = [
        format!("!b/2.eml{}", format_args!("mail: {MAIL}")),
        format!("!a.loglines: {LOG}"),
        "!../../box!1:1mail: Subject: 1\n\none\n".to_owned(),
        "!../../box!2:6mail: Subject: 2\n\ntwo\n".to_owned(),
        "!emptyempty: there is nothing in it".to_owned(),
        "!picture.pngbinary: this is a picture: type the code and the words of the reply".to_owned(),
        "!554.txttext: 554 5.7.1 no".to_owned(),
    ];
    for (name, bytes) in [
        ("tar", tar(members)),
        ("zip", zip(members)),
        ("tar-gz", gzip(&tar(members))),
        ("tar-zst", zstd(&tar(members))),
    ] {
        assert_eq!(taken(name, &bytes), want, "{name}");
    }
    let inner = zip(&[("1.eml", MAIL.as_bytes())]);
    let outer = zip(&[("inner.zip", &inner), ("inner.tar.gz", &gzip(&tar(&[("2.eml", MAIL.as_bytes())])))]);
    let got = taken("nested", &outer);
    assert_eq!(got, [format!("!inner.zip!1.emlmail: {MAIL}"), format!("!inner.tar.gz!2.emlmail: {MAIL}")]);
    let mut deep = MAIL.as_bytes().to_vec();
    for _ in 0..6 {
        deep = gzip(&deep);
    }
    assert!(taken("deep", &deep)[0].starts_with("too-deep: "));
}

#[test]
fn an_archive_is_read_from_standard_input() {
    for bytes in [zip(&[("1.eml", MAIL.as_bytes())]), gzip(&tar(&[("1.eml", MAIL.as_bytes())]))] {
        let got = read(&["-".into()], Some(Box::new(Cursor::new(bytes))));
        assert_eq!(got, [("-!1.eml".to_owned(), format!("mail: {MAIL}"))]);
    }
}

#[test]
fn what_was_cut_gives_what_is_there_and_a_fault() {
    // Text that cannot be packed well, so that half of the file is half of the text.
    let mut seed = 1_u32;
    let mut word = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("Nov 21 10:00:00 mx {seed}\n")
    };
    let log: String = (0..20_000).map(|_| word()).collect();
    for (name, whole) in [("gzip-cut", gzip(log.as_bytes())), ("zstd-cut", zstd(log.as_bytes()))] {
        let got = taken(name, &whole[..whole.len() / 2]);
        assert!(got.len() == 2 && got[0].starts_with("lines: Nov 21") && got[1].starts_with("damaged: "), "{name}");
    }
    let mail = format!("{MAIL}{log}");
    let whole = gzip(mail.as_bytes());
    let got = taken("mail-cut", &whole[..whole.len() / 2]);
    assert!(got.len() == 2 && got[0].starts_with("mail: From: a") && got[1].starts_with("damaged: "));
    let whole = tar(&[("1.eml", MAIL.as_bytes()), ("2.eml", MAIL.as_bytes())]);
    let got = taken("tar-cut", &whole[..512 + 512 + 512 + 20]);
    let told: Vec<&str> = got.iter().map(|line| &line[..10]).collect();
    assert_eq!(told, ["!1.emlmail", "!2.emlmail", "!2.emldama"], "{got:?}");
    assert!(taken("zip-cut", &zip(&[("1.eml", MAIL.as_bytes())])[..50])[0].starts_with("damaged: "));
}

#[test]
fn a_bomb_is_told_once_and_stops_no_other_file() {
    let lines = LOG.to_owned() + &"\n".repeat(90_000_000);
    let members: Vec<(String, &[u8])> = (0..2).map(|number| (format!("{number}.log"), lines.as_bytes())).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let folder = Folder::new("bombs");
    folder.write("1.zip", &zip(&members));
    folder.write("2.gz", &gzip(lines.as_bytes()));
    folder.write("3.zst", &zstd(lines.as_bytes()));
    folder.write("4.eml", MAIL.as_bytes());
    let got = told(std::slice::from_ref(&folder.path));
    let codes: Vec<&str> = got.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(codes, ["lines", "bomb", "lines", "bomb", "lines", "bomb", "mail"], "{got:?}");
}

#[test]
fn a_zip_of_few_bytes_under_many_names_is_told_once() {
    let whole = zip(&[("1.eml", MAIL.as_bytes())]);
    let at = |magic: &[u8]| whole.windows(4).position(|four| four == magic).unwrap();
    let (directory, end) = (at(b"PK\x01\x02"), at(b"PK\x05\x06"));
    let mut many = [&whole[..directory], &whole[directory..end].repeat(60), &whole[end..]].concat();
    let size = ((end - directory) as u32 * 60).to_le_bytes();
    let last = many.len() - (whole.len() - end);
    many[last + 12..last + 16].copy_from_slice(&size);
    let got = taken("shared", &many);
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(got[0] == format!("!1.emlmail: {MAIL}") && got[1].starts_with("!1.emlbomb: it shares"), "{got:?}");
}

#[test]
fn packings_that_are_not_read_say_what_to_do() {
    for (head, word) in [
        (&b"BZh91AY&SY...."[..], "bzip2 -dc"),
        (b"\xfd7zXZ\0....", "xz -dc"),
        (b"7z\xbc\xaf\x27\x1c..", "folder"),
        (b"Rar!\x1a\x07\x01\0", "folder"),
    ] {
        let got = taken("unsupported", head);
        assert!(got[0].starts_with("unsupported: ") && got[0].contains(word), "{got:?}");
    }
}

#[test]
fn an_archive_without_anything_to_read_says_so() {
    for bytes in [zip(&[]), zip(&[("folder/", b"")]), tar(&[(".hidden", b"x")])] {
        assert_eq!(taken("nothing", &bytes), ["empty: there is nothing to read in this archive"]);
    }
}

#[test]
fn a_mail_that_is_too_long_is_cut_and_the_box_goes_on() {
    let long = format!("{MAIL}{}", "words\n".repeat(LARGEST_MAIL / 3));
    let both = format!("From a Sat Nov 21 10:00:00 2026\n{long}\nFrom b Sat Nov 21 10:00:00 2026\n{MAIL}");
    let folder = Folder::new("long");
    folder.write("1.eml", long.as_bytes());
    folder.write("2.mbox", both.as_bytes());
    let sizes: Vec<(u64, usize)> = items(std::slice::from_ref(&folder.path), Options::default())
        .map(|taken| match taken {
            Taken::Item(item) => match item.content {
                Content::Mail(bytes) => (item.at, bytes.len()),
                other => panic!("{other:?}"),
            },
            Taken::Fault(fault) => panic!("{fault:?}"),
        })
        .collect();
    let second = 32 + long.len() as u64 + 1;
    assert_eq!(sizes, [(0, LARGEST_MAIL + 1), (0, LARGEST_MAIL + 1), (second, MAIL.len())]);
}
