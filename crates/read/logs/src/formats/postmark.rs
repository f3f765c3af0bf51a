//! Postmark's webhooks, bounces and deliveries, and the answers of its API about inactive addresses. It tells no deferrals, and the refusing host at most within the text.

use std::borrow::Cow;

use crate::cut::filled;
use crate::event::{Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::Object;
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// Types of "bounces" that are no refusals: a person's answer, a click, a complaint.
const NO_REFUSAL: [&str; 8] = [
    "AutoResponder",
    "AddressChange",
    "ChallengeVerification",
    "OpenRelayTest",
    "SpamComplaint",
    "Subscribe",
    "Unsubscribe",
    "Unconfirmed",
];

/// Reads one webhook.
pub(crate) fn tell(object: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    let told = Told {
        place,
        queue_id: object.text("MessageID").and_then(filled),
        sender: object.text("From").map(Cow::Borrowed),
        ..Told::default()
    };
    match object.text("RecordType") {
        Some("Delivery") => {
            let recipient = object.text("Recipient").and_then(filled);
            Told { time: object.time("DeliveredAt", rule), recipient, ..told }.delivered(sink);
            Telling::Told
        }
        Some("Bounce") => {
            let kind = object.text("Type").unwrap_or_default();
            if NO_REFUSAL.contains(&kind) {
                return Telling::Nothing;
            }
            let recipient = object.text("Email").and_then(filled);
            if recipient.is_none() {
                return Telling::Lacking;
            }
            let outcome = match kind {
                "Transient" => Outcome::Deferred,
                "ManuallyDeactivated" | "InactiveRecipient" => Outcome::Suppressed,
                _ => Outcome::Bounced,
            };
            let details = object.text("Details").unwrap_or_default();
            let text = details.strip_prefix("smtp;").unwrap_or(details).trim();
            let text = if text.is_empty() { object.text("Description").unwrap_or_default() } else { text };
            Told { time: object.time("BouncedAt", rule), recipient, ..told }.refused(outcome, text, sink);
            Telling::Told
        }
        // The answer of its API to a message for an address that it does not write to any more.
        None if object.number("ErrorCode") == Some(406.0) => {
            let recipient = object.text("To").and_then(filled);
            let told = Told { time: object.time("SubmittedAt", rule), recipient, ..told };
            told.refused(Outcome::Suppressed, object.text("Message").unwrap_or_default(), sink);
            Telling::Told
        }
        _ => Telling::Nothing,
    }
}
