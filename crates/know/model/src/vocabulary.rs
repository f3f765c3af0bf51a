//! Closed vocabularies: one enum a list of words, the same words in code, catalog, JSON and text.

use serde::{Deserialize, Serialize};

/// A word that is not in the vocabulary it was looked up in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of: {allowed}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// The words of the vocabulary, joined by blanks.
    pub allowed: String,
}

/// Declares an enum whose variants are written as words in data files and output.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as data files and output write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| $crate::UnknownWord {
                    word: word.to_owned(),
                    allowed: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(" "),
                })
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// What a report is, told before any cause.
    ReportKind {
        /// Somebody said no, or not yet.
        Refusal = "refusal",
        /// Still being tried by the reporting server.
        Delayed = "delayed",
        /// A success notification.
        Delivered = "delivered",
        /// A complaint in ARF (RFC 5965).
        Feedback = "feedback",
        /// A vacation notice or a read receipt (RFC 3834, RFC 8098).
        AutoReply = "auto-reply",
        /// Ordinary mail.
        NotABounce = "not-a-bounce",
        /// Backscatter of mail that was never ours.
        NotOurs = "not-ours",
        /// Phishing dressed as a bounce.
        FakeBounce = "fake-bounce",
    }
}

vocabulary! {
    /// What became of a refused message, as logs and events tell it.
    Outcome {
        /// Given up; the sender is told.
        Bounced = "bounced",
        /// Still being tried.
        Deferred = "deferred",
        /// Given up after the last try.
        Expired = "expired",
        /// Refused by our own server to somebody else.
        RejectedByUs = "rejected-by-us",
        /// Not even tried: the address stands on a suppression list.
        Suppressed = "suppressed",
    }
}

vocabulary! {
    /// What the refusal is about.
    Subject {
        /// The client's IP address.
        Ip = "ip",
        /// The sender's address.
        Sender = "sender",
        /// The sender's domain.
        SenderDomain = "sender-domain",
        /// The recipient's address.
        Recipient = "recipient",
        /// The recipient's domain.
        RecipientDomain = "recipient-domain",
        /// A link in the message.
        Url = "url",
        /// The message itself.
        Message = "message",
    }
}

vocabulary! {
    /// How far the no reaches.
    Scope {
        /// This message only.
        Message = "message",
        /// One mailbox.
        Mailbox = "mailbox",
        /// One organisation's mail.
        Organisation = "organisation",
        /// A whole receiving operator.
        Site = "site",
        /// Every receiver that uses the list.
        List = "list",
        /// The sender's own provider; the mail never left it.
        OwnProvider = "own-provider",
    }
}

vocabulary! {
    /// Whose fault a refusal is.
    Fault {
        /// Who wrote or sent the message.
        Author = "author",
        /// Whoever runs the sending server or IP.
        SenderHost = "sender-host",
        /// Whoever runs the sender's DNS domain.
        SenderDomain = "sender-domain",
        /// The sender's own mail provider, or its rules.
        OwnProvider = "own-provider",
        /// Whoever runs the receiving server.
        Receiver = "receiver",
        /// The person who was written to.
        Recipient = "recipient",
        /// Who sent the message on to where it was refused.
        Forwarder = "forwarder",
        /// The network in between.
        Network = "network",
        /// The sending software.
        Software = "software",
        /// Nobody; it is so by design.
        Nobody = "nobody",
        /// The reply does not tell.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// Whether to act at all.
    Act {
        /// Something can and should be done now.
        Now = "now",
        /// Wait; the server tries again or the block ends by itself.
        Wait = "wait",
        /// Stop writing to this address.
        Stop = "stop",
        /// Only somebody else can act: ask him.
        Ask = "ask",
    }
}

vocabulary! {
    /// When the same message may be sent again.
    Retry {
        /// At once.
        Now = "now",
        /// After some time, unchanged.
        AfterTime = "after-time",
        /// After something was changed.
        AfterChange = "after-change",
        /// Not at all.
        Never = "never",
    }
}

vocabulary! {
    /// Whether the address is dead, or the refusal is about something else.
    AddressIsBad {
        /// The address takes no mail from anybody.
        Yes = "yes",
        /// The refusal says nothing against the address.
        No = "no",
        /// It may be; one refusal does not prove it.
        Unproven = "unproven",
    }
}

vocabulary! {
    /// Whom a refusal is about.
    About {
        /// The sending side.
        Sender = "sender",
        /// The address written to.
        Recipient = "recipient",
        /// The message.
        Message = "message",
        /// The receiving side.
        Receiver = "receiver",
        /// The way in between.
        Network = "network",
        /// Nobody.
        Nobody = "nobody",
    }
}

vocabulary! {
    /// The step of the SMTP dialogue at which the reply was given (RFC 5321 4.1.4).
    Stage {
        /// The greeting.
        Connect = "connect",
        /// HELO or EHLO.
        Helo = "helo",
        /// STARTTLS and its handshake.
        Tls = "tls",
        /// AUTH.
        Auth = "auth",
        /// MAIL FROM.
        Mail = "mail",
        /// RCPT TO.
        Rcpt = "rcpt",
        /// The DATA command.
        Data = "data",
        /// The end of the message.
        Body = "body",
        /// After acceptance, by a notification.
        Later = "later",
    }
}

vocabulary! {
    /// Which side a host is on.
    Side {
        /// The sender's own server or provider.
        Ours = "ours",
        /// The receiving side.
        Theirs = "theirs",
    }
}

vocabulary! {
    /// How much a finding matters.
    Severity {
        /// Receivers refuse mail for this.
        Refuses = "refuses",
        /// Receivers trust the mail less for this.
        Weakens = "weakens",
        /// Harmless, worth tidying.
        Untidy = "untidy",
    }
}

vocabulary! {
    /// What came out of a check.
    CheckResult {
        /// All is well.
        Pass = "pass",
        /// Something is less than good.
        Warn = "warn",
        /// Something is wrong.
        Fail = "fail",
        /// Nobody knows; never read as a fail.
        CouldNotAsk = "could-not-ask",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for stage in Stage::ALL {
            assert_eq!(stage.as_str().parse(), Ok(*stage));
        }
        let error = "conect".parse::<Stage>().unwrap_err();
        assert!(error.to_string().starts_with("`conect` is not one of: connect helo"));
    }
}
