//! The knowledge of redeliver: causes, blocklists, sites, software and remedies, loaded from `catalog/`.
//!
//! The build checks the files and packs them into the binary; an operator's folder of the same shape is laid over it at
//! run time. This crate loads, checks and looks up. It matches no text and asks no network.

mod compile;
mod completeness;
mod entries;
mod generated;
mod look_up;
mod problem;
mod sentence;
mod source;
mod texts;

pub use completeness::is_check_name;
pub use entries::{
    Also, Blocklist, Catalog, CauseEntry, Channel, CodeMeaning, CollidingCode, Form, Letter, ListLife, ListStatus,
    Lists, Myth, Origin, Remedy, ReportEntry, Rule, Setting, SettingSide, Site, SiteFact, Software, Text, Tier,
    Trailer, Weight, Who,
};
pub use look_up::CatalogError;
pub use problem::Problem;
pub use sentence::{Parameter, Piece, Sentence, Values};
pub use texts::FORWARDED;
