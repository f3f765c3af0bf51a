//! `ZoneMTA`: the lines of its sender processes, or its delivery records in JSON. Both name everything themselves.

use std::borrow::Cow;

use redeliver_model::{Party, Side};

use crate::cut::{address, cut, filled, host, party};
use crate::event::{Fault, Outcome, Place};
use crate::formats::Records;
use crate::json::{Object, Parsed};
use crate::sink::Sink;
use crate::told::Told;
use crate::when::YearRule;

/// The reader of `ZoneMTA`'s records.
pub(crate) struct ZoneMta {
    pub(crate) rule: YearRule,
}

enum Action {
    Delivered,
    Refused(Outcome),
}

fn action(word: &str) -> Option<Action> {
    match word.split('[').next().unwrap_or(word) {
        "ACCEPTED" => Some(Action::Delivered),
        "REJECTED" => Some(Action::Refused(Outcome::Bounced)),
        "DEFERRED" => Some(Action::Refused(Outcome::Deferred)),
        _ => None,
    }
}

fn tell(action: &Action, told: Told<'_>, text: &str, sink: &mut Sink<'_>) {
    let told: Told<'_> = told;
    match action {
        Action::Delivered => told.delivered(sink),
        Action::Refused(outcome) => told.refused(*outcome, text, sink),
    }
}

impl Records for ZoneMta {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        if record.first() == Some(&b'{') {
            match Parsed::read(record) {
                Some(parsed) => self.object(parsed.object(), place, sink),
                None => sink.unreadable(place, record, Fault::NotJson),
            }
        } else {
            self.line(&crate::cut::utf8(record), place, sink);
        }
    }
}

impl ZoneMta {
    fn object(&self, object: Object<'_>, place: Place, sink: &mut Sink<'_>) {
        let Some(action) = object.text("action").and_then(action) else { return };
        let by = Party {
            host: object.text("mx").and_then(host),
            ip: object.text("host").and_then(address),
            helo: None,
            side: Some(Side::Theirs),
        };
        let id = format!("{}.{}", object.text("id").unwrap_or_default(), object.text("seq").unwrap_or_default());
        let told = Told {
            place,
            time: object.time("time", self.rule),
            queue_id: Some(Cow::Borrowed(&id)),
            sender: object.text("returnPath").or_else(|| object.text("from")).map(Cow::Borrowed),
            recipient: object.text("to").and_then(filled),
            by: if by.ip.is_some() { by } else { Party::default() },
            ..Told::default()
        };
        tell(&action, told, object.text("response").unwrap_or_default(), sink);
    }

    /// `TIME info Sender/default/31 id=s1x1 ID.SEQ REJECTED[policy] from=.. to=.. src=.. mx=host[ip] id=<..> (reply)`.
    fn line(&self, line: &str, place: Place, sink: &mut Sink<'_>) {
        let Some((before, fields)) = cut(line, " from=") else { return };
        let mut words = before.rsplit(' ');
        let Some(action) = words.next().and_then(action) else { return };
        let (sender, rest) = cut(fields, " to=").unwrap_or((fields, ""));
        let (recipient, rest) = cut(rest, " ").unwrap_or((rest, ""));
        let mx = cut(rest, "mx=").map_or("", |(_, mx)| mx.split(' ').next().unwrap_or(mx));
        let text = cut(rest, " (").map_or(rest, |(_, text)| text.strip_suffix(')').unwrap_or(text));
        let told = Told {
            place,
            time: self.rule.iso(line.as_bytes()).map(|(time, _)| time),
            queue_id: words.next().and_then(filled),
            sender: Some(Cow::Borrowed(sender)),
            recipient: filled(recipient),
            by: if mx.contains('[') { party(mx, Side::Theirs) } else { Party::default() },
            ..Told::default()
        };
        tell(&action, told, text, sink);
    }
}
