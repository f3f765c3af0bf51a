//! Rendering what is known for people and for programs. Decides nothing, looks up nothing.
//!
//! Every text from outside is escaped here, and only here, for the place where it is shown.

mod address_table;
mod comma_separated;
mod escape;
mod finding_json;
mod finding_table;
mod finding_text;
mod json;
mod markdown;
mod page;
mod plain;
mod recovery_calendar;
mod recovery_table;
mod recovery_text;
mod row_table;
mod summary;
mod summary_json;
mod summary_table;
mod summary_text;
mod words;

pub use address_table::{addresses_csv, addresses_json, addresses_markdown, addresses_text};
pub use comma_separated::CsvWriter;
pub use escape::visible;
pub use finding_json::{finding as json_finding, unread as json_unread_target};
pub use finding_table::{csv as csv_findings, markdown_findings};
pub use finding_text::findings as text_findings;
pub use json::{SCHEMA, explanation as json_explanation, row as json_row, unread as json_unread};
pub use markdown::{explanation as markdown_explanation, unread as markdown_unread};
pub use page::Style;
pub use plain::{explanation as text_explanation, unread as text_unread};
pub use recovery_calendar::recoveries_ics as ics_recoveries;
pub use recovery_table::{
    invited_csv, invited_json, invited_markdown, recoveries_csv as csv_recoveries, recoveries_json as json_recoveries,
};
pub use recovery_text::{recoveries as text_recoveries, recoveries_markdown as markdown_recoveries};
pub use row_table::{csv as csv_rows, markdown_table as markdown_rows};
pub use summary::{Counted, Group, Summary, Suspect, Traffic, group, place};
pub use summary_json::summary as json_summary;
pub use summary_table::summary_csv as csv_summary;
pub use summary_text::{summary as text_summary, summary_markdown as markdown_summary};
