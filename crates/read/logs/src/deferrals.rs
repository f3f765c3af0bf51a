//! What was deferred lately, so that "given up" can say what for: the last reply for each recipient of a message.
//!
//! Bounded in messages, recipients and bytes; what is forgotten is given up without a reply.

use std::borrow::Cow;
use std::net::IpAddr;

use redeliver_model::{Party, Refusal, Reply, Side, Stage};

use crate::event::{Event, Origin, Outcome, Place, Refused};
use crate::recent::{Recent, Reset};
use crate::sink::{LONGEST_ADDRESS, LONGEST_NAME, Sink};

/// Messages with deferred recipients that are remembered; each takes some 300 bytes.
const MESSAGES: usize = 16 * 1024;

/// Recipients of a message that are remembered: lists are delivered in parts of 50 (Postfix `default_destination_recipient_limit`).
const RECIPIENTS: usize = 50;

/// The longest reply that is remembered: four lines of RFC 5321 4.5.3.1.5.
const LONGEST_REPLY: usize = 2048;

#[derive(Default)]
struct Waiting(Vec<Deferral>);

struct Deferral {
    recipient: Box<str>,
    text: Box<str>,
    stage: Option<Stage>,
    host: Option<Box<str>>,
    ip: Option<IpAddr>,
}

impl Reset for Waiting {
    fn reset(&mut self) {
        self.0.clear();
    }
}

/// The memory.
pub(crate) struct Deferrals {
    waiting: Recent<Waiting>,
    /// Whether there is anything, so that a log of deliveries alone costs nothing.
    any: bool,
}

impl Deferrals {
    pub(crate) fn new() -> Self {
        Self { waiting: Recent::new(MESSAGES), any: false }
    }

    /// Remembers why a recipient waits. `text` is the reply as the log has it.
    pub(crate) fn note(&mut self, id: &str, refusal: &Refusal<'_>, text: &str) {
        let (Some(recipient), Some(waiting)) = (&refusal.recipient, self.waiting.get_or_add(id.as_bytes())) else {
            return;
        };
        self.any = true;
        waiting.0.retain(|deferral| *deferral.recipient != **recipient);
        let bounded = text.len() <= LONGEST_REPLY && recipient.len() <= LONGEST_ADDRESS;
        if waiting.0.len() < RECIPIENTS && bounded {
            waiting.0.push(Deferral {
                recipient: Box::from(&**recipient),
                text: Box::from(text),
                stage: refusal.stage,
                host: refusal.refused_by.host.as_deref().filter(|host| host.len() <= LONGEST_NAME).map(Box::from),
                ip: refusal.refused_by.ip,
            });
        }
    }

    /// A recipient waits no more.
    pub(crate) fn settle(&mut self, id: &str, recipient: &str) {
        if self.any
            && let Some(waiting) = self.waiting.get(id.as_bytes())
        {
            waiting.0.retain(|deferral| *deferral.recipient != *recipient);
        }
    }

    /// Nobody of the message waits any more: who did.
    pub(crate) fn settle_all(&mut self, id: &str) -> Vec<Box<str>> {
        let waiting = self.waiting.get(id.as_bytes()).map(|waiting| std::mem::take(&mut waiting.0));
        waiting.unwrap_or_default().into_iter().map(|deferral| deferral.recipient).collect()
    }

    /// The message was given up: one event for each recipient that waits, or one in the log's own `words`.
    pub(crate) fn expire(
        &mut self,
        id: &str,
        place: Place,
        words: &str,
        frame: &Refusal<'_>,
        origin: &Origin<'_>,
        sink: &mut Sink<'_>,
    ) {
        let wanted = frame.recipient.as_deref();
        let mut told = false;
        if let Some(waiting) = self.waiting.get(id.as_bytes()) {
            for deferral in
                waiting.0.iter().filter(|deferral| wanted.is_none_or(|wanted| *deferral.recipient == *wanted))
            {
                told = true;
                push(place, deferral, frame, origin, sink);
            }
            waiting.0.retain(|deferral| wanted.is_some_and(|wanted| *deferral.recipient != *wanted));
        }
        if !told {
            let refusal = Refusal { reply: Reply::parse(words), given_up: true, ..frame.clone() };
            let (outcome, text, origin) = (Outcome::Expired, Cow::Borrowed(words), origin.clone());
            sink.push(&mut Event::Refused(Refused { place, outcome, text, refusal, origin }));
        }
    }
}

fn push(place: Place, deferral: &Deferral, frame: &Refusal<'_>, origin: &Origin<'_>, sink: &mut Sink<'_>) {
    let refusal = Refusal {
        reply: crate::cut::reply(&deferral.text),
        stage: deferral.stage,
        refused_by: Party {
            host: deferral.host.as_deref().map(Cow::Borrowed),
            ip: deferral.ip,
            helo: None,
            side: deferral.host.is_some().then_some(Side::Theirs),
        },
        recipient: Some(Cow::Borrowed(&deferral.recipient)),
        given_up: true,
        ..frame.clone()
    };
    let (text, origin) = (Cow::Borrowed(&*deferral.text), origin.clone());
    sink.push(&mut Event::Refused(Refused { place, outcome: Outcome::Expired, text, refusal, origin }));
}
