//! Mails out of a mailbox of the mbox family (RFC 4155), one at a time, whatever its size.
//!
//! A mail begins only where a blank line is followed by a line of the form `From sender date` and a field behind it: a
//! mail that has a line `From ` in its text is not torn, nor one that announces a quoted message. Content-Length is not
//! believed: it is wrong wherever a mail was changed after it was written. Quoting is undone as in mboxrd: one `>` less
//! in front of `From `.

use std::io::{self, BufRead, BufReader, Read};

use redeliver_message::LARGEST_MAIL;

use crate::fault::{Fault, Place};
use crate::sniff::{begins_message, is_separator};
use crate::walk::{Given, Walk};
use crate::{Content, Item};

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// Longest part of a line that is looked at; the rest of a longer line is taken as it is.
const LONGEST_LOOKED_AT: usize = 1024;

/// A line of a mailbox, or a part of a very long one.
struct Line {
    /// Its number, counted from 1, and the byte at which it begins.
    number: u64,
    at: u64,
    /// Whether a line begins with it.
    first: bool,
}

/// The mail that is being put together.
#[derive(Default)]
struct Open {
    bytes: Vec<u8>,
    number: u64,
    line: u64,
    at: u64,
    /// The line before was blank.
    blank: bool,
    /// The last line that was not blank announces what follows it.
    announced: bool,
    /// A line that may begin the next mail, and where it stands.
    separator: Option<(Vec<u8>, u64, u64)>,
}

impl Open {
    fn push(&mut self, bytes: &[u8]) {
        let room = (LARGEST_MAIL + 1).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Takes a line in; gives the mail before it, if it turns out to have ended.
    fn line(&mut self, bytes: &[u8], line: &Line) -> Option<Self> {
        let mut ended = None;
        if let Some((text, number, at)) = self.separator.take() {
            if begins_message(bytes) {
                let next = Self { number: self.number + 1, line: number, at, ..Self::default() };
                ended = Some(std::mem::replace(self, next));
            } else {
                self.push(&text);
            }
        } else if self.blank && !self.announced && line.first && bytes.starts_with(b"From ") && is_separator(bytes) {
            self.separator = Some((bytes.to_vec(), line.number, line.at));
            return None;
        }
        self.blank = line.first && matches!(bytes, b"\n" | b"\r\n");
        if !self.blank {
            self.announced = line.first && announces(bytes);
        }
        let quoted = line.first && bytes.first() == Some(&b'>') && {
            let rest = bytes.iter().position(|byte| *byte != b'>').unwrap_or(bytes.len());
            bytes[rest..].starts_with(b"From ")
        };
        self.push(&bytes[usize::from(quoted)..]);
        ended
    }

    /// The mail without the blank line that belongs to the mailbox.
    fn mail(mut self) -> Vec<u8> {
        if self.blank && self.bytes.len() <= LARGEST_MAIL {
            let end = if self.bytes.ends_with(b"\r\n") { 2 } else { 1 };
            self.bytes.truncate(self.bytes.len().saturating_sub(end));
        }
        self.bytes
    }
}

impl Walk {
    /// A mailbox.
    pub(crate) fn mailbox(&mut self, place: &Place, reader: impl Read) -> Given {
        let mut reader = BufReader::with_capacity(PIECE, reader);
        let mut open = Open { blank: true, ..Open::default() };
        let mut line = Line { number: 1, at: 0, first: true };
        let mut held = Vec::new();
        let broken = loop {
            let ready = match reader.fill_buf() {
                Ok([]) => break None,
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => break Some(error),
            };
            let mut ended = Vec::new();
            let used = take_lines(ready, &mut held, &mut line, &mut |bytes, line| {
                ended.extend(open.line(bytes, line));
            });
            reader.consume(used);
            for mail in ended {
                self.mail_of_box(place, mail, true)?;
            }
        };
        if let Some(mail) = open.line(&held, &line) {
            self.mail_of_box(place, mail, true)?;
        }
        if let Some((text, ..)) = open.separator.take() {
            open.push(&text);
        }
        let several = open.number > 1;
        self.mail_of_box(place, open, several)?;
        broken.map_or(Ok(()), |error| self.fault(place, Fault::io(error)))
    }

    fn mail_of_box(&mut self, place: &Place, mail: Open, several: bool) -> Given {
        // What stands in front of the first separator: blank lines.
        if mail.number == 0 && mail.bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let (line, at, number) = (mail.line, mail.at, mail.number);
        let place = if several { &place.inside(&number.to_string()) } else { place };
        let bytes = mail.mail();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return self.fault(place, Fault::empty());
        }
        let origin = place.origin(several.then_some(line));
        self.give(Item { origin, at, content: Content::Mail(bytes) })
    }
}

