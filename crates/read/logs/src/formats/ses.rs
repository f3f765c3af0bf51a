//! Amazon SES events: published through SNS (the event is a text inside), `EventBridge` (`detail`), or bare.

use std::borrow::Cow;

use redeliver_model::{Party, Side};

use crate::cut::{address, filled};
use crate::event::{Origin, Outcome, Place};
use crate::formats::event_stream::Telling;
use crate::json::{Object, Parsed};
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// Reads one event.
pub(crate) fn tell(object: Object<'_>, place: Place, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    if let Some(message) = object.text("Message") {
        // SNS: the event is JSON again, as a text.
        let event = Parsed::read(message.as_bytes());
        return match event.as_ref().map(Parsed::object) {
            Some(event) if !event.has("Message") => tell(event, place, rule, sink),
            _ => Telling::Nothing,
        };
    }
    if let Some(detail) = object.object("detail").filter(|detail| !detail.has("detail")) {
        return tell(detail, place, rule, sink);
    }
    let Some(mail) = object.object("mail") else { return Telling::Nothing };
    let kind = object.text("eventType").or_else(|| object.text("notificationType")).unwrap_or_default();
    let told = Told {
        place,
        queue_id: mail.text("messageId").and_then(filled),
        sender: mail.text("source").map(Cow::Borrowed),
        ..Told::default()
    };
    match kind {
        "Bounce" => refused(object, "bounce", "bouncedRecipients", told, rule, sink),
        "DeliveryDelay" => refused(object, "deliveryDelay", "delayedRecipients", told, rule, sink),
        "Delivery" => {
            let delivery = object.object("delivery").unwrap_or_default();
            let told = Told { time: delivery.time("timestamp", rule), by: remote(delivery), ..told };
            told.delivered_each(delivery.texts("recipients"), sink);
            Telling::Told
        }
        "Reject" => {
            let reason = object.object("reject").unwrap_or_default();
            let text = reason.text("reason").unwrap_or_default();
            let told = Told { time: mail.time("timestamp", rule), ..told };
            told.refused_each(Outcome::Bounced, text, mail.texts("destination"), sink);
            Telling::Told
        }
        "Send" => {
            let time = mail.time("timestamp", rule);
            let login = mail.object("tags").and_then(|tags| tags.texts("ses:caller-identity").next());
            let origin = Origin { login: login.map(Cow::Borrowed), ..Origin::default() };
            Told { time, origin, ..told }.submitted(Some(mail.texts("destination").count() as u32), sink);
            Telling::Told
        }
        _ => Telling::Nothing,
    }
}

fn refused(object: Object<'_>, name: &str, list: &str, told: Told<'_>, rule: YearRule, sink: &mut Sink<'_>) -> Telling {
    let mut told: Told<'_> = told;
    let Some(report) = object.object(name) else { return Telling::Lacking };
    let suppressed = matches!(report.text("bounceSubType"), Some("Suppressed" | "OnAccountSuppressionList"));
    let outcome = match (name, suppressed) {
        ("deliveryDelay", _) => Outcome::Deferred,
        (_, true) => Outcome::Suppressed,
        _ => Outcome::Bounced,
    };
    told.time = report.time("timestamp", rule);
    // RFC 3464 2.2.2: `dns; a8-50.smtp-out.example.org`.
    told.reporter = report.text("reportingMTA").and_then(|mta| filled(mta.rsplit(' ').next().unwrap_or(mta)));
    told.by = remote(report);
    let delay = report.text("delayType").unwrap_or_default();
    for recipient in report.objects(list) {
        if !sink.has_room() {
            break;
        }
        let diagnostic = recipient.text("diagnosticCode").unwrap_or_default();
        let text = diagnostic.strip_prefix("smtp;").unwrap_or(diagnostic).trim();
        let told = Told {
            recipient: recipient.text("emailAddress").and_then(filled),
            status: recipient.status("status"),
            ..told.clone()
        };
        let words = [text, delay, recipient.text("status").unwrap_or_default()];
        told.refused(outcome, words.iter().find(|words| !words.is_empty()).copied().unwrap_or_default(), sink);
    }
    Telling::Told
}

fn remote(report: Object<'_>) -> Party<'_> {
    let ip = report.text("remoteMtaIp").and_then(address);
    Party { ip, side: ip.map(|_| Side::Theirs), ..Party::default() }
}
