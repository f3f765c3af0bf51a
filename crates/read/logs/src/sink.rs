//! Where events go, until the receiver has had enough.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::event::{Event, Fault, Place, Unreadable};

/// What a receiver of events looks like.
pub type Receiver<'r> = dyn FnMut(&Event<'_>) -> ControlFlow<()> + 'r;

/// Hands events on. Before `from` nothing is handed on: a reader that goes on after a pause reads a little again, to know whose
/// message it is in the middle of.
pub(crate) struct Sink<'s> {
    receiver: &'s mut Receiver<'s>,
    from: u64,
    stopped: bool,
}

impl<'s> Sink<'s> {
    pub(crate) fn new(receiver: &'s mut Receiver<'s>, from: u64) -> Self {
        Self { receiver, from, stopped: false }
    }

    #[inline]
    pub(crate) fn push(&mut self, event: &Event<'_>) {
        if !self.stopped && event.place().byte >= self.from {
            self.stopped = (self.receiver)(event).is_break();
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) fn unreadable(&mut self, place: Place, record: &[u8], why: Fault) {
        let shown = &record[..record.len().min(Unreadable::SHOWN)];
        let line: Cow<'_, str> = String::from_utf8_lossy(shown);
        self.push(&Event::Unreadable(Unreadable { place, line, why }));
    }
}
