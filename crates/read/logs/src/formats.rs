//! The formats, one file each, and what they have in common.

use crate::event::Place;
use crate::format::Format;
use crate::sink::Sink;
use crate::when::YearRule;

mod brevo;
mod event_stream;
mod exchange_smtp;
mod exim;
mod google_log_search;
mod haraka;
mod kumomta;
mod mailgun;
mod opensmtpd;
pub(crate) mod postfix;
pub(crate) mod postfix_digest;
mod postfix_reply;
pub(crate) mod postfix_scan;
mod postmark;
mod powermta;
mod qmail;
mod sendgrid;
mod sendmail;
mod ses;
mod sparkpost;
mod tracking;
mod zonemta;

/// A format's reader of single records, with whatever it remembers of those before.
pub(crate) trait Records {
    /// Reads one record: a line, a row or an object.
    fn record(&mut self, record: &[u8], place: Place, sink: &mut Sink<'_>);

    /// The source has ended.
    fn finish(&mut self, _place: Place, _sink: &mut Sink<'_>) {}

    /// How many columns a table has, once its head line was read.
    fn columns(&self) -> usize {
        0
    }

    /// The head line of a table, to go on with later.
    fn head(&self) -> Option<String> {
        None
    }

    /// Takes the head line of a table whose start was read before.
    fn set_head(&mut self, _head: &str) {}
}

/// The reader of a format other than Postfix, whose lines are looked through in blocks.
pub(crate) fn records(format: Format, rule: YearRule) -> Box<dyn Records + Send> {
    match format {
        Format::EximReject => Box::new(exim::Exim::new(rule, true)),
        Format::EximMain => Box::new(exim::Exim::new(rule, false)),
        Format::Sendmail => Box::new(sendmail::Sendmail::new(rule)),
        Format::OpenSmtpd => Box::new(opensmtpd::OpenSmtpd::new(rule)),
        Format::Qmail => Box::new(qmail::Qmail::new(rule)),
        Format::ExchangeTracking | Format::M365Trace => Box::new(tracking::Tracking::new(rule)),
        Format::ExchangeSmtp => Box::new(exchange_smtp::ExchangeSmtp::new(rule)),
        Format::GoogleLogSearch => Box::new(google_log_search::GoogleLogSearch::new(rule)),
        Format::Haraka => Box::new(haraka::Haraka::new(rule)),
        Format::ZoneMta => Box::new(zonemta::ZoneMta { rule }),
        Format::PowerMta => Box::new(powermta::PowerMta::new(rule)),
        Format::Postfix
        | Format::KumoMta
        | Format::Ses
        | Format::SendGrid
        | Format::Mailgun
        | Format::Postmark
        | Format::SparkPost
        | Format::Brevo => Box::new(event_stream::EventStream { format, rule }),
    }
}
