//! The words of redeliver: what a reply, a refusal, a cause and a verdict are.
//!
//! Values and their parsing only: no input or output, no lookups, no clock, no regular expressions.
//! Parsing never fails loudly; what cannot be read is a value (`None`, `Unknown`) or a small error.

mod address;
mod cause;
mod clock;
mod explanation;
mod finding;
mod keyed;
mod recovery;
mod refusal;
mod reply;
mod status;
mod vocabulary;

pub use address::{AddressError, Domain, EmailAddress};
pub use cause::Cause;
pub use clock::{Clock, FixedClock, PartialDate, Timestamp};
pub use explanation::{
    AddressTally, AddressVerdict, Explanation, ForWhom, Hypothesis, Origin, Remedy, ServerSetting, Unread, Verdict,
};
pub use finding::{AtSite, Fact, Facts, Finding};
pub use keyed::{Keyed, KeyedMap, KeyedSet};
pub use recovery::{Audience, Invited, Recovery, RecoveryStep};
pub use refusal::{Forwarding, Party, Refusal};
pub use reply::Reply;
pub use status::{EnhancedStatus, StatusPattern};
pub use vocabulary::{
    About, Act, AddressIsBad, CheckResult, Fault, Outcome, ReportKind, Retry, Scope, Severity, Side, Stage, Subject,
    UnknownWord,
};
