//! What the event streams of sending services have in common: objects of JSON, alone, in lists, or wrapped.

use crate::event::{Fault, Place};
use crate::format::Format;
use crate::formats::{Records, brevo, kumomta, mailgun, postmark, sendgrid, ses, sparkpost};
use crate::json::Object;
use crate::sink::Sink;
use crate::when::YearRule;

/// Whether an object said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// It did.
    Told,
    /// It is of a kind that says nothing about refusals: an opened mail, a click.
    Nothing,
    /// It has the kind of a refusal, and lacks what one must have.
    Lacking,
}

/// The reader of a stream of events.
pub(crate) struct EventStream {
    pub(crate) format: Format,
    pub(crate) rule: YearRule,
}

impl EventStream {
    fn object(&self, object: &Object, place: Place, sink: &mut Sink<'_>) -> Telling {
        let tell = match self.format {
            Format::Ses => ses::tell,
            Format::SendGrid => sendgrid::tell,
            Format::Mailgun => mailgun::tell,
            Format::Postmark => postmark::tell,
            Format::SparkPost => sparkpost::tell,
            Format::Brevo => brevo::tell,
            _ => kumomta::tell,
        };
        tell(object, place, self.rule, sink)
    }
}

impl Records for EventStream {
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>) {
        let Some(object) = Object::parse(record) else {
            return sink.unreadable(place, record, Fault::NotJson);
        };
        // Answers of an events API hold a page of them.
        let page = ["items", "results", "events"].iter().map(|name| object.objects(name)).find(|page| !page.is_empty());
        let telling = match page {
            Some(page) => page
                .iter()
                .map(|one| self.object(one, place, sink))
                .fold(Telling::Nothing, |all, one| if one == Telling::Lacking { one } else { all }),
            None => self.object(&object, place, sink),
        };
        if telling == Telling::Lacking {
            sink.unreadable(place, record, Fault::MissingField);
        }
    }
}
