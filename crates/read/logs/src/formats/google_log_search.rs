//! Google Workspace's e-mail log search, exported as CSV: one row a recipient and event, without a stage or a host's name.

use std::borrow::Cow;

use redeliver_model::{Party, Side};

use crate::cut::{address, filled};
use crate::event::{Fault, Outcome, Place};
use crate::formats::Records;
use crate::sink::Sink;
use crate::table::{Columns, Row};
use crate::told::Told;
use crate::when::YearRule;

/// The reader of a log search.
pub(crate) struct GoogleLogSearch {
    rule: YearRule,
    columns: Columns,
}

impl GoogleLogSearch {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, columns: Columns::default() }
    }

    fn row(&self, row: &Row<'_>, place: Place, sink: &mut Sink<'_>) {
        let ip = address(row.get("event-target-ip-address"));
        let by = Party { ip, side: ip.map(|_| Side::Theirs), ..Party::default() };
        let inbound = row.get("event-target") == "SMTP_IN" || row.get("direction") == "Received";
        let told = Told {
            place,
            time: self.rule.iso_field(row.first(&["event-date", "end-date"])),
            queue_id: filled(row.get("message-id")),
            sender: Some(Cow::Borrowed(row.get("sender"))),
            recipient: filled(row.get("recipient-address")),
            by: if inbound { Party::default() } else { by.clone() },
            client: if inbound { by } else { Party::default() },
            ..Told::default()
        };
        let description = row.get("event-description");
        let text = if description.is_empty() { row.get("event-smtp-reply-code") } else { description };
        match row.get("event-status") {
            "DELIVERED" | "ACCEPTED" if !inbound => told.delivered(sink),
            "REJECTED" if inbound => told.rejected(text, sink),
            "REJECTED" | "BOUNCED" | "FAILED" | "PERMANENT_FAILURE" => told.refused(Outcome::Bounced, text, sink),
            "TEMPORARY_FAILURE" | "DEFERRED" => told.refused(Outcome::Deferred, text, sink),
            _ => {}
        }
    }
}

impl Records for GoogleLogSearch {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let text = crate::cut::utf8(record);
        if !self.columns.is_known() {
            self.columns = Columns::read(&text);
            return;
        }
        let row = self.columns.row(&text);
        if row.fits() {
            self.row(&row, place, sink);
        } else {
            sink.unreadable(place, record, Fault::NotTheTable);
        }
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
