//! Recorded worlds: what was asked and answered, as JSON lines, written once and played again without any network.
//!
//! The first line names the format; each further line is one question with its answer: `{"dns":{...}}`, `{"smtp":{...}}`,
//! `{"tls":{...}}`, `{"http":{...}}`. The same question recorded several times is answered in that order; the last answer stays.

mod record;
mod replay;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use record::{Recorded, Tape};
pub use replay::{World, WorldError};

use crate::dns::{Answer, Question};
use crate::http::{FetchError, Fetched, Get};
use crate::smtp::{Probe, Probed};
use crate::tls::{Look, TlsError, TlsFacts};

/// The number of this format.
const FORMAT: u32 = 1;

/// The first line of a recording.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The number of the format.
    #[serde(rename = "redeliver-world")]
    format: u32,
}

/// One line of a recording.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Entry {
    Dns {
        /// The server that was asked directly; none for the resolver.
        server: Option<SocketAddr>,
        question: Question,
        answer: Answer,
    },
    Smtp {
        probe: Probe,
        probed: Box<Probed>,
    },
    Tls {
        look: Look,
        result: Result<Box<TlsFacts>, TlsError>,
    },
    Http {
        get: Get,
        result: Result<Box<Fetched>, FetchError>,
    },
}
