//! `PowerMTA` accounting files: one row a delivery (`d`), bounce (`b`, `rb`), try (`t`) or reception (`r`), without a stage.

use std::borrow::Cow;

use redeliver_model::{Party, Side};

use crate::cut::{address, between, filled, host};
use crate::event::{Fault, Origin, Outcome, Place};
use crate::formats::Records;
use crate::sink::Sink;
use crate::table::{Columns, Row};
use crate::told::Told;
use crate::when::YearRule;

/// The reader of an accounting file.
pub(crate) struct PowerMta {
    rule: YearRule,
    columns: Columns,
}

impl PowerMta {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, columns: Columns::default() }
    }

    fn row(&self, row: &Row<'_>, place: Place, sink: &mut Sink<'_>) {
        let told = Told {
            place,
            time: self.rule.iso_field(row.get("timelogged")),
            queue_id: filled(row.first(&["envid", "jobid"])),
            sender: Some(Cow::Borrowed(row.get("orig"))),
            recipient: filled(row.get("rcpt")),
            by: named(row.get("dsnmta")),
            ..Told::default()
        };
        let diagnostic = row.get("dsndiag");
        // RFC 3464 2.3.6: the type of the code, then its text.
        let text = diagnostic.split_once(';').filter(|(kind, _)| *kind == "smtp").map_or(diagnostic, |(_, text)| text);
        let text = if text.trim().is_empty() { row.get("dsnstatus") } else { text.trim() };
        match row.get("type") {
            "d" => told.delivered(sink),
            "b" | "rb" => told.refused(Outcome::Bounced, text, sink),
            "t" | "tq" => told.refused(Outcome::Deferred, text, sink),
            "r" => {
                let from = named(row.get("srcmta"));
                let origin = Origin { host: from.host, ip: from.ip, ..Origin::default() };
                Told { origin, ..told }.submitted(Some(1), sink);
            }
            _ => {}
        }
    }
}

/// `mx2.lima.example (203.0.113.38)`.
fn named(text: &str) -> Party<'_> {
    let ip = between(text, "(", ")").and_then(address);
    let name = text.split(' ').next().unwrap_or_default();
    let host = host(name);
    let side = (host.is_some() || ip.is_some()).then_some(Side::Theirs);
    Party { host, ip, helo: None, side }
}

impl Records for PowerMta {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let text = crate::cut::utf8(record);
        if !self.columns.is_known() {
            self.columns = Columns::read(&text);
            return;
        }
        let row = self.columns.row(&text);
        if row.is_head() {
            return; // Written again when the file was opened again.
        }
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
