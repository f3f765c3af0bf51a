//! Rendering what is known for people and for programs. Decides nothing, looks up nothing.
//!
//! Every text from outside is escaped here, and only here, for the place where it is shown.

mod comma_separated;
mod escape;
mod json;
mod markdown;
mod plain;
mod words;

pub use comma_separated::CsvWriter;
pub use escape::visible;
pub use json::{SCHEMA, explanation as json_explanation, row as json_row, unread as json_unread};
pub use markdown::explanation as markdown_explanation;
pub use plain::{Style, explanation as text_explanation, unread as text_unread};
