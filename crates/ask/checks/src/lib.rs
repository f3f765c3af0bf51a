//! Checks of the world: what about a domain, an IP or a message makes receivers refuse, and what does not.
//!
//! One file a check. Each gathers first (all questions of a target are under way at once) and judges after, in a pure function
//! that sees all evidence. *Could-not-ask* is a result of its own and never a fail; a list says "clean" only if its test points
//! came out right in the same run; a sending IP that is only guessed is not asked about. Nothing here gives advice.
//!
//! | severity | means |
//! |---|---|
//! | refuses | receivers refuse mail for this |
//! | weakens | receivers trust the mail less, or some refuse it in bulk (`sites` says where) |
//! | untidy | nobody refuses anything for it |

mod asked;
mod bimi;
mod blocklist;
mod bulk;
mod dane;
mod delegation;
mod dkim;
mod dmarc;
mod domain;
mod domain_age;
mod egress;
mod helo;
mod honest;
mod ipv6;
mod known;
mod mail_servers;
mod message;
mod mta_sts;
mod reverse_dns;
mod run;
mod sender_domain;
mod spf;
mod tls;
mod tls_rpt;

pub use known::{Known, KnownBy, Scope, Target};
pub use run::{Checker, QUESTIONS_DEADLINE};
