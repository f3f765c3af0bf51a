//! Rendering what is known for people and for programs. Decides nothing, looks up nothing.
//!
//! Every text from outside is escaped here, and only here, for the place where it is shown.

mod comma_separated;
mod escape;
mod finding_json;
mod finding_table;
mod finding_text;
mod json;
mod markdown;
mod plain;
mod words;

pub use comma_separated::CsvWriter;
pub use escape::visible;
pub use finding_json::{finding as json_finding, unread as json_unread_target};
pub use finding_table::{csv as csv_findings, markdown_findings};
pub use finding_text::findings as text_findings;
pub use json::{SCHEMA, explanation as json_explanation, row as json_row, unread as json_unread};
pub use markdown::explanation as markdown_explanation;
pub use plain::{Style, explanation as text_explanation, unread as text_unread};
