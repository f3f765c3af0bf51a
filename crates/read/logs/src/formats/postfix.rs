//! Postfix, third step: tells in order what the blocks say, joined by queue id with what earlier blocks knew.
//!
//! A message is known by its queue id from `client=` or `uid=` on; the queue manager names the sender again before every attempt.
//! What was deferred is remembered for `status=expired`, which names neither recipient nor reply.

use std::borrow::Cow;

use redeliver_model::{Party, Refusal, Reply, Side, Timestamp};

use crate::cut::{angle, between, cut, filled, party};
use crate::deferrals::Deferrals;
use crate::event::{Delivered, Event, Fault, Origin, Outcome, Place, Refused, Submitted};
use crate::formats::postfix_digest::{Client, Digest, Item, Local, What, is_expired, part, recipients, relay, script};
use crate::formats::postfix_reply::{rejected, said};
use crate::formats::postfix_scan::{Kind, kind};
use crate::recent::{Recent, Reset};
use crate::sink::Sink;
use crate::syslog;
use crate::when::YearRule;

/// Messages under way that are remembered. A busy queue (`qmgr_message_active_limit`) has 20,000; each takes some 250 bytes.
const MESSAGES: usize = 32 * 1024;

/// The longest text about a message that is remembered: two addresses of RFC 5321 4.5.3.1.3 with words around them.
const LONGEST_TEXT: usize = 1024;

/// What is known of a message: texts of the lines, laid end to end in one buffer that is used again.
#[derive(Default)]
struct Message {
    texts: String,
    sender: (u16, u16),
    client: (u16, u16),
    script: (u16, u16),
    uid: Option<u32>,
    sender_known: bool,
    /// Handed in, and not yet reported as such.
    fresh: bool,
    /// Some recipient was deferred.
    deferred: bool,
}

impl Reset for Message {
    fn reset(&mut self) {
        self.texts.clear();
        self.sender = (0, 0);
        self.client = (0, 0);
        self.script = (0, 0);
        self.uid = None;
        self.sender_known = false;
        self.fresh = false;
        self.deferred = false;
    }
}

impl Message {
    fn keep(&mut self, text: &str) -> (u16, u16) {
        let start = self.texts.len();
        if start + text.len() <= LONGEST_TEXT {
            self.texts.push_str(text);
        }
        (start as u16, self.texts.len() as u16)
    }

    fn text(&self, range: (u16, u16)) -> Option<&str> {
        self.texts.get(usize::from(range.0)..usize::from(range.1))
    }

    fn sender(&self) -> Option<Cow<'_, str>> {
        self.sender_known.then(|| Cow::Borrowed(self.text(self.sender).unwrap_or_default()))
    }

    /// Reads the remembered `client=` line: `host[ip], sasl_method=PLAIN, sasl_username=desk`.
    fn origin(&self) -> Origin<'_> {
        let mut origin = Origin { uid: self.uid, ..Origin::default() };
        let client = Client::read(self.text(self.client).unwrap_or_default());
        (origin.host, origin.ip) = (client.host.map(Cow::Borrowed), client.ip);
        origin.login = client.login.map(Cow::Borrowed);
        origin.script = self.text(self.script).and_then(filled);
        origin
    }
}

/// The state of a Postfix log.
pub(crate) struct Postfix {
    pub(crate) rule: YearRule,
    messages: Recent<Message>,
    deferrals: Deferrals,
}

/// A line of its own.
struct Line<'a> {
    place: Place,
    time: Option<Timestamp>,
    host: Option<&'a str>,
    id: &'a str,
    rest: &'a str,
    /// What its block knows of the message, where it began there.
    own: Option<Own<'a>>,
    /// A recipient may have been deferred before.
    waited: bool,
}

/// A message within its block.
#[derive(Clone, Copy)]
struct Own<'a> {
    text: &'a str,
    local: &'a Local,
    /// Where the line is: what the block learned later was not known then.
    at: u32,
}

