//! Notifications of a sending service that come as an event in JSON: those of Amazon SES, which its notification service
//! mails as they are. Rewrites them in the fields of a report (RFC 3464) or a complaint (RFC 5965), and judges nothing.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// What an event is.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Refused, delayed or delivered: the fields of message/delivery-status.
    Status(String),
    /// A complaint: the fields of message/feedback-report.
    Complaint(String),
}

/// Most recipients of one event; the service allows 50 a message.
const MOST_RECIPIENTS: usize = 1000;

/// Reads the event that `words` begin with.
pub fn read(words: &str) -> Option<Event> {
    let words = words.trim_start();
    if !words.starts_with('{') {
        return None;
    }
    // What stands behind the object is the service's footer.
    let mut values = serde_json::Deserializer::from_str(words).into_iter::<Map<String, Value>>();
    let outer = values.next()?.ok()?;
    // Wrapped: the event is JSON again, as a text.
    match outer.get("Message").and_then(Value::as_str) {
        Some(inner) => tell(&serde_json::from_str(inner).ok()?),
        None => tell(outer.get("detail").and_then(Value::as_object).unwrap_or(&outer)),
    }
}

fn tell(event: &Map<String, Value>) -> Option<Event> {
    let mail = event.get("mail").and_then(Value::as_object)?;
    let kind = event.get("notificationType").or_else(|| event.get("eventType"))?.as_str()?;
    let (name, list, action) = match kind {
        "Bounce" => ("bounce", "bouncedRecipients", "failed"),
        "DeliveryDelay" => ("deliveryDelay", "delayedRecipients", "delayed"),
        "Delivery" => ("delivery", "recipients", "delivered"),
        "Reject" => ("reject", "destination", "failed"),
        "Complaint" => ("complaint", "complainedRecipients", ""),
        _ => return None,
    };
    let report = event.get(name).and_then(Value::as_object)?;
    let recipients = report.get(list).or_else(|| mail.get(list)).and_then(Value::as_array)?;
    let mut fields = String::new();
    if kind == "Complaint" {
        field(&mut fields, "Feedback-Type", text(report, "complaintFeedbackType").or(Some("abuse")));
        field(&mut fields, "Original-Mail-From", text(mail, "source"));
        for one in recipients.iter().take(MOST_RECIPIENTS) {
            field(&mut fields, "Original-Rcpt-To", address(one));
        }
        return Some(Event::Complaint(fields));
    }
    let mta = text(report, "reportingMTA").map(|mta| mta.rsplit([' ', ';']).next().unwrap_or(mta));
    field(&mut fields, "Reporting-MTA", mta);
    field(&mut fields, "X-Postfix-Sender", text(mail, "source"));
    // Its own word for the reason, where no server said one.
    let own = ["bounceSubType", "delayType", "reason"].iter().find_map(|name| text(report, name));
    let own = own.filter(|word| !["General", "Undetermined"].contains(word)).map(spaced);
    for one in recipients.iter().take(MOST_RECIPIENTS) {
        let of = |name: &str| one.as_object().and_then(|one| text(one, name));
        fields.push('\n');
        field(&mut fields, "Final-Recipient", address(one));
        field(&mut fields, "Action", Some(action));
        field(&mut fields, "Status", of("status"));
        field(&mut fields, "Diagnostic-Code", of("diagnosticCode").or(own.as_deref()));
    }
    Some(Event::Status(fields))
}

fn address(recipient: &Value) -> Option<&str> {
    recipient.as_str().or_else(|| recipient.get("emailAddress").and_then(Value::as_str))
}

fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// One field on one line.
fn field(fields: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(fields, "{name}: {value}");
    }
}

/// `MailboxFull` as words.
fn spaced(word: &str) -> String {
    let mut spaced = String::with_capacity(word.len() + 4);
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && spaced.ends_with(|before: char| before.is_ascii_lowercase()) {
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounce_bare_and_wrapped() {
        let event = r#"{"notificationType":"Bounce","bounce":{"bounceSubType":"MailboxFull","bouncedRecipients":[{"emailAddress":"ann@example.net"}]},"mail":{"source":"us@example.org"}}"#;
        let want = "X-Postfix-Sender: us@example.org\n\nFinal-Recipient: ann@example.net\nAction: failed\nDiagnostic-Code: Mailbox Full\n";
        assert_eq!(read(&format!("{event}\n\n--\nIf you wish to stop")), Some(Event::Status(want.into())));
        let wrapped = Value::Object([("Message".to_owned(), Value::from(event))].into_iter().collect());
        assert_eq!(read(&wrapped.to_string()), Some(Event::Status(want.into())));
    }

    #[test]
    fn what_is_no_event() {
        for text in ["", "{", "{}", "{\"Message\":\"{\"}", "{\"notificationType\":\"Bounce\",\"mail\":{}}", "[1]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
