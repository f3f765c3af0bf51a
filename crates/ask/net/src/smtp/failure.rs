//! Why an SMTP session ended before its time.

use redeliver_model::Stage;
use serde::{Deserialize, Serialize};

use crate::dial::DialError;
use crate::tls::TlsError;

/// Why a session could not go on. None of these is a "no" of the server: a refusal is a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum SessionError {
    /// The egress guard does not allow the address; no packet was sent.
    #[error("{0}")]
    Blocked(String),
    /// No connection: refused, or no way there.
    #[error("{0}")]
    Unreachable(String),
    /// The server did not answer in time.
    #[error("no answer in time ({0})")]
    Timeout(Stage),
    /// The server hung up without a reply.
    #[error("the server hung up ({0})")]
    Closed(Stage),
    /// A line or a reply of the server is longer than anybody needs.
    #[error("the server's reply has no end ({0})")]
    TooLong(Stage),
    /// What the server said is no SMTP.
    #[error("the server does not speak SMTP ({stage}): {line}")]
    NotSmtp {
        /// When.
        stage: Stage,
        /// The line.
        line: String,
    },
    /// Something came in the clear behind the reply to STARTTLS: a stranger's injection (RFC 3207 5), or a broken server.
    #[error("the server spoke before TLS had begun")]
    SpokeBeforeTls,
    /// The handshake failed, or the certificate is not good enough.
    #[error("{0}")]
    Tls(Box<TlsError>),
    /// An address or a name would break the command line; nothing was sent.
    #[error("it cannot be said in a command: {0}")]
    BadArgument(String),
    /// The session only looks; content must not be sent in it.
    #[error("a session that only looks sends no mail")]
    OnlyLooking,
    /// The recorded world does not know this session.
    #[error("it is not in the recording")]
    NotRecorded,
}

impl SessionError {
    pub(super) fn of_dial(error: &DialError) -> Self {
        match error {
            DialError::Blocked(blocked) => Self::Blocked(blocked.to_string()),
            DialError::Timeout => Self::Timeout(Stage::Connect),
            DialError::Unreachable(_) => Self::Unreachable(error.to_string()),
        }
    }
}
