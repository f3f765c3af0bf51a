//! Exchange protocol logs: the dialogues of send and receive connectors, command by command.
//!
//! `>` is what Exchange said, `<` what it heard. In a send log the replies are the other server's; in a receive log they are our own.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::IpAddr;

use redeliver_model::{Party, Reply, Side, Stage};

use crate::cut::{angle, endpoint, filled, host, stage_of_command};
use crate::event::{Fault, Origin, Outcome, Place};
use crate::formats::Records;
use crate::recent::{Recent, Reset};
use crate::sink::Sink;
use crate::table::{Columns, Row};
use crate::told::Told;
use crate::when::YearRule;

/// Sessions that are remembered: Exchange keeps 5,000 in at once (`MaxInboundConnection`).
const SESSIONS: usize = 8 * 1024;

/// Commands without a reply and recipients of a message that are remembered (`MaxRecipientsPerMessage` is 200 by default).
const MOST_COMMANDS: usize = 1000;

/// The longest command that is remembered (RFC 5321 4.5.3.1.4, with extensions).
const LONGEST_COMMAND: usize = 1024;

#[derive(Default)]
struct Session {
    greeted: bool,
    /// The name that the server gave in its greeting.
    server: String,
    helo: String,
    login: String,
    message: String,
    sender: Option<String>,
    recipients: Vec<String>,
    waiting: VecDeque<String>,
}

impl Reset for Session {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The state of a protocol log.
pub(crate) struct ExchangeSmtp {
    rule: YearRule,
    columns: Columns,
    /// Whether it is a receive connector's: the `#Log-type` line says so.
    receives: bool,
    sessions: Recent<Session>,
}

impl ExchangeSmtp {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, columns: Columns::default(), receives: false, sessions: Recent::new(SESSIONS) }
    }

    fn head_line(&mut self, text: &str) {
        if let Some(kind) = text.strip_prefix("#Log-type:") {
            self.receives = kind.contains("Receive");
        } else if text.starts_with("#Fields:") {
            self.columns = Columns::read(text);
        }
    }

    fn row(&mut self, row: &Row<'_>, place: Place, sink: &mut Sink<'_>) {
        let (id, event, data, context) = (row.get("session-id"), row.get("event"), row.get("data"), row.get("context"));
        let Some(session) = self.sessions.get_or_add(id.as_bytes()) else { return };
        match event {
            "+" => session.reset(),
            "*" => {
                if let Some((_, rest)) = context.split_once("with RecordId ") {
                    session.message = short(rest.split(' ').next().unwrap_or(rest));
                } else if context == "authenticated" {
                    session.login = short(data);
                }
            }
            ">" if !self.receives => session.command(data),
            "<" if self.receives => session.command(data),
            ">" | "<" => {
                let told = Told {
                    place,
                    time: self.rule.iso_field(row.get("date-time")),
                    queue_id: filled(&session.message).map(|id| Cow::Owned(id.into_owned())),
                    ..Told::default()
                };
                let (local, remote) = (endpoint(row.get("local-endpoint")), endpoint(row.get("remote-endpoint")));
                if self.receives {
                    session.said_by_us(told, data, local, remote, sink);
                } else {
                    session.said_to_us(told, data, remote, sink);
                }
            }
            _ => {}
        }
    }
}

impl Session {
    fn command(&mut self, line: &str) {
        // An answer to a challenge is no command.
        let answering = self.waiting.back().is_some_and(|last| stage_of_command(last) == Some(Stage::Auth));
        if self.waiting.len() < MOST_COMMANDS && !answering {
            self.waiting.push_back(short(line));
        }
        if stage_of_command(line) == Some(Stage::Helo) {
            self.helo = short(line.split_once(' ').map_or("", |(_, name)| name));
        }
    }

    /// What a reply is about: the oldest command without one, or the greeting.
    fn answered(&mut self, code: u16) -> Option<(Stage, String)> {
        if !self.greeted {
            self.greeted = true;
            return Some((Stage::Connect, String::new()));
        }
        if (300..400).contains(&code) {
            // DATA goes on with the message; its end is answered next.
            if let Some(command) = self.waiting.front_mut()
                && stage_of_command(command) == Some(Stage::Data)
            {
                ".".clone_into(command);
            }
            return None;
        }
        let command = self.waiting.pop_front()?;
        if code < 400 && (command.eq_ignore_ascii_case("RSET") || stage_of_command(&command) == Some(Stage::Helo)) {
            self.transaction_ends();
        }
        let stage = if command == "." { Some(Stage::Body) } else { stage_of_command(&command) };
        stage.map(|stage| (stage, command))
    }

