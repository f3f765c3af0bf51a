//! Bounce mails: what a mail is, and who said no to whom in it.
//!
//! The way of a mail: `report` gathers its pieces, `kind` says what it is, the readers (`delivery_status`, `passages`,
//! `transcript`, `feedback`) take out what is said about each recipient, `assemble` puts it together, `roles` says who
//! played which part. No input or output, no failure: what cannot be read is `not-a-bounce` or a refusal without words.

mod abroad;
mod assemble;
mod delivery_status;
mod event;
mod fake;
mod feedback;
mod kind;
mod labels;
mod marks;
mod ours;
mod passages;
mod recipients;
mod report;
mod roles;
mod subjects;
mod transcript;

use redeliver_message::Mail;
use redeliver_model::{Refusal, ReportKind};

use delivery_status::MOST_RECIPIENTS;
pub use ours::{NotOurs, Ours};
use report::Report;

/// One mail, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What it is.
    pub kind: ReportKind,
    /// What it says, one for each recipient; for a mail that is no report, one with sender and time alone. Never empty.
    pub told: Vec<Told>,
    /// The words of the notification, by which its software is known.
    pub words: String,
    /// What further reports say that are attached to the same mail.
    pub others: Vec<Reading>,
    /// It has more status fields, or more reports attached, than are read.
    pub has_more: bool,
}

/// What a report says about one recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What it says about him, where one report holds several kinds.
    pub kind: ReportKind,
    /// What was said.
    pub refusal: Refusal<'static>,
}

impl Reading {
    /// Whether the report says more than is read of one: only the first 2000 recipients, or long replies of very many.
    pub fn is_too_complex(&self) -> bool {
        self.has_more || self.all().any(|reading| assemble::is_too_complex(&reading.told))
    }

    /// This one, and the others that are attached to the same mail.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// Joins several reports of one mail; none if there are none.
    fn joined(readings: impl Iterator<Item = Self>) -> Option<Self> {
        let mut readings = readings.peekable();
        let mut first = readings.next()?;
        let mut told = first.told.len();
        while told < MOST_RECIPIENTS
            && let Some(other) = readings.next()
        {
            told += other.told.len();
            first.others.push(other);
        }
        first.has_more |= readings.peek().is_some();
        Some(first)
    }
}

/// Longest text in which a quoted report is looked for.
const MOST_QUOTED: usize = 256 * 1024;

/// Reads a mail; `ours` tells our own mail from others', `taken_as` is what somebody said that the mail is.
pub fn read_mail(mail: &Mail<'_>, ours: &Ours, taken_as: Option<ReportKind>) -> Reading {
    let report = Report::gather(mail, 0);
    if let Some(kind) = taken_as {
        return finish(&report, ours, kind);
    }
    let kind = kind::of(&report);
    let ordinary = kind == ReportKind::NotABounce || (kind == ReportKind::AutoReply && report.disposition.is_none());
    let inner = || attached_reports(mail, &report, ours).or_else(|| reports_in_files(mail, ours));
    if ordinary && let Some(inner) = inner() {
        return inner;
    }
    if matches!(kind, ReportKind::Refusal | ReportKind::Delayed | ReportKind::NotABounce)
        && fake::is_fake(mail, &report)
    {
        let dressed =
            kind != ReportKind::NotABounce || kind::has_daemon_name(&report) || kind::is_about_failure(&report);
        if dressed {
            return finish(&report, ours, ReportKind::FakeBounce);
        }
    }
    // What a person passes on, with the report quoted in his own mail.
    if matches!(kind, ReportKind::NotABounce | ReportKind::Refusal | ReportKind::Delayed)
        && !kind::is_from_daemon(&report)
        && let Some(inner) = quoted_report(&report, ours)
    {
        return inner;
    }
    // A wrapper around a bounce names nobody; the bounce inside does.
    if kind == ReportKind::Refusal
        && assemble::names_nobody(&report)
        && let Some(inner) = attached_reports(mail, &report, ours).or_else(|| returned_report(&report, ours))
    {
        return inner;
    }
    // Words of failure about no recipient, with no code and nothing returned, are somebody's ordinary words.
    if matches!(kind, ReportKind::Refusal | ReportKind::Delayed)
        && !kind::has_daemon_name(&report)
        && report.form.is_none()
        && assemble::says_nothing(&report)
    {
        return finish(&report, ours, ReportKind::NotABounce);
    }
    let answers = matches!(kind, ReportKind::Refusal | ReportKind::Delayed | ReportKind::AutoReply);
    if answers && ours::is_backscatter(&report, ours) {
        return finish(&report, ours, ReportKind::NotOurs);
    }
    finish(&report, ours, kind)
}

