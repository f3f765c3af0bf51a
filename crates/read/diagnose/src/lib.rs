//! The reply engine: from what a server said to causes, ranked, with honest confidence.
//!
//! A text is folded, scanned once for every phrase of the catalog, and the rules it meets are ranked: tags before named
//! lists before the refusing site before wording before codes. No input or output here, and no failure: what says nothing
//! is `unknown`.

mod addresses;
mod automaton;
mod bounce;
mod classifier;
mod engine;
mod facts;
mod finder;
mod fold;
mod index;
mod locate;
mod matching;
mod packed;
mod phrase;
mod rank;
mod self_test;
mod words;

pub use addresses::{Addresses, Reason};
pub use bounce::{NotOurs, Ours, Reading, Told, read_mail};
pub use engine::{Diagnosis, Engine};
pub use facts::Facts;
pub use fold::MOST_BYTES;
pub use index::Index;
pub use locate::{Located, locate};
pub use matching::Scratch;
pub use rank::{Hypothesis, Why};
pub use self_test::{Failure, cause_reply, self_test};
