//! Postfix, second step: the marked lines in order, joined by queue id to sender and origin.
//!
//! A message is known by its queue id from `client=` or `uid=` on; the queue manager names the sender again before every attempt.
//! What was deferred is remembered for `status=expired`, which names neither recipient nor reply.

use std::borrow::Cow;

use redeliver_model::{Party, Refusal, Reply, Side, Timestamp};

use crate::cut::{angle, between, cut, filled, find, party, utf8};
use crate::deferrals::Deferrals;
use crate::event::{Delivered, Event, Fault, Origin, Outcome, Place, Refused, Submitted};
use crate::formats::postfix_reply::{rejected, said};
use crate::formats::postfix_scan::{Kind, Mark, kind};
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
        if let Some(client) = self.text(self.client).filter(|client| !client.is_empty()) {
            let (host, rest) = cut(client, ", ").unwrap_or((client, ""));
            let host = party(host, Side::Ours);
            (origin.host, origin.ip) = (host.host, host.ip);
            origin.login = cut(rest, "sasl_username=").map(|(_, login)| Cow::Borrowed(until(login, ", ")));
        }
        origin.script = self.text(self.script).and_then(filled);
        origin
    }
}

/// The state of a Postfix log.
pub(crate) struct Postfix {
    rule: YearRule,
    messages: Recent<Message>,
    deferrals: Deferrals,
    last_head: Head,
}

/// The last head that was read: a busy log has thousands of lines a second with the same time and host.
#[derive(Default)]
struct Head {
    text: Vec<u8>,
    time: Option<Timestamp>,
    host: Option<String>,
}

/// A line of its own, all texts UTF-8.
struct Line<'a> {
    place: Place,
    time: Option<Timestamp>,
    host: Option<&'a str>,
    id: &'a str,
    rest: &'a str,
}