/// A report that the words of another one quote whole.
fn returned_report(outer: &Report<'_>, ours: &Ours) -> Option<Reading> {
    let mail = Mail::read(outer.returned.as_deref()?);
    let report = Report::gather(&mail, 0);
    let kind = kind::of(&report);
    matches!(kind, ReportKind::Refusal | ReportKind::Delayed).then(|| finish(&report, ours, kind))
}

fn finish(report: &Report<'_>, ours: &Ours, kind: ReportKind) -> Reading {
    let told = match kind {
        ReportKind::Refusal | ReportKind::Delayed | ReportKind::Delivered => assemble::told(report, ours, kind),
        ReportKind::Feedback => feedback::told(report),
        ReportKind::NotOurs => {
            let told = assemble::told(report, ours, ReportKind::Refusal).into_iter();
            told.map(|told| Told { kind, refusal: told.refusal }).collect()
        }
        _ => vec![Told { kind, refusal: assemble::bare(report) }],
    };
    Reading { kind, told, words: report.words.clone(), others: Vec::new(), has_more: report.has_more_status }
}

/// The reports that somebody attached as files named `.eml`, whatever type they were given.
fn reports_in_files(mail: &Mail<'_>, ours: &Ours) -> Option<Reading> {
    let is_mail = |name: String| name.to_ascii_lowercase().ends_with(".eml");
    let files = mail.own_parts().filter(|part| !part.is_container() && part.file_name().is_some_and(is_mail));
    Reading::joined(files.filter_map(|part| {
        let decoded = part.decoded();
        let bytes = redeliver_message::prepare(&decoded);
        let inner = Mail::read(&bytes);
        passed_on(&Report::gather(&inner, 0), ours)
    }))
}

/// The reports that somebody forwarded as attachments.
fn attached_reports(mail: &Mail<'_>, outer: &Report<'_>, ours: &Ours) -> Option<Reading> {
    let roots = outer.attached.iter().filter_map(|number| mail.child(*number));
    Reading::joined(roots.filter_map(|root| passed_on(&Report::gather(mail, root), ours)))
}

/// What a report says that somebody passes on; none if it is an ordinary message.
fn passed_on(report: &Report<'_>, ours: &Ours) -> Option<Reading> {
    let kind = kind::of(report);
    let is_report = !matches!(kind, ReportKind::NotABounce | ReportKind::AutoReply);
    is_report.then(|| finish(report, ours, kind))
}

