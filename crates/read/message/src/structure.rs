//! The structure of a message (RFC 2045, 2046): where its parts begin and end.
//!
//! All lines that may separate parts are found in one search, and each multipart looks only at those that lie in it. So a text
//! costs nothing here, whatever the boundary is, except where its lines begin with two dashes.

use std::ops::Range;

use crate::headers::{ContentType, Headers};
use crate::mail::{DEEPEST, Encoding, Fault, LARGEST_MAIL, MOST_PARTS, Mail, Part, encoding, is_container};

/// Most lines with two dashes in front that are taken for boundaries; each is looked at once for each multipart around it.
/// Real mail has some hundred; a program of 8 MB would have to be comments throughout.
const MOST_DASHED: usize = 200_000;

/// Most fields of all parts together that are kept, besides those that decide what a part is. A digest of 500 messages with 40
/// each has as many.
const MOST_FIELDS_OF_ALL: usize = 20_000;

/// Longest boundary (RFC 2046 5.1.1 allows 70).
const LONGEST_BOUNDARY: usize = 200;

/// Reads a message.
pub(crate) fn read(bytes: &[u8]) -> Mail<'_> {
    read_whole(bytes).mail
}

fn read_whole(bytes: &[u8]) -> Reader<'_> {
    let mut mail = Mail::default();
    let bytes = if bytes.len() > LARGEST_MAIL {
        mail.fault(Fault::TooLarge);
        &bytes[..LARGEST_MAIL]
    } else {
        bytes
    };
    let mut reader = Reader {
        bytes,
        dashed: None,
        mail,
        fields: 0,
        #[cfg(test)]
        looks: 0,
    };
    reader.entity(0..bytes.len(), Place { parent: None, level: 0, depth: 0, default: "text/plain" });
    reader
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// The lines that may separate parts, in order; found when the outermost multipart is met, around all others.
    dashed: Option<Vec<Dashed>>,
    mail: Mail<'a>,
    /// How many fields its parts have.
    fields: usize,
    /// How many of those lines were compared with a boundary.
    #[cfg(test)]
    looks: usize,
}

/// A line with two dashes in front.
#[derive(Clone, Copy)]
struct Dashed {
    start: usize,
    /// Where it ends without the blanks behind it.
    end: usize,
}

/// Where an entity lies.
#[derive(Clone, Copy)]
struct Place {
    parent: Option<usize>,
    level: usize,
    depth: usize,
    default: &'static str,
}

/// A line that separates parts.
struct Boundary {
    /// Where the part before it ends.
    before: usize,
    /// Where the part behind it begins.
    after: usize,
    /// Whether it is the closing one.
    last: bool,
}

impl<'a> Reader<'a> {
    fn entity(&mut self, range: Range<usize>, place: Place) {
        if self.is_full() {
            return;
        }
        let (headers, body) =
            Headers::read_most(&self.bytes[range.clone()], MOST_FIELDS_OF_ALL.saturating_sub(self.fields));
        self.fields += headers.iter().count();
        if headers.is_cut() {
            self.mail.fault(Fault::TooManyParts);
        }
        let body = range.start + body..range.end;
        let mut content_type = headers.raw("content-type").map(ContentType::read).unwrap_or_default();
        if content_type.kind.is_empty() {
            place.default.clone_into(&mut content_type.kind);
        }
        let number = self.mail.parts.len();
        let container = is_container(&content_type.kind);
        let boundary = content_type.parameter("boundary").map(str::as_bytes);
        let boundary = boundary.map(|text| text[..text.len().min(LONGEST_BOUNDARY)].trim_ascii_end().to_vec());
        let kind = content_type.kind.clone();
        let plain = encoding(&headers) == Encoding::Plain;
        self.add(place, headers, content_type, body.clone());
        if !container {
            return;
        }
        if place.depth >= DEEPEST {
            self.mail.fault(Fault::TooDeep);
            return;
        }
        let inside = Place { parent: Some(number), level: place.level, depth: place.depth + 1, default: "text/plain" };
        if let Some(sub) = kind.strip_prefix("multipart/") {
            let default = if sub == "digest" { "message/rfc822" } else { "text/plain" };
            self.multipart(body, boundary.filter(|text| !text.is_empty()), Place { default, ..inside });
        } else if plain {
            self.entity(body, Place { level: place.level + 1, ..inside });
        }
    }

    /// Whether there is no room for the part that comes next.
    fn is_full(&mut self) -> bool {
        let full = self.mail.parts.len() >= MOST_PARTS;
        if full {
            self.mail.fault(Fault::TooManyParts);
        }
        full
    }

    fn add(&mut self, place: Place, headers: Headers<'a>, content_type: ContentType, body: Range<usize>) {
        let Place { parent, level, .. } = place;
        self.mail.parts.push(Part { parent, level, headers, content_type, body: &self.bytes[body] });
    }

    fn multipart(&mut self, body: Range<usize>, boundary: Option<Vec<u8>>, place: Place) {
        let declared = boundary.and_then(|boundary| Some((self.next_boundary(&body, &boundary)?, boundary)));
        let found = declared.or_else(|| {
            self.mail.fault(Fault::BrokenMultipart);
            let boundary = guess_boundary(&self.bytes[body.clone()])?;
            Some((self.next_boundary(&body, &boundary)?, boundary))
        });
        let Some((mut start, boundary)) = found else {
            // Nothing separates parts: all of it is text.
            self.add(place, Headers::default(), ContentType::read(b"text/plain"), body);
            return;
        };
        while !start.last {
            if self.is_full() {
                return;
            }
            let next = self.next_boundary(&(start.after..body.end), &boundary);
            let end = next.as_ref().map_or(body.end, |next| next.before);
            if next.is_none() {
                self.mail.fault(Fault::BrokenMultipart);
            }
            self.entity(start.after..end, place);
            let Some(next) = next else { return };
            start = next;
        }
    }

