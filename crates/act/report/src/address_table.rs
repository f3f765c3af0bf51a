//! The refused addresses for whoever keeps the list: dead or not, and why.

use redeliver_model::AddressVerdict;

use crate::escape::{cell, visible};
use crate::json::{Object, listed};
use crate::row_table::markdown_table;

const COLUMNS: [&str; 7] = ["address", "dead", "why", "cause", "refusals", "first", "last"];

/// As CSV: address, dead (yes, no, unproven), why, cause, refusals, first, last.
pub fn addresses_csv(addresses: &[AddressVerdict], out: &mut impl std::io::Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for one in addresses {
        table.write_record(cells(one).map(|text| cell(&text).into_owned()))?;
    }
    table.flush()
}

/// As a table in Markdown.
pub fn addresses_markdown(addresses: &[AddressVerdict]) -> String {
    let rows: Vec<[String; 7]> = addresses.iter().map(cells).collect();
    markdown_table(&COLUMNS, rows.iter().map(|row| row.iter().map(String::as_str).collect()))
}

/// As JSON: one array, or one object a line.
pub fn addresses_json(addresses: &[AddressVerdict], as_array: bool) -> Vec<u8> {
    listed(addresses, as_array, row)
}

/// As lines for a person.
pub fn addresses_text(addresses: &[AddressVerdict]) -> String {
    let width = addresses.iter().map(|one| one.address.chars().count()).max().unwrap_or(0).min(60);
    let line = |one: &AddressVerdict| {
        format!("{:9} {:width$}  {}", one.dead.as_str(), visible(&one.address), visible(&one.why))
    };
    addresses.iter().map(line).map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn row(one: &AddressVerdict, out: &mut Vec<u8>) {
    let (first, last) = dates(one);
    let mut json = Object::open(out);
    json.raw("schema", "1");
    json.text("address", &one.address);
    json.text("dead", one.dead.as_str());
    json.text("why", &one.why);
    json.text("cause", one.cause.as_str());
    json.raw("refusals", &one.refusals.to_string());
    json.optional("first", Some(first.as_str()).filter(|text| !text.is_empty()));
    json.optional("last", Some(last.as_str()).filter(|text| !text.is_empty()));
    json.close();
}

/// What stands in the columns.
fn cells(one: &AddressVerdict) -> [String; 7] {
    let (first, last) = dates(one);
    let (dead, cause) = (one.dead.as_str().to_owned(), one.cause.as_str().to_owned());
    [one.address.clone(), dead, one.why.clone(), cause, one.refusals.to_string(), first, last]
}

fn dates(one: &AddressVerdict) -> (String, String) {
    one.seen.map(|(first, last)| (first.to_string(), last.to_string())).unwrap_or_default()
}
