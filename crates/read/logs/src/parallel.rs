//! Reading on several cores: whoever is free fetches the next chunk of the source and digests it, and the caller's thread tells the
//! chunks in their order; while the next one is not ready it digests too.
//!
//! Order is exact, and memory bounded: there are so many chunks and no more. The receiver runs on the caller's thread alone, so a
//! slow one leaves all digesting to the others.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::formats::postfix_digest::Digest;
use crate::reader::{Memory, Reader};
use crate::sink::{Receiver, Sink};
use crate::when::YearRule;

/// Bytes of a chunk: more than a thousand messages, most of which begin and end within it, and little enough for a cache.
const CHUNK: usize = 512 * 1024;

/// Chunks for each thread: one in its hands, and two that wait to be told.
const CHUNKS: usize = 3;

/// Threads at the most: telling is done by one, and keeps up with few.
const MOST_THREADS: usize = 4;

/// A part of the source: whole lines, digested, or bytes as they are.
#[derive(Default)]
struct Chunk {
    digested: bool,
    text: String,
    digest: Digest,
    /// Where the source is read to; behind a digested text, what was there before.
    raw: Vec<u8>,
}

/// The source, and what is left of a line that a chunk would cut.
struct Source<'s> {
    bytes: &'s mut (dyn Read + Send),
    rest: Vec<u8>,
    next: u64,
    ended: bool,
    error: Option<std::io::Error>,
}

/// Where chunks are laid down.
#[derive(Default)]
struct Board {
    done: BTreeMap<u64, Chunk>,
    spare: Vec<Chunk>,
    /// How many chunks the source has, once that is known.
    total: Option<u64>,
    /// The receiver has enough.
    stopped: bool,
    /// A helper went away with a chunk in its hands.
    lost: bool,
}

struct Shared<'s> {
    source: Mutex<Source<'s>>,
    board: Mutex<Board>,
    changed: Condvar,
    /// The rule of a format that is digested in chunks.
    rule: Option<YearRule>,
}

/// A poisoned lock guards plain values, which are whole at any moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader {
    /// The same as [`Reader::read`], with the work shared between the machine's cores. It waits for half a megabyte at a time, so
    /// it is for files, not for following a log; a receiver that breaks while the source waits is heard when the source goes on.
    ///
    /// # Errors
    /// What the source says; everything before was told.
    pub fn read_parallel(
        &mut self,
        source: &mut (dyn Read + Send),
        receiver: &mut Receiver<'_>,
    ) -> std::io::Result<ControlFlow<()>> {
        let mut sink = Sink::new(receiver, self.told_from());
        let rule = match &self.memory {
            Memory::Postfix(postfix) => Some(postfix.rule),
            Memory::Other(_) => None,
        };
        let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, MOST_THREADS);
        let source = Source { bytes: source, rest: Vec::new(), next: 0, ended: false, error: None };
        let mut board = Board::default();
        board.spare.resize_with(threads * CHUNKS, Chunk::default);
        let shared = Shared { source: Mutex::new(source), board: Mutex::new(board), changed: Condvar::new(), rule };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                let thread = std::thread::Builder::new().name("logs-digest".to_owned());
                thread.spawn_scoped(scope, || shared.help())?;
            }
            let told = self.tell_all(&shared, &mut sink);
            // Helpers that wait for a spare chunk go home.
            locked(&shared.board).stopped = true;
            shared.changed.notify_all();
            told
        })?;
        if let Some(error) = locked(&shared.source).error.take().filter(|_| !sink.stopped()) {
            return Err(error);
        }
        if !sink.stopped() {
            self.advance(true, &mut sink);
        }
        Ok(if sink.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn tell_all(&mut self, shared: &Shared<'_>, sink: &mut Sink<'_>) -> std::io::Result<()> {
        let mut next = 0;
        loop {
            let mut board = locked(&shared.board);
            if board.total.is_some_and(|total| next >= total) {
                return Ok(());
            }
            if let Some(chunk) = board.done.remove(&next) {
                drop(board);
                next += 1;
                self.take(&chunk, sink);
                locked(&shared.board).spare.push(chunk);
                shared.changed.notify_all();
                if sink.stopped() {
                    return Ok(());
                }
            } else if board.lost {
                return Err(std::io::Error::other("a helping thread failed"));
            } else {
                let spare = board.spare.pop();
                drop(board);
                if spare.is_none_or(|chunk| !shared.digest_one(chunk, false)) {
                    shared.wait(|board| {
                        board.done.contains_key(&next) || board.total.is_some_and(|total| next >= total) || board.lost
                    });
                }
            }
        }
    }

    fn take(&mut self, chunk: &Chunk, sink: &mut Sink<'_>) {
        if chunk.digested && self.takes_blocks() {
            self.digested(&chunk.text, &chunk.digest, sink);
            return;
        }
        // Behind a line longer than a chunk, lines and chunks no longer begin together.
        self.pend(if chunk.digested { chunk.text.as_bytes() } else { &chunk.raw });
        self.advance(false, sink);
    }
}

