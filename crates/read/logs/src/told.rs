//! What one record tells, collected field by field and handed on as an event.

use std::borrow::Cow;

use redeliver_model::{EnhancedStatus, Party, Refusal, Reply, Side, Stage, Timestamp};

use crate::cut::filled;
use crate::event::{Delivered, Event, Origin, Outcome, Place, Refused, Submitted};
use crate::sink::Sink;

/// The fields that records of all formats share; what a format does not tell stays empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told<'a> {
    pub place: Place,
    pub time: Option<Timestamp>,
    pub queue_id: Option<Cow<'a, str>>,
    pub sender: Option<Cow<'a, str>>,
    pub recipient: Option<Cow<'a, str>>,
    pub original_recipient: Option<Cow<'a, str>>,
    pub stage: Option<Stage>,
    /// A status that the format keeps apart from the text.
    pub status: Option<EnhancedStatus>,
    /// What another line said about the same refusal.
    pub further: Option<Cow<'a, str>>,
    /// Who refused or took it.
    pub by: Party<'a>,
    /// Who was refused.
    pub client: Party<'a>,
    /// The host whose log it is.
    pub reporter: Option<Cow<'a, str>>,
    pub origin: Origin<'a>,
}

impl<'a> Told<'a> {
    /// A refusal with `text` as its reply.
    pub(crate) fn refused(&self, outcome: Outcome, text: &'a str, sink: &mut Sink<'_>) {
        self.refused_with(self.reply(outcome, text), outcome, text, sink);
    }

    /// The same refusal for each of these recipients, as far as one record may tell. The text is read once.
    pub(crate) fn refused_each<'r: 'a>(
        mut self,
        outcome: Outcome,
        text: &'a str,
        recipients: impl Iterator<Item = &'r str>,
        sink: &mut Sink<'_>,
    ) {
        if outcome == Outcome::RejectedByUs && self.by.is_unknown() {
            self.by = self.us();
        }
        let reply = self.reply(outcome, text);
        for recipient in recipients {
            if !sink.has_room() {
                return;
            }
            self.recipient = filled(recipient);
            self.refused_with(reply.clone(), outcome, text, sink);
        }
    }

    fn reply(&self, outcome: Outcome, text: &'a str) -> Reply<'a> {
        let mut reply = crate::cut::reply(text);
        // A status in a field of its own may be made up; it helps where nothing else tells the class.
        if reply.code.is_none() && outcome != Outcome::Suppressed {
            reply.enhanced = reply.enhanced.or(self.status);
        }
        reply
    }

    fn refused_with(&self, reply: Reply<'a>, outcome: Outcome, text: &'a str, sink: &mut Sink<'_>) {
        let refusal = Refusal {
            reply,
            stage: self.stage,
            reported_by: self.us(),
            refused_by: self.by.clone(),
            client: self.client.clone(),
            sender: self.sender.clone(),
            recipient: self.recipient.clone(),
            original_recipient: self.original_recipient.clone(),
            further: self.further.iter().map(|text| Reply::parse(text).into_owned()).collect(),
            given_up: outcome.is_final(),
            queue_id: self.queue_id.clone(),
            time: self.time,
            ..Refusal::default()
        };
        let (place, origin) = (self.place, self.origin.clone());
        sink.push(&mut Event::Refused(Refused { place, outcome, text: Cow::Borrowed(text), refusal, origin }));
    }

    /// A refusal of our own: the refusing side is the host whose log it is.
    pub(crate) fn rejected(mut self, text: &'a str, sink: &mut Sink<'_>) {
        if self.by.is_unknown() {
            self.by = self.us();
        }
        self.refused(Outcome::RejectedByUs, text, sink);
    }

    /// A delivery, if there is a recipient.
    pub(crate) fn delivered(self, sink: &mut Sink<'_>) {
        let Some(recipient) = self.recipient else { return };
        sink.push(&mut Event::Delivered(Delivered {
            place: self.place,
            recipient,
            sender: self.sender,
            to: self.by,
            queue_id: self.queue_id,
            time: self.time,
        }));
    }

    /// A delivery to each of these recipients, as far as one record may tell.
    pub(crate) fn delivered_each<'r: 'a>(&self, recipients: impl Iterator<Item = &'r str>, sink: &mut Sink<'_>) {
        for recipient in recipients {
            if !sink.has_room() {
                return;
            }
            Told { recipient: filled(recipient), ..self.clone() }.delivered(sink);
        }
    }

    /// A submission.
    pub(crate) fn submitted(self, recipients: Option<u32>, sink: &mut Sink<'_>) {
        sink.push(&mut Event::Submitted(Submitted {
            place: self.place,
            origin: self.origin,
            sender: self.sender,
            recipients,
            queue_id: self.queue_id,
            time: self.time,
        }));
    }

    fn us(&self) -> Party<'a> {
        let side = self.reporter.is_some().then_some(Side::Ours);
        Party { host: self.reporter.clone(), side, ..Party::default() }
    }
}
