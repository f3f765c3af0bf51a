//! The 28 documented texts of articles about 554 5.7.1, in our own table: what each must be read as.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use redeliver_diagnose::{Engine, Scratch, locate};
use redeliver_model::{Cause, Timestamp};

const TEXTS: &[(&str, Cause)] = &[
    ("554 5.7.1 : Client host rejected: Access denied", Cause::BlockedByReceiver),
    ("554 5.7.1 : Service unavailable; Client host 192.0.2.7 blocked using", Cause::Blocklisted),
    ("554 5.7.1 : Relay access denied", Cause::RelayDenied),
    ("554 5.7.1 : Message cannot be accepted, rules rejection", Cause::BannedContent),
    ("554 5.7.1 : Message refused by Dictionary check", Cause::BannedContent),
    ("554 5.7.1 : Relay Access Denied for One Domain", Cause::RelayDenied),
    ("554 5.7.1 : Message cannot be accepted, spam rejection", Cause::SpamContent),
    ("554 5.7.1 : Message refused by DNSBL check", Cause::Blocklisted),
    ("554 5.7.1 : Sender address rejected: Access denied", Cause::BlockedByReceiver),
    ("554 5.7.1 : You are not allowed to connect", Cause::BlockedByReceiver),
    ("554 5.7.1 Content blocked due to policy violations. Email flagged as spam.", Cause::SpamContent),
    ("554 5.1.0 Sender's domain blacklisted for abusive behavior.", Cause::Blocklisted),
    ("554 5.5.2 Invalid recipient address.", Cause::RecipientUnknown),
    ("554 5.2.122 - The recipient has exceeded their limit for messages per hour", Cause::RecipientRateLimit),
    ("554 - delivery error: dd This user doesn't have a example.com account", Cause::RecipientUnknown),
    ("554 - delivery error: dd Sorry, your message to bob@example.com cannot be delivered", Cause::RecipientInactive),
    ("554 5.7.9 - Message not accepted for policy reasons", Cause::Policy),
    ("554 - Message not allowed - [PH01] Email not accepted for policy reasons", Cause::MaliciousContent),
    ("554 - Message not allowed - Headers are not RFC compliant", Cause::MalformedMessage),
    ("554 5.7.1 - Message rejected due to local policy", Cause::Policy),
    (
        "554 - has been temporarily blocked for attempting to mail too many invalid recipients",
        Cause::TooManyInvalidRecipients,
    ),
    ("554 - Please submit an unblock request", Cause::BlockedByReceiver),
    ("554 - Connection refused. 192.0.2.7 has a poor reputation", Cause::PoorReputation),
    ("554 5.7.1 - bob@example.com: Sender address rejected: Blocked by this recipient", Cause::BlockedByReceiver),
    ("554 5.7.1 - Email cannot be delivered. Reason: Email flagged as Spam.", Cause::SpamContent),
];

#[test]
fn the_documented_texts_are_read_as_documented() {
    let engine = Engine::builtin().unwrap();
    let mut wrong = Vec::new();
    for (text, want) in TEXTS {
        let refusal = locate(text).refusal;
        let diagnosis = engine.diagnose(&refusal, Timestamp::from_date(2026, 11, 1), &mut Scratch::default());
        if diagnosis.first().cause != *want {
            wrong.push(format!("{text}: {} ({:?})", diagnosis.first().cause, diagnosis.rule().map(|rule| rule.id)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the texts leave two readings open, both must be there.
#[test]
fn open_texts_keep_their_second_reading() {
    let engine = Engine::builtin().unwrap();
    for (text, second) in [
        ("554 5.7.1 : Recipient address rejected: Access denied", Cause::RecipientRestricted),
        ("554 5.7.1 : Delivery not authorized", Cause::SenderNotAuthorized),
        (
            "554 - has been temporarily blocked for attempting to send too many messages containing content judged to be spam",
            Cause::PoorReputation,
        ),
        ("554 5.7.9 - Message not accepted for policy reasons", Cause::Unauthenticated),
        ("554 5.7.1 - Message rejected due to local policy", Cause::PoorReputation),
    ] {
        let refusal = locate(text).refusal;
        let diagnosis = engine.diagnose(&refusal, Timestamp::from_date(2026, 11, 1), &mut Scratch::default());
        let causes: Vec<Cause> = diagnosis.causes.iter().map(|hypothesis| hypothesis.cause).collect();
        assert!(causes.contains(&second), "{text}: {causes:?}");
    }
}
