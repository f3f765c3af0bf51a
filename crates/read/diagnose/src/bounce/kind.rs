//! What a mail is, told before any cause: a refusal, a delay, a delivery, a complaint, an auto-reply, or none of these.

use redeliver_model::ReportKind;

use super::delivery_status::Action;
use super::marks::Mark;
use super::passages::{Form, passages};
use super::recipients::same_address;
use super::report::Report;
use super::subjects;
use super::transcript::exchanges;
use crate::locate::locate;

/// Local parts by which notifications are sent.
const SENDERS: &[&str] = &[
    "mailer-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mail-daemon",
    "postmaster",
    "mdaemon",
    "mailadmin",
    "mailsystem",
    "mail-system",
    "maildaemon",
    "poostmaster",
    "bounce",
    "bounces",
    "bouncehandler",
    "symantec_antivirus_for_smtp_gateways",
    "groupwise",
    "mailmarshal",
    "smtp32",
    "post_master",
    "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e",
    "noreply-mailer-daemon",
    "system",
    "mailsrv",
    "delivery-failure",
];

/// Fields by which programs mark their answers (RFC 3834 3.1.7 and older habits).
const AWAY_FIELDS: &[&str] = &[
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-auto-response",
    "x-mail-autoreply",
    "x-vacation",
];

/// Fields of complaints about hosts that are no reports in the form of RFC 5965: X-ARF, `SpamCop`.
const COMPLAINT_FIELDS: &[&str] = &["x-xarf", "x-arf", "x-spamcop-sourceip"];

/// Decides what a report is.
pub fn of(report: &Report<'_>) -> ReportKind {
    if is_microsoft_complaint(report)
        || report.feedback.is_some()
        || report.form.as_deref() == Some("feedback-report")
        || report.has(Mark::Complaint)
        || COMPLAINT_FIELDS.iter().any(|name| report.headers.has(name))
    {
        return ReportKind::Feedback;
    }
    if let Some(kind) = by_status(report) {
        return kind;
    }
    if is_rejected_by_a_rule(report) {
        return ReportKind::Refusal;
    }
    if report.disposition.is_some() || report.form.as_deref() == Some("disposition-notification") {
        return ReportKind::AutoReply;
    }
    let subject = report.headers.text("subject").unwrap_or_default().to_lowercase();
    let failed_words =
        report.has(Mark::Failed) || report.headers.has("x-failed-recipients") || is_about_a_recipient(report);
    let by_daemon = is_from_daemon(report);
    let about_failure = is_about_failure(report);
    if report.has(Mark::Held) && !has_daemon_name(report) {
        return ReportKind::AutoReply;
    }
    if is_away(report, &subject, failed_words) && !(has_daemon_name(report) && failed_words) {
        return ReportKind::AutoReply;
    }
    let delayed_words = report.has(Mark::Delayed);
    let looks_like_one = failed_words || delayed_words || report.has(Mark::Delivered);
    // Newsletters with an empty return path exist; a notification is never bulk mail with a list's fields.
    let by_daemon = has_daemon_name(report) || by_daemon && !is_list_mail(report);
    let sent_as_one = by_daemon
        || about_failure && !is_newsletter(report)
        || report.form.is_some()
        || report.headers.has("x-failed-recipients");
    // Whoever sends it: it speaks of a failure and returns the message.
    let returns_it = (failed_words || about_failure) && report.returned.is_some() && !is_newsletter(report)
        || report.has(Mark::Refused)
        || has_daemon_name(report) && report.returned.is_some() && !exchanges(&report.words).is_empty();
    let named_as_one = has_daemon_name(report) && about_failure && !is_by_postmaster_himself(report);
    if !(looks_like_one && sent_as_one || named_as_one || returns_it) {
        return ReportKind::NotABounce;
    }
    if report.has(Mark::Delivered) && !has_hard_words(report) {
        ReportKind::Delivered
    } else if subjects::is_about_delay(&subject) || delayed_words {
        ReportKind::Delayed
    } else {
        ReportKind::Refusal
    }
}

/// Status fields say it themselves; the worst counts (RFC 3464 2.3.3).
fn by_status(report: &Report<'_>) -> Option<ReportKind> {
    let mut recipients = report.status.iter().flat_map(|status| &status.recipients).peekable();
    recipients.peek()?;
    let actions: Vec<_> = recipients.map(|one| (one.action, one.status.map(|status| status.class))).collect();
    let kind = |action: Option<Action>, class: Option<u8>| match (action, class) {
        (Some(Action::Delayed), _) => ReportKind::Delayed,
        (Some(Action::Delivered), _) | (None, Some(2)) => ReportKind::Delivered,
        (Some(Action::Failed) | None, _) => ReportKind::Refusal,
    };
    let kinds: Vec<_> = actions.into_iter().map(|(action, class)| kind(action, class)).collect();
    [ReportKind::Refusal, ReportKind::Delayed, ReportKind::Delivered].into_iter().find(|worst| kinds.contains(worst))
}

/// Complaints of Outlook.com's programme are the message itself in a wrapper, without a report (JMRP).
fn is_microsoft_complaint(report: &Report<'_>) -> bool {
    report.headers.has("x-hmxmroriginalrecipient")
        || report.headers.text("subject").is_some_and(|subject| subject.starts_with("complaint about message from"))
}

fn is_list_mail(report: &Report<'_>) -> bool {
    let bulk = report.headers.raw("precedence").is_some_and(|value| value.eq_ignore_ascii_case(b"bulk"));
    bulk || report.headers.has("list-unsubscribe") || report.headers.has("list-id")
}

