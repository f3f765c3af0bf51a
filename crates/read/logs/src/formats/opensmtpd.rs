//! `OpenSMTPD`, through syslog or journald.
//!
//! `mta delivery` is a decision about one envelope. When a server refused at its greeting, HELO, TLS or AUTH, that line only says
//! "Network error on destination MXs"; what was said stands on an `mta error` line of the session, and the session's host on a
//! third. They are joined by session, and to the envelope by the domain that the host's name ends with; a host of another name
//! cannot be joined, for the log never says which domains it serves.

use std::borrow::Cow;
use std::net::IpAddr;

use redeliver_model::{EnhancedStatus, Party, Refusal, Side, Stage};

use crate::cut::{address, angle, between, cut, endpoint, filled, host, stage_of_command};
use crate::deferrals::Deferrals;
use crate::event::{Origin, Outcome, Place};
use crate::formats::Records;
use crate::recent::{Recent, Reset};
use crate::sink::{LONGEST_NAME, Sink};
use crate::syslog;
use crate::told::Told;
use crate::when::YearRule;

/// Sessions that are remembered, in and out.
const SESSIONS: usize = 16 * 1024;

/// Errors of hosts that are remembered: routes are closed for minutes, then tried again.
const ERRORS: usize = 512;

/// The longest error that is remembered.
const LONGEST_ERROR: usize = 2048;

/// What an envelope is told when no server of its domain could be talked to.
const NO_SERVER: &str = "Network error on destination MXs";

#[derive(Default)]
struct Session {
    host: String,
    ip: Option<IpAddr>,
    login: String,
    /// A message was announced: for how many recipients.
    announced: Option<u32>,
}

impl Reset for Session {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

struct Failure {
    host: String,
    ip: Option<IpAddr>,
    stage: Option<Stage>,
    text: String,
    /// Whether `text` is what the server said.
    said: bool,
}

/// The state of an `OpenSMTPD` log.
pub(crate) struct OpenSmtpd {
    rule: YearRule,
    sessions: Recent<Session>,
    failures: std::collections::VecDeque<Failure>,
    deferrals: Deferrals,
}

impl OpenSmtpd {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self {
            rule,
            sessions: Recent::new(SESSIONS),
            failures: std::collections::VecDeque::new(),
            deferrals: Deferrals::new(),
        }
    }

    fn line(&mut self, told: Told<'_>, id: &str, rest: &str, sink: &mut Sink<'_>) {
        let Some((word, rest)) = cut(rest, " ") else { return };
        let Some((what, fields)) = cut(rest, " ") else { return };
        match (word, what) {
            ("mta" | "mda", "delivery") => self.delivery(told, fields, sink),
            ("mta", "error") => self.failed(id, fields.strip_prefix("reason=").unwrap_or(fields)),
            ("mta", "connecting") => self.session(id, fields, "://"),
            ("smtp", "connected") => self.session(id, fields, "address="),
            ("smtp", "authentication") => self.authentication(told, id, fields, sink),
            ("smtp", "message") => {
                if let Some(session) = self.sessions.get_or_add(id.as_bytes()) {
                    session.announced = value(fields, "nrcpt=").and_then(|count| count.parse().ok());
                }
            }
            ("smtp", "envelope") => self.envelope(told, id, fields, sink),
            ("smtp", "failed-command" | "bad-input") => self.refused_by_us(told, id, fields, sink),
            _ => {}
        }
    }

    fn session(&mut self, id: &str, fields: &str, scheme: &str) {
        if let Some(session) = self.sessions.get_or_add(id.as_bytes()) {
            session.reset();
            let address = cut(fields, scheme).map_or(fields, |(_, rest)| rest.split(' ').next().unwrap_or(rest));
            session.ip = endpoint(address);
            let name = value(fields, "host=").and_then(host).unwrap_or_default();
            session.host.push_str(&name[..name.floor_char_boundary(LONGEST_NAME)]);
        }
    }

