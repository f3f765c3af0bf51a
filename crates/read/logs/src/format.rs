//! The formats that are read, by name.
//!
//! A new format is one variant here, one file beside this one, and one line in `recognise.rs`.

use crate::split::Cutting;

/// A kind of log or event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// Postfix, through syslog, journald or its own log file.
    Postfix,
    /// Exim's main log; its `rejected` lines stand there too.
    EximMain,
    /// Exim's reject log: `rejected` lines, with the headers of refused messages behind them.
    EximReject,
    /// Sendmail, through syslog or journald.
    Sendmail,
    /// `OpenSMTPD`, through syslog or journald.
    OpenSmtpd,
    /// qmail-send, through multilog (TAI64N) or splogger.
    Qmail,
    /// Exchange message tracking (`MSGTRK*.LOG`).
    ExchangeTracking,
    /// Exchange protocol logs of SMTP send and receive connectors.
    ExchangeSmtp,
    /// Microsoft 365 message trace, summary or extended report (CSV).
    M365Trace,
    /// Google Workspace e-mail log search, or its gmail log events (CSV).
    GoogleLogSearch,
    /// Haraka's outbound log.
    Haraka,
    /// `ZoneMTA`, lines or JSON records.
    ZoneMta,
    /// `KumoMTA` log records (JSON lines).
    KumoMta,
    /// `PowerMTA` accounting files (CSV).
    PowerMta,
    /// Amazon SES events, bare or inside an SNS envelope.
    Ses,
    /// `SendGrid` event webhooks.
    SendGrid,
    /// Mailgun events and webhooks.
    Mailgun,
    /// Postmark webhooks.
    Postmark,
    /// `SparkPost` events.
    SparkPost,
    /// Brevo (Sendinblue) webhooks.
    Brevo,
}

/// Every format with the word that names it.
const WORDS: [(Format, &str); 20] = [
    (Format::Postfix, "postfix"),
    (Format::EximMain, "exim-main"),
    (Format::EximReject, "exim-reject"),
    (Format::Sendmail, "sendmail"),
    (Format::OpenSmtpd, "opensmtpd"),
    (Format::Qmail, "qmail"),
    (Format::ExchangeTracking, "exchange-tracking"),
    (Format::ExchangeSmtp, "exchange-smtp"),
    (Format::M365Trace, "m365-trace"),
    (Format::GoogleLogSearch, "google-log-search"),
    (Format::Haraka, "haraka"),
    (Format::ZoneMta, "zonemta"),
    (Format::KumoMta, "kumomta"),
    (Format::PowerMta, "powermta"),
    (Format::Ses, "ses"),
    (Format::SendGrid, "sendgrid"),
    (Format::Mailgun, "mailgun"),
    (Format::Postmark, "postmark"),
    (Format::SparkPost, "sparkpost"),
    (Format::Brevo, "brevo"),
];

impl Format {
    /// Every format, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(format, _)| *format)
    }

    /// The word that names it on the command line and in output.
    pub fn as_str(self) -> &'static str {
        WORDS.iter().find(|(format, _)| *format == self).map_or("", |(_, word)| word)
    }

    /// The format of that name.
    pub fn named(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, known)| *known == word).map(|(format, _)| *format)
    }

    /// Whether lines belong together, so that one who goes on later must look back.
    pub(crate) fn joins_lines(self) -> bool {
        self.cutting() == Cutting::Lines || self == Self::ExchangeSmtp
    }

    /// How a file of it falls into records, where every file does so in the same way.
    pub(crate) fn cutting(self) -> Cutting {
        match self {
            Self::Postfix
            | Self::EximMain
            | Self::EximReject
            | Self::Sendmail
            | Self::OpenSmtpd
            | Self::Qmail
            | Self::Haraka => Cutting::Lines,
            Self::ExchangeTracking | Self::ExchangeSmtp | Self::M365Trace | Self::GoogleLogSearch | Self::PowerMta => {
                Cutting::Csv
            }
            // ZoneMTA writes lines or JSON; lines of JSON are objects as well.
            Self::ZoneMta => Cutting::LinesOrJson,
            Self::KumoMta
            | Self::Ses
            | Self::SendGrid
            | Self::Mailgun
            | Self::Postmark
            | Self::SparkPost
            | Self::Brevo => Cutting::Json,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_without_a_word_of_its_own() {
        for format in Format::all() {
            assert_eq!(Format::named(format.as_str()), Some(format));
        }
        assert_eq!(Format::named("maillog"), None);
    }
}
