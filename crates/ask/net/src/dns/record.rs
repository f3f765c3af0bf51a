//! DNS records as values: the types that mail needs, with their data in full.
//!
//! It never interprets a record (an SPF text is octets here), never parses zone files and never fails.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::name::Name;
use super::text::{self, Text};

/// The types of records that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// IPv4 address (RFC 1035).
    A,
    /// IPv6 address (RFC 3596).
    Aaaa,
    /// Mail exchange (RFC 1035).
    Mx,
    /// Text (RFC 1035).
    Txt,
    /// Pointer, the reverse name (RFC 1035).
    Ptr,
    /// Alias (RFC 1035).
    Cname,
    /// Name server (RFC 1035).
    Ns,
    /// Start of authority (RFC 1035).
    Soa,
    /// The withdrawn SPF type 99 (RFC 7208 3.1).
    Spf,
    /// TLS certificate association of DANE (RFC 6698).
    Tlsa,
    /// Certification authority authorisation (RFC 8659).
    Caa,
    /// Delegation signer (RFC 4034).
    Ds,
    /// Zone key (RFC 4034).
    Dnskey,
}

impl RecordType {
    /// Every type, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::A,
        Self::Aaaa,
        Self::Mx,
        Self::Txt,
        Self::Ptr,
        Self::Cname,
        Self::Ns,
        Self::Soa,
        Self::Spf,
        Self::Tlsa,
        Self::Caa,
        Self::Ds,
        Self::Dnskey,
    ];

    /// The type's number on the wire.
    pub const fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Ds => 43,
            Self::Dnskey => 48,
            Self::Tlsa => 52,
            Self::Spf => 99,
            Self::Caa => 257,
        }
    }

    /// The word of zone files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ptr => "PTR",
            Self::Cname => "CNAME",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Spf => "SPF",
            Self::Tlsa => "TLSA",
            Self::Caa => "CAA",
            Self::Ds => "DS",
            Self::Dnskey => "DNSKEY",
        }
    }
}

impl std::fmt::Display for RecordType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The start of authority of a zone (RFC 1035 3.3.13); times in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Soa {
    /// The primary server's name.
    pub primary: Name,
    /// The mailbox of whoever is responsible, as a name.
    pub mailbox: Name,
    /// The zone's serial number.
    pub serial: u32,
    /// How often secondaries look for a new serial.
    pub refresh: i32,
    /// How soon they try again.
    pub retry: i32,
    /// How long they may answer without having reached the primary.
    pub expire: i32,
    /// How long an absence may be cached (RFC 2308 4).
    pub minimum: u32,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchange.
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// The host; the root means "no mail" (RFC 7505).
        exchange: Name,
    },
    /// Text, its strings kept apart.
    Txt(Text),
    /// A reverse name.
    Ptr(Name),
    /// An alias.
    Cname(Name),
    /// A name server.
    Ns(Name),
    /// The start of authority.
    Soa(Soa),
    /// The withdrawn SPF type, its strings kept apart.
    Spf(Text),
    /// A DANE association.
    Tlsa {
        /// Certificate usage, 0 to 3 for known ones.
        usage: u8,
        /// 0 the whole certificate, 1 its key.
        selector: u8,
        /// 0 exact, 1 SHA-256, 2 SHA-512.
        matching: u8,
        /// The data to be matched.
        #[serde(with = "text::hexadecimal")]
        data: Vec<u8>,
    },
    /// Who may issue certificates.
    Caa {
        /// Whether whoever does not know the tag must not issue.
        critical: bool,
        /// `issue`, `issuewild`, `iodef` and others.
        tag: String,
        /// The value's octets.
        #[serde(with = "text::escaped")]
        value: Vec<u8>,
    },
    /// A delegation's signer.
    Ds {
        /// The tag of the key meant.
        key_tag: u16,
        /// Its algorithm's number.
        algorithm: u8,
        /// The digest's type.
        digest_type: u8,
        /// The digest.
        #[serde(with = "text::hexadecimal")]
        digest: Vec<u8>,
    },
    /// A zone's key.
    Dnskey {
        /// 256 a zone key, 257 a key-signing key.
        flags: u16,
        /// Its algorithm's number.
        algorithm: u8,
        /// The key.
        #[serde(with = "text::hexadecimal")]
        key: Vec<u8>,
    },
}

impl Data {
    /// The type of a record with this data.
    pub const fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Mx { .. } => RecordType::Mx,
            Self::Txt(_) => RecordType::Txt,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Cname(_) => RecordType::Cname,
            Self::Ns(_) => RecordType::Ns,
            Self::Soa(_) => RecordType::Soa,
            Self::Spf(_) => RecordType::Spf,
            Self::Tlsa { .. } => RecordType::Tlsa,
            Self::Caa { .. } => RecordType::Caa,
            Self::Ds { .. } => RecordType::Ds,
            Self::Dnskey { .. } => RecordType::Dnskey,
        }
    }

    /// The address of an A or AAAA record.
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::A(v4) => Some(IpAddr::V4(*v4)),
            Self::Aaaa(v6) => Some(IpAddr::V6(*v6)),
            _ => None,
        }
    }

    /// The text of a TXT or SPF record.
    pub const fn text(&self) -> Option<&Text> {
        match self {
            Self::Txt(text) | Self::Spf(text) => Some(text),
            _ => None,
        }
    }

    /// The name that a PTR, CNAME, NS or MX record points to.
    pub const fn target(&self) -> Option<&Name> {
        match self {
            Self::Ptr(name) | Self::Cname(name) | Self::Ns(name) | Self::Mx { exchange: name, .. } => Some(name),
            _ => None,
        }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    /// Whose record it is: the last name of a chain of aliases.
    pub name: Name,
    /// How many seconds it may be kept.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}
