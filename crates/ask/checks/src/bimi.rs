//! Check `bimi`: the logo. It never refuses anybody's mail, and is never more than untidy.

use redeliver_model::{Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_records::{BimiRecord, Policy};

use crate::asked::{Asked, raw};

/// The name of the check.
const BIMI: &str = "bimi";

/// Asks for the record of the selector that everybody uses.
pub(crate) async fn gather(dns: &dyn Dns, name: &Name) -> Asked {
    Asked::below(dns, name, "default._bimi", RecordType::Txt).await
}

/// Judges. The logo is shown only where the DMARC policy is strict.
pub(crate) fn judge(domain: &str, asked: &Asked, policy: Option<Policy>) -> Vec<Finding> {
    let records: Vec<String> = asked.texts().into_iter().filter(|text| text.starts_with("v=BIMI1")).collect();
    let Some(record) = records.first() else { return Vec::new() };
    let parsed = BimiRecord::parse(record);
    let mut findings: Vec<Finding> =
        parsed.faults.iter().map(|fault| Finding::warn(BIMI, fault.id, Severity::Untidy, fault.text.clone())).collect();
    if !parsed.record.declines() && !matches!(policy, Some(Policy::Quarantine | Policy::Reject)) {
        let summary = format!("No logo is shown for {domain} unless its DMARC policy is `quarantine` or `reject`.");
        findings.push(Finding::warn(BIMI, "bimi-p-none", Severity::Untidy, summary));
    }
    if findings.is_empty() {
        findings.push(Finding::pass(BIMI, "bimi-good", format!("{domain} names a logo in good form.")));
    }
    findings.into_iter().map(|finding| finding.fact("record", record.clone()).fact("asked", raw([asked]))).collect()
}
