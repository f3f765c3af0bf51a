//! The DNS records of mail as values: SPF, DKIM keys, DMARC, MTA-STS, TLS-RPT, BIMI, TLSA, and the organisational domain.
//!
//! Reading never fails and never looks anything up: every reader gives a value *and* the list of faults it saw, each with a
//! stable id, its place in bytes, a plain sentence, and what receivers make of it. It does not judge: whether `p=none` is
//! wise is for others to say. What cannot be read is left out of the value and named among the faults.
//!
//! ```
//! use redeliver_records::{Effect, SpfRecord};
//!
//! let read = SpfRecord::parse("v=spf1 ip4:192.0.2.0/33 -all");
//! let fault = &read.faults[0];
//! assert_eq!((fault.id, fault.effect), ("spf-bad-cidr", Effect::BreaksRecord));
//! assert_eq!(fault.span.of("v=spf1 ip4:192.0.2.0/33 -all"), "/33");
//! ```

mod base64;
mod bimi;
mod dkim_key;
mod dmarc;
mod fault;
mod mta_sts;
mod mta_sts_policy;
mod organisational_domain;
mod public_suffix;
mod rsa_key;
mod spf;
mod tags;
mod tls_rpt;
mod tlsa;
mod txt;

pub use bimi::BimiRecord;
pub use dkim_key::{DkimKey, KeyMaterial, KeyType};
pub use dmarc::{Alignment, DmarcRecord, Level, Policy, Psd, ReportUri};
pub use fault::{Effect, Fault, Parsed, Span};
pub use mta_sts::MtaStsRecord;
pub use mta_sts_policy::{MtaStsMode, MtaStsPolicy, mx_pattern_matches};
pub use organisational_domain::{DmarcFound, Organisational, SelectedBy, organisational_domain, walk_order};
pub use public_suffix::{public_suffix, registrable_domain};
pub use spf::{
    Directive, DomainSpec, DualPrefix, MacroLetter, MacroPart, MacroString, Mechanism, Modifier, Qualifier, SpfRecord,
    Term, TermKind,
};
pub use tags::Tag;
pub use tls_rpt::TlsRptRecord;
pub use tlsa::TlsaRecord;
pub use txt::{JoinedText, LONGEST_TEXT};
