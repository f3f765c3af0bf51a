//! The reader of everything, over a stream of bytes: telling what it is, mailboxes, archives, Outlook messages, UTF-16.

use std::io::{Cursor, Read};
use std::path::PathBuf;

use redeliver_intake::{Content, LARGEST_TEXT, LONGEST_LINE, Options, Taken, decode, items, read_line};
use redeliver_message::LARGEST_MAIL;
use redeliver_message::archive::{EXPANSION, FREE_BYTES};

use crate::hold::bounded;

/// Bytes that are taken of lines; what unpacks to more is cut off by leaving.
const MOST_LINES: usize = 4 * 1024 * 1024;

/// What came out, in words.
fn read(bytes: &[u8]) -> Vec<String> {
    let standard_input: Option<Box<dyn Read + Send>> = Some(Box::new(Cursor::new(bytes.to_vec())));
    let mut seen = Vec::new();
    let mut sum = 0;
    for taken in items(&[PathBuf::from("-")], Options { standard_input }) {
        match taken {
            Taken::Fault(unread) => {
                assert_ne!(unread.code, "internal", "{}", unread.text);
                seen.push(format!("{} {} {:?}", unread.code, unread.text, unread.origin));
            }
            Taken::Item(item) => {
                let (word, size) = content(item.content);
                sum += size;
                seen.push(format!("{word} {size} {} {:?}", item.at, item.origin));
            }
        }
        // Members of archives share their bytes; everything else is handed over once.
        assert!(sum as u64 <= bytes.len() as u64 * EXPANSION + FREE_BYTES + MOST_LINES as u64);
        // Of packed bytes, each item has one of those that they unpack to.
        assert!(seen.len() <= bytes.len() + sum + 1, "more items than bytes");
    }
    seen
}

fn content(content: Content) -> (&'static str, usize) {
    match content {
        Content::Mail(bytes) => {
            assert!(bytes.len() <= LARGEST_MAIL + 1);
            ("mail", bytes.len())
        }
        Content::Text(bytes) => {
            assert!(bytes.len() <= LARGEST_TEXT);
            if let Ok(text) = decode(&bytes) {
                bounded(text.len(), bytes.len(), 3, 0);
            }
            ("text", bytes.len())
        }
        Content::Lines(mut reader) => {
            let (mut line, mut sum) = (Vec::new(), 0);
            while let Ok(Some(_)) = read_line(&mut *reader, &mut line) {
                assert!(line.len() <= LONGEST_LINE);
                sum += line.len();
                if sum > MOST_LINES {
                    break;
                }
            }
            ("lines", sum)
        }
    }
}

/// One stream, read twice.
pub fn stream(bytes: &[u8]) {
    assert_eq!(read(bytes), read(bytes));
}
