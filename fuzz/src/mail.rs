//! Messages: header fields, structure, charsets and HTML, and what a bounce says.

use redeliver_diagnose::{Ours, read_mail};
use redeliver_message::{ContentType, Headers, LARGEST_MAIL, MOST_FIELDS, MOST_PARTS, Mail, decode_text, html_text, prepare};

use crate::hold::bounded;
use crate::reply::judge;

/// How many bytes of UTF-8 a byte of another charset becomes at the most, with what a decoder adds for a broken one.
const GROWTH: usize = 6;

const FIELDS: [&str; 10] =
    ["subject", "from", "to", "cc", "date", "received", "content-type", "message-id", "x-failed-recipients", "return-path"];

/// A block of fields, each decoded in every way.
pub fn headers(bytes: &[u8]) {
    let (headers, body) = Headers::read(bytes);
    assert!(body <= bytes.len() && headers.iter().count() <= MOST_FIELDS);
    let again = Headers::read(bytes);
    assert!(again.0 == headers && again.1 == body);
    let whole: usize = headers.iter().map(|field| field.name.len() + field.raw.len()).sum();
    assert!(whole <= bytes.len());
    for name in FIELDS {
        let given: usize = headers.all(name).map(<[u8]>::len).sum();
        bounded(headers.text(name).map_or(0, |text| text.len()), given, GROWTH, 16);
        let addresses = headers.addresses(name);
        assert_eq!(addresses, headers.addresses(name));
        let size: usize = addresses.iter().map(|one| one.address.len() + one.name.as_ref().map_or(0, String::len)).sum();
        bounded(size, given, GROWTH, 16);
        assert!(headers.address(name).is_none_or(|address| address.contains('@')));
        let _ = headers.date(name);
    }
    let size: usize = headers
        .received()
        .map(|hop| {
            [hop.from, hop.reverse, hop.by, hop.recipient].into_iter().flatten().map(|text| text.len()).sum::<usize>()
        })
        .sum();
    bounded(size, whole, GROWTH, 16);
    let read = ContentType::read(bytes);
    assert_eq!(read, ContentType::read(bytes));
    bounded(read.kind.len(), bytes.len(), GROWTH, 16);
}

/// A message and its parts.
pub fn structure(bytes: &[u8]) {
    let prepared = prepare(bytes);
    // Only decoded in place and given line ends: never longer than one separator for each unwrapping.
    bounded(prepared.len(), bytes.len(), 1, 1024);
    let mail = Mail::read(&prepared);
    assert!(!mail.parts.is_empty() && mail.parts.len() <= MOST_PARTS + 1);
    let memory = prepared.as_ptr_range();
    for (number, part) in mail.parts.iter().enumerate() {
        assert!(part.parent.is_none_or(|parent| parent < number), "a part lies in a later one");
        let span = part.body.as_ptr_range();
        assert!(part.body.is_empty() || (memory.start <= span.start && span.end <= memory.end));
        assert!(part.body.len() <= LARGEST_MAIL);
        bounded(part.decoded().len(), part.body.len(), 1, 4);
        if number < 16 {
            bounded(part.text().len(), part.body.len(), GROWTH, 16);
            let _ = part.file_name();
        }
    }
    let again = Mail::read(&prepared);
    assert_eq!(mail.faults, again.faults);
    let kinds = |mail: &Mail<'_>| {
        mail.parts.iter().map(|part| (part.parent, part.level, part.content_type.clone(), part.body.len())).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&mail), kinds(&again));
}

const CHARSETS: [&str; 24] = [
    "", "utf-8", "us-ascii", "iso-8859-1", "iso-8859-8-i", "windows-1252", "windows-1251", "koi8-r", "utf-7", "utf-16",
    "utf-16le", "utf-16be", "utf-32", "gb18030", "gb2312", "gbk", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr",
    "hz-gb-2312", "tis-620", "no-such-set",
];

/// A text in some charset, and the same as HTML. The first byte says which.
pub fn text(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let name = CHARSETS[usize::from(first) % CHARSETS.len()];
    let text = decode_text(rest, (!name.is_empty()).then_some(name));
    assert_eq!(text, decode_text(rest, (!name.is_empty()).then_some(name)));
    bounded(text.len(), rest.len(), GROWTH, 16);
    let shown = html_text(&text);
    // An entity of 4 bytes (`&gg;`) is a letter of 3; a block adds a line end or two, and takes at least three bytes.
    bounded(shown.len(), text.len(), 2, 16);
    assert_eq!(shown, html_text(&text));
}

/// Everything that a bounce says, and what each refusal in it means.
pub fn bounce(bytes: &[u8]) {
    let prepared = prepare(bytes);
    let mail = Mail::read(&prepared);
    let mut ours = Ours::default();
    assert!(ours.add("example.org").is_ok() && ours.add("192.0.2.0/24").is_ok());
    let reading = read_mail(&mail, &ours, None);
    assert!(!reading.told.is_empty());
    bounded(reading.words.len(), bytes.len(), GROWTH, 4096);
    let again = read_mail(&mail, &ours, None);
    assert_eq!(reading.told.len(), again.told.len());
    for (told, other) in reading.told.iter().zip(&again.told) {
        assert_eq!((told.kind, &told.refusal), (other.kind, &other.refusal));
    }
    // Each refusal has some words of its own in the report.
    bounded(reading.all().map(|reading| reading.told.len()).sum(), bytes.len(), 1, 1);
    for told in reading.told.iter().take(8) {
        judge(&told.refusal);
    }
}