/// Postmasters write mail too; theirs can be answered, a notification cannot (RFC 5321 4.5.5).
fn is_by_postmaster_himself(report: &Report<'_>) -> bool {
    let path = report.headers.raw("return-path").map(|raw| String::from_utf8_lossy(raw).to_ascii_lowercase());
    path.is_some_and(|path| path.contains("postmaster@") && !path.contains("daemon"))
        && !report.headers.has("auto-submitted")
}

/// Newsletters write about bounces; their readers can leave (RFC 2369 3.2).
fn is_newsletter(report: &Report<'_>) -> bool {
    report.headers.has("list-unsubscribe") && !has_daemon_name(report)
}

/// Whether the subject is one of a notification of failure or delay.
pub fn is_about_failure(report: &Report<'_>) -> bool {
    let subject = report.headers.text("subject").unwrap_or_default().to_lowercase();
    subjects::is_about_failure(&subject) || subjects::is_about_delay(&subject)
}

/// A filter's rejection in the form of a receipt (RFC 5429 2.1.2): deleted by a program, with the reason in words.
fn is_rejected_by_a_rule(report: &Report<'_>) -> bool {
    let Some(fields) = &report.disposition else { return false };
    let fields = String::from_utf8_lossy(fields).to_ascii_lowercase();
    let Some((_, disposition)) = fields.split_once("disposition:") else { return false };
    let disposition = disposition.lines().next().unwrap_or_default();
    // Exchange and Outlook say the same of what was thrown away unread.
    let unread = fields.lines().any(|line| line.starts_with("reporting-ua:") && line.contains("microsoft"));
    disposition.contains("automatic-action") && disposition.contains("deleted") && report.has(Mark::Failed) && !unread
}

/// Whether the sender is one that sends notifications (RFC 3464 2: the null return path; RFC 5321 4.5.5).
pub fn is_from_daemon(report: &Report<'_>) -> bool {
    report.headers.raw("return-path").is_some_and(|path| path.trim_ascii() == b"<>") || has_daemon_name(report)
}

pub fn has_daemon_name(report: &Report<'_>) -> bool {
    let from =
        report.headers.raw("from").map(|raw| String::from_utf8_lossy(raw).to_ascii_lowercase()).unwrap_or_default();
    let last_word = |before: &str| before.rsplit(['<', ' ', '"', '(', '[', ':']).next().unwrap_or(before).to_owned();
    let first = last_word(from.split('@').next().unwrap_or_default());
    let local = last_word(from.rsplit_once('@').map_or(from.as_str(), |(before, _)| before));
    SENDERS.contains(&local.as_str())
        || SENDERS.contains(&first.as_str())
        || local.starts_with("mailer-daemon")
        || from.contains("mail delivery s")
        || from.contains("mailer-daemon")
        || from.trim() == "<>"
}

/// Whether a person or his program answers.
fn is_away(report: &Report<'_>, subject: &str, failed_words: bool) -> bool {
    let field =
        |name: &str| report.headers.raw(name).map(|raw| String::from_utf8_lossy(raw).trim().to_ascii_lowercase());
    // RFC 3834 5; Exim marks its bounces so too, which is why the words decide with it.
    let replied = field("auto-submitted")
        .is_some_and(|value| value.starts_with("auto-replied") || value.starts_with("auto-notified"));
    let precedence =
        field("precedence").is_some_and(|value| value.contains("auto_reply") || value.contains("auto-reply"));
    let subject_says = subjects::is_of_an_answer(subject);
    let fields = AWAY_FIELDS.iter().any(|name| report.headers.has(name));
    // A desk that has noted a question answers it by a program.
    let noted = field("auto-submitted").is_some_and(|value| value.starts_with("auto-generated"))
        && report.headers.has("in-reply-to")
        && !report.headers.has("list-id");
    let failed = failed_words || report.has(Mark::Delayed);
    if failed && (report.headers.has("x-failed-recipients") || has_daemon_name(report)) {
        return false;
    }
    precedence
        || fields
        || subject_says
        || noted && report.returned.is_none()
        || (replied && (!failed || report.has(Mark::Away)))
}

/// Whether a daemon's words are about a recipient, in whatever language: somebody else is named, by a program that sends
/// nothing but notifications; or by anybody of a daemon's name, and a reply with its code is quoted.
fn is_about_a_recipient(report: &Report<'_>) -> bool {
    if !has_daemon_name(report) || is_list_mail(report) || report.has(Mark::Failed) {
        return false;
    }
    let own: Vec<String> = ["to", "from"].iter().filter_map(|field| report.headers.address(field)).collect();
    let found = passages(&report.words);
    let others = || found.iter().filter(|one| !own.iter().any(|own| same_address(own, &one.address)));
    let answered = || {
        let reply = locate(&report.words).refusal.reply;
        reply.code.is_some() || reply.enhanced.is_some()
    };
    // RFC 3464 2: a notification has the null return path.
    let is_bounce = report.headers.raw("return-path").is_none_or(|path| path.trim_ascii() == b"<>");
    let by_program = report
        .headers
        .raw("from")
        .is_some_and(|from| String::from_utf8_lossy(from).to_ascii_lowercase().contains("mailer-daemon"));
    by_program && others().any(|one| is_bounce || one.form == Form::Heading) || others().next().is_some() && answered()
}

/// Whether the words leave no doubt that something failed, beside a sentence about a delivery.
fn has_hard_words(report: &Report<'_>) -> bool {
    report.marks.iter().filter(|found| found.mark == Mark::Failed).count() > 1
}
