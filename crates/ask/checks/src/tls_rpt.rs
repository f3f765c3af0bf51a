//! Check `tls-rpt`: where reports about TLS go (RFC 8460). It never refuses anybody's mail, and is never more than untidy.

use redeliver_model::{Finding, Severity};
use redeliver_net::dns::{Dns, Name, RecordType};
use redeliver_records::TlsRptRecord;

use crate::asked::{Asked, raw};

/// The name of the check.
const TLS_RPT: &str = "tls-rpt";

/// Asks for the record.
pub(crate) async fn gather(dns: &dyn Dns, name: &Name) -> Asked {
    Asked::below(dns, name, "_smtp._tls", RecordType::Txt).await
}

/// Judges.
pub(crate) fn judge(domain: &str, asked: &Asked) -> Vec<Finding> {
    let records: Vec<String> = asked.texts().into_iter().filter(|text| TlsRptRecord::is_tls_rpt(text)).collect();
    let findings = match (asked.why_not(), records.as_slice()) {
        (Some(no), _) => {
            let summary = format!("Whether {domain} wants reports about TLS is not known: {no}.");
            vec![Finding::could_not_ask(TLS_RPT, "tlsrpt-could-not-ask", summary)]
        }
        (None, []) => {
            vec![Finding::pass(TLS_RPT, "tlsrpt-none", format!("{domain} asks for no reports about TLS; it need not."))]
        }
        (None, [record]) => {
            let parsed = TlsRptRecord::parse(record);
            let faults = parsed.faults.iter();
            let mut findings: Vec<Finding> =
                faults.map(|fault| Finding::warn(TLS_RPT, fault.id, Severity::Untidy, fault.text.clone())).collect();
            if findings.is_empty() {
                findings.push(Finding::pass(TLS_RPT, "tlsrpt-good", format!("{domain} gets reports about TLS.")));
            }
            findings
        }
        (None, several) => {
            // RFC 8460 3: several records count as none.
            let summary = format!("{domain} has {} TLS-RPT records; they count as none.", several.len());
            vec![Finding::warn(TLS_RPT, "tlsrpt-multiple", Severity::Untidy, summary)]
        }
    };
    findings.into_iter().map(|finding| finding.fact("records", records.clone()).fact("asked", raw([asked]))).collect()
}