/// A report whose words somebody quoted (`> `) or forwarded inline.
fn quoted_report(outer: &Report<'_>, ours: &Ours) -> Option<Reading> {
    if outer.words.len() + outer.tail.len() > MOST_QUOTED {
        return None;
    }
    let text = format!("{}{}", outer.words, outer.tail);
    let unquoted = unquote(&text);
    let is_forward = outer.has(marks::Mark::Forwarded) || has_original_message(&outer.tail);
    let quoted = unquoted.as_deref().or_else(|| is_forward.then_some(text.as_str()))?;
    let failure = marks::find(quoted).into_iter().find(|found| found.mark == marks::Mark::Failed);
    let (fields, start) = forwarded_fields(quoted);
    // Fields behind the first words of failure are those of the returned message.
    let behind = failure.is_some_and(|found| found.start < start);
    let (fields, start) = if behind { (None, 0) } else { (fields, start) };
    let mut report = Report::from_words(&quoted[start..]);
    if let Some(fields) = fields {
        // The fields that a mail program prints in front of a forwarded message speak for it.
        let block = format!("{fields}\n\n");
        let mail = Mail::read(block.as_bytes());
        let inner = Report { headers: mail.root().headers.clone(), marks: report.marks.clone(), ..Report::default() };
        if !kind::is_from_daemon(&inner) && report.status.is_empty() {
            return None;
        }
    } else if !report.has(marks::Mark::Failed) && report.status.is_empty() {
        return None;
    }
    report.form = Some("quoted".to_owned());
    let kind = kind::of(&report);
    (kind != ReportKind::NotABounce).then(|| finish(&report, ours, kind))
}

/// Whether a mail program's line in front of a quoted message begins the text.
fn has_original_message(tail: &str) -> bool {
    let line = tail.trim_start().lines().next().unwrap_or_default().to_lowercase();
    ["original message", "urspr\u{fc}ngliche nachricht", "message d'origine", "mensaje original", "messaggio originale"]
        .iter()
        .any(|words| line.contains(words) && line.starts_with("---"))
}

/// The quoted lines of a text without their marks, if most of it is quoted.
fn unquote(text: &str) -> Option<String> {
    let quoted: Vec<&str> = text.lines().filter(|line| line.starts_with('>')).collect();
    if quoted.len() < 4 {
        return None;
    }
    let plain = quoted.iter().map(|line| {
        let bare = line.trim_start_matches('>');
        bare.strip_prefix(' ').unwrap_or(bare)
    });
    Some(plain.collect::<Vec<_>>().join("\n"))
}

/// The `From:`, `Subject:` ... lines in front of a forwarded message, and where its text begins.
fn forwarded_fields(text: &str) -> (Option<String>, usize) {
    let mut fields = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim().trim_matches('*');
        let is_field = bare.split_once(':').is_some_and(|(name, _)| {
            ["from", "date", "sent", "subject", "to", "von", "de", "datum", "gesendet", "betreff", "an"]
                .iter()
                .any(|known| name.trim_matches('*').eq_ignore_ascii_case(known))
        });
        if is_field {
            fields.push(bare.replace("*:", ":"));
        } else if fields.len() >= 2 {
            return (Some(fields.join("\n")), at);
        }
        at += line.len();
    }
    (None, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report with one block of status fields for each of so many recipients.
    fn report(recipients: std::ops::Range<usize>) -> String {
        let blocks = recipients.map(|number| {
            format!("--s\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; user{number}@example.net\nAction: failed\nStatus: 5.1.1\n\n")
        });
        let head = "From: MAILER-DAEMON@mx.example.org\nSubject: Undelivered Mail\nContent-Type: multipart/report; boundary=s\n\n";
        format!("{head}{}--s--\n", blocks.collect::<String>())
    }

    #[test]
    fn what_is_not_read_of_a_report_is_said() {
        let read = |text: &str| read_mail(&Mail::read(text.as_bytes()), &Ours::default(), None);
        assert!(!read(&report(0..16)).is_too_complex());
        assert!(read(&report(0..17)).is_too_complex());
        let passed_on = |reports: usize| {
            let parts = (0..reports).map(|number| {
                format!("--m\nContent-Type: message/rfc822\n\n{}", report(16 * number..16 * number + 16))
            });
            let head =
                "From: ann@example.org\nSubject: look\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\nLook.\n\n";
            read(&format!("{head}{}--m--\n", parts.collect::<String>()))
        };
        let three = passed_on(3);
        let told: Vec<usize> = three.all().map(|reading| reading.told.len()).collect();
        assert_eq!((told, three.is_too_complex()), (vec![16, 16, 16], false));
    }
}
