//! Exchange message tracking, and the Microsoft 365 message trace in its three shapes: extended report (the same columns), summary
//! report (all recipients in one field) and the list of the admin centre. They name no stage.

use std::borrow::Cow;

use redeliver_model::{Party, Side, Timestamp};

use crate::cut::{address, between, filled, host};
use crate::event::{Fault, Origin, Outcome, Place};
use crate::formats::Records;
use crate::sink::Sink;
use crate::table::{Columns, Row};
use crate::told::Told;
use crate::when::YearRule;

/// The reader of a tracking table.
pub(crate) struct Tracking {
    rule: YearRule,
    columns: Columns,
}

impl Tracking {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, columns: Columns::default() }
    }

    fn time(&self, row: &Row<'_>) -> Option<Timestamp> {
        let text = row.first(&["date-time", "date-time-utc", "origin-timestamp-utc", "received"]);
        self.rule.iso_field(text).or_else(|| self.rule.american(text))
    }

    fn told<'a>(&self, row: &'a Row<'_>, place: Place) -> Told<'a> {
        // A bounce's sender is `<>`; the return path is what RFC 5321 calls the sender.
        let sender = row.first(&["return-path", "sender-address", "senderaddress"]);
        Told {
            place,
            time: self.time(row),
            queue_id: filled(row.first(&["network-message-id", "messagetraceid", "message-id", "messageid"])),
            sender: Some(Cow::Borrowed(if sender == "<>" { "" } else { sender })),
            ..Told::default()
        }
    }

    /// One event of the life of a message.
    fn event(&self, row: &Row<'_>, place: Place, sink: &mut Sink<'_>) {
        let mut told = self.told(row, place);
        let (source, event) = (row.get("source"), row.get("event-id"));
        let recipients: Vec<&str> = row.get("recipient-address").split(';').filter(|one| !one.is_empty()).collect();
        let outcome = match event {
            "FAIL" => Outcome::Bounced,
            "DEFER" => Outcome::Deferred,
            "SEND" | "SENDEXTERNAL" | "DELIVER" => {
                if event == "DELIVER" || source == "SMTP" {
                    told.by = if event == "DELIVER" { Party::default() } else { server(row) };
                    told.delivered_each(recipients.into_iter(), sink);
                }
                return;
            }
            "RECEIVE" if matches!(source, "SMTP" | "STOREDRIVER" | "PICKUP") => {
                let ip = row.first(&["original-client-ip", "client-ip"]);
                told.origin = Origin { ip: address(ip), ..Origin::default() };
                if source == "STOREDRIVER" {
                    // A mailbox's own message: the mailbox is the log-in.
                    told.origin.login = filled(row.get("sender-address"));
                }
                return told.submitted(Some(recipients.len() as u32), sink);
            }
            _ => return,
        };
        // An agent that refuses what comes in is our own filter.
        let ours = source == "AGENT" && row.get("directionality") == "Incoming";
        let outcome = if ours { Outcome::RejectedByUs } else { outcome };
        let (all, server) = (row.get("recipient-status"), server(row));
        let statuses: Vec<&str> = all.split("];[").collect();
        if statuses.len() != recipients.len() {
            told.by = from_status(all).unwrap_or(server);
            return told.refused_each(outcome, said(all), recipients.into_iter(), sink);
        }
        for (status, recipient) in statuses.into_iter().zip(recipients) {
            if !sink.has_room() {
                return;
            }
            told.by = from_status(status).unwrap_or_else(|| server.clone());
            told.recipient = filled(recipient);
            told.refused(outcome, said(status), sink);
        }
    }

    /// `a##Receive, Send;b##Receive, Fail`: what became of each recipient, without why.
    fn summary(&self, row: &Row<'_>, place: Place, sink: &mut Sink<'_>) {
        let told = self.told(row, place);
        for one in row.get("recipient-status").split(';') {
            let Some((recipient, events)) = one.split_once("##") else { continue };
            if !sink.has_room() {
                return;
            }
            let told = Told { recipient: filled(recipient.trim()), ..told.clone() };
            let last = events.rsplit(", ").next().unwrap_or(events).trim();
            match last {
                "Fail" | "Failed" => told.refused(Outcome::Bounced, "", sink),
                "Defer" | "Pending" => told.refused(Outcome::Deferred, "", sink),
                "Send" | "Deliver" | "Delivered" => told.delivered(sink),
                _ => {}
            }
        }
    }

    /// A row of the admin centre's list.
    fn listed(&self, row: &Row<'_>, place: Place, sink: &mut Sink<'_>) {
        let recipient = filled(row.first(&["recipientaddress", "recipient-address"]));
        let by = Party { ip: address(row.get("toip")), side: Some(Side::Theirs), ..Party::default() };
        let told = Told { recipient, by: if by.ip.is_some() { by } else { Party::default() }, ..self.told(row, place) };
        match row.get("status") {
            "Failed" => told.refused(Outcome::Bounced, row.get("detail"), sink),
            "Pending" => told.refused(Outcome::Deferred, row.get("detail"), sink),
            "Delivered" => told.delivered(sink),
            _ => {}
        }
    }
}

impl Records for Tracking {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let text = crate::cut::utf8(record);
        if text.starts_with("#Fields:") || !self.columns.is_known() {
            if !text.starts_with('#') || text.starts_with("#Fields:") {
                self.columns = Columns::read(&text);
            }
            return;
        }
        if text.starts_with('#') {
            return;
        }
        let columns = std::mem::take(&mut self.columns);
        let row = columns.row(&text);
        if !row.fits() {
            sink.unreadable(place, record, Fault::NotTheTable);
        } else if columns.has("event-id") {
            self.event(&row, place, sink);
        } else if columns.has("status") {
            self.listed(&row, place, sink);
        } else if !row.is_head() {
            self.summary(&row, place, sink);
        }
        drop(row);
        self.columns = columns;
    }

    fn columns(&self) -> usize {
        self.columns.count()
    }

    fn head(&self) -> Option<String> {
        self.columns.line()
    }

    fn set_head(&mut self, head: &str) {
        self.columns = Columns::read(head);
    }
}

/// The words of a status: `[{LED=550 5.1.1 ...};{FQDN=...}]`, or all of it.
fn said(status: &str) -> &str {
    let Some((_, text)) = status.split_once("{LED=") else { return status };
    text.split_once("};{").map_or_else(|| text.trim_end_matches(['}', ']']), |(text, _)| text)
}

/// The host of a row's connection.
fn server<'a>(row: &'a Row<'_>) -> Party<'a> {
    let ip = address(row.get("server-ip"));
    if ip.is_none() {
        return Party::default();
    }
    Party { host: host(row.get("server-hostname")), ip, helo: None, side: Some(Side::Theirs) }
}

/// `{FQDN=mx2.example};{IP=203.0.113.32}`: the server that said it; a name without an address is the domain.
fn from_status(status: &str) -> Option<Party<'_>> {
    let ip = address(between(status, "{IP=", "}")?)?;
    let name = between(status, "{FQDN=", "}").unwrap_or_default();
    Some(Party { host: host(name), ip: Some(ip), helo: None, side: Some(Side::Theirs) })
}
