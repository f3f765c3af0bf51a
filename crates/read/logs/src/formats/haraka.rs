//! Haraka's outbound log, as it writes it or through syslog and journald.
//!
//! Refusals name the recipient only at RCPT; deliveries name none, so they are told for recipients that had been deferred.

use std::borrow::Cow;

use redeliver_model::{Party, Refusal, Side, Stage};

use crate::cut::{address, angle, cut, filled, host};
use crate::deferrals::Deferrals;
use crate::event::{Outcome, Place};
use crate::formats::Records;
use crate::sink::Sink;
use crate::syslog;
use crate::told::Told;
use crate::when::YearRule;

/// The state of a Haraka log.
pub(crate) struct Haraka {
    rule: YearRule,
    deferrals: Deferrals,
}

impl Haraka {
    pub(crate) fn new(rule: YearRule) -> Self {
        Self { rule, deferrals: Deferrals::new() }
    }

    fn outbound(&mut self, told: &Told<'_>, id: &str, text: &str, sink: &mut Sink<'_>) {
        if let Some((recipient, rest)) = text.strip_prefix("recipient ").and_then(angle) {
            let rest = rest.trim_start();
            let (outcome, reply) = match rest.split_once(": ") {
                Some(("rejected", reply)) => (Outcome::Bounced, reply),
                Some(("deferred", reply)) => (Outcome::Deferred, reply),
                _ => return,
            };
            let told = Told { recipient: filled(recipient), stage: Some(Stage::Rcpt), ..told.clone() };
            if outcome == Outcome::Deferred {
                let refusal = Refusal { recipient: told.recipient.clone(), ..Refusal::default() };
                self.deferrals.note(id, &refusal, reply);
            } else {
                self.deferrals.settle(id, recipient);
            }
            told.refused(outcome, reply, sink);
        } else if let Some(fields) = text.strip_prefix("delivered ") {
            let field = |name: &str| cut(fields, name).map(|(_, rest)| rest.split(' ').next().unwrap_or(rest));
            let by = Party {
                host: field(" host=").and_then(host),
                ip: field(" ip=").and_then(address),
                helo: None,
                side: Some(Side::Theirs),
            };
            for recipient in self.deferrals.settle_all(id) {
                let recipient = Some(Cow::Borrowed(&*recipient));
                Told { recipient, by: by.clone(), ..told.clone() }.delivered(sink);
            }
        }
    }
}

impl Records for Haraka {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let own = self.rule.iso(record).filter(|(_, end)| record.get(*end..*end + 2) == Some(b" ["));
        let (time, message) = if let Some((time, end)) = own {
            (Some(time), crate::cut::utf8(&record[end + 1..]))
        } else {
            let entry = syslog::entry(record, place, self.rule);
            (entry.time, entry.message)
        };
        // `[NOTICE] [UUID.1.2] [outbound] ...`: the last number counts the tries.
        let Some((before, text)) = cut(&message, "] [outbound] ") else { return };
        let id = before.rsplit('[').next().unwrap_or_default();
        let id = id.rsplit_once('.').map_or(id, |(id, _)| id);
        let told = Told { place, time, queue_id: filled(id), ..Told::default() };
        self.outbound(&told, id, text, sink);
    }
}
