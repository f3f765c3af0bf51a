//! Exim's main log and reject log.
//!
//! `<=` hands in, `=>` delivers, `==` defers, `**` gives up, `rejected` is a refusal of our own. Lines of one message share its id:
//! the sender stands on `<=`, what an authenticator was told on a line of its own, and "retry timeout exceeded" names no reply.

use std::borrow::Cow;

use redeliver_model::{Party, Refusal, Side, Stage};

use crate::cut::{angle, cut, filled, host, party, stage_of_command};
use crate::deferrals::Deferrals;
use crate::event::{Origin, Outcome, Place};
use crate::formats::Records;
use crate::recent::{Recent, Reset};
use crate::sink::Sink;
use crate::syslog;
use crate::told::Told;
use crate::when::YearRule;

/// Messages under way that are remembered; each takes some 200 bytes.
const MESSAGES: usize = 64 * 1024;

/// The longest line of a message that is remembered.
const LONGEST_TEXT: usize = 1024;

#[derive(Default)]
struct Message {
    /// What follows `<=`.
    arrival: String,
    directory: String,
    /// What follows `authenticator failed `.
    log_in: String,
}

impl Reset for Message {
    fn reset(&mut self) {
        self.arrival.clear();
        self.directory.clear();
        self.log_in.clear();
    }
}

/// The state of an Exim log.
pub(crate) struct Exim {
    rule: YearRule,
    messages: Recent<Message>,
    deferrals: Deferrals,
    /// The working directory of the last caller of `sendmail`, until its message comes.
    directory: String,
    /// A message refused after its data, whose recipients the reject log names on the next lines.
    held: Option<Held>,
    reject_log: bool,
}

struct Held {
    line: String,
    recipients: usize,
    /// What was told of it, to the recipients so far.
    told: usize,
}

/// A line without its time.
struct Line<'a> {
    told: Told<'a>,
    text: &'a str,
}

impl Exim {
    pub(crate) fn new(rule: YearRule, reject_log: bool) -> Self {
        Self {
            rule,
            messages: Recent::new(MESSAGES),
            deferrals: Deferrals::new(),
            directory: String::new(),
            held: None,
            reject_log,
        }
    }

    fn line(&mut self, line: &Line<'_>, sink: &mut Sink<'_>) {
        let Some((id, rest)) = message_id(line.text) else { return self.without_id(line, line.text, sink) };
        let told = Told { queue_id: Some(Cow::Borrowed(id)), ..line.told.clone() };
        let flag = rest.get(..3).unwrap_or_default();
        match flag {
            "<= " => self.arrival(told, id, &rest[3..], sink),
            "=> " | "-> " | ">> " => self.delivered(told, id, &rest[3..], sink),
            "== " => self.refused(told, id, &rest[3..], Outcome::Deferred, sink),
            "** " => self.refused(told, id, &rest[3..], Outcome::Bounced, sink),
            _ => {
                if let Some((_, who)) = cut(rest, " authenticator failed H=") {
                    if let Some(message) = self.messages.get_or_add(id.as_bytes()) {
                        keep(&mut message.log_in, who);
                    }
                } else {
                    self.without_id(line, rest, sink);
                }
            }
        }
    }

    fn arrival(&mut self, told: Told<'_>, id: &str, rest: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let Some(message) = self.messages.get_or_add(id.as_bytes()) else { return };
        message.reset();
        keep(&mut message.arrival, rest);
        if rest.contains(" P=local") {
            message.directory = std::mem::take(&mut self.directory);
        }
        told.sender = message.sender();
        told.origin = message.origin();
        // `received_recipients` puts them last.
        let recipients =
            rest.rsplit_once(" for ").map(|(_, list)| list.split(' ').filter(|one| one.contains('@')).count());
        told.submitted(recipients.filter(|count| *count > 0).map(|count| count as u32), sink);
    }

    fn delivered(&mut self, told: Told<'_>, id: &str, rest: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let (recipient, rest) = recipient(rest);
        self.deferrals.settle(id, recipient);
        told.recipient = filled(recipient);
        told.by = remote(rest).map(|(by, _)| by).unwrap_or_default();
        told.sender = self.messages.get(id.as_bytes()).and_then(|message| message.sender());
        told.delivered(sink);
    }

