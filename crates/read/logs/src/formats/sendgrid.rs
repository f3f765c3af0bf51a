//! `SendGrid`'s event webhook: lists of flat objects. It names neither the sender nor the refusing host.

use crate::cut::filled;
use crate::event::{Origin, Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::Object;
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// Reads one event.
pub(crate) fn tell(event: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    let told = Told {
        place,
        time: event.time("timestamp", rule),
        queue_id: event.text("sg_message_id").or_else(|| event.text("smtp-id")).and_then(filled),
        recipient: event.text("email").and_then(filled),
        status: event.status("status"),
        ..Told::default()
    };
    let text = event.text("reason").or_else(|| event.text("response")).unwrap_or_default();
    match event.text("event") {
        Some(_) if told.recipient.is_none() => return Telling::Lacking,
        Some("delivered") => told.delivered(sink),
        Some("bounce" | "blocked") => told.refused(Outcome::Bounced, text, sink),
        Some("deferred") => told.refused(Outcome::Deferred, text, sink),
        Some("dropped") => told.refused(Outcome::Suppressed, text, sink),
        Some("processed") => Told { origin: Origin::default(), ..told }.submitted(Some(1), sink),
        _ => return Telling::Nothing,
    }
    Telling::Told
}
