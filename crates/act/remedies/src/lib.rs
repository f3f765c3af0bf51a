//! From what a refusal means to what to do: the verdict in words, ordered steps, settings, a letter.
//!
//! Everything is taken from the catalog and filled in. Nothing is looked up, nothing is sent.

mod advice;
mod letter;

pub use advice::{Advice, Situation, advise, advise_report};
pub use letter::{Letter, letter};
