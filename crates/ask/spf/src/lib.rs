//! SPF (RFC 7208) as a library: evaluate a mail, analyse a policy.
//!
//! [`evaluate()`] says what a domain's record says about a client, and shows every term it looked at, where it stands in the
//! record, and the answers behind it. [`analyse()`] walks a whole policy, counts on past the limits, prices every include, and
//! names what is wrong. [`outlook()`] puts both together: why this mail passes, and what any other sender gets.
//!
//! It asks the DNS through [`redeliver_net::dns::Dns`] and does nothing but SPF: it never refuses mail and never gives advice.
//! A question that got no answer is `temperror` or a note `spf-could-not-ask`, never `fail`.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! use redeliver_net::dns::FakeDns;
//! use redeliver_spf::{Request, SpfResult, analyse, evaluate, outlook};
//!
//! # runtime.block_on(async {
//! let dns = FakeDns {
//!     txt: &[("example.org", &["v=spf1 mx include:gone.example -all"])],
//!     mx: &[("example.org", (10, "mail.example.org"))],
//!     a: &[("mail.example.org", "192.0.2.7")],
//!     ..FakeDns::default()
//! };
//! let request = Request::new("192.0.2.7".parse()?, "mail.example.org", "ann@example.org");
//! let evaluation = evaluate(&dns, &request).await;
//! assert_eq!(evaluation.result, SpfResult::Pass);
//! assert_eq!(evaluation.visit.steps[0].term, "mx");
//!
//! let analysis = analyse(&dns, "example.org").await;
//! assert!(analysis.has("spf-include-missing"));
//! assert_eq!(analysis.policy.cost.lookups, 2);
//!
//! let sentences = outlook(&evaluation, &analysis);
//! assert_eq!(sentences.this_mail.to_string(), "This mail passes because `mx` of example.org matches first.");
//! assert_eq!(
//!     sentences.others.to_string(),
//!     "Any other sender gets permerror at `include:gone.example` of example.org: \
//!      the included domain gone.example has no SPF record."
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analyse;
mod evaluate;
mod expand;
mod outlook;
mod request;
mod select;
mod trace;
mod verdict;

pub use analyse::{Analysis, Cost, Family, Harm, Note, Place, Policy, Stranger, TermCost, analyse};
pub use evaluate::{Evaluation, evaluate, evaluate_within};
pub use outlook::{Outlook, ThisMail, outlook};
pub use request::{Identity, Request};
pub use trace::{LookUp, Outcome, Step, Visit};
pub use verdict::{Limits, Problem, RFC_LIMITS, SpfResult};
