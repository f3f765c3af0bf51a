//! Reading one source in order: blocks of bytes in, events out.
//!
//! The reader keeps one block, the record that is not complete yet, and the bounded memory of its format. It never seeks, never
//! waits for itself and never fails but for the source's own errors; what it cannot read is an event.

use std::io::Read;
use std::ops::ControlFlow;

use crate::event::Place;
use crate::format::Format;
use crate::formats::postfix::Postfix;
use crate::formats::postfix_digest::Digest;
use crate::formats::{Records, records};
use crate::sink::{Receiver, Sink};
use crate::split::{Found, Splitter};
use crate::when::YearRule;

/// How much is read at a time: large enough that system calls do not count, small enough for a core's second-level cache.
pub(crate) const BLOCK: usize = 128 * 1024;

/// How far a reader that goes on looks back, to know the senders of messages under way: some 25,000 lines.
const LOOK_BACK: u64 = 4 * 1024 * 1024;

/// Where to go on later: everything before `place` was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// The first record that was not read.
    pub place: Place,
    /// The head line of a table, without which its rows say nothing.
    pub head: Option<String>,
}

impl Checkpoint {
    /// The byte from which a source is to be given again to [`Reader::resume`]: somewhat before the place where reading stopped,
    /// for formats whose lines belong together. Nothing is told twice.
    pub fn look_back(&self, format: Format) -> u64 {
        if format.joins_lines() { self.place.byte.saturating_sub(LOOK_BACK) } else { self.place.byte }
    }
}

/// What is known of the lines read so far.
pub(crate) enum Memory {
    Postfix(Box<Postfix>),
    Other(Box<dyn Records + Send>),
}

/// Reads one log or event stream.
pub struct Reader {
    format: Format,
    pub(crate) memory: Memory,
    /// Behind the last record that was read.
    place: Place,
    /// Nothing before is told.
    from: Place,
    pending: Vec<u8>,
    digest: Digest,
    splitter: Splitter,
}

impl Reader {
    /// A reader for a source from its start.
    pub fn new(format: Format, rule: YearRule) -> Self {
        let memory = if format == Format::Postfix {
            Memory::Postfix(Box::new(Postfix::new(rule)))
        } else {
            Memory::Other(records(format, rule))
        };
        let (place, from) = (Place { line: 1, byte: 0 }, Place { line: 1, byte: 0 });
        let splitter = Splitter::new(format.cutting());
        Self { format, memory, place, from, pending: Vec::new(), digest: Digest::default(), splitter }
    }

    /// A reader that goes on where another one stopped; the source must start at [`Checkpoint::look_back`].
    pub fn resume(format: Format, rule: YearRule, checkpoint: &Checkpoint) -> Self {
        let mut reader = Self::new(format, rule);
        reader.from = checkpoint.place;
        reader.place = Place { line: checkpoint.place.line, byte: checkpoint.look_back(format) };
        // The first line is cut off unless it starts the source.
        reader.splitter.passing = reader.place.byte > 0 && reader.place.byte < reader.from.byte;
        if let (Memory::Other(records), Some(head)) = (&mut reader.memory, &checkpoint.head) {
            records.set_head(head);
        }
        reader
    }

    /// The format that is read.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Where reading may go on. Half a record at the end is not counted as read.
    pub fn checkpoint(&self) -> Checkpoint {
        let head = match &self.memory {
            Memory::Postfix(_) => None,
            Memory::Other(records) => records.head(),
        };
        Checkpoint { place: self.place, head }
    }