    /// DATA or its message was answered, either way, or the buffers were cleared (RFC 5321 4.1.1.4, 4.1.1.5, 4.1.4).
    fn transaction_ends(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    /// Notes what was accepted; tells whether the message was taken.
    fn accepted(&mut self, stage: Stage, command: &str, text: &str) -> bool {
        match stage {
            Stage::Connect => self.server = short(text.split([' ', '-']).nth(1).unwrap_or_default()),
            Stage::Mail => {
                self.sender = path(command);
                self.recipients.clear();
            }
            Stage::Rcpt if self.recipients.len() < MOST_COMMANDS => self.recipients.extend(path(command)),
            Stage::Body => return true,
            _ => {}
        }
        false
    }

    /// The other server's reply to us.
    fn said_to_us(&mut self, told: Told<'_>, text: &str, ip: Option<IpAddr>, sink: &mut Sink<'_>) {
        let mut told: Told<'_> = told;
        let Some(code) = Reply::parse(text).code else { return };
        let Some((stage, command)) = self.answered(code) else { return };
        if code < 400 {
            if self.accepted(stage, &command, text) {
                self.each(&told, ip, None, sink);
                self.transaction_ends();
            }
            return;
        }
        let outcome = if code < 500 { Outcome::Deferred } else { Outcome::Bounced };
        told.stage = Some(stage);
        match stage {
            Stage::Data | Stage::Body => {
                self.each(&told, ip, Some((outcome, text)), sink);
                self.transaction_ends();
            }
            _ => {
                let named = path(&command);
                told.recipient = named.as_deref().filter(|_| stage == Stage::Rcpt).and_then(filled);
                let sender = if stage == Stage::Mail { named.clone() } else { self.sender.clone() };
                told.sender = sender.map(Cow::Owned);
                told.by = self.server(ip);
                told.refused(outcome, text, sink);
            }
        }
    }

    /// Our own reply to a client.
    fn said_by_us(
        &mut self,
        told: Told<'_>,
        text: &str,
        local: Option<IpAddr>,
        remote: Option<IpAddr>,
        sink: &mut Sink<'_>,
    ) {
        let mut told: Told<'_> = told;
        let Some(code) = Reply::parse(text).code else { return };
        let Some((stage, command)) = self.answered(code) else { return };
        told.origin = Origin {
            login: filled(&self.login).map(|login| Cow::Owned(login.into_owned())),
            ip: remote,
            ..Origin::default()
        };
        if code < 400 {
            if self.accepted(stage, &command, text) {
                told.sender = self.sender.as_deref().map(Cow::Borrowed);
                told.submitted(Some(self.recipients.len() as u32), sink);
                self.transaction_ends();
            }
            return;
        }
        told.stage = Some(stage);
        told.client = Party { host: None, ip: remote, helo: filled(&self.helo), side: Some(Side::Theirs) };
        told.by = Party { side: Some(Side::Ours), ..self.server(local) };
        let named = path(&command);
        let sender = if stage == Stage::Mail { named.clone() } else { self.sender.clone() };
        told.sender = sender.map(Cow::Owned);
        if matches!(stage, Stage::Data | Stage::Body) && !self.recipients.is_empty() {
            told.refused_each(Outcome::RejectedByUs, text, self.recipients.iter().map(String::as_str), sink);
            self.transaction_ends();
        } else {
            told.recipient = named.filter(|_| stage == Stage::Rcpt).map(Cow::Owned);
            told.rejected(text, sink);
        }
    }

    /// The same for every recipient of the message: refused with a reply, or delivered.
    fn each(&self, told: &Told<'_>, ip: Option<IpAddr>, refused: Option<(Outcome, &str)>, sink: &mut Sink<'_>) {
        let sender = self.sender.as_deref().map(Cow::Borrowed);
        let told = Told { sender, by: self.server(ip), ..told.clone() };
        let recipients = self.recipients.iter().map(String::as_str);
        match refused {
            Some((outcome, text)) => told.refused_each(outcome, text, recipients, sink),
            None => told.delivered_each(recipients, sink),
        }
    }

    fn server(&self, ip: Option<IpAddr>) -> Party<'_> {
        Party { host: host(&self.server), ip, helo: None, side: Some(Side::Theirs) }
    }
}

impl Records for ExchangeSmtp {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let text = crate::cut::utf8(record);
        let bare = text.trim_start_matches('\u{feff}');
        if bare.starts_with('#') {
            return self.head_line(bare);
        }
        let columns = std::mem::take(&mut self.columns);
        let row = columns.row(bare);
        if columns.is_known() && row.fits() {
            self.row(&row, place, sink);
        } else {
            sink.unreadable(place, record, Fault::NotTheTable);
        }
        drop(row);
        self.columns = columns;
    }

    fn columns(&self) -> usize {
        self.columns.count()
    }

    fn head(&self) -> Option<String> {
        let kind =
            if self.receives { "#Log-type: SMTP Receive Protocol Log" } else { "#Log-type: SMTP Send Protocol Log" };
        self.columns.line().map(|line| format!("{kind}\n{line}"))
    }

    fn set_head(&mut self, head: &str) {
        head.lines().for_each(|line| self.head_line(line));
    }
}

/// The address of `MAIL FROM:<...>` or `RCPT TO:<...>`.
fn path(command: &str) -> Option<String> {
    let at = command.find('<')?;
    angle(&command[at..]).map(|(address, _)| address.to_owned())
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_COMMAND).collect()
}
