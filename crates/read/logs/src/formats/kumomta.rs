//! `KumoMTA`'s log records: JSON lines that name everything, the command that was answered included.

use std::borrow::Cow;
use std::fmt::Write as _;

use redeliver_model::{Party, Side, Stage};

use crate::cut::{address, filled, host, stage_of_command};
use crate::event::{Origin, Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::Object;
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// Reads one record.
pub(crate) fn tell(record: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    let response = record.object("response").unwrap_or_default();
    let peer = record.object("peer_address").unwrap_or_default();
    let command = response.text("command").unwrap_or_default();
    let told = Told {
        place,
        time: record.time("timestamp", rule),
        queue_id: record.text("id").and_then(filled),
        sender: record.text("sender").map(Cow::Borrowed),
        recipient: record.text("recipient").and_then(filled),
        stage: if command == "." { Some(Stage::Body) } else { stage_of_command(command) },
        ..Told::default()
    };
    let party = |side| Party {
        host: peer.text("name").and_then(host),
        ip: peer.text("addr").and_then(address),
        helo: None,
        side: peer.has("addr").then_some(side),
    };
    let text = text(response);
    let theirs = Told { by: party(Side::Theirs), ..told.clone() };
    match record.text("type") {
        Some("Delivery") => theirs.delivered(sink),
        Some("Bounce" | "AdminBounce") => theirs.refused(Outcome::Bounced, &text, sink),
        Some("TransientFailure") => theirs.refused(Outcome::Deferred, &text, sink),
        Some("Expiration") => theirs.refused(Outcome::Expired, &text, sink),
        Some("Rejection") => Told { client: party(Side::Theirs), ..told }.rejected(&text, sink),
        Some("Reception") => {
            let from = party(Side::Ours);
            let login = record.object("meta").and_then(|meta| meta.text("authn_id"));
            let origin = Origin { login: login.map(Cow::Borrowed), host: from.host, ip: from.ip, ..Origin::default() };
            Told { origin, ..told }.submitted(Some(1), sink);
        }
        _ => return Telling::Nothing,
    }
    Telling::Told
}

/// Code, status and words in one, as they were sent.
fn text(response: Object<'_>) -> String {
    let mut text = response.number("code").map(|code| format!("{code} ")).unwrap_or_default();
    if let Some(status) = response.object("enhanced_code") {
        let part = |name| status.number(name).unwrap_or_default();
        let _ = write!(text, "{}.{}.{} ", part("class"), part("subject"), part("detail"));
    }
    text.push_str(response.text("content").unwrap_or_default());
    text
}
