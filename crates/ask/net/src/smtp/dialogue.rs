//! The record of an SMTP session: every line, who said it, and when.
//!
//! Texts of the server are kept as they came, bounded and with bytes that are no UTF-8 replaced; whoever shows them
//! escapes them. The content of a message is never recorded, only its size.

use std::net::SocketAddr;

use redeliver_model::{Reply, Stage};
use serde::{Deserialize, Serialize};

use super::extensions::Extensions;
use crate::tls::TlsFacts;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// The client.
    Us,
    /// The server.
    Them,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds since the start of the session.
    pub at: u64,
    /// Who said it.
    pub from: Speaker,
    /// What was said, without the end of the line.
    pub text: String,
}

/// One step: what was asked for and the whole reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The stage of the session.
    pub stage: Stage,
    /// The command; empty for the greeting.
    pub command: String,
    /// The reply's lines as they came, joined by line feeds.
    pub reply: String,
    /// Milliseconds that the server took.
    pub took: u64,
}

impl Step {
    /// The reply, read.
    pub fn reply(&self) -> Reply<'_> {
        Reply::parse(&self.reply)
    }

    /// Whether the server said yes (2xx or 3xx).
    pub fn is_accepted(&self) -> bool {
        matches!(self.reply().code, Some(200..=399))
    }
}

/// A whole session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// The server that was dialled.
    pub server: SocketAddr,
    /// Every line.
    pub lines: Vec<Line>,
    /// Every reply.
    pub steps: Vec<Step>,
    /// What the server says it can do, after the last EHLO.
    pub extensions: Extensions,
    /// What the TLS handshake showed, if there was one.
    pub tls: Option<TlsFacts>,
}

impl Dialogue {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, lines: Vec::new(), steps: Vec::new(), extensions: Extensions::default(), tls: None }
    }

    /// The last reply at a stage.
    pub fn last(&self, stage: Stage) -> Option<&Step> {
        self.steps.iter().rfind(|step| step.stage == stage)
    }
}