/// Whether a line announces a message behind it, as bounces do that quote one with its line `From `: `Bounced message:`,
/// `--- Original message ---`. No mail ends so; one that does is joined with the next, which costs less than a torn one.
fn announces(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    // A field without a value ends so too, and has no blank in front of it.
    let is_text = memchr::memchr(b' ', line).is_some();
    is_text && (line.ends_with(b":") || (line.starts_with(b"---") && line.ends_with(b"---")))
}

/// Gives the whole lines of a piece one by one, and keeps what is left of the last. Returns the bytes that were used.
fn take_lines(ready: &[u8], held: &mut Vec<u8>, line: &mut Line, give: &mut dyn FnMut(&[u8], &Line)) -> usize {
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', ready) {
        let part = &ready[at..=end];
        at = end + 1;
        if held.is_empty() {
            give(part, line);
            line.at += part.len() as u64;
        } else {
            held.extend_from_slice(part);
            give(held, line);
            line.at += held.len() as u64;
            held.clear();
        }
        line.number += 1;
        line.first = true;
    }
    held.extend_from_slice(&ready[at..]);
    // A line without an end is taken in parts.
    if held.len() > LONGEST_LOOKED_AT {
        give(held, line);
        line.at += held.len() as u64;
        line.first = false;
        held.clear();
    }
    ready.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mails of a box, read in pieces of each of these sizes.
    fn mails(text: &str) -> Vec<(u64, u64, u64, String)> {
        let mut results = [1, 7, 4096].map(|size| {
            let mut open = Open { blank: true, ..Open::default() };
            let mut line = Line { number: 1, at: 0, first: true };
            let (mut held, mut all) = (Vec::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                take_lines(piece, &mut held, &mut line, &mut |bytes, line| all.extend(open.line(bytes, line)));
            }
            all.extend(open.line(&held, &line));
            all.push(open);
            all.retain(|mail| mail.number > 0);
            let told = |mail: Open| (mail.number, mail.line, mail.at, String::from_utf8(mail.mail()).unwrap());
            all.into_iter().map(told).collect::<Vec<_>>()
        });
        assert!(results.windows(2).all(|two| two[0] == two[1]));
        std::mem::take(&mut results[0])
    }

    #[test]
    fn mails_are_split_where_mails_begin() {
        let text = "From a@example.com Sat Nov 21 10:00:00 2026\nSubject: 1\n\none\n\nFrom b@example.com Sat Nov 21 10:00:00 2026\nSubject: 2\n\ntwo\n";
        let want = [(1, 1, 0, "Subject: 1\n\none\n".to_owned()), (2, 6, 61, "Subject: 2\n\ntwo\n".to_owned())];
        assert_eq!(mails(text), want);
        assert_eq!(mails(&text.replace("one\n", "--b--\n")).len(), 2, "the end of a multipart announces nothing");
        assert_eq!(mails(&text.replace('\n', "\r\n"))[1].3, "Subject: 2\r\n\r\ntwo\r\n");
    }

    #[test]
    fn a_line_from_in_the_text_tears_no_mail() {
        let head = "From a@example.com Sat Nov 21 10:00:00 2026\nSubject: 1\n\n";
        for body in [
            "words\nFrom b@example.com Sat Nov 21 10:00:00 2026\nSubject: no blank line before\n",
            "\nFrom here on nothing works\nSubject: no envelope\n",
            "\nFrom b@example.com Sat Nov 21 10:00:00 2026\nno field behind\n",
            "The bounced mail:\n\nFrom b@example.com Sat Nov 21 10:00:00 2026\nSubject: quoted with its line\n",
            "----- Original message -----\n\nFrom b@example.com Sat Nov 21 10:00:00 2026\nSubject: quoted\n",
            "\nFrom b@example.com Sat Nov 21 10:00:00 2026\n",
            "\nFrom b@example.com Sat Nov 21 10:00:00 2026",
        ] {
            let got = mails(&format!("{head}{body}"));
            assert_eq!(got.len(), 1, "{body}");
        }
    }

    #[test]
    fn quoted_lines_lose_one_sign() {
        let head = "From a@example.com Sat Nov 21 10:00:00 2026\n";
        let got = mails(&format!("{head}Subject: 1\n\n>From x\n>>From y\n> From z\n"));
        assert_eq!(got[0].3, "Subject: 1\n\nFrom x\n>From y\n> From z\n");
    }

    #[test]
    fn one_mail_of_a_box_is_bounded() {
        let mut open = Open::default();
        let line = Line { number: 1, at: 0, first: true };
        let text = vec![b'x'; LARGEST_MAIL];
        for _ in 0..3 {
            open.line(&text, &line);
        }
        assert_eq!(open.bytes.len(), LARGEST_MAIL + 1);
    }
}
