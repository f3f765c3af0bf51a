//! Complaints in the abuse reporting format (RFC 5965, RFC 6591): whose mail was complained about, sent by which IP.

use std::borrow::Cow;

use redeliver_message::Headers;
use redeliver_model::{Refusal, Reply, ReportKind};

use super::Told;
use super::assemble::{bare, sender};
use super::passages::is_address;
use super::report::Report;

/// What the complaint says, one for each recipient that it names.
pub fn told(report: &Report<'_>) -> Vec<Told> {
    let bytes = report.feedback.as_deref().unwrap_or_default();
    let (fields, _) = Headers::read(bytes);
    let text = |name: &str| fields.text(name).map(Cow::into_owned).filter(|text| !text.is_empty());
    let returned = report.returned_headers();
    let mut refusal: Refusal<'static> = bare(report);
    let kind = text("feedback-type").unwrap_or_else(|| "abuse".to_owned());
    let agent = text("user-agent").map(|agent| format!(", reported by {agent}")).unwrap_or_default();
    refusal.reply = Reply { code: None, enhanced: None, lines: vec![Cow::Owned(format!("complaint ({kind}){agent}"))] };
    refusal.client.ip = text("source-ip").and_then(|ip| ip.trim_matches(|c| matches!(c, '[' | ']')).parse().ok());
    let stripped = |name: &str| text(name).map(|one| one.trim_matches(|c| matches!(c, '<' | '>')).to_owned());
    refusal.sender =
        stripped("original-mail-from").filter(|one| is_address(one)).or_else(|| sender(report)).map(Cow::Owned);
    refusal.time = fields.date("arrival-date").or_else(|| fields.date("received-date")).or(refusal.time);
    refusal.reported_by.host =
        text("reporting-mta").map(|host| Cow::Owned(host.rsplit(';').next().unwrap_or_default().trim().to_owned()));
    let mut recipients: Vec<String> = Vec::new();
    for name in ["original-rcpt-to", "removal-recipient", "redacted-address"] {
        for raw in fields.all(name) {
            let one = String::from_utf8_lossy(raw).trim_matches(|c| matches!(c, '<' | '>' | ' ')).to_owned();
            if is_address(&one) && !recipients.contains(&one) {
                recipients.push(one);
            }
        }
    }
    if recipients.is_empty() {
        recipients.extend(returned.addresses("to").into_iter().map(|one| one.address).filter(|one| is_address(one)));
    }
    refusal.recipient = None;
    if recipients.is_empty() {
        return vec![Told { kind: ReportKind::Feedback, refusal }];
    }
    let each = recipients.into_iter().map(|one| {
        let refusal = Refusal { recipient: Some(Cow::Owned(one)), ..refusal.clone() };
        Told { kind: ReportKind::Feedback, refusal }
    });
    each.collect()
}
