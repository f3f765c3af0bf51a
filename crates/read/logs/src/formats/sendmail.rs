//! Sendmail, through syslog or journald.
//!
//! `from=` names the sender of a queue id, `to=` a decision about one or more recipients, `ruleset=` a refusal of our own. The other
//! server's words stand in `reply=` where the log level or version writes it, else in `stat=`.

use std::borrow::Cow;

use redeliver_model::{Side, Stage};

use crate::cut::{angle, cut, filled, party};
use crate::event::{Origin, Outcome, Place};
use crate::formats::Records;
use crate::recent::{Recent, Reset};
use crate::sink::Sink;
use crate::syslog::{self, Entry};
use crate::told::Told;
use crate::when::YearRule;

/// Messages under way that are remembered.
const MESSAGES: usize = 64 * 1024;

#[derive(Default)]
struct Message {
    sender: String,
    known: bool,
    login: String,
}

impl Reset for Message {
    fn reset(&mut self) {
        self.sender.clear();
        self.known = false;
        self.login.clear();
    }
}

/// The state of a Sendmail log.
pub(crate) struct Sendmail {
    rule: YearRule,
    messages: Recent<Message>,
}

impl Sendmail {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, messages: Recent::new(MESSAGES) }
    }

    fn line(&mut self, entry: &Entry<'_>, id: &str, rest: &str, sink: &mut Sink<'_>) {
        let told = Told {
            place: entry.place,
            time: entry.time,
            reporter: entry.host.as_deref().map(Cow::Borrowed),
            queue_id: Some(Cow::Borrowed(id)),
            ..Told::default()
        };
        if let Some(rest) = rest.strip_prefix("from=") {
            self.from(told, id, rest, sink);
        } else if let Some(rest) = rest.strip_prefix("to=") {
            self.to(told, id, rest, sink);
        } else if rest.starts_with("AUTH=server") {
            if let (Some(message), Some(login)) = (self.messages.get_or_add(id.as_bytes()), field(rest, "authid=")) {
                message.login.clear();
                message.login.push_str(&login[..login.floor_char_boundary(320)]);
            }
        } else if let Some(rest) = rest.strip_prefix("ruleset=") {
            ruleset(told, rest, sink);
        } else if let Some((recipient, words)) = angle(rest)
            && words.starts_with("... ")
        {
            // Refused while it was named, so the line begins with it (`<nobody@example.org>... User unknown`).
            let told = Told { recipient: filled(recipient), stage: Some(Stage::Rcpt), ..told };
            told.rejected(rest, sink);
        }
    }

    fn from(&mut self, told: Told<'_>, id: &str, rest: &str, sink: &mut Sink<'_>) {
        let Some(message) = self.messages.get_or_add(id.as_bytes()) else { return };
        let (sender, rest) = angle(rest).unwrap_or_else(|| cut(rest, ", ").unwrap_or((rest, "")));
        message.sender.clear();
        message.sender.push_str(&sender[..sender.floor_char_boundary(1024)]);
        message.known = true;
        let recipients = field(rest, "nrcpts=").and_then(|count| count.parse().ok());
        if recipients == Some(0) {
            return; // All of its recipients were refused.
        }
        let from = field(rest, "relay=").map(|relay| party(relay, Side::Ours)).unwrap_or_default();
        // A user on the machine itself is `user@localhost`.
        let host = from.host.filter(|host| !host.contains('@'));
        let origin = Origin { login: filled(&message.login), host, ip: from.ip, ..Origin::default() };
        Told { sender: Some(Cow::Borrowed(sender)), origin, ..told }.submitted(recipients, sink);
    }

    fn to(&mut self, told: Told<'_>, id: &str, rest: &str, sink: &mut Sink<'_>) {
        let Some((before, stat)) = rest.rsplit_once(", stat=") else { return };
        let (fields, reply) = cut(before, ", reply=").unwrap_or((before, ""));
        let (recipients, fields) = recipients(fields);
        let message = self.messages.get(id.as_bytes());
        let (sender, origin) = message.map_or_else(Default::default, |message| {
            let origin = Origin { login: filled(&message.login), ..Origin::default() };
            (message.known.then_some(Cow::Borrowed(message.sender.as_str())), origin)
        });
        let relay = field(fields, "relay=").filter(|relay| relay.contains('[')).map(|relay| party(relay, Side::Theirs));
        let mut told = Told { sender, origin, by: relay.unwrap_or_default(), ..told };
        let outcome = if stat.starts_with("Sent") {
            None
        } else if stat.starts_with("Deferred") {
            Some(Outcome::Deferred)
        } else if stat.starts_with("queued") || stat.starts_with("Queued") {
            return;
        } else {
            Some(Outcome::Bounced)
        };
        let said = stat.strip_prefix("Deferred: ").filter(|said| said.starts_with(['4', '5'])).unwrap_or(stat);
        let text = if reply.is_empty() { said } else { reply };
        if text.starts_with("Deferred: Connection ") {
            told.stage = Some(Stage::Connect);
        }
        match outcome {
            None => told.delivered_each(recipients, sink),
            Some(outcome) => told.refused_each(outcome, text, recipients, sink),
        }
    }
}

impl Records for Sendmail {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let entry = syslog::entry(record, place, self.rule);
        if let Some((id, rest)) = cut(&entry.message, ": ")
            && id.len() >= 8
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            self.line(&entry, id, rest, sink);
        }
    }
}

/// `<a>,<b>, delay=...` or `a,b, delay=...`: addresses are joined without a blank.
fn recipients(text: &str) -> (impl Iterator<Item = &str>, &str) {
    let (list, rest) = cut(text, ", ").unwrap_or((text, ""));
    let each = list.split(',').filter(|one| !one.is_empty());
    (each.map(|one| one.strip_prefix('<').unwrap_or(one).trim_end_matches('>')), rest)
}

/// The value of a field up to the next comma and blank.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = cut(text, name)?;
    Some(cut(rest, ", ").map_or(rest, |(value, _)| value))
}

/// `check_rcpt, arg1=<r>, relay=host [ip], reject=550 5.7.1 ...`.
fn ruleset(told: Told<'_>, rest: &str, sink: &mut Sink<'_>) {
    let mut told: Told<'_> = told;
    let Some((fields, text)) = cut(rest, ", reject=") else { return };
    let argument = field(fields, "arg1=").map(|argument| angle(argument).map_or(argument, |(address, _)| address));
    if let Some(relay) = field(fields, "relay=") {
        told.client = party(relay, Side::Theirs);
    }
    let name = cut(fields, ",").map_or(fields, |(name, _)| name);
    told.stage = match name {
        "check_relay" => Some(Stage::Connect),
        "check_mail" => Some(Stage::Mail),
        "check_rcpt" => Some(Stage::Rcpt),
        "check_data" => Some(Stage::Data),
        "check_eom" => Some(Stage::Body),
        _ => None,
    };
    match name {
        "check_rcpt" => told.recipient = argument.and_then(filled),
        "check_mail" => told.sender = argument.map(Cow::Borrowed),
        _ => {}
    }
    told.rejected(text, sink);
}
