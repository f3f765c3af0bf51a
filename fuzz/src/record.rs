//! The readers of DNS records: every fault lies within the text, and what was printed reads back the same.

use std::fmt::Display;

use redeliver_model::Domain;
use redeliver_records::{
    BimiRecord, DkimKey, DmarcFound, DmarcRecord, JoinedText, MtaStsPolicy, MtaStsRecord, Parsed, Psd, SpfRecord,
    TlsRptRecord, TlsaRecord, organisational_domain, registrable_domain, walk_order,
};

use crate::hold::bounded;

/// RFC 9989 4.10: the tree walk asks at most so many names.
const MOST_QUESTIONS: usize = 8;

/// Reads, holds the faults to the text, prints, and reads what was printed.
fn held<T: Display>(bytes: &[u8], parse: impl Fn(&[u8]) -> Parsed<T>) -> T {
    let read = parse(bytes);
    bounded(read.faults.len(), bytes.len(), 2, 16);
    for fault in &read.faults {
        assert!(fault.span.start <= fault.span.end && fault.span.end <= bytes.len(), "{fault:?}");
        assert!(!fault.text.is_empty());
    }
    let printed = read.record.to_string();
    if !read.is_broken() {
        let again = parse(printed.as_bytes());
        assert!(!again.is_broken(), "{printed:?}: {:?}", again.faults);
        assert_eq!(again.record.to_string(), printed);
    }
    read.record
}

/// One SPF record; its first byte says where it is cut into two strings.
pub fn spf(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    for term in held(bytes, |bytes| SpfRecord::parse(bytes)).terms {
        assert!(term.span.start < term.span.end && term.span.end <= bytes.len());
    }
    let (front, back) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    let strings = [front, back];
    assert_eq!(JoinedText::of(&strings).bytes, bytes);
    let read = SpfRecord::parse_strings(&strings);
    assert!(read.faults.iter().all(|fault| fault.span.end <= bytes.len()));
}

/// One DKIM key.
pub fn dkim(bytes: &[u8]) {
    held(bytes, |bytes| DkimKey::parse(bytes));
}

/// One DMARC record.
pub fn dmarc(bytes: &[u8]) {
    held(bytes, |bytes| DmarcRecord::parse(bytes));
}

/// One record and one policy of MTA-STS, and its pattern against a name.
pub fn sts(bytes: &[u8]) {
    held(bytes, |bytes| MtaStsRecord::parse(bytes));
    let policy = held(bytes, |bytes| MtaStsPolicy::parse(bytes));
    assert!(!policy.allows(""));
    let _ = policy.allows("mail.example.com");
}

/// One TLS-RPT record.
pub fn tlsrpt(bytes: &[u8]) {
    held(bytes, |bytes| TlsRptRecord::parse(bytes));
}

/// One BIMI record.
pub fn bimi(bytes: &[u8]) {
    held(bytes, |bytes| BimiRecord::parse(bytes));
}

/// One TLSA record in its text form, and in its parts.
pub fn tlsa(bytes: &[u8]) {
    held(bytes, |bytes| TlsaRecord::parse(bytes));
    if let [usage, selector, matching, data @ ..] = bytes {
        let read = TlsaRecord::from_parts(*usage, *selector, *matching, data.to_vec());
        assert_eq!(TlsaRecord::parse(read.record.to_string()).record.to_string(), read.record.to_string());
    }
}

/// The organisational domain of a name, and the registrable one.
pub fn organisation(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = registrable_domain(&text);
    let Ok(domain) = Domain::parse(&text) else { return };
    let order = walk_order(&domain);
    assert!(order.len() <= MOST_QUESTIONS, "{order:?}");
    for psd in [Psd::Yes, Psd::No, Psd::Unknown] {
        let found: Vec<DmarcFound> = order.iter().map(|name| DmarcFound { domain: name.clone(), psd }).collect();
        let chosen = organisational_domain(&domain, &found).domain;
        assert!(domain.as_str() == chosen || domain.as_str().ends_with(&format!(".{chosen}")), "{chosen} of {domain}");
    }
}
