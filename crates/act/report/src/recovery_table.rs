//! The recovery calendar for spreadsheets and for programs, and the addresses with the day from which each gets mail again.

use std::io;

use redeliver_model::{Invited, Recovery, RecoveryStep};

use crate::escape::cell;
use crate::json::{Object, array, listed};
use crate::recovery_text::date;
use crate::row_table::markdown_table;

/// As CSV, a row a step.
pub fn recoveries_csv(recoveries: &[Recovery]) -> io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["place", "from", "to", "percent", "most_a_day", "engaged_within_days", "addresses"])?;
    for recovery in recoveries {
        for step in &recovery.steps {
            let numbers = [step.most_a_day, u64::from(step.engaged_within)].map(|number| number.to_string());
            let addresses = step.addresses.map(|count| count.to_string()).unwrap_or_default();
            let (first, last, percent) = (date(step.first), date(step.last), step.percent.to_string());
            let [most, within] = &numbers;
            table.write_record([&*cell(&recovery.place), &first, &last, &percent, most, within, &addresses])?;
        }
    }
    table.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// As JSON: one array, or one object a line.
pub fn recoveries_json(recoveries: &[Recovery], as_array: bool) -> Vec<u8> {
    listed(recoveries, as_array, recovery)
}

fn recovery(recovery: &Recovery, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.raw("schema", "1");
    json.text("place", &recovery.place);
    json.raw("usual_a_day", &recovery.usual.to_string());
    json.raw("counted_days", &recovery.counted_days.to_string());
    json.raw("refused", &recovery.refused.to_string());
    json.raw("sent", &recovery.sent.to_string());
    match recovery.audience {
        Some(audience) => {
            let mut object = Object::open(json.key("audience"));
            object.raw("kept", &audience.kept.to_string());
            object.raw("silent", &audience.silent.to_string());
            object.raw("dead", &audience.dead.to_string());
            object.close();
        }
        None => json.raw("audience", "null"),
    }
    array(json.key("steps"), &recovery.steps, step);
    json.close();
}

fn step(step: &RecoveryStep, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.text("from", &date(step.first));
    json.text("to", &date(step.last));
    json.raw("percent", &step.percent.to_string());
    json.raw("most_a_day", &step.most_a_day.to_string());
    json.raw("engaged_within_days", &step.engaged_within.to_string());
    json.raw("addresses", &step.addresses.map_or_else(|| "null".to_owned(), |count| count.to_string()));
    json.close();
}

const INVITED: [&str; 4] = ["address", "place", "engaged", "from"];

/// The addresses of the list as CSV; no day stands beside those who stay out.
pub fn invited_csv(invited: &[Invited], out: &mut impl io::Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(INVITED)?;
    for one in invited {
        let (engaged, from) = days(one);
        table.write_record([&*cell(&one.address), &*cell(&one.place), &engaged, &from])?;
    }
    table.flush()
}

/// The same as a table in Markdown.
pub fn invited_markdown(invited: &[Invited]) -> String {
    let days: Vec<(String, String)> = invited.iter().map(days).collect();
    let rows = invited
        .iter()
        .zip(&days)
        .map(|(one, (engaged, from))| vec![one.address.as_str(), one.place.as_str(), engaged.as_str(), from.as_str()]);
    markdown_table(&INVITED, rows)
}

/// The same as JSON.
pub fn invited_json(invited: &[Invited], as_array: bool) -> Vec<u8> {
    listed(invited, as_array, |one, out| {
        let (engaged, from) = days(one);
        let mut json = Object::open(out);
        json.raw("schema", "1");
        json.text("address", &one.address);
        json.text("place", &one.place);
        json.optional("engaged", Some(engaged.as_str()).filter(|day| !day.is_empty()));
        json.optional("from", Some(from.as_str()).filter(|day| !day.is_empty()));
        json.close();
    })
}

fn days(one: &Invited) -> (String, String) {
    (one.engaged.map(date).unwrap_or_default(), one.from.map(date).unwrap_or_default())
}
