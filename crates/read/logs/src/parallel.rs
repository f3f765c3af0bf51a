//! Reading on two cores: one fetches (and unpacks) the source and finds the lines that matter, the other makes events of them.
//!
//! Order is exact: blocks go through a queue of fixed length, so memory is bounded too. The events are told on the caller's thread.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver as Queue, SyncSender, sync_channel};

use crate::formats::postfix_scan::{Mark, scan};
use crate::reader::{BLOCK, Memory, Reader};
use crate::sink::{Receiver, Sink};

/// Blocks under way: enough that neither side waits for a moment's delay of the other.
const BLOCKS: usize = 8;

/// Bytes of the source, and what was found in them.
#[derive(Default)]
struct Block {
    /// Room for the bytes; it stays as long as it was once, so that it is cleared only once.
    room: Vec<u8>,
    filled: usize,
    marks: Vec<Mark>,
    lines: u32,
    /// Whole lines, looked through.
    marked: bool,
}

impl Reader {
    /// The same as [`Reader::read`], with the source read on another thread. When the receiver breaks while the source waits for
    /// input (a pipe that stays open), this returns only when the source does.
    ///
    /// # Errors
    /// What the source says; everything before was told.
    pub fn read_parallel(
        &mut self,
        source: &mut (dyn Read + Send),
        receiver: &mut Receiver<'_>,
    ) -> std::io::Result<ControlFlow<()>> {
        let mut sink = Sink::new(receiver, self.told_from());
        let mark = matches!(self.memory, Memory::Postfix(_)) && self.takes_marks();
        std::thread::scope(|scope| {
            let (full_in, full) = sync_channel(BLOCKS);
            let (empty_in, empty) = sync_channel(BLOCKS);
            for _ in 0..BLOCKS {
                let _ = empty_in.send(Block::default());
            }
            let thread = std::thread::Builder::new().name("logs-fetch".to_owned());
            let fetching = thread.spawn_scoped(scope, move || fetch(source, mark, &empty, &full_in))?;
            while let Ok(block) = full.recv() {
                self.take(&block, &mut sink);
                if sink.stopped() {
                    break;
                }
                let _ = empty_in.send(block);
            }
            drop((full, empty_in));
            let fetched = fetching.join().unwrap_or_else(|_| Err(std::io::Error::other("the reading thread failed")));
            if sink.stopped() {
                return Ok(ControlFlow::Break(()));
            }
            fetched?;
            self.advance(true, &mut sink);
            Ok(if sink.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    fn take(&mut self, block: &Block, sink: &mut Sink<'_>) {
        // After a line without an end in its block, marks and lines no longer begin together.
        if block.marked && self.takes_marks() {
            self.marked(block.bytes(), &block.marks, block.lines, sink);
        } else {
            self.pend(block.bytes());
            self.advance(false, sink);
        }
    }
}

impl Block {
    fn bytes(&self) -> &[u8] {
        &self.room[..self.filled]
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        if self.room.len() < end {
            self.room.resize(end, 0);
        }
        self.room[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
    }

    /// Reads once; 0 at the end.
    fn fill(&mut self, source: &mut (dyn Read + Send)) -> std::io::Result<usize> {
        let end = self.filled + BLOCK;
        if self.room.len() < end {
            self.room.resize(end, 0);
        }
        loop {
            match source.read(&mut self.room[self.filled..end]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => {
                    self.filled += *result.as_ref().unwrap_or(&0);
                    return result;
                }
            }
        }
    }
}

/// Reads blocks until the source ends or nobody wants more; each ends with a line if it has any.
fn fetch(
    source: &mut (dyn Read + Send),
    mark: bool,
    empty: &Queue<Block>,
    full: &SyncSender<Block>,
) -> std::io::Result<()> {
    let mut rest = Vec::new();
    while let Ok(mut block) = empty.recv() {
        block.filled = 0;
        block.marks.clear();
        block.append(&rest);
        rest.clear();
        let read = block.fill(source);
        let at_end = !matches!(read, Ok(1..));
        let whole = memchr::memrchr(b'\n', block.bytes()).map_or(0, |end| end + 1);
        block.marked = mark && whole > 0;
        if block.marked {
            rest.extend_from_slice(&block.bytes()[whole..]);
            block.filled = whole;
            block.lines = scan(&block.room[..whole], &mut block.marks);
        }
        if block.filled > 0 && full.send(block).is_err() {
            return Ok(());
        }
        read?;
        if at_end {
            break;
        }
    }
    if !rest.is_empty() {
        let mut last = Block::default();
        last.append(&rest);
        let _ = full.send(last);
    }
    Ok(())
}
