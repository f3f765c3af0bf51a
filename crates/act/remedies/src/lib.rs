//! From what a refusal means to what to do: the verdict in words, ordered steps, settings, a letter.
//!
//! Everything is taken from the catalog and filled in. Nothing is looked up, nothing is sent.

mod advice;
mod engagement;
mod letter;
mod recovery;

pub use advice::{Advice, Situation, advise, advise_report};
pub use engagement::{Engagement, MOST_ADDRESSES, NotTaken};
pub use letter::{Letter, letter};
pub use recovery::{FEWEST_A_DAY, FEWEST_REFUSED, Plan, Volumes, recovery};
