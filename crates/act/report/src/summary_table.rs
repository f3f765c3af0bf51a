//! The summary of many reports as a table for spreadsheets: one row a group.

use crate::escape::cell;
use crate::summary::Summary;

/// Writes the table.
pub fn summary_csv(summary: &Summary) -> std::io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "count", "cause", "place", "first", "last", "about", "act", "title", "actor", "step", "example", "source",
    ])?;
    for group in summary.groups() {
        let (first, last) = group.seen.map(|(first, last)| (first.to_string(), last.to_string())).unwrap_or_default();
        let count = group.count.to_string();
        let row = [
            &count,
            group.cause.as_str(),
            &group.place,
            &first,
            &last,
            group.about.as_str(),
            group.act.as_str(),
            &group.title,
            &group.actor,
            group.step.as_deref().unwrap_or_default(),
            &group.example,
            &group.source,
        ];
        table.write_record(row.map(|text| cell(text).into_owned()))?;
    }
    table.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
}
