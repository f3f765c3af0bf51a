//! The way from the reading thread to who asks: a queue bounded in bytes and pieces, that either side may leave.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that may lie ready. One piece is always let in, so the largest mail passes.
const MOST_BYTES: usize = 1024 * 1024;

/// Pieces that may lie ready.
const MOST_PIECES: usize = 256;

/// Nobody asks any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone;

/// A bounded queue between two threads.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    pieces: VecDeque<(T, usize)>,
    bytes: usize,
    giver: Party,
    taker: Party,
}

/// One of the two.
#[derive(Debug, Default)]
struct Party {
    /// It has nothing more to give, or wants no more.
    done: bool,
    /// It sleeps. Waking costs more than a piece does, so nobody is woken who is awake.
    waits: bool,
}

impl<T> State<T> {
    /// Whether a piece of so many bytes has to wait.
    fn is_full(&self, bytes: usize) -> bool {
        self.pieces.len() >= MOST_PIECES || (self.bytes > 0 && self.bytes + bytes > MOST_BYTES)
    }
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Arc<Self> {
        let state = State { pieces: VecDeque::new(), bytes: 0, giver: Party::default(), taker: Party::default() };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a piece of so many bytes; waits while the queue is full.
    pub(crate) fn give(&self, piece: T, bytes: usize) -> Result<(), Gone> {
        let mut state = self.state();
        while !state.taker.done && state.is_full(bytes) {
            state.giver.waits = true;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.giver.waits = false;
        if state.taker.done {
            return Err(Gone);
        }
        state.pieces.push_back((piece, bytes));
        state.bytes += bytes;
        if state.taker.waits {
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&self) {
        self.state().giver.done = true;
        self.changed.notify_all();
    }

    /// The next piece; waits for it. None at the end.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = self.state();
        while state.pieces.is_empty() && !state.giver.done && !state.taker.done {
            state.taker.waits = true;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.taker.waits = false;
        let (piece, bytes) = state.pieces.pop_front()?;
        state.bytes -= bytes;
        // Woken at half, the giver fills the queue in one go.
        if state.giver.waits && state.bytes <= MOST_BYTES / 2 && state.pieces.len() <= MOST_PIECES / 2 {
            self.changed.notify_all();
        }
        Some(piece)
    }

    /// Says that nothing more is wanted.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        state.taker.done = true;
        state.pieces.clear();
        state.bytes = 0;
        self.changed.notify_all();
    }

    /// Whether the taker left before the giver had ended.
    fn was_cut(&self) -> bool {
        let state = self.state();
        state.taker.done && !state.giver.done
    }
}

/// Lines that come from the reading thread.
pub(crate) struct Pumped {
    queue: Arc<Queue<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
}

impl Pumped {
    pub(crate) fn new(queue: Arc<Queue<Vec<u8>>>) -> Self {
        Self { queue, piece: Vec::new(), at: 0 }
    }
}

impl BufRead for Pumped {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at >= self.piece.len() {
            match self.queue.take() {
                Some(piece) => (self.piece, self.at) = (piece, 0),
                None if self.queue.was_cut() => {
                    return Err(io::Error::other("the next item was asked for before these lines were read"));
                }
                None => return Ok(&[]),
            }
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Pumped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let read = ready.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl Drop for Pumped {
    fn drop(&mut self) {
        self.queue.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_pass_in_order_and_none_is_lost() {
        let queue = Queue::new();
        let giver = Arc::clone(&queue);
        let sizes = [0, 1, MOST_BYTES, 3 * MOST_BYTES, 1, MOST_BYTES / 2, MOST_BYTES / 2 + 1, 0];
        let thread = std::thread::spawn(move || {
            for number in 0..20_000 {
                giver.give(number, sizes[number % sizes.len()]).unwrap();
            }
            giver.end();
        });
        assert!(std::iter::from_fn(|| queue.take()).eq(0..20_000));
        thread.join().unwrap();
    }

    #[test]
    fn who_leaves_lets_the_other_go() {
        let queue = Queue::new();
        let giver = Arc::clone(&queue);
        let thread = std::thread::spawn(move || (0..1000).find(|_| giver.give((), MOST_BYTES).is_err()));
        queue.take();
        queue.leave();
        assert!(thread.join().unwrap().is_some() && queue.take().is_none());
    }
}