    fn refused(&mut self, told: Told<'_>, id: &str, rest: &str, outcome: Outcome, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let (recipient, rest) = recipient(rest);
        let (by, text) = match remote(rest) {
            Some((by, text)) => (by, text),
            // The error stands behind its number, or behind the router and transport.
            None => (Party::default(), cut(rest, ": ").map_or(rest, |(_, text)| text)),
        };
        if text.starts_with("retry time not reached") {
            return; // Not tried at all: nothing new was said.
        }
        let message = self.messages.get(id.as_bytes()).map(|message| &*message);
        told.sender = message.and_then(Message::sender);
        told.origin = message.map(Message::origin).unwrap_or_default();
        told.recipient = filled(recipient);
        if outcome == Outcome::Bounced && text.starts_with("retry timeout exceeded") {
            let frame = Refusal {
                sender: told.sender,
                recipient: told.recipient,
                queue_id: told.queue_id,
                time: told.time,
                ..Refusal::default()
            };
            return self.deferrals.expire(id, told.place, text, &frame, &told.origin, sink);
        }
        let (stage, reply) = said(text);
        (told.stage, told.by) = (stage, by);
        let mut reply = reply;
        if stage == Some(Stage::Auth)
            && let Some((by, text)) = message.and_then(|message| remote(&message.log_in))
        {
            (told.by, reply) = (by, text);
        }
        if told.stage.is_none() && rest.contains(" T=") && is_connecting(reply) {
            told.stage = Some(Stage::Connect);
        }
        if outcome == Outcome::Deferred {
            let refusal = Refusal {
                recipient: told.recipient.clone(),
                stage: told.stage,
                refused_by: told.by.clone(),
                ..Refusal::default()
            };
            self.deferrals.note(id, &refusal, reply);
        } else {
            self.deferrals.settle(id, recipient);
        }
        told.refused(outcome, reply, sink);
    }

    /// `H=client [ip] F=<s> rejected RCPT <r>: ...`, `rejected MAIL FROM:<s> H=...`, `... authenticator failed for ...`, `cwd=...`.
    fn without_id(&mut self, line: &Line<'_>, text: &str, sink: &mut Sink<'_>) {
        if let Some(rest) = text.strip_prefix("cwd=") {
            let directory =
                cut(rest, " args: ").and_then(|(before, _)| before.rsplit_once(' ')).map_or("", |(dir, _)| dir);
            // The daemon's own deliveries start in its spool.
            if !directory.starts_with("/var/spool/") {
                keep(&mut self.directory, directory);
            }
            return;
        }
        if let Some((_, rest)) = cut(text, " authenticator failed for ") {
            return authenticator(line.told.clone(), rest, sink);
        }
        let Some((before, rest)) = cut(text, "rejected ") else { return };
        if !before.is_empty() && !before.ends_with(' ') {
            return;
        }
        if self.reject_log && rest.starts_with("after DATA") {
            self.held = Some(Held { line: text.to_owned(), recipients: 0, told: 0 });
            return;
        }
        rejected(line.told.clone(), before, rest, sink);
    }

    /// The lines of a message that the reject log shows behind its refusal.
    fn shown(&mut self, text: &str, told: &Told<'_>, sink: &mut Sink<'_>) {
        let Some(held) = &mut self.held else { return };
        let Some((recipient, _)) = text.strip_prefix("Envelope-to: ").and_then(angle) else { return };
        held.recipients += 1;
        // One refusal on many lines: what it may tell, it may tell in all.
        sink.go_on(held.told);
        if !sink.has_room() {
            self.held = None;
            return;
        }
        if let Some((before, rest)) = cut(&held.line, "rejected ") {
            rejected(Told { recipient: filled(recipient), ..told.clone() }, before, rest, sink);
        }
        held.told = sink.told();
    }

    fn release(&mut self, told: &Told<'_>, sink: &mut Sink<'_>) {
        if let Some(held) = self.held.take()
            && held.recipients == 0
            && let Some((before, rest)) = cut(&held.line, "rejected ")
        {
            rejected(told.clone(), before, rest, sink);
        }
    }
}

