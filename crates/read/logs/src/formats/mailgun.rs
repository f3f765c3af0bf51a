//! Mailgun's webhooks (`event-data`) and events. Code and text of the reply stand apart; 605 and its like are Mailgun's own.

use std::borrow::Cow;

use redeliver_model::{Party, Side};

use crate::cut::{filled, host};
use crate::event::{Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::Object;
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// Reads one event.
pub(crate) fn tell(object: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    if let Some(event) = object.object("event-data").filter(|event| !event.has("event-data")) {
        return tell(event, place, rule, sink);
    }
    let (status, envelope) =
        (object.object("delivery-status").unwrap_or_default(), object.object("envelope").unwrap_or_default());
    let headers = object.object("message").and_then(|message| message.object("headers")).unwrap_or_default();
    let by = status.text("mx-host").and_then(host);
    let told = Told {
        place,
        time: object.time("timestamp", rule),
        queue_id: headers.text("message-id").and_then(filled),
        sender: envelope.text("sender").map(Cow::Borrowed),
        recipient: object.text("recipient").and_then(filled),
        status: status.status("enhanced-code"),
        by: Party { side: by.is_some().then_some(Side::Theirs), host: by, ..Party::default() },
        ..Told::default()
    };
    match object.text("event") {
        Some("delivered") => told.delivered(sink),
        Some("failed" | "rejected") if told.recipient.is_none() => return Telling::Lacking,
        Some("failed") => {
            let suppressed = object.text("reason").is_some_and(|reason| reason.starts_with("suppress"));
            let outcome = match object.text("severity") {
                _ if suppressed => Outcome::Suppressed,
                Some("temporary") => Outcome::Deferred,
                _ => Outcome::Bounced,
            };
            told.refused(outcome, &text(status), sink);
        }
        Some("rejected") => {
            let reason = object.object("reject").unwrap_or_default();
            told.refused(Outcome::Bounced, reason.text("reason").unwrap_or_default(), sink);
        }
        Some("accepted") => told.submitted(Some(1), sink),
        _ => return Telling::Nothing,
    }
    Telling::Told
}

/// Code and words in one. Mailgun's own codes (498, 605) are left out: SMTP's second digit is at most 5 (RFC 5321 4.2.1).
fn text(status: Object<'_>) -> String {
    let words = ["message", "description"].iter().filter_map(|name| status.text(name)).find(|words| !words.is_empty());
    let words = words.unwrap_or_default();
    match status.number("code") {
        Some(code)
            if (200.0..600.0).contains(&code) && code % 100.0 < 60.0 && !words.starts_with(&format!("{code}")) =>
        {
            format!("{code} {words}")
        }
        _ => words.to_owned(),
    }
}
