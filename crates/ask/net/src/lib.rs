//! The only door to the network.
//!
//! It holds DNS, SMTP sessions, TLS and HTTP that cannot be turned inward; the egress guard; the overlay of proposed
//! records; recorded worlds. It never decides what an answer means for mail, and never stores anything but a recording
//! that it was asked to write. What could not be asked is an answer of its own, never a "no".
//!
//! | module | asks | never |
//! |---|---|---|
//! | [`dns`] | resolvers and single servers; answers in three states | reads a time-out as a missing record |
//! | [`smtp`] | mail servers, every line recorded | sends DATA without content, or at all in a look |
//! | [`tls`] | what a server shows in a handshake | installs a provider for the whole process |
//! | [`http`] | URLs from outside | dials an address that it did not vet |
//! | [`world`] | a recording | touches the network |
//!
//! Everything that dials is handed one [`Guard`] and goes through one file, `dial.rs`; a test looks that it stays so.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use redeliver_model::{Clock, FixedClock, Timestamp};
//! use redeliver_net::dns::{Allowance, Dns, Name, QUESTIONS_OF_A_SUBJECT, RUN_DEADLINE, RecordType, Resolver};
//! use redeliver_net::http::Get;
//! use redeliver_net::tls::{Roots, Tls};
//! use redeliver_net::{Guard, Net};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let clock: Arc<dyn Clock> = Arc::new(FixedClock(Timestamp::from_date(2026, 11, 21)));
//! let guard = Guard::default();
//! let resolver = Resolver::of_this_machine(guard.clone());
//! let net = Net::real(&guard, resolver, Tls::new(Roots::of_this_machine(), clock));
//!
//! let one_run = Allowance::new(net.dns.clone(), RUN_DEADLINE, QUESTIONS_OF_A_SUBJECT);
//! let dns: &dyn Dns = &one_run;
//! let answer = dns.look_up(&Name::parse("_dmarc.example.org")?, RecordType::Txt).await;
//! match answer.could_not_ask() {
//!     Some(no) => println!("{no}"),
//!     None => answer.texts().for_each(|text| println!("{}", text.to_text())),
//! }
//! let policy = net.http.get(&Get { redirects: 0, ..Get::new("https://mta-sts.example.org/.well-known/mta-sts.txt") }).await;
//! # drop(policy);
//! # Ok(())
//! # }
//! ```

mod address_class;
mod dial;
pub mod dns;
mod guard;
pub mod http;
mod net;
#[cfg(any(test, feature = "test-support"))]
mod scripted_peer;
pub mod smtp;
pub mod tls;
pub mod world;

#[cfg(test)]
mod mutation;
#[cfg(test)]
use mutation::mutated;

pub use address_class::AddressClass;
pub use dial::DialError;
pub use guard::{Blocked, Cidr, CidrError, Guard, Reach};
pub use net::Net;
#[cfg(any(test, feature = "test-support"))]
pub use scripted_peer::{Identity, ScriptedPeer, Turn};