impl Postfix {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, messages: Recent::new(MESSAGES), deferrals: Deferrals::new(), last_head: Head::default() }
    }

    /// Takes a marked line. `at` is the place of the block.
    pub(crate) fn take(&mut self, block: &[u8], mark: &Mark, at: Place, sink: &mut Sink<'_>) {
        let place = Place { line: at.line + u64::from(mark.line), byte: at.byte + u64::from(mark.start) };
        let line = &block[mark.start as usize..mark.end as usize];
        match mark.kind {
            Kind::TooLong => return sink.unreadable(place, line, Fault::TooLong),
            Kind::Wrapped => return self.wrapped(line, place, sink),
            _ => {}
        }
        self.head(&block[mark.start as usize..mark.id as usize]);
        let text = &block[mark.id as usize..mark.end as usize];
        let text = utf8(text.strip_suffix(b"\r").unwrap_or(text));
        // The id is ASCII, so what follows it is where it was, whatever had to be replaced.
        let (Some(id), Some(rest)) =
            (text.get(..(mark.rest - mark.id) as usize - 2), text.get((mark.rest - mark.id) as usize..))
        else {
            return;
        };
        let head = std::mem::take(&mut self.last_head);
        let line = Line { place, time: head.time, host: head.host.as_deref(), id, rest };
        self.line(mark.kind, &line, sink);
        self.last_head = head;
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
            let line = Line { place, time: entry.time, host: entry.host.as_deref(), id, rest };
            self.line(kind, &line, sink);
        }
    }

    /// Reads time and host of a head, unless they are those of the last line.
    fn head(&mut self, text: &[u8]) {
        let known = &mut self.last_head;
        if !known.text.is_empty() && text.starts_with(&known.text) {
            return;
        }
        known.text.clear();
        (known.time, known.host) = (None, None);
        if let Some(head) = syslog::head(text) {
            known.time = syslog::time(&text[head.time.0..head.time.1], self.rule);
            known.host = Some(utf8(&text[head.host.0..head.host.1]).into_owned());
            known.text.extend_from_slice(&text[..=head.host.1]);
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

    /// `warning: header X-PHP-Originating-Script: 33:mailer.php from local; from=<...> to=<...>` (`header_checks` with WARN or INFO).
    fn script(&mut self, line: &Line<'_>) {
        let Some((_, value)) = line.rest.split_once("header X-PHP-").and_then(|(_, rest)| rest.split_once(": ")) else {
            return;
        };
        let value = value.split_once("; from=<").map_or(value, |(value, _)| value);
        let value = value.rsplit_once(" from ").map_or(value, |(value, _)| value);
        let (uid, script) = value.split_once(':').unwrap_or(("", value));
        if let Some(message) = self.messages.get_or_add(line.id.as_bytes()) {
            message.script = message.keep(script);
            message.uid = uid.trim().parse().ok().or(message.uid);
        }
    }

    fn from(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let Some((sender, rest)) = angle(&line.rest["from=".len()..]) else { return };
        if rest.starts_with(", status=expired") || rest.starts_with(", status=force-expired") {
            let origin = self.messages.get(line.id.as_bytes()).map(|message| message.origin()).unwrap_or_default();
            let frame = Refusal { sender: Some(Cow::Borrowed(sender)), ..frame(line) };
            self.deferrals.expire(line.id, line.place, "expired, returned to sender", &frame, &origin, sink);
            return;
        }
        let Some(message) = self.messages.get_or_add(line.id.as_bytes()) else { return };
        if !message.sender_known || message.text(message.sender) != Some(sender) {
            message.sender = message.keep(sender);
            message.sender_known = true;
        }
        if std::mem::take(&mut message.fresh) {
            let recipients = cut(rest, "nrcpt=").and_then(|(_, rest)| until(rest, " ").parse().ok());
            sink.push(&Event::Submitted(Submitted {
                place: line.place,
                origin: message.origin(),
                sender: message.sender(),
                recipients,
                queue_id: Some(Cow::Borrowed(line.id)),
                time: line.time,
            }));
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
            "sent" => return self.sent(line, recipient, fields, sink),
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
            refused_by = relay;
        }
        let mut message = self.messages.get(line.id.as_bytes());
        let waited = message.as_ref().is_none_or(|message| message.deferred);
        if let Some(message) = &mut message {
            message.deferred |= outcome == Outcome::Deferred;
        }
        let (sender, origin) = message.map(|message| (message.sender(), message.origin())).unwrap_or_default();
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
        } else if waited {
            self.deferrals.settle(line.id, recipient);
        }
        let (place, text) = (line.place, Cow::Borrowed(said.text));
        sink.push(&Event::Refused(Refused { place, outcome, text, refusal, origin }));
    }

    fn sent(&mut self, line: &Line<'_>, recipient: &str, fields: &str, sink: &mut Sink<'_>) {
        let message = self.messages.get(line.id.as_bytes());
        if message.as_ref().is_none_or(|message| message.deferred) {
            self.deferrals.settle(line.id, recipient);
        }
        sink.push(&Event::Delivered(Delivered {
            place: line.place,
            recipient: Cow::Borrowed(recipient),
            sender: message.and_then(|message| message.sender()),
            to: relay(fields).unwrap_or_default(),
            queue_id: Some(Cow::Borrowed(line.id)),
            time: line.time,
        }));
    }

    fn reject(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let Some((_, rest)) = line.rest.split_once("reject: ") else { return };
        let Some(rejected) = rejected(rest) else {
            return sink.unreadable(line.place, line.rest.as_bytes(), Fault::MissingField);
        };
        let message = self.messages.get(line.id.as_bytes());
        let origin = message.map(|message| message.origin()).unwrap_or_default();
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
        let text = Cow::Borrowed(rejected.text);
        sink.push(&Event::Refused(Refused {
            place: line.place,
            outcome: Outcome::RejectedByUs,
            text,
            refusal,
            origin,
        }));
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
    let text = Cow::Borrowed(text);
    sink.push(&Event::Refused(Refused { place: line.place, outcome: Outcome::RejectedByUs, text, refusal, origin }));
}

/// What every refusal of a line has.
fn frame<'a>(line: &Line<'a>) -> Refusal<'a> {
    Refusal { reported_by: us(line), queue_id: Some(Cow::Borrowed(line.id)), time: line.time, ..Refusal::default() }
}

fn us<'a>(line: &Line<'a>) -> Party<'a> {
    Party { host: line.host.map(Cow::Borrowed), side: Some(Side::Ours), ..Party::default() }
}

/// `relay=mx[ip]:25`: only what has an address is another host; `local`, `virtual` and `none` are not.
fn relay(fields: &str) -> Option<Party<'_>> {
    let rest = match fields.strip_prefix(", relay=") {
        Some(rest) => rest,
        None => &fields[find(fields, " relay=")? + " relay=".len()..],
    };
    let relay = until(rest, ", ");
    relay.contains('[').then(|| party(relay, Side::Theirs))
}

/// What stands before `end`, or all.
fn until<'a>(text: &'a str, end: &str) -> &'a str {
    find(text, end).map_or(text, |at| &text[..at])
}
