//! The formats, one file each, and what they have in common.

use crate::event::Place;
use crate::format::Format;
use crate::sink::Sink;
use crate::when::YearRule;

mod exim;
mod haraka;
mod opensmtpd;
pub(crate) mod postfix;
mod postfix_reply;
pub(crate) mod postfix_scan;
mod qmail;
mod sendmail;
mod zonemta;

/// A format's reader of single records, with whatever it remembers of those before.
pub(crate) trait Records {
    /// Reads one record: a line, a row or an object.
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>);

    /// The source has ended.
    fn finish(&mut self, _place: Place, _sink: &mut Sink<'_>) {}

    /// The head line of a table, to go on with later.
    fn head(&self) -> Option<String> {
        None
    }

    /// Takes the head line of a table whose start was read before.
    fn set_head(&mut self, _head: &str) {}
}

struct Nothing;
impl Records for Nothing {
    fn record(&mut self, _record: &[u8], _place: Place, _sink: &mut Sink<'_>) {}
}

/// The reader of a format.
pub(crate) fn records(format: Format, rule: YearRule) -> Box<dyn Records + Send> {
    match format {
        Format::EximMain => Box::new(exim::Exim::new(rule, false)),
        Format::EximReject => Box::new(exim::Exim::new(rule, true)),
        Format::Sendmail => Box::new(sendmail::Sendmail::new(rule)),
        Format::OpenSmtpd => Box::new(opensmtpd::OpenSmtpd::new(rule)),
        Format::Qmail => Box::new(qmail::Qmail::new(rule)),
        Format::Haraka => Box::new(haraka::Haraka::new(rule)),
        Format::ZoneMta => Box::new(zonemta::ZoneMta { rule }),
        _ => Box::new(Nothing),
    }
}
