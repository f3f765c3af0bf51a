//! The only door to the network.
//!
//! It holds DNS, SMTP sessions, TLS and HTTP that cannot be turned inward; the egress guard; the overlay of proposed
//! records; recorded worlds. It never decides what an answer means for mail, and never stores anything but a recording
//! that it was asked to write. What could not be asked is an answer of its own, never a "no".

mod address_class;
mod dial;
pub mod dns;
mod guard;
pub mod http;
#[cfg(any(test, feature = "test-support"))]
mod scripted_peer;
pub mod smtp;
pub mod tls;

pub use address_class::AddressClass;
pub use dial::DialError;
pub use guard::{Blocked, Cidr, CidrError, Guard, Reach};
#[cfg(any(test, feature = "test-support"))]
pub use scripted_peer::{Identity, ScriptedPeer, Turn};
