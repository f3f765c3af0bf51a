//! Postfix, second step: what the marked lines of one block say, joined by queue id as far as the block goes.
//!
//! It knows nothing of other blocks, so blocks are digested on any core; most messages come, go and are removed within one. Nothing is
//! copied: everything is a place in the block's text. The third step (`postfix.rs`) tells it in order and adds what earlier blocks
//! knew.

use std::net::IpAddr;

use redeliver_model::{Side, Timestamp};

use crate::cut::{angle, cut, find, party};
use crate::formats::postfix_scan::{Kind, Mark, scan};
use crate::syslog;
use crate::when::YearRule;

/// A part of the block's text.
pub(crate) type Range = (u32, u32);

/// What the block knows of a message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Local {
    pub id: Range,
    hash: u32,
    /// What stands behind `client=`, and its parts.
    pub client: Range,
    pub host: Range,
    pub ip: Option<IpAddr>,
    pub login: Range,
    pub script: Range,
    pub uid: Option<u32>,
    pub sender: Option<Range>,
    /// It was handed in within this block: earlier ones know nothing of it.
    pub begun: bool,
    /// Some recipient was deferred.
    pub deferred: bool,
    /// It is gone.
    pub removed: bool,
}

/// A line with something to tell, or something to remember.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub mark: Mark,
    pub time: Option<Timestamp>,
    pub host: Range,
    /// Its message, in [`Digest::locals`].
    pub local: u32,
    pub what: What,
}

/// What is to be done with a line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// A message that began in this block is handed in.
    Submitted {
        /// `nrcpt=`.
        recipients: Option<u32>,
    },
    /// `status=sent`.
    Delivered {
        recipient: Range,
        host: Range,
        ip: Option<IpAddr>,
        /// It may have been deferred before.
        waited: bool,
    },
    /// Another decision; whether it may have been deferred before.
    Decided { waited: bool },
    /// All that is seldom, or needs earlier blocks.
    Other,
}

/// No message.
pub(crate) const NOBODY: u32 = u32::MAX;

/// A block, digested.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    pub items: Vec<Item>,
    pub locals: Vec<Local>,
    /// How many lines the block has.
    pub lines: u32,
    marks: Vec<Mark>,
    /// Places in `locals`, one more, by hash.
    table: Vec<u32>,
    head: Head,
}

/// The last head that was read: a busy log has thousands of lines a second with the same time and host.
#[derive(Debug, Default)]
struct Head {
    text: Vec<u8>,
    time: Option<Timestamp>,
    host: (u32, u32),
}

/// Where a part of the text is.
fn range(text: &str, part: &str) -> Range {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize) as u32;
    (start, start + part.len() as u32)
}

/// The part of the text that a range means.
#[inline]
pub(crate) fn part(text: &str, range: Range) -> &str {
    text.get(range.0 as usize..range.1 as usize).unwrap_or_default()
}

impl Digest {
    /// Digests whole lines; what was there before is forgotten.
    pub(crate) fn read(&mut self, text: &str, rule: YearRule) {
        self.items.clear();
        self.locals.clear();
        let mut marks = std::mem::take(&mut self.marks);
        marks.clear();
        self.lines = scan(text.as_bytes(), &mut marks);
        // At most half full, so that a free place is near.
        let places = (marks.len() * 2).next_power_of_two().max(16);
        self.table.clear();
        self.table.resize(places, 0);
        for mark in &marks {
            self.mark(text, mark, rule);
        }
        self.marks = marks;
    }