impl Shared<'_> {
    /// Waits until the board is so, or nobody wants more.
    fn wait(&self, until: impl Fn(&Board) -> bool) {
        let mut board = locked(&self.board);
        while !until(&board) && !board.stopped {
            board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What a helping thread does until the source ends or nobody wants more.
    fn help(&self) {
        let watch = Watch(self);
        loop {
            self.wait(|board| !board.spare.is_empty() || board.total.is_some());
            let mut board = locked(&self.board);
            if board.stopped || board.total.is_some() {
                break;
            }
            let spare = board.spare.pop();
            drop(board);
            if let Some(chunk) = spare {
                self.digest_one(chunk, true);
            }
        }
        drop(watch);
    }

    /// Fetches and digests the next chunk; whether there was one. Who may not wait does without where another one is fetching.
    fn digest_one(&self, mut chunk: Chunk, may_wait: bool) -> bool {
        let source = if may_wait { Some(locked(&self.source)) } else { self.source.try_lock().ok() };
        let number = source.and_then(|mut source| {
            if source.fetch(&mut chunk.raw) {
                source.next += 1;
                return Some(source.next - 1);
            }
            locked(&self.board).total = Some(source.next);
            None
        });
        if number.is_some() {
            self.digest(&mut chunk);
        }
        let mut board = locked(&self.board);
        match number {
            Some(number) => drop(board.done.insert(number, chunk)),
            None => board.spare.push(chunk),
        }
        drop(board);
        self.changed.notify_all();
        number.is_some()
    }

    fn digest(&self, chunk: &mut Chunk) {
        chunk.digested = false;
        let Some(rule) = self.rule.filter(|_| chunk.raw.ends_with(b"\n")) else { return };
        // The room of the last text is the next one's: nothing is allocated.
        let room = std::mem::take(&mut chunk.text).into_bytes();
        match String::from_utf8(std::mem::replace(&mut chunk.raw, room)) {
            Ok(text) => {
                chunk.digested = true;
                chunk.text = text;
                chunk.digest.read(&chunk.text, rule);
            }
            Err(error) => chunk.raw = error.into_bytes(),
        }
    }
}

impl Source<'_> {
    /// Reads a chunk that ends with a line, if it has any; nothing at the end.
    fn fetch(&mut self, raw: &mut Vec<u8>) -> bool {
        if self.ended {
            return false;
        }
        let mut filled = self.rest.len();
        raw.resize(filled + CHUNK, 0);
        raw[..filled].copy_from_slice(&self.rest);
        self.rest.clear();
        while filled < raw.len() {
            match self.bytes.read(&mut raw[filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
            if self.ended {
                break;
            }
        }
        raw.truncate(filled);
        if !self.ended
            && let Some(end) = memchr::memrchr(b'\n', raw)
        {
            self.rest.extend_from_slice(&raw[end + 1..]);
            raw.truncate(end + 1);
        }
        !raw.is_empty()
    }
}

/// Says so when a helper goes away in the middle of its work.
struct Watch<'w, 's>(&'w Shared<'s>);

impl Drop for Watch<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            locked(&self.0.board).lost = true;
            self.0.changed.notify_all();
        }
    }
}
