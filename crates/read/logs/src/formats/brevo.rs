//! Brevo's webhooks for transactional mail.

use std::borrow::Cow;

use crate::cut::filled;
use crate::event::{Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::Object;
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// Reads one event.
pub(crate) fn tell(event: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    let told = Told {
        place,
        time: event.time("ts_event", rule).or_else(|| event.time("ts", rule)),
        queue_id: event.text("message-id").and_then(filled),
        sender: event.text("sender_email").map(Cow::Borrowed),
        recipient: event.text("email").and_then(filled),
        ..Told::default()
    };
    let text = event.text("reason").unwrap_or_default();
    match event.text("event") {
        Some(_) if told.recipient.is_none() => return Telling::Lacking,
        Some("delivered") => told.delivered(sink),
        Some("hard_bounce" | "soft_bounce" | "invalid_email" | "error") => told.refused(Outcome::Bounced, text, sink),
        Some("deferred") => told.refused(Outcome::Deferred, text, sink),
        Some("blocked") => told.refused(Outcome::Suppressed, text, sink),
        Some("request") => told.submitted(Some(1), sink),
        _ => return Telling::Nothing,
    }
    Telling::Told
}