    /// Reads a source to its end; the last record may lack its line end. Stops early when the receiver breaks: the record it was told
    /// of counts as read, and where one record tells several events the rest of them is not told.
    ///
    /// # Errors
    /// What the source says; everything before was told.
    pub fn read(&mut self, source: &mut dyn Read, receiver: &mut Receiver<'_>) -> std::io::Result<ControlFlow<()>> {
        let mut sink = Sink::new(receiver, self.from.byte);
        loop {
            let start = self.pending.len();
            self.pending.resize(start + BLOCK, 0);
            let read = loop {
                match source.read(&mut self.pending[start..]) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    result => break result,
                }
            };
            self.pending.truncate(start + *read.as_ref().unwrap_or(&0));
            let at_end = read? == 0;
            self.advance(at_end, &mut sink);
            if sink.stopped() {
                return Ok(ControlFlow::Break(()));
            }
            if at_end {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    /// Takes the next bytes of a source that comes in pieces; records may be cut anywhere.
    pub fn feed(&mut self, piece: &[u8], receiver: &mut Receiver<'_>) -> ControlFlow<()> {
        let mut sink = Sink::new(receiver, self.from.byte);
        for part in piece.chunks(BLOCK) {
            self.pending.extend_from_slice(part);
            self.advance(false, &mut sink);
            if sink.stopped() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// Says that the source of [`Reader::feed`] has ended: what is left over is the last record.
    pub fn finish(&mut self, receiver: &mut Receiver<'_>) -> ControlFlow<()> {
        let mut sink = Sink::new(receiver, self.from.byte);
        self.advance(true, &mut sink);
        if sink.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Where nothing before is told.
    pub(crate) fn told_from(&self) -> u64 {
        self.from.byte
    }

    /// Whether whole blocks of lines may be given to [`Reader::digested`].
    pub(crate) fn takes_blocks(&self) -> bool {
        self.pending.is_empty() && !self.splitter.passing && self.place.byte >= self.from.byte
    }

    /// Adds bytes that wait to be read.
    pub(crate) fn pend(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Takes a block of whole lines that was digested already. When the receiver has enough, the rest of the block waits.
    pub(crate) fn digested(&mut self, text: &str, digest: &Digest, sink: &mut Sink<'_>) {
        let (bytes, lines) = self.tell(text, digest, sink);
        self.place.line += lines;
        self.place.byte += bytes as u64;
        self.pending.extend_from_slice(&text.as_bytes()[bytes..]);
    }

    /// Tells what a block says; returns how much of it: bytes and lines.
    fn tell(&mut self, text: &str, digest: &Digest, sink: &mut Sink<'_>) -> (usize, u64) {
        let Memory::Postfix(postfix) = &mut self.memory else { return (text.len(), 0) };
        match postfix.tell(text, digest, self.place, sink) {
            // What was told is read; the rest of the block is not.
            Some((end, line)) => ((end as usize + 1).min(text.len()), u64::from(line) + 1),
            None => (text.len(), u64::from(digest.lines)),
        }
    }

    /// Reads whole lines of Postfix; returns how many bytes.
    fn lines(&mut self, block: &[u8], sink: &mut Sink<'_>) -> usize {
        let Memory::Postfix(postfix) = &self.memory else { return 0 };
        let rule = postfix.rule;
        let mut digest = std::mem::take(&mut self.digest);
        let mut used = 0;
        if let Ok(text) = std::str::from_utf8(block) {
            digest.read(text, rule);
            let (bytes, lines) = self.tell(text, &digest, sink);
            used = bytes;
            self.place.line += lines;
            self.place.byte += bytes as u64;
        } else {
            // What is no UTF-8 has another length when it is replaced, so each line is read for itself.
            for line in block.split_inclusive(|byte| *byte == b'\n') {
                let text = String::from_utf8_lossy(line);
                digest.read(&text, rule);
                let _ = self.tell(&text, &digest, sink);
                used += line.len();
                self.place.line += 1;
                self.place.byte += line.len() as u64;
                if sink.stopped() {
                    break;
                }
            }
        }
        self.digest = digest;
        self.renumber();
        used
    }

    /// Reads the records that are complete.
    pub(crate) fn advance(&mut self, at_end: bool, sink: &mut Sink<'_>) {
        let pending = std::mem::take(&mut self.pending);
        let mut used = 0;
        loop {
            let rest = &pending[used..];
            // Up to the place where telling begins, so that its line is numbered right.
            let before = usize::try_from(self.from.byte.saturating_sub(self.place.byte)).unwrap_or(usize::MAX);
            let ends = before > 0 && before < rest.len();
            let rest = if ends { &rest[..before] } else { rest };
            let taken = self.some(rest, at_end || ends, sink);
            used += taken;
            if sink.stopped() || taken == 0 || used == pending.len() {
                break;
            }
        }
        self.pending = pending;
        self.pending.drain(..used);
        if at_end && let Memory::Other(records) = &mut self.memory {
            records.finish(self.place, sink);
        }
    }

    /// Reads some records of `text`; returns how many bytes they had.
    fn some(&mut self, text: &[u8], at_end: bool, sink: &mut Sink<'_>) -> usize {
        let columns = match &self.memory {
            Memory::Postfix(_) if !self.splitter.passing => {
                let whole = if at_end { text.len() } else { memchr::memrchr(b'\n', text).map_or(0, |end| end + 1) };
                if whole > 0 {
                    return self.lines(&text[..whole], sink);
                }
                0
            }
            Memory::Postfix(_) => 0,
            Memory::Other(records) => records.columns(),
        };
        let used = match self.splitter.next(text, self.place.byte, columns, at_end) {
            Found::More => return 0,
            Found::Nothing { used } => used,
            Found::Record { end, used } => {
                if let Memory::Other(records) = &mut self.memory
                    && end > 0
                {
                    let record = &text[..end];
                    sink.begin();
                    records.record(record, self.place, sink);
                    sink.end(self.place, record);
                }
                used
            }
            Found::Damaged { used, why } => {
                sink.unreadable(self.place, &text[..used], why);
                used
            }
        };
        self.step(&text[..used]);
        used
    }

    fn step(&mut self, used: &[u8]) {
        self.place.line += memchr::memchr_iter(b'\n', used).count() as u64;
        self.place.byte += used.len() as u64;
        self.renumber();
    }

    /// Lines that are read again have no number of their own.
    fn renumber(&mut self) {
        if self.place.byte <= self.from.byte {
            self.place.line = self.from.line;
        }
    }
}