impl<'a> Own<'a> {
    fn sender(self) -> Option<Cow<'a, str>> {
        let sender = self.local.sender.filter(|sender| sender.0 < self.at)?;
        Some(Cow::Borrowed(part(self.text, sender)))
    }

    fn origin(self) -> Origin<'a> {
        Origin {
            login: filled(part(self.text, self.local.login)),
            uid: self.local.uid,
            script: filled(part(self.text, self.local.script)),
            host: filled(part(self.text, self.local.host)),
            ip: self.local.ip,
            ..Origin::default()
        }
    }
}

impl Postfix {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, messages: Recent::new(MESSAGES), deferrals: Deferrals::new() }
    }

    /// Tells what a block says. `at` is its place; returns the bytes and lines that were told before the receiver had enough, if it
    /// had.
    pub(crate) fn tell(&mut self, text: &str, digest: &Digest, at: Place, sink: &mut Sink<'_>) -> Option<(u32, u32)> {
        let mut stopped = None;
        for item in &digest.items {
            let local = digest.locals.get(item.local as usize);
            self.item(text, item, local, at, sink);
            if sink.stopped() {
                stopped = Some((item.mark.end, item.mark.line));
                break;
            }
        }
        for local in digest.locals.iter().filter(|local| local.begun && (!local.removed || stopped.is_some())) {
            self.remember(text, local);
        }
        stopped
    }

    fn item(&mut self, text: &str, item: &Item, local: Option<&Local>, at: Place, sink: &mut Sink<'_>) {
        let mark = &item.mark;
        let place = Place { line: at.line + u64::from(mark.line), byte: at.byte + u64::from(mark.start) };
        let whole = (mark.start, mark.end);
        match mark.kind {
            Kind::TooLong => return sink.unreadable(place, part(text, whole).as_bytes(), Fault::TooLong),
            Kind::Wrapped => return self.wrapped(part(text, whole).as_bytes(), place, sink),
            _ => {}
        }
        let host = filled(part(text, item.host));
        let waited = match item.what {
            What::Delivered { waited, .. } | What::Decided { waited } => waited,
            What::Submitted { .. } | What::Other => true,
        };
        let line = Line {
            place,
            time: item.time,
            host: host.as_deref(),
            id: part(text, (mark.id, mark.rest.saturating_sub(2))),
            rest: part(text, (mark.rest, mark.end)).trim_end_matches('\r'),
            own: local.filter(|local| local.begun).map(|local| Own { text, local, at: mark.start }),
            waited,
        };
        match (item.what, line.own) {
            (What::Submitted { recipients }, Some(own)) => {
                let sender = part(text, own.local.sender.unwrap_or_default());
                submitted(&line, Some(Cow::Borrowed(sender)), own.origin(), recipients, sink);
            }
            (What::Delivered { recipient, host, ip, .. }, _) => {
                let side = ip.map(|_| Side::Theirs);
                let to = Party { host: filled(part(text, host)), ip, helo: None, side };
                self.sent(&line, part(text, recipient), to, sink);
            }
            _ => self.line(mark.kind, &line, sink),
        }
    }

    /// Remembers a message for later blocks.
    fn remember(&mut self, text: &str, local: &Local) {
        let Some(message) = self.messages.get_or_add(part(text, local.id).as_bytes()) else { return };
        message.reset();
        message.client = message.keep(part(text, local.client));
        message.script = message.keep(part(text, local.script));
        message.uid = local.uid;
        message.fresh = local.sender.is_none();
        message.deferred = local.deferred;
        if let Some(sender) = local.sender {
            message.sender = message.keep(part(text, sender));
            message.sender_known = true;
        }
    }

    fn wrapped(&mut self, line: &[u8], place: Place, sink: &mut Sink<'_>) {
        let entry = syslog::entry(line, place, self.rule);
        if entry.program.is_empty() {
            if !line.ends_with(b"}") {
                sink.unreadable(place, line, Fault::Incomplete);
            }
            return;
        }
        if let Some((kind, id)) = kind(entry.message.as_bytes()) {
            let (id, rest) = (&entry.message[..id], &entry.message[id + 2..]);
            let line = Line { place, time: entry.time, host: entry.host.as_deref(), id, rest, own: None, waited: true };
            self.line(kind, &line, sink);
        }
    }

    fn line(&mut self, kind: Kind, line: &Line<'_>, sink: &mut Sink<'_>) {
        match kind {
            Kind::Delivery => self.delivery(line, sink),
            Kind::From => self.from(line, sink),
            Kind::Client | Kind::Uid => self.handed_in(kind, line),
            Kind::Script => self.script(line),
            Kind::Reject => self.reject(line, sink),
            Kind::LogIn => log_in(line, sink),
            Kind::Removed => {
                if let Some(message) = self.messages.get(line.id.as_bytes()) {
                    message.reset();
                }
            }
            Kind::Wrapped | Kind::TooLong => {}
        }
    }

    fn handed_in(&mut self, kind: Kind, line: &Line<'_>) {
        let Some(message) = self.messages.get_or_add(line.id.as_bytes()) else { return };
        // Short queue ids come again: this is another message.
        message.reset();
        message.fresh = true;
        if kind == Kind::Client {
            message.client = message.keep(&line.rest["client=".len()..]);
        } else {
            let digits = line.rest["uid=".len()..].split(' ').next().unwrap_or_default();
            message.uid = digits.parse().ok();
        }
    }

    fn script(&mut self, line: &Line<'_>) {
        if let (Some((uid, script)), Some(message)) = (script(line.rest), self.messages.get_or_add(line.id.as_bytes()))
        {
            message.script = message.keep(script);
            message.uid = uid.or(message.uid);
        }
    }

    fn from(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let Some((sender, rest)) = angle(&line.rest["from=".len()..]) else { return };
        if is_expired(rest) {
            let frame = Refusal { sender: Some(Cow::Borrowed(sender)), ..frame(line) };
            let (_, origin) = known(&mut self.messages, line);
            return self.deferrals.expire(line.id, line.place, "expired, returned to sender", &frame, &origin, sink);
        }
        let Some(message) = self.messages.get_or_add(line.id.as_bytes()) else { return };
        if !message.sender_known || message.text(message.sender) != Some(sender) {
            message.sender = message.keep(sender);
            message.sender_known = true;
        }
        if std::mem::take(&mut message.fresh) {
            submitted(line, message.sender(), message.origin(), recipients(rest), sink);
        }
    }

    fn delivery(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let Some((recipient, rest)) = angle(&line.rest["to=".len()..]) else { return };
        let Some((fields, status)) = cut(rest, ", status=") else {
            // sendmail's lines begin in the same way and have `stat=`.
            if !rest.contains(", stat=") {
                sink.unreadable(line.place, line.rest.as_bytes(), Fault::Incomplete);
            }
            return;
        };
        let (word, text) = cut(status, " ").unwrap_or((status, ""));
        let outcome = match word {
            "sent" => {
                let to = relay(fields).map(|relay| party(relay, Side::Theirs)).unwrap_or_default();
                return self.sent(line, recipient, to, sink);
            }
            "bounced" => Outcome::Bounced,
            "deferred" | "SOFTBOUNCE" => Outcome::Deferred,
            // Probes of address verification are nobody's mail.
            _ => return,
        };
        let text = text.strip_prefix('(').map_or(text, |text| text.strip_suffix(')').unwrap_or(text));
        let said = said(text);
        let mut refused_by = said.by;
        if refused_by.is_unknown()
            && said.stage.is_some()
            && let Some(relay) = relay(fields)
        {
            refused_by = party(relay, Side::Theirs);
        }
        if line.own.is_none()
            && outcome == Outcome::Deferred
            && let Some(message) = self.messages.get(line.id.as_bytes())
        {
            message.deferred = true;
        }
        let (sender, origin) = known(&mut self.messages, line);
        let refusal = Refusal {
            reply: Reply::parse(said.text),
            stage: said.stage,
            refused_by,
            sender,
            recipient: Some(Cow::Borrowed(recipient)),
            original_recipient: between(fields, " orig_to=<", ">").map(Cow::Borrowed),
            given_up: outcome.is_final(),
            ..frame(line)
        };
        if outcome == Outcome::Deferred {
            self.deferrals.note(line.id, &refusal, said.text);
        } else if line.waited {
            self.deferrals.settle(line.id, recipient);
        }
        let (place, text) = (line.place, Cow::Borrowed(said.text));
        sink.push(&mut Event::Refused(Refused { place, outcome, text, refusal, origin }));
    }

    fn sent(&mut self, line: &Line<'_>, recipient: &str, to: Party<'_>, sink: &mut Sink<'_>) {
        let message = if line.own.is_none() { self.messages.get(line.id.as_bytes()) } else { None };
        if line.waited && message.as_ref().is_none_or(|message| message.deferred) {
            self.deferrals.settle(line.id, recipient);
        }
        let sender = line.own.map_or_else(|| message.and_then(|message| message.sender()), Own::sender);
        sink.push(&mut Event::Delivered(Delivered {
            place: line.place,
            recipient: Cow::Borrowed(recipient),
            sender,
            to,
            queue_id: Some(Cow::Borrowed(line.id)),
            time: line.time,
        }));
    }

    fn reject(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let Some((_, rest)) = line.rest.split_once("reject: ") else { return };
        let Some(rejected) = rejected(rest) else {
            return sink.unreadable(line.place, line.rest.as_bytes(), Fault::MissingField);
        };
        let (_, origin) = known(&mut self.messages, line);
        let refusal = Refusal {
            reply: Reply::parse(rejected.text),
            stage: rejected.stage,
            refused_by: us(line),
            client: rejected.client,
            sender: rejected.sender,
            recipient: rejected.recipient,
            given_up: true,
            queue_id: (line.id != "NOQUEUE").then_some(Cow::Borrowed(line.id)),
            ..frame(line)
        };
        rejected_by_us(line, rejected.text, refusal, origin, sink);
    }
}

