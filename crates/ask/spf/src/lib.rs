//! SPF (RFC 7208) as a library.
//!
//! [`evaluate()`] says what a domain's record says about a client, and shows every term it looked at, where it stands in the
//! record, and the answers behind it.
//!
//! It asks the DNS through [`redeliver_net::dns::Dns`] and does nothing but SPF: it never refuses mail and never gives advice.
//! A question that got no answer is `temperror`, never `fail`.

mod evaluate;
mod expand;
mod request;
mod select;
mod trace;
mod verdict;

pub use evaluate::{Evaluation, evaluate, evaluate_within};
pub use request::{Identity, Request};
pub use trace::{LookUp, Outcome, Step, Visit};
pub use verdict::{Limits, Problem, RFC_LIMITS, SpfResult};
