//! Where lacking authentication matters more: receivers that refuse bulk senders for it. Values only.

use redeliver_model::{AtSite, Severity};

/// From so many messages a day on Google, Microsoft and others apply their bulk rules.
const BULK: u32 = 5_000;

const BULK_SENDERS: &str = "senders of 5,000 messages a day or more";

/// The sites with bulk rules: id, and where the rule is written.
const SITES: [(&str, &str); 3] = [
    ("google", "Google, Email sender guidelines (since February 2024)"),
    ("yahoo", "Yahoo Sender Hub, Sender requirements (since February 2024; without a number)"),
    ("outlook-com", "Microsoft, Outlook requirements for high-volume senders (since May 2025)"),
];

/// The sites that refuse bulk mail for it; none if whoever asks sends less.
pub(crate) fn refused_in_bulk(daily: Option<u32>) -> Vec<AtSite> {
    if daily.is_some_and(|daily| daily < BULK) {
        return Vec::new();
    }
    let site = |(site, source)| AtSite { site, severity: Severity::Refuses, when: BULK_SENDERS, source };
    SITES.into_iter().map(site).collect()
}