/// `warning: host[ip]: SASL LOGIN authentication failed: wrong password, sasl_username=desk`.
fn log_in(line: &Line<'_>, sink: &mut Sink<'_>) {
    let Some((client, rest)) = line.rest.split_once("]: SASL ") else { return };
    let Some(at) = rest.find("authentication failed: ") else { return };
    let (text, login) = rest[at..].rsplit_once(", sasl_username=").unwrap_or((&rest[at..], ""));
    let refusal = Refusal {
        reply: Reply::parse(text),
        stage: Some(redeliver_model::Stage::Auth),
        refused_by: us(line),
        client: party(client, Side::Theirs),
        given_up: true,
        queue_id: None,
        ..frame(line)
    };
    let mut origin = Origin { login: filled(login), ..Origin::default() };
    (origin.host, origin.ip) = (refusal.client.host.clone(), refusal.client.ip);
    rejected_by_us(line, text, refusal, origin, sink);
}

fn rejected_by_us<'a>(line: &Line<'a>, text: &'a str, refusal: Refusal<'a>, origin: Origin<'a>, sink: &mut Sink<'_>) {
    let (place, text) = (line.place, Cow::Borrowed(text));
    sink.push(&mut Event::Refused(Refused { place, outcome: Outcome::RejectedByUs, text, refusal, origin }));
}

/// Who sent a message, and who handed it in.
fn known<'m>(messages: &'m mut Recent<Message>, line: &Line<'m>) -> (Option<Cow<'m, str>>, Origin<'m>) {
    if let Some(own) = line.own {
        return (own.sender(), own.origin());
    }
    let message = messages.get(line.id.as_bytes());
    message.map(|message| (message.sender(), message.origin())).unwrap_or_default()
}

fn submitted(
    line: &Line<'_>,
    sender: Option<Cow<'_, str>>,
    origin: Origin<'_>,
    recipients: Option<u32>,
    sink: &mut Sink<'_>,
) {
    sink.push(&mut Event::Submitted(Submitted {
        place: line.place,
        origin,
        sender,
        recipients,
        queue_id: Some(Cow::Borrowed(line.id)),
        time: line.time,
    }));
}

/// What every refusal of a line has.
fn frame<'a>(line: &Line<'a>) -> Refusal<'a> {
    Refusal { reported_by: us(line), queue_id: Some(Cow::Borrowed(line.id)), time: line.time, ..Refusal::default() }
}

fn us<'a>(line: &Line<'a>) -> Party<'a> {
    Party { host: line.host.map(Cow::Borrowed), side: Some(Side::Ours), ..Party::default() }
}
