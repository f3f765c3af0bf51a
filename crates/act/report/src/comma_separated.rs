//! Explanations as a table for spreadsheets and list owners. No cell is ever a formula.

use redeliver_model::{Explanation, Unread};

use crate::escape::cell;

const HEADER: [&str; 21] = [
    "source",
    "member",
    "line",
    "kind",
    "recipient",
    "original_recipient",
    "sender",
    "host",
    "site",
    "code",
    "enhanced",
    "cause",
    "subject",
    "confidence",
    "scope",
    "retry",
    "address_is_bad",
    "fault",
    "act",
    "summary",
    "reply",
];

/// Writes rows of one table.
pub struct CsvWriter<W: std::io::Write> {
    table: csv::Writer<W>,
}

impl<W: std::io::Write> CsvWriter<W> {
    /// Starts a table with its header.
    pub fn new(out: W) -> std::io::Result<Self> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(HEADER).map_err(std::io::Error::from)?;
        Ok(Self { table })
    }

    /// Adds a refusal.
    pub fn explanation(&mut self, told: &Explanation<'_>) -> std::io::Result<()> {
        let refusal = &told.refusal;
        let first = told.causes.first();
        let row = [
            told.origin.source.clone().into_owned(),
            told.origin.member.as_deref().unwrap_or_default().to_owned(),
            told.origin.line.map(|line| line.to_string()).unwrap_or_default(),
            told.kind.to_string(),
            refusal.recipient.as_deref().unwrap_or_default().to_owned(),
            refusal.original_recipient.as_deref().unwrap_or_default().to_owned(),
            refusal.sender.as_deref().unwrap_or_default().to_owned(),
            refusal.refused_by.host.as_deref().unwrap_or_default().to_owned(),
            told.site.map(|(id, _)| id.to_owned()).unwrap_or_default(),
            refusal.reply.code.map(|code| code.to_string()).unwrap_or_default(),
            refusal.reply.enhanced.map(|status| status.to_string()).unwrap_or_default(),
            first.map(|first| first.cause.to_string()).unwrap_or_default(),
            first.map(|first| first.subject.to_string()).unwrap_or_default(),
            first.map(|first| format!("{:.2}", first.confidence)).unwrap_or_default(),
            told.scope.to_string(),
            told.retry.to_string(),
            told.address_is_bad.to_string(),
            told.verdict.fault.to_string(),
            told.verdict.act.to_string(),
            told.verdict.summary.clone().into_owned(),
            refusal.reply.to_string(),
        ];
        self.row(&row)
    }

    /// Adds an input that could not be read; the reason stands in the column of the summary.
    pub fn unread(&mut self, unread: &Unread<'_>) -> std::io::Result<()> {
        let mut row = vec![String::new(); HEADER.len()];
        row[0] = unread.origin.source.clone().into_owned();
        row[1] = unread.origin.member.as_deref().map(str::to_owned).unwrap_or_default();
        row[2] = unread.origin.line.map(|line| line.to_string()).unwrap_or_default();
        row[11] = format!("error: {}", unread.code);
        row[19] = unread.text.clone().into_owned();
        self.row(&row)
    }

    fn row(&mut self, row: &[String]) -> std::io::Result<()> {
        self.table.write_record(row.iter().map(|text| cell(text).into_owned())).map_err(std::io::Error::from)
    }

    /// Hands on what is buffered.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.table.flush()
    }
}
