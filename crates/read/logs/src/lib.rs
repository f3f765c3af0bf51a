//! Mail logs and event streams, as what they say: refusals, deliveries and submissions.
//!
//! [`recognise`] tells the format by content, a [`Reader`] takes a source in order and hands out [`Event`]s, [`submissions`] tells
//! whether something of ours sends spam. Streaming, bounded and resumable ([`Checkpoint`]).
//! It judges no reply, opens no file and has no clock; what it cannot read is an event, and it never panics.

mod cut;
mod deferrals;
mod event;
mod format;
mod formats;
mod json;
mod parallel;
mod reader;
mod recent;
mod recognise;
mod sink;
mod split;
pub mod submissions;
mod syslog;
mod table;
mod told;
mod when;

pub use event::{Delivered, Event, Fault, Origin, Outcome, Place, Refused, Submitted, Unreadable};
pub use format::Format;
pub use reader::{Checkpoint, Reader};
pub use recognise::recognise;
pub use sink::{LONGEST_ADDRESS, LONGEST_NAME, Receiver};
pub use split::{LONGEST_LINE, LONGEST_RECORD};
pub use when::YearRule;
