//! What the event streams of sending services have in common: objects of JSON, alone, in lists, or wrapped.

use crate::event::{Fault, Place};
use crate::format::Format;
use crate::formats::{Records, brevo, kumomta, mailgun, postmark, sendgrid, ses, sparkpost};
use crate::json::{Object, Parsed};
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
    fn object(&self, object: Object<'_>, place: Place, sink: &mut Sink<'_>) -> Telling {
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
        let Some(parsed) = Parsed::read(record) else {
            return sink.unreadable(place, record, Fault::NotJson);
        };
        let object = parsed.object();
        let telling = match object.page() {
            Some(page) => page
                .map(|one| self.object(one, place, sink))
                .fold(Telling::Nothing, |all, one| if one == Telling::Lacking { one } else { all }),
            None => self.object(object, place, sink),
        };
        if telling == Telling::Lacking {
            sink.unreadable(place, record, Fault::MissingField);
        }
    }
}