    fn mark(&mut self, text: &str, mark: &Mark, rule: YearRule) {
        let (time, host) = match mark.kind {
            Kind::Wrapped | Kind::TooLong => (None, (0, 0)),
            _ => self.head(text, mark, rule),
        };
        let id = (mark.id, mark.rest.saturating_sub(2));
        let rest = part(text, (mark.rest, mark.end)).trim_end_matches('\r');
        let (local, what) = match mark.kind {
            Kind::Client | Kind::Uid => {
                let begun = self.begin(text, id);
                self.handed_in(text, begun, mark.kind, rest);
                return;
            }
            Kind::Removed => {
                let local = self.local(text, id);
                self.locals[local as usize].removed = true;
                return;
            }
            Kind::Script => {
                let local = self.local(text, id);
                if self.locals[local as usize].begun {
                    self.script(text, local, rest);
                    return;
                }
                (local, What::Other)
            }
            Kind::From => {
                let local = self.local(text, id);
                match self.from(text, local, rest) {
                    Some(what) => (local, what),
                    None => return,
                }
            }
            Kind::Delivery => {
                let local = self.local(text, id);
                (local, self.delivery(text, local, rest))
            }
            Kind::Reject => (self.local(text, id), What::Other),
            Kind::LogIn | Kind::Wrapped | Kind::TooLong => (NOBODY, What::Other),
        };
        self.items.push(Item { mark: *mark, time, host, local, what });
    }

    /// Time and host of a line's head.
    fn head(&mut self, text: &str, mark: &Mark, rule: YearRule) -> (Option<Timestamp>, Range) {
        let line = part(text, (mark.start, mark.id)).as_bytes();
        let known = &mut self.head;
        if known.text.is_empty() || !line.starts_with(&known.text) {
            known.text.clear();
            (known.time, known.host) = (None, (0, 0));
            if let Some(head) = syslog::head(line) {
                known.time = syslog::time(&line[head.time.0..head.time.1], rule);
                known.host = (head.host.0 as u32, head.host.1 as u32);
                known.text.extend_from_slice(&line[..=head.host.1]);
            }
        }
        (known.time, (mark.start + known.host.0, mark.start + known.host.1))
    }

    /// The place of an id in the table: taken by it, or free.
    fn place(&self, text: &str, id: &str) -> (usize, u32) {
        let hash = hash(id.as_bytes());
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        while let Some(local) = self.table[place].checked_sub(1).and_then(|at| self.locals.get(at as usize)) {
            if local.hash == hash && part(text, local.id) == id {
                break;
            }
            place = (place + 1) & mask;
        }
        (place, hash)
    }

    /// What the block knows of an id so far.
    fn local(&mut self, text: &str, id: Range) -> u32 {
        let (place, hash) = self.place(text, part(text, id));
        if self.table[place] == 0 {
            self.locals.push(Local { id, hash, ..Local::default() });
            self.table[place] = self.locals.len() as u32;
        }
        self.table[place] - 1
    }

    /// Another message under that id: short queue ids come again.
    fn begin(&mut self, text: &str, id: Range) -> u32 {
        let (place, hash) = self.place(text, part(text, id));
        self.locals.push(Local { id, hash, begun: true, ..Local::default() });
        self.table[place] = self.locals.len() as u32;
        self.table[place] - 1
    }

    /// `client=host[ip], sasl_method=PLAIN, sasl_username=desk`, `uid=33 from=<www-data>`.
    fn handed_in(&mut self, text: &str, local: u32, kind: Kind, rest: &str) {
        let local = &mut self.locals[local as usize];
        if kind == Kind::Uid {
            local.uid = until(&rest["uid=".len()..], " ").parse().ok();
            return;
        }
        let client = &rest["client=".len()..];
        let origin = Client::read(client);
        local.client = range(text, client);
        local.host = origin.host.map(|host| range(text, host)).unwrap_or_default();
        local.login = origin.login.map(|login| range(text, login)).unwrap_or_default();
        local.ip = origin.ip;
    }

    fn script(&mut self, text: &str, local: u32, rest: &str) {
        if let Some((uid, script)) = script(rest) {
            let local = &mut self.locals[local as usize];
            local.script = range(text, script);
            local.uid = uid.or(local.uid);
        }
    }

    fn from(&mut self, text: &str, local: u32, rest: &str) -> Option<What> {
        let (sender, rest) = angle(&rest["from=".len()..])?;
        if is_expired(rest) {
            return Some(What::Other);
        }
        let local = &mut self.locals[local as usize];
        // Named again before every attempt: the first place counts, since lines before it know nothing of it.
        let first = local.sender.is_none();
        if local.sender.is_none_or(|known| part(text, known) != sender) {
            local.sender = Some(range(text, sender));
        }
        if !local.begun {
            return Some(What::Other);
        }
        first.then(|| What::Submitted { recipients: recipients(rest) })
    }

