//! qmail-send, through multilog (TAI64N) or splogger.
//!
//! `info msg` names the sender of a message, `starting delivery` the recipient of a delivery, `delivery` its end. qmail writes `_` for
//! a blank and `/` for a line end; a slash is taken for a line end only where a code follows, for replies hold links.

use std::borrow::Cow;

use redeliver_model::{Party, Side, Stage};

use crate::cut::{address, angle, cut, filled};
use crate::event::{Origin, Outcome, Place};
use crate::formats::Records;
use crate::recent::{Recent, Reset};
use crate::sink::Sink;
use crate::syslog;
use crate::told::Told;
use crate::when::{YearRule, tai64n};

/// Messages and deliveries that are remembered.
const MESSAGES: usize = 32 * 1024;

#[derive(Default)]
struct Message {
    sender: String,
    uid: Option<u32>,
}

#[derive(Default)]
struct Delivery {
    message: String,
    recipient: String,
}

impl Reset for Message {
    fn reset(&mut self) {
        self.sender.clear();
        self.uid = None;
    }
}

impl Reset for Delivery {
    fn reset(&mut self) {
        self.message.clear();
        self.recipient.clear();
    }
}

/// The state of a qmail log.
pub(crate) struct Qmail {
    rule: YearRule,
    messages: Recent<Message>,
    deliveries: Recent<Delivery>,
}

/// How qmail-remote words each step.
const STEPS: [(&str, Stage); 8] = [
    ("does not like recipient", Stage::Rcpt),
    ("failed after I sent the message", Stage::Body),
    ("but sender was rejected", Stage::Mail),
    ("failed on DATA command", Stage::Data),
    ("but greeting failed", Stage::Connect),
    ("but my name was rejected", Stage::Helo),
    ("but connection died", Stage::Body),
    ("wasn't able to establish an SMTP connection", Stage::Connect),
];

impl Qmail {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, messages: Recent::new(MESSAGES), deliveries: Recent::new(MESSAGES) }
    }

    fn line(&mut self, told: Told<'_>, text: &str, sink: &mut Sink<'_>) {
        if let Some(rest) = text.strip_prefix("delivery ") {
            self.ended(told, rest, sink);
        } else if let Some(rest) = text.strip_prefix("starting delivery ") {
            // `1: msg 40013 to remote someone@example.net`
            let Some((delivery, rest)) = cut(rest, ": msg ") else { return };
            let Some((message, rest)) = cut(rest, " to ") else { return };
            let recipient = cut(rest, " ").map_or(rest, |(_, recipient)| recipient);
            if let Some(known) = self.deliveries.get_or_add(delivery.as_bytes()) {
                known.reset();
                known.message.push_str(&message[..message.floor_char_boundary(32)]);
                known.recipient.extend(recipient.chars().take(1024));
            }
        } else if let Some(rest) = text.strip_prefix("info msg ") {
            self.info(told, rest, sink);
        }
    }

    /// `40013: bytes 2417 from <shop@example.org> qp 5001 uid 64011`.
    fn info(&mut self, told: Told<'_>, rest: &str, sink: &mut Sink<'_>) {
        let Some((message, rest)) = cut(rest, ": ") else { return };
        let Some((sender, rest)) = cut(rest, " from ").and_then(|(_, rest)| angle(rest)) else { return };
        let uid = cut(rest, " uid ").and_then(|(_, uid)| uid.trim().parse().ok());
        if let Some(known) = self.messages.get_or_add(message.as_bytes()) {
            known.reset();
            known.sender.extend(sender.chars().take(1024));
            known.uid = uid;
        }
        let (queue_id, sender) = (Some(Cow::Borrowed(message)), Some(Cow::Borrowed(sender)));
        Told { queue_id, sender, origin: Origin { uid, ..Origin::default() }, ..told }.submitted(None, sink);
    }

    /// `2: failure: 203.0.113.23_does_not_like_recipient./Remote_host_said:_550_.../Giving_up_on_203.0.113.23./`.
    fn ended(&mut self, told: Told<'_>, rest: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let Some((delivery, rest)) = cut(rest, ": ") else { return };
        let Some((result, text)) = cut(rest, ": ") else { return };
        // Where the log was cut off in front, a refusal is told without its recipient.
        if let Some(delivery) = self.deliveries.get(delivery.as_bytes()) {
            told.recipient = filled(&delivery.recipient);
            told.queue_id = filled(&delivery.message);
            if let Some(message) = self.messages.get(delivery.message.as_bytes()) {
                told.sender = Some(Cow::Borrowed(message.sender.as_str()));
                told.origin.uid = message.uid;
            }
        }
        let outcome = match result {
            "success" => None,
            "deferral" => Some(Outcome::Deferred),
            "failure" => Some(Outcome::Bounced),
            _ => return,
        };
        let text = text.replace('_', " ");
        let text = text.trim_end_matches('/');
        let ip = text.strip_prefix("Connected to ").unwrap_or(text).split([' ', '/']).next().and_then(address);
        told.by = Party { ip, side: ip.map(|_| Side::Theirs), ..Party::default() };
        let Some(outcome) = outcome else { return told.delivered(sink) };
        let (around, said) = cut(text, "Remote host said: ").unwrap_or((text, text));
        told.stage = STEPS.iter().find(|(words, _)| around.contains(words)).map(|(_, stage)| *stage);
        let said = cut(said, "/Giving up on ").map_or(said, |(said, _)| said);
        let lines = lines(said);
        told.refused(outcome, &lines, sink);
    }
}

impl Records for Qmail {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        if let Some(time) = tai64n(record) {
            let text = crate::cut::utf8(record);
            let Some((_, text)) = cut(&text, " ") else { return };
            return self.line(Told { place, time: Some(time), ..Told::default() }, text, sink);
        }
        let entry = syslog::entry(record, place, self.rule);
        let told =
            Told { place, time: entry.time, reporter: entry.host.as_deref().map(Cow::Borrowed), ..Told::default() };
        // splogger puts seconds and microseconds in front.
        let text = entry.message.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
        self.line(told, text, sink);
    }
}

/// Slashes in front of a code become line ends (RFC 5321 4.2.1).
fn lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for (at, part) in text.split('/').enumerate() {
        let bytes = part.as_bytes();
        let coded = matches!(bytes, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b'-' | b' ', ..]);
        if at > 0 {
            lines.push(if coded { '\n' } else { '/' });
        }
        lines.push_str(part);
    }
    lines
}
