//! Where events go, until the receiver has had enough.
//!
//! Addresses and names that are longer than any real one are cut here, whatever the format: who counts them keeps millions. And what
//! one record tells is counted here, for a text that many recipients share is told as often as there are recipients.

use std::borrow::Cow;
use std::ops::ControlFlow;

use redeliver_model::Party;

use crate::event::{Event, Fault, Origin, Place, Refused, Unreadable};

/// The longest address, log-in, queue id or path that is handed on, in bytes: RFC 5321 4.5.3.1 allows an address 320; VERP, encoded
/// ones and message ids are longer.
pub const LONGEST_ADDRESS: usize = 1000;

/// The longest name of a host or domain that is handed on, in bytes (RFC 1035 2.3.4).
pub const LONGEST_NAME: usize = 255;

/// Bytes of text and addresses that one record tells: ten thousand recipients with a hundred bytes each stay below. A row that shares
/// half a megabyte of text among a hundred thousand recipients would tell 50 GB.
const MOST_TOLD: usize = 2 * 1024 * 1024;

/// What an event counts at least: even an empty one costs whoever diagnoses and writes it.
const LEAST_TOLD: usize = 64;

/// What a receiver of events looks like.
pub type Receiver<'r> = dyn FnMut(&Event<'_>) -> ControlFlow<()> + 'r;

/// Hands events on. Before `from` nothing is handed on: a reader that goes on after a pause reads a little again, to know whose
/// message it is in the middle of.
pub(crate) struct Sink<'s> {
    receiver: &'s mut Receiver<'s>,
    from: u64,
    stopped: bool,
    /// What the present record told so far, as [`MOST_TOLD`] counts it.
    told: usize,
    /// Some of the present record was passed over.
    passed_over: bool,
}

impl<'s> Sink<'s> {
    pub(crate) fn new(receiver: &'s mut Receiver<'s>, from: u64) -> Self {
        Self { receiver, from, stopped: false, told: 0, passed_over: false }
    }

    /// A record begins.
    pub(crate) fn begin(&mut self) {
        (self.told, self.passed_over) = (0, false);
    }

    /// The present record goes on with another one, which told so much.
    pub(crate) fn go_on(&mut self, told: usize) {
        self.told = told;
    }

    /// What the present record told so far.
    pub(crate) fn told(&self) -> usize {
        self.told
    }

    /// Whether the present record may tell more. Where it tells of many recipients, each is asked for before anything is done.
    pub(crate) fn has_room(&mut self) -> bool {
        self.passed_over |= self.told >= MOST_TOLD;
        !self.passed_over && !self.stopped
    }

    /// A record ends: if not all of it was told, that is told.
    pub(crate) fn end(&mut self, place: Place, record: &[u8]) {
        if std::mem::take(&mut self.passed_over) {
            self.unreadable(place, record, Fault::TooComplex);
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, event: &mut Event<'_>) {
        if self.stopped {
            return;
        }
        cut(event);
        self.told = self.told.saturating_add(size(event).max(LEAST_TOLD));
        if event.place().byte >= self.from {
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

/// Bytes of text and addresses.
fn size(event: &Event<'_>) -> usize {
    let length = |text: &Option<Cow<'_, str>>| text.as_deref().map_or(0, str::len);
    match event {
        Event::Refused(Refused { text, refusal, .. }) => {
            text.len() + length(&refusal.recipient) + length(&refusal.sender) + length(&refusal.queue_id)
        }
        Event::Delivered(delivered) => {
            delivered.recipient.len() + length(&delivered.sender) + length(&delivered.queue_id)
        }
        Event::Submitted(_) | Event::Unreadable(_) => 0,
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

/// Cuts an address, and its domain. What is cut off is not looked at: many events may share it.
fn address(text: &mut Cow<'_, str>) {
    if text.len() > LONGEST_NAME {
        let kept = &text.as_bytes()[..text.len().min(LONGEST_ADDRESS)];
        let domain = memchr::memrchr(b'@', kept).map_or(LONGEST_ADDRESS, |at| at + 1 + LONGEST_NAME);
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