    fn delivery(&mut self, text: &str, local: u32, rest: &str) -> What {
        let local = &mut self.locals[local as usize];
        let waited = local.deferred || !local.begun;
        let Some((recipient, rest)) = angle(&rest["to=".len()..]) else { return What::Other };
        let Some((fields, status)) = cut(rest, ", status=") else { return What::Other };
        if !status.starts_with("sent ") {
            local.deferred |= status.starts_with("deferred ") || status.starts_with("SOFTBOUNCE ");
            return What::Decided { waited };
        }
        let by = relay(fields).map(|relay| party(relay, Side::Theirs)).unwrap_or_default();
        let host = by.host.as_deref().map(|host| range(text, host)).unwrap_or_default();
        What::Delivered { recipient: range(text, recipient), host, ip: by.ip, waited }
    }
}

/// The parts of a `client=` line.
#[derive(Debug, Default)]
pub(crate) struct Client<'a> {
    pub host: Option<&'a str>,
    pub ip: Option<IpAddr>,
    pub login: Option<&'a str>,
}

impl<'a> Client<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let (host, rest) = cut(text, ", ").unwrap_or((text, ""));
        let (name, ip) = match cut(host, "[") {
            Some((name, rest)) => (name, cut(rest, "]").and_then(|(ip, _)| crate::cut::address(ip))),
            None => (host, None),
        };
        let login = cut(rest, "sasl_username=").map(|(_, login)| until(login, ", "));
        Self { host: (!matches!(name, "" | "unknown")).then_some(name), ip, login }
    }
}

/// Given up by the queue manager, for all recipients that wait.
pub(crate) fn is_expired(rest: &str) -> bool {
    rest.starts_with(", status=expired") || rest.starts_with(", status=force-expired")
}

/// `, size=370, nrcpt=1 (queue active)`.
pub(crate) fn recipients(rest: &str) -> Option<u32> {
    cut(rest, "nrcpt=").and_then(|(_, rest)| until(rest, " ").parse().ok())
}

/// `warning: header X-PHP-Originating-Script: 33:mailer.php from local; from=<...> to=<...>` (`header_checks`, WARN or INFO): the
/// user's number and the script.
pub(crate) fn script(rest: &str) -> Option<(Option<u32>, &str)> {
    let (_, value) = cut(rest, "header X-PHP-").and_then(|(_, rest)| cut(rest, ": "))?;
    let value = cut(value, "; from=<").map_or(value, |(value, _)| value);
    let value = value.rsplit_once(" from ").map_or(value, |(value, _)| value);
    let (uid, script) = value.split_once(':').unwrap_or(("", value));
    Some((uid.trim().parse().ok(), script))
}

/// `relay=mx[ip]:25`: only what has an address is another host; `local`, `virtual` and `none` are not.
pub(crate) fn relay(fields: &str) -> Option<&str> {
    let rest = match fields.strip_prefix(", relay=") {
        Some(rest) => rest,
        None => &fields[find(fields, " relay=")? + " relay=".len()..],
    };
    let relay = until(rest, ", ");
    memchr::memchr(b'[', relay.as_bytes()).map(|_| relay)
}

/// What stands before `end`, or all.
pub(crate) fn until<'a>(text: &'a str, end: &str) -> &'a str {
    find(text, end).map_or(text, |at| &text[..at])
}

/// Eight bytes at a time. Who can choose ids can crowd the table, but ids are our own server's.
fn hash(key: &[u8]) -> u32 {
    const FACTOR: u64 = 0x517C_C1B7_2722_0A95;
    let mut hash = 0_u64;
    let mut pieces = key.chunks_exact(8);
    for piece in &mut pieces {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(piece);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(bytes)).wrapping_mul(FACTOR);
    }
    let rest = pieces.remainder().iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    hash = (hash.rotate_left(23) ^ rest).wrapping_mul(FACTOR);
    (hash >> 32) as u32
}