    fn failed(&mut self, id: &str, reason: &str) {
        let Some(session) = self.sessions.get(id.as_bytes()) else { return };
        let (stage, text) = match cut(reason, " rejected: ") {
            Some(("BANNER", text)) => (Some(Stage::Connect), Some(text)),
            Some(("HELO" | "EHLO", text)) => (Some(Stage::Helo), Some(text)),
            Some(("STARTTLS", text)) => (Some(Stage::Tls), Some(text)),
            Some(("AUTH", text)) => (Some(Stage::Auth), Some(text)),
            Some((_, text)) => (None, Some(text)),
            None if reason.contains("TLS") => (Some(Stage::Tls), None),
            // A connection may close later too; the log does not say when.
            None => (Some(Stage::Connect), None),
        };
        if self.failures.len() == ERRORS {
            self.failures.pop_front();
        }
        let said = text.is_some();
        let text: String = lines(text.unwrap_or(reason)).chars().take(LONGEST_ERROR).collect();
        self.failures.retain(|failure| failure.host != session.host);
        self.failures.push_back(Failure { host: session.host.clone(), ip: session.ip, stage, text, said });
    }

    fn delivery(&mut self, told: Told<'_>, fields: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let Some(envelope) = value(fields, "evpid=") else { return };
        told.queue_id = Some(Cow::Borrowed(envelope));
        told.sender = bracketed(fields, "from=").map(Cow::Borrowed);
        told.recipient = bracketed(fields, "to=").and_then(filled);
        let Some((before, rest)) = cut(fields, " result=") else { return };
        let (result, stat) = cut(rest, " stat=").unwrap_or((rest, ""));
        let text = stat.trim().strip_prefix('"').map_or(stat, |text| text.strip_suffix('"').unwrap_or(text));
        told.by = relay(before);
        let outcome = match result.trim_matches('"') {
            "Ok" => {
                self.deferrals.settle(envelope, told.recipient.as_deref().unwrap_or_default());
                return told.delivered(sink);
            }
            "TempFail" => Outcome::Deferred,
            "PermFail" => Outcome::Bounced,
            _ => return,
        };
        let text = &*lines(text);
        let mut reply = text;
        let domain = between(before, " relay=\"", "\"").unwrap_or_default();
        let failure = (text == NO_SERVER).then(|| failure(&self.failures, domain)).flatten();
        if text == NO_SERVER {
            told.stage = Some(Stage::Connect);
        }
        if let Some(failure) = failure {
            told.by = Party { host: filled(&failure.host), ip: failure.ip, helo: None, side: Some(Side::Theirs) };
            told.stage = failure.stage;
            if failure.said {
                reply = &failure.text;
            } else {
                told.further = Some(Cow::Borrowed(&failure.text));
            }
        }
        if outcome == Outcome::Deferred {
            let refusal = Refusal {
                recipient: told.recipient.clone(),
                stage: told.stage,
                refused_by: told.by.clone(),
                ..Refusal::default()
            };
            self.deferrals.note(envelope, &refusal, reply);
        }
        told.refused(outcome, reply, sink);
    }

    /// `relay: Expire for EVPID: from=<s>, to=<r>, rcpt=<->, delay=.., stat=Envelope expired`.
    fn expired(&mut self, told: &Told<'_>, rest: &str, sink: &mut Sink<'_>) {
        let Some((envelope, fields)) = cut(rest, ": ") else { return };
        let words = cut(fields, "stat=").map_or("Envelope expired", |(_, words)| words);
        let frame = Refusal {
            sender: bracketed(fields, "from=").map(Cow::Borrowed),
            recipient: bracketed(fields, "to=").and_then(filled),
            queue_id: Some(Cow::Borrowed(envelope)),
            time: told.time,
            ..Refusal::default()
        };
        self.deferrals.expire(envelope, told.place, words, &frame, &Origin::default(), sink);
    }

    /// Refused, or accepted: then it is the session's log-in.
    fn authentication(&mut self, told: Told<'_>, id: &str, fields: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let login = value(fields, "user=").unwrap_or_default();
        let result = value(fields, "result=").unwrap_or_default();
        if matches!(result, "ok" | "success") {
            if let Some(session) = self.sessions.get_or_add(id.as_bytes()) {
                session.login = login.chars().take(320).collect();
            }
            return;
        }
        told.client = self.client(id);
        told.stage = Some(Stage::Auth);
        told.origin = Origin { login: filled(login), ip: told.client.ip, ..Origin::default() };
        told.rejected(result, sink);
    }

