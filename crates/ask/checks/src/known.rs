//! What is known before anything is asked: the targets, and what whoever asks told about them. Values only.

use std::collections::BTreeMap;
use std::net::IpAddr;

use redeliver_model::Domain;

/// What is looked at.
#[derive(Debug, Clone)]
pub enum Target {
    /// A domain, as sender.
    Domain(Domain),
    /// A domain, as recipient: does it exist, and who takes its mail?
    Recipient(Domain),
    /// A sending IP.
    Address(IpAddr),
    /// A message with its header.
    Message {
        /// Its octets.
        bytes: Vec<u8>,
    },
}

/// How the sending IP came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// Whoever asks said so.
    Given,
    /// A Received field of the message.
    Header,
    /// A bounce or a reply.
    Bounce,
    /// A log line.
    Log,
}

impl KnownBy {
    /// The word in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Header => "header",
            Self::Bounce => "bounce",
            Self::Log => "log",
        }
    }
}

/// What whoever asks knows about the sending side.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The IP that sends, and how it is known.
    pub ip: Option<(IpAddr, KnownBy)>,
    /// The name it says at HELO or EHLO.
    pub helo: Option<String>,
    /// The envelope sender; empty for a bounce.
    pub mail_from: Option<String>,
    /// DKIM selectors that sign its mail.
    pub selectors: Vec<String>,
    /// Messages a day to one receiver; decides whether bulk rules apply.
    pub daily: Option<u32>,
}

/// What may be done.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a permission of its own")]
pub struct Scope {
    /// Whether mail servers and web servers are looked at.
    pub connect: bool,
    /// Whether it is tried if the domain's own servers relay for strangers (for servers of one's own only).
    pub open_relay: bool,
    /// Whether registries may be asked when a domain was registered.
    pub rdap: bool,
    /// Lists whose state is not known are asked too.
    pub all_lists: bool,
    /// Keys of paid lists, by their zone.
    pub list_keys: BTreeMap<String, String>,
    /// The name that we say at EHLO.
    pub own_name: String,
    /// The port of mail servers.
    pub smtp_port: u16,
    /// The port of web servers.
    pub https_port: u16,
    /// Domains of great receivers, by whose servers our own port 25 is tried.
    pub egress_references: Vec<String>,
}

impl Default for Scope {
    fn default() -> Self {
        let references = ["gmail.com", "outlook.com", "yahoo.com", "icloud.com"];
        Self {
            connect: true,
            open_relay: false,
            rdap: false,
            all_lists: false,
            list_keys: BTreeMap::new(),
            own_name: "localhost.localdomain".to_owned(),
            smtp_port: 25,
            https_port: 443,
            egress_references: references.map(str::to_owned).to_vec(),
        }
    }
}
