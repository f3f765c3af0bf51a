//! `SparkPost`'s webhooks (`msys`) and events.

use std::borrow::Cow;

use redeliver_model::{Party, Side};

use crate::cut::{address, filled};
use crate::event::{Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::Object;
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// The names under which an event stands in its envelope.
const EVENTS: [&str; 3] = ["message_event", "gen_event", "relay_event"];

/// Reads one event.
pub(crate) fn tell(object: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    if let Some(envelope) = object.object("msys") {
        return match EVENTS.iter().find_map(|name| envelope.object(name)) {
            Some(event) if !event.has("msys") => tell(event, place, rule, sink),
            _ => Telling::Nothing,
        };
    }
    let ip = object.text("ip_address").and_then(address);
    let told = Told {
        place,
        time: object.time("timestamp", rule),
        queue_id: object.text("message_id").or_else(|| object.text("transmission_id")).and_then(filled),
        sender: object.text("msg_from").or_else(|| object.text("friendly_from")).map(Cow::Borrowed),
        recipient: object.text("rcpt_to").and_then(filled),
        by: Party { ip, side: ip.map(|_| Side::Theirs), ..Party::default() },
        ..Told::default()
    };
    let text = object.text("raw_reason").or_else(|| object.text("reason")).unwrap_or_default();
    // Class 25 is refused by an administrator, 30 by a rule of the service: with these words it is the suppression list.
    let suppressed = text.contains("suppress");
    match object.text("type") {
        Some("delivery") => told.delivered(sink),
        Some("bounce" | "out_of_band" | "policy_rejection" | "generation_rejection" | "generation_failure") => {
            if told.recipient.is_none() {
                return Telling::Lacking;
            }
            told.refused(if suppressed { Outcome::Suppressed } else { Outcome::Bounced }, text, sink);
        }
        Some("delay") => told.refused(Outcome::Deferred, text, sink),
        Some("injection") => told.submitted(Some(1), sink),
        _ => return Telling::Nothing,
    }
    Telling::Told
}