impl Records for Exim {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        // Its own time has a blank; what has not is wrapped by syslog.
        let own = self.rule.iso(record).filter(|_| record.get(10) == Some(&b' '));
        let entry = match own {
            Some(_) => syslog::Entry { place, message: crate::cut::utf8(record), ..syslog::Entry::default() },
            None => syslog::entry(record, place, self.rule),
        };
        let mut told = Told { place, time: entry.time, reporter: entry.host.clone(), ..Told::default() };
        let mut text = &*entry.message;
        if let Some((time, end)) = self.rule.iso(text.as_bytes()) {
            told.time = Some(time);
            text = text.get(end..).unwrap_or_default().trim_start();
        } else if told.time.is_none() {
            return self.shown(text, &told, sink);
        }
        self.release(&told, sink);
        // `[4711]`: log_selector +pid.
        if let Some((pid, rest)) = text.strip_prefix('[').and_then(|text| cut(text, "] "))
            && pid.bytes().all(|byte| byte.is_ascii_digit())
        {
            text = rest;
        }
        self.line(&Line { told, text }, sink);
    }

    fn finish(&mut self, place: Place, sink: &mut Sink<'_>) {
        self.release(&Told { place, ..Told::default() }, sink);
    }
}

impl Message {
    fn sender(&self) -> Option<Cow<'_, str>> {
        let sender = self.arrival.split(' ').next().filter(|sender| !sender.is_empty())?;
        Some(Cow::Borrowed(if sender == "<>" { "" } else { sender }))
    }

    /// `H=host (helo) [ip] U=user P=esmtpsa A=login:name ... T="subject"`: what the sender chose stands last.
    fn origin(&self) -> Origin<'_> {
        let line = cut(&self.arrival, " T=\"").map_or(&*self.arrival, |(line, _)| line);
        let field = |name: &str| cut(line, name).map(|(_, rest)| rest.split(' ').next().unwrap_or(rest));
        let from = cut(line, " H=").map(|(_, rest)| party(rest, Side::Ours)).unwrap_or_default();
        Origin {
            login: field(" A=").and_then(|login| cut(login, ":")).map(|(_, name)| Cow::Borrowed(name)),
            user: field(" U=").map(Cow::Borrowed),
            directory: filled(&self.directory),
            host: from.host.map(first_word),
            ip: from.ip,
            ..Origin::default()
        }
    }
}

/// `host.name (helo) `: the name alone.
fn first_word(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.split(' ').next().unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text),
    }
}

fn keep(into: &mut String, text: &str) {
    into.clear();
    if text.len() <= LONGEST_TEXT {
        into.push_str(text);
    }
}