    /// The first boundary line within a range that begins with a line (RFC 2046 5.1.1).
    fn next_boundary(&mut self, within: &Range<usize>, boundary: &[u8]) -> Option<Boundary> {
        let bytes = self.bytes;
        let mail = &mut self.mail;
        let dashed = self.dashed.get_or_insert_with(|| {
            let found = dashed_lines(bytes, within.clone());
            if found.len() == MOST_DASHED {
                mail.fault(Fault::TooManyParts);
            }
            found
        });
        let first = dashed.partition_point(|line| line.start < within.start);
        for line in dashed[first..].iter().take_while(|line| line.start < within.end) {
            #[cfg(test)]
            {
                self.looks += 1;
            }
            let Some(rest) = bytes[line.start + 2..line.end].strip_prefix(boundary) else { continue };
            let last = rest.starts_with(b"--");
            if !rest.is_empty() && !last {
                continue; // a longer boundary that begins alike
            }
            // The line end before the boundary belongs to it.
            let before = &bytes[within.start..line.start];
            let before = before.strip_suffix(b"\n").map_or(before, |line| line.strip_suffix(b"\r").unwrap_or(line));
            let end = memchr::memchr(b'\n', &bytes[line.end..within.end]);
            let after = end.map_or(within.end, |end| line.end + end + 1);
            return Some(Boundary { before: within.start + before.len(), after, last });
        }
        None
    }
}

/// The lines with two dashes in front, within a range that begins with a line.
fn dashed_lines(bytes: &[u8], within: Range<usize>) -> Vec<Dashed> {
    let text = &bytes[within.clone()];
    let first = text.starts_with(b"--").then_some(0);
    let others = memchr::memmem::find_iter(text, b"\n--").map(|end| end + 1);
    let starts = first.into_iter().chain(others).take(MOST_DASHED);
    let lines = starts.map(|start| {
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |end| start + end);
        Dashed { start: within.start + start, end: within.start + start + text[start..end].trim_ascii_end().len() }
    });
    lines.collect()
}

/// The boundary that a multipart without one seems to use: its first line that begins with `--` and is followed by a field.
fn guess_boundary(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body[..body.len().min(16 * 1024)].split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_ascii_end();
        let follows = lines.peek().is_some_and(|next| next.len() > 8 && next[..8].eq_ignore_ascii_case(b"content-"));
        if follows && line.len() > 4 && line.len() < LONGEST_BOUNDARY && line.starts_with(b"--") {
            return Some(line[2..].to_vec());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiparts in one another, each with a boundary of its own; the innermost holds the text.
    fn nested(levels: usize, boundary: impl Fn(usize) -> String, text: &str) -> String {
        let opened = (0..levels).map(|level| {
            let boundary = boundary(level);
            format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n")
        });
        opened.collect::<String>() + "\n" + text
    }

    #[test]
    fn a_boundary_at_every_byte_costs_nothing() {
        for boundary in [|_| "a".to_owned(), |level| "a".repeat(level + 1)] {
            let read = |text: &str| read_whole(nested(DEEPEST, boundary, text).as_bytes()).looks;
            assert_eq!(read(&"a".repeat(100_000)), read("words"));
        }
    }

    #[test]
    fn lines_like_boundaries_are_bounded() {
        let text = "--aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(MOST_DASHED);
        let parts = "--a\n\nx\n".repeat(3);
        let mail = nested(DEEPEST, |level| "a".repeat(level + 1), &(parts + &text));
        let reader = read_whole(mail.as_bytes());
        assert!(reader.looks <= 2 * MOST_DASHED * DEEPEST, "{}", reader.looks);
        assert!(reader.mail.faults.contains(&Fault::TooManyParts));
        // What stands in front of the last one that is looked at is told.
        assert_eq!(reader.mail.parts.iter().filter(|part| part.body == b"x").count(), 2);
        // They are bounded where they may be boundaries only.
        assert_eq!(read(text.as_bytes()).faults, []);
    }

    #[test]
    fn fields_of_all_parts_together_are_bounded() {
        let part = format!("--b\n{}Content-Type: text/html\n\nx\n", "A:\n".repeat(1900));
        let mail = format!("Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n", part.repeat(MOST_PARTS - 1));
        let mail = read(mail.as_bytes());
        let fields: usize = mail.parts.iter().map(|part| part.headers.iter().count()).sum();
        assert!(fields <= MOST_FIELDS_OF_ALL + MOST_PARTS, "{fields}");
        // All parts are there, and what they are.
        assert!(mail.parts[1..].iter().all(|part| part.is("text/html") && part.body == b"x"));
        assert_eq!((mail.parts.len(), mail.faults.as_slice()), (MOST_PARTS, &[Fault::TooManyParts][..]));
    }

    #[test]
    fn what_is_a_boundary_line() {
        let mail = b"Content-Type: multipart/mixed; boundary=\"b \"\n\n--b\n\none\r\n--b \t\r\n\nx--b\n --b\n--bb\n--b -\n\n--b\n--b\n\n--b-- end\n--b\n\nno";
        let bodies: Vec<_> = read(mail).parts.iter().skip(1).map(|part| part.body).collect();
        assert_eq!(bodies, [&b"one"[..], b"x--b\n --b\n--bb\n--b -\n", b"", b""]);
    }
}
