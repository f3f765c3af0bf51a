//! Why nothing was fetched.

use serde::{Deserialize, Serialize};

use crate::dns::CouldNotAsk;
use crate::tls::TlsError;

/// Why nothing was fetched. A response with status 404 is a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum FetchError {
    /// The URL cannot be read, or is of a kind that is not fetched.
    #[error("the URL is not fetched: {0}")]
    BadUrl(String),
    /// The port is not one of those allowed.
    #[error("port {0} is not allowed")]
    PortNotAllowed(u16),
    /// The host is, or resolves to, something that is not public; no packet was sent to it.
    #[error("it leads inward: {0}")]
    Inward(String),
    /// The egress guard does not allow the address; no packet was sent to it.
    #[error("{0}")]
    Blocked(String),
    /// The host's addresses could not be asked for.
    #[error("{0}")]
    Dns(CouldNotAsk),
    /// The host has no address.
    #[error("the host has no address")]
    NoAddress,
    /// No connection: refused, or no way there.
    #[error("{0}")]
    Unreachable(String),
    /// TLS failed, or the certificate is not good.
    #[error("{0}")]
    Tls(Box<TlsError>),
    /// It was not over in time.
    #[error("it was not over in time")]
    Timeout,
    /// What came is no HTTP.
    #[error("the server does not speak HTTP: {0}")]
    NotHttp(String),
    /// The body is longer than allowed.
    #[error("the body is longer than {0} octets")]
    TooLarge(usize),
    /// The body is compressed although that was not asked for; it is not unpacked.
    #[error("the body is compressed ({0})")]
    Compressed(String),
    /// More redirects than allowed.
    #[error("more than {0} redirects")]
    TooManyRedirects(u8),
    /// A redirect from HTTPS to HTTP.
    #[error("a redirect gives up encryption")]
    Downgrade,
    /// The recorded world does not know this URL.
    #[error("it is not in the recording")]
    NotRecorded,
}
