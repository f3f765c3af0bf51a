//! A bounded reading of messages: MIME structure, header fields, charsets, HTML as text, archives.
//!
//! The structure is read here and not by mail-parser, whose tree has no limits (50,000 parts or 5,000 nested messages are
//! all built, and dropped by recursion). What sits inside the structure is decoded by mail-parser: base64,
//! quoted-printable, charsets, encoded words, addresses, dates, Received fields.
//!
//! Nothing is judged here. Reading never fails: what is broken is read as far as it goes, and said in [`Mail::faults`].

pub mod archive;
mod charset;
mod headers;
mod html;
mod mail;
mod prepare;
mod structure;

pub use charset::decode_text;
pub use headers::{Address, ContentType, Header, Headers, MOST_FIELDS, Received};
pub use html::html_text;
pub use mail::{DEEPEST, Fault, LARGEST_MAIL, MOST_PARTS, Mail, Part};
pub use prepare::prepare;
