//! Bytes on their way: files that count what is read, a head that is looked at and put back, other encodings made plain.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use redeliver_message::archive::Budget;

use crate::progress::Progress;

/// Where bytes come from.
pub(crate) enum Source<'r> {
    /// A file, from its start; it can be handed to another thread, and jumped about in.
    File(Counted<File>),
    /// Anything else, once and in order.
    Stream(&'r mut dyn Read),
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Stream(reader) => reader.read(buffer),
        }
    }
}

/// A reader whose bytes are counted: for the progress, and for what they may unpack to.
pub(crate) struct Counted<R> {
    inner: R,
    progress: Progress,
    budget: Budget,
}

impl<R> Counted<R> {
    pub(crate) fn new(inner: R, progress: &Progress, budget: &Budget) -> Self {
        Self { inner, progress: progress.clone(), budget: budget.clone() }
    }
}

impl Counted<File> {
    /// Bytes that the file has.
    pub(crate) fn size(&self) -> u64 {
        self.inner.metadata().map_or(0, |about| about.len())
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.read(read as u64);
        self.budget.packed(read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Bytes that are read first.
const FIRST_PIECE: usize = 8 * 1024;

/// A head that was read, and what follows it.
pub(crate) type Whole<R> = io::Chain<Cursor<Vec<u8>>, R>;

pub(crate) fn whole<R: Read>(head: Vec<u8>, rest: R) -> Whole<R> {
    Cursor::new(head).chain(rest)
}

/// Reads the first `most` bytes; fewer where the input ends, or where `enough` says so: somebody may be writing the rest
/// only just now. What was read before an error is good, and the error is told behind it.
pub(crate) fn read_head(reader: &mut dyn Read, most: usize, enough: fn(&[u8]) -> bool) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let (mut filled, mut broken) = (0, None);
    while filled < most {
        // Most mails are small: a buffer for the largest head would cost more than reading them.
        if head.len() == filled {
            head.resize((filled * 2).clamp(FIRST_PIECE.min(most), most), 0);
        }
        match reader.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                if filled < most && enough(&head[..filled]) {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    head.truncate(filled);
    (head, broken)
}

/// What is left of an input that broke: its error.
pub(crate) struct Broken(pub(crate) Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Turns UTF-16 into UTF-8 as it passes; what is broken becomes U+FFFD.
pub(crate) struct FromUtf16<R> {
    inner: R,
    low_first: bool,
    /// Bytes of a unit that is not whole yet.
    odd: Option<u8>,
    high: Option<u16>,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> FromUtf16<R> {
    pub(crate) fn new(inner: R, low_first: bool) -> Self {
        Self { inner, low_first, odd: None, high: None, ready: Vec::new(), at: 0, ended: false }
    }

    fn unit(&mut self, unit: u16) {
        let units = self.high.take().into_iter().chain([unit]);
        if self.high.is_none() && (0xd800..0xdc00).contains(&unit) {
            // RFC 2781 2.1: the first half of a pair waits for the second.
            let waiting = units.clone().count() == 2;
            if waiting {
                self.ready.extend("\u{fffd}".bytes());
            }
            self.high = Some(unit);
            return;
        }
        for letter in char::decode_utf16(units) {
            let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
            // The mark itself is no text.
            if letter != '\u{feff}' {
                self.ready.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let read = self.inner.read(&mut bytes)?;
        self.ready.clear();
        self.at = 0;
        if read == 0 {
            self.ended = true;
            if self.odd.take().is_some() | self.high.take().is_some() {
                self.ready.extend("\u{fffd}".bytes());
            }
        }
        for &byte in &bytes[..read] {
            match self.odd.take() {
                None => self.odd = Some(byte),
                Some(first) if self.low_first => self.unit(u16::from_le_bytes([first, byte])),
                Some(first) => self.unit(u16::from_be_bytes([first, byte])),
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for FromUtf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.ready.len() && !self.ended {
            self.fill()?;
        }
        let mut ready = &self.ready[self.at.min(self.ready.len())..];
        let read = ready.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// Turns line ends of CR alone into LF as they pass.
pub(crate) struct LineFeeds<R>(pub(crate) R);

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        buffer[..read].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(units: &[u16], low_first: bool) -> String {
        let bytes: Vec<u8> =
            units.iter().flat_map(|unit| if low_first { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect();
        let mut text = String::new();
        FromUtf16::new(bytes.as_slice(), low_first).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn utf16_of_either_order_whole_or_broken() {
        let units: Vec<u16> = "\u{feff}Größe 📧".encode_utf16().collect();
        assert_eq!(utf16(&units, true), "Größe 📧");
        assert_eq!(utf16(&units, false), "Größe 📧");
        assert_eq!(utf16(&[0xd83d, 0x61], true), "\u{fffd}a");
        assert_eq!(utf16(&[0xd83d, 0xd83d, 0xdce7], true), "\u{fffd}📧");
        assert_eq!(utf16(&[0x61, 0xd83d], true), "a\u{fffd}");
        let mut text = String::new();
        FromUtf16::new(&b"a\0b"[..], true).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\u{fffd}");
    }

    #[test]
    fn a_head_is_read_over_short_reads() {
        let text = b"one two three".to_vec();
        let mut reader = Cursor::new(text[..4].to_vec()).chain(Cursor::new(text[4..].to_vec()));
        assert_eq!(read_head(&mut reader, 7, |_| false).0, b"one two");
        assert_eq!(read_head(&mut reader, 70, |_| false).0, b" three");
    }
}