/// `1xWKcs-00000L-1w`, since 4.97 `1xWKcs-00000000L1w-1w2x`: three parts of letters and digits.
fn message_id(text: &str) -> Option<(&str, &str)> {
    let (id, rest) = text.split_once(' ')?;
    let lengths: Vec<usize> = id.splitn(4, '-').map(str::len).collect();
    let known = matches!(lengths[..], [6, 6, 2] | [6, 11, 4]);
    (known && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')).then_some((id, rest))
}

/// `address`, `name <address>`, each with a colon, fields or nothing behind.
fn recipient(text: &str) -> (&str, &str) {
    let end = text.find([' ', ':']).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    // A local delivery shows where it went first, and the address in brackets.
    match rest.strip_prefix(' ').and_then(angle) {
        Some((address, rest)) if !first.contains('@') => (address, rest),
        Some((_, rest)) => (first, rest),
        None => (first, rest),
    }
}

/// ` H=mx [ip] ...: text`: the other host, and what is said.
fn remote(text: &str) -> Option<(Party<'_>, &str)> {
    let at = if text.starts_with("H=") {
        2
    } else {
        cut(text, " H=").map(|(before, _)| before.len() + 3).unwrap_or_default()
    };
    // An authenticator's line was kept from behind `H=`.
    let rest = &text[at..];
    let (name, behind) = cut(rest, "]")?;
    let (name, ip) = cut(name, " [")?;
    if name.contains(' ') || name.contains(':') {
        return None;
    }
    let by = Party { host: host(name), ip: crate::cut::address(ip), helo: None, side: Some(Side::Theirs) };
    let said = if let Some((_, said)) = cut(behind, ": ").filter(|_| behind.starts_with([':', '*', ' '])) {
        // `[ip] 535 5.7.8 Error: ...` has no colon in front of the reply.
        if behind.starts_with(" 4") || behind.starts_with(" 5") { behind.trim_start() } else { said }
    } else {
        behind.trim_start()
    };
    Some((by, said))
}

/// The step, and the reply or Exim's own words.
fn said(text: &str) -> (Option<Stage>, &str) {
    for words in ["SMTP error from remote mail server after ", "LMTP error after "] {
        if let Some((_, rest)) = cut(text, words) {
            let (step, reply) = cut(rest, ": ").unwrap_or((rest, text));
            return (stage(step), reply);
        }
    }
    if let Some((_, reply)) = cut(text, "(EHLO response was: ") {
        return (Some(Stage::Helo), reply.trim_end_matches(')'));
    }
    for words in [" closed connection in response to ", "SMTP timeout after ", "response to "] {
        if let Some((_, step)) = cut(text, words) {
            return (stage(step), text);
        }
    }
    if text.starts_with("a TLS session is required") || text.contains("TLS error on connection") {
        return (Some(Stage::Tls), text);
    }
    if text.starts_with("authentication required but ") {
        return (Some(Stage::Auth), text);
    }
    (None, text)
}

fn stage(step: &str) -> Option<Stage> {
    let step = step.strip_prefix("pipelined ").unwrap_or(step);
    if step.starts_with("initial connection") {
        Some(Stage::Connect)
    } else if step.starts_with("end of data") || step.starts_with("sending data block") {
        Some(Stage::Body)
    } else {
        stage_of_command(step)
    }
}

fn is_connecting(text: &str) -> bool {
    ["Connection refused", "Connection timed out", "Network is unreachable", "No route to host"]
        .iter()
        .any(|words| text.starts_with(words))
}

/// `(helo) [ip]: 535 Incorrect authentication data (set_id=desk)`.
fn authenticator(told: Told<'_>, rest: &str, sink: &mut Sink<'_>) {
    let mut told: Told<'_> = told;
    let Some((who, text)) = cut(rest, "]: ").or_else(|| cut(rest, ": ")) else { return };
    let (text, login) = text.rsplit_once(" (set_id=").unwrap_or((text, ""));
    told.client = client(who);
    told.stage = Some(Stage::Auth);
    told.origin.login = filled(login.trim_end_matches(')'));
    (told.origin.host, told.origin.ip) = (told.client.host.clone(), told.client.ip);
    told.rejected(text, sink);
}

fn rejected(told: Told<'_>, before: &str, rest: &str, sink: &mut Sink<'_>) {
    let mut told: Told<'_> = told;
    let who = cut(before, "H=").map_or(before, |(_, who)| who);
    told.client = client(who);
    told.sender = cut(before, " F=").and_then(|(_, sender)| angle(sender)).map(|(sender, _)| Cow::Borrowed(sender));
    let mut text = rest;
    if let Some(command) = rest.strip_prefix("RCPT ") {
        told.stage = Some(Stage::Rcpt);
        if let Some((recipient, rest)) = angle(command) {
            told.recipient = filled(recipient);
            text = rest.strip_prefix(": ").unwrap_or(rest);
        }
    } else if let Some(command) = rest.strip_prefix("MAIL ") {
        told.stage = Some(Stage::Mail);
        let command = command.strip_prefix("FROM:").unwrap_or(command);
        let Some((sender, behind)) = angle(command) else { return };
        told.sender = Some(Cow::Borrowed(sender));
        if let Some((_, who)) = cut(behind, " H=") {
            told.client = client(who.split("]: ").next().unwrap_or(who));
        }
        text = cut(behind, "]: ").or_else(|| cut(behind, ": ")).map_or(behind, |(_, text)| text);
    } else if rest.starts_with("after DATA") || rest.starts_with("by ") {
        told.stage = Some(Stage::Body);
        text = cut(rest, ": ").map_or(rest, |(_, text)| text);
    } else {
        told.stage = if rest.starts_with("connection") { Some(Stage::Connect) } else { stage_of_command(rest) };
        if told.stage.is_none() {
            return;
        }
        text = cut(text, ": ").map_or(text, |(_, text)| text);
    }
    told.rejected(text, sink);
}

/// `host.name (helo) [ip]`, `(helo) [ip]`.
fn client(text: &str) -> Party<'_> {
    let mut party = party(text, Side::Theirs);
    party.helo = crate::cut::between(text, "(", ")").and_then(filled);
    party.host = party.host.map(first_word);
    party
}
