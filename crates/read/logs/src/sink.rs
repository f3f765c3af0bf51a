//! Where events go, until the receiver has had enough.
//!
//! Addresses and names that are longer than any real one are cut here, whatever the format: who counts them keeps millions.

use std::borrow::Cow;
use std::ops::ControlFlow;

use redeliver_model::Party;

use crate::event::{Event, Fault, Origin, Place, Unreadable};

/// The longest address, log-in, queue id or path that is handed on, in bytes: RFC 5321 4.5.3.1 allows an address 320; VERP, encoded
/// ones and message ids are longer.
pub const LONGEST_ADDRESS: usize = 1000;

/// The longest name of a host or domain that is handed on, in bytes (RFC 1035 2.3.4).
pub const LONGEST_NAME: usize = 255;

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
    pub(crate) fn push(&mut self, event: &mut Event<'_>) {
        if !self.stopped && event.place().byte >= self.from {
            cut(event);
            self.stopped = (self.receiver)(event).is_break();
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped
    }

    pub(crate) fn unreadable(&mut self, place: Place, record: &[u8], why: Fault) {
        // Cut before it is trimmed: of a record that came in pieces, the first may end in a blank.
        let shown = record[..record.len().min(Unreadable::SHOWN)].trim_ascii_end();
        let line: Cow<'_, str> = String::from_utf8_lossy(shown);
        self.push(&mut Event::Unreadable(Unreadable { place, line, why }));
    }
}

fn cut(event: &mut Event<'_>) {
    match event {
        Event::Refused(refused) => {
            let refusal = &mut refused.refusal;
            let (from, to) = (&mut refusal.sender, &mut refusal.recipient);
            let all = [from, to, &mut refusal.original_recipient, &mut refusal.queue_id];
            all.into_iter().flatten().for_each(address);
            [&mut refusal.reported_by, &mut refusal.refused_by, &mut refusal.client].into_iter().for_each(party);
            origin(&mut refused.origin);
        }
        Event::Delivered(delivered) => {
            address(&mut delivered.recipient);
            [&mut delivered.sender, &mut delivered.queue_id].into_iter().flatten().for_each(address);
            party(&mut delivered.to);
        }
        Event::Submitted(submitted) => {
            [&mut submitted.sender, &mut submitted.queue_id].into_iter().flatten().for_each(address);
            origin(&mut submitted.origin);
        }
        Event::Unreadable(_) => {}
    }
}

fn origin(origin: &mut Origin<'_>) {
    let all = [&mut origin.login, &mut origin.user, &mut origin.script, &mut origin.directory];
    all.into_iter().flatten().for_each(address);
    origin.host.iter_mut().for_each(|host| shorten(host, LONGEST_NAME));
}

fn party(party: &mut Party<'_>) {
    [&mut party.host, &mut party.helo].into_iter().flatten().for_each(|name| shorten(name, LONGEST_NAME));
}

/// Cuts an address, and its domain.
fn address(text: &mut Cow<'_, str>) {
    if text.len() > LONGEST_NAME {
        let domain = text.rfind('@').map_or(LONGEST_ADDRESS, |at| at + 1 + LONGEST_NAME);
        shorten(text, domain.min(LONGEST_ADDRESS));
    }
}

fn shorten(text: &mut Cow<'_, str>, most: usize) {
    if text.len() > most {
        let end = text.floor_char_boundary(most);
        match text {
            Cow::Borrowed(text) => *text = &text[..end],
            Cow::Owned(text) => text.truncate(end),
        }
    }
}
