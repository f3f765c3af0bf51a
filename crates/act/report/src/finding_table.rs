//! Findings as a table for spreadsheets, and in Markdown for a ticket or a wiki.

use std::fmt::Write as _;
use std::io::{self, Write};

use redeliver_model::{CheckResult, Finding};

use crate::escape::{cell, markdown};

/// The columns.
const COLUMNS: [&str; 7] = ["target", "check", "id", "result", "severity", "cause", "summary"];

fn fields(finding: &Finding) -> [&str; 7] {
    [
        &finding.target,
        &finding.check,
        &finding.id,
        finding.result.as_str(),
        finding.severity.map(redeliver_model::Severity::as_str).unwrap_or_default(),
        finding.cause.map(redeliver_model::Cause::as_str).unwrap_or_default(),
        &finding.summary,
    ]
}

/// Writes all findings as CSV, with a head line.
pub fn csv<'a>(out: impl Write, findings: impl IntoIterator<Item = &'a Finding>) -> io::Result<()> {
    let mut table = csv::WriterBuilder::new().from_writer(out);
    table.write_record(COLUMNS)?;
    for finding in findings {
        table.write_record(fields(finding).map(|field| cell(field).into_owned()))?;
    }
    table.flush()
}

/// One target's findings in Markdown; the good ones are counted only.
pub fn markdown_findings(target: &str, findings: &[Finding]) -> String {
    let mut text = format!("### {}\n\n", markdown(target));
    let passed = findings.iter().filter(|finding| finding.result == CheckResult::Pass).count();
    for finding in findings.iter().filter(|finding| finding.result != CheckResult::Pass) {
        let word = match finding.severity {
            Some(severity) => severity.as_str(),
            None => finding.result.as_str(),
        };
        let _ = writeln!(text, "- **{word}** {} ({})", markdown(&finding.summary), markdown(&finding.id));
    }
    let _ = writeln!(text, "- {passed} checks passed");
    text
}