    fn envelope(&mut self, told: Told<'_>, id: &str, fields: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let Some(session) = self.sessions.get(id.as_bytes()) else { return };
        // One event a message, not one an envelope.
        let Some(recipients) = session.announced.take() else { return };
        told.queue_id = value(fields, "evpid=").map(Cow::Borrowed);
        told.sender = bracketed(fields, "from=").map(Cow::Borrowed);
        told.origin =
            Origin { login: filled(&session.login), host: filled(&session.host), ip: session.ip, ..Origin::default() };
        told.submitted(Some(recipients), sink);
    }

    /// `command="rcpt TO:<r>" result="550 Invalid recipient: <r>"`; no command at the greeting.
    fn refused_by_us(&mut self, told: Told<'_>, id: &str, fields: &str, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let Some((command, result)) = cut(fields, "\" result=\"") else { return };
        let command = cut(command, "command=\"").map_or("", |(_, command)| command);
        let text = result.trim_end().trim_end_matches('"');
        if !text.starts_with(['4', '5']) {
            return;
        }
        told.client = self.client(id);
        told.stage = if command.is_empty() { Some(Stage::Connect) } else { stage_of_command(command) };
        let address = command.find('<').and_then(|at| angle(&command[at..])).map(|(address, _)| address);
        match told.stage {
            Some(Stage::Rcpt) => told.recipient = address.and_then(filled),
            Some(Stage::Mail) => told.sender = address.map(Cow::Borrowed),
            // DATA is refused when its end is reached: the message had been read.
            Some(Stage::Data) => told.stage = Some(Stage::Body),
            // A wrong command is no refusal of mail.
            None => return,
            _ => {}
        }
        told.rejected(text, sink);
    }

    fn client(&mut self, id: &str) -> Party<'static> {
        let session = self.sessions.get(id.as_bytes());
        session.map_or_else(Party::default, |session| Party {
            host: (!session.host.is_empty()).then(|| Cow::Owned(session.host.clone())),
            ip: session.ip,
            helo: None,
            side: Some(Side::Theirs),
        })
    }
}

impl Records for OpenSmtpd {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let entry = syslog::entry(record, place, self.rule);
        let told =
            Told { place, time: entry.time, reporter: entry.host.as_deref().map(Cow::Borrowed), ..Told::default() };
        if let Some((_, rest)) = cut(&entry.message, ": Expire for ") {
            return self.expired(&told, rest, sink);
        }
        if let Some((id, rest)) = cut(&entry.message, " ")
            && id.len() == 16
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            self.line(told, id, rest, sink);
        }
    }
}

/// `550-5.7.26 first.5.7.26 second`: further lines are joined without anything between them; where a status begins each of them,
/// it shows where.
fn lines(text: &str) -> Cow<'_, str> {
    let status = text.get(4..).filter(|_| text.as_bytes().get(3) == Some(&b'-')).and_then(EnhancedStatus::read);
    let Some((_, length)) = status else { return Cow::Borrowed(text) };
    let (first, rest) = text.split_at(4 + length);
    let status = format!("{} ", &first[4..]);
    if rest.contains(&status) {
        Cow::Owned(format!("{first}{}", rest.replace(&status, &format!("\n{status}"))))
    } else {
        Cow::Borrowed(text)
    }
}

/// The last failure of a host of that name or domain.
fn failure<'f>(failures: &'f std::collections::VecDeque<Failure>, domain: &str) -> Option<&'f Failure> {
    let of_domain = |host: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    failures.iter().rev().find(|failure| !domain.is_empty() && of_domain(&failure.host))
}

/// `relay="127.44.0.11 (mx1.ash.example)"`.
fn relay(fields: &str) -> Party<'_> {
    let Some(relay) = between(fields, " relay=\"", "\"") else { return Party::default() };
    let Some((ip, name)) = cut(relay, " (") else { return Party::default() };
    Party { host: host(name.trim_end_matches(')')), ip: address(ip), helo: None, side: Some(Side::Theirs) }
}

fn value<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = cut(fields, name)?;
    rest.split(' ').next()
}

fn bracketed<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let at = if fields.starts_with(name) {
        name.len()
    } else {
        crate::cut::find(fields, &format!(" {name}"))? + 1 + name.len()
    };
    angle(&fields[at..]).map(|(address, _)| address)
}
