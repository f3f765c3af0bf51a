//! What a certificate says of itself.
//!
//! It reads one certificate of whoever sent it and never judges it; what cannot be read is shown as far as it can.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use redeliver_model::Timestamp;
use serde::{Deserialize, Serialize};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::dns::hexadecimal;

/// How many names of one certificate are shown; shared ones of hosters carry a hundred.
const MOST_NAMES: usize = 256;
/// How long a subject or issuer is shown, in characters.
const LONGEST_NAME: usize = 500;

/// The facts of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Whom it names, as a distinguished name; empty if the certificate cannot be read.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Host names and addresses it is for (RFC 5280 4.2.1.6).
    pub names: Vec<String>,
    /// From when it is valid; none if the certificate cannot be read.
    pub not_before: Option<Timestamp>,
    /// Until when.
    pub not_after: Option<Timestamp>,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// SHA-256 over the certificate, as hexadecimal digits.
    pub sha256: String,
    /// The certificate's octets (DER).
    #[serde(with = "hexadecimal")]
    pub der: Vec<u8>,
    /// Its `SubjectPublicKeyInfo` (DER); empty if the certificate cannot be read.
    #[serde(with = "hexadecimal")]
    pub public_key: Vec<u8>,
}

impl CertificateFacts {
    /// Reads a certificate.
    pub fn of(der: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, der);
        let mut facts = Self {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            not_before: None,
            not_after: None,
            self_issued: false,
            sha256: digest.as_ref().iter().fold(String::new(), |mut text, octet| {
                let _ = write!(text, "{octet:02x}");
                text
            }),
            der: der.to_vec(),
            public_key: Vec::new(),
        };
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return facts };
        let shown = |name: String| name.chars().take(LONGEST_NAME).collect();
        facts.subject = shown(certificate.subject().to_string());
        facts.issuer = shown(certificate.issuer().to_string());
        facts.self_issued = certificate.subject().as_raw() == certificate.issuer().as_raw();
        facts.not_before = Some(Timestamp(certificate.validity().not_before.timestamp()));
        facts.not_after = Some(Timestamp(certificate.validity().not_after.timestamp()));
        facts.public_key = certificate.public_key().raw.to_vec();
        if let Ok(Some(names)) = certificate.subject_alternative_name() {
            facts.names = names.value.general_names.iter().filter_map(name_of).take(MOST_NAMES).collect();
        }
        facts
    }

    /// Whether a TLSA record's selector, matching type and data fit this certificate (RFC 6698 2.1); none if selector or
    /// matching type are not known.
    pub fn matches_tlsa(&self, selector: u8, matching: u8, data: &[u8]) -> Option<bool> {
        let whole = match selector {
            0 => &self.der,
            1 => &self.public_key,
            _ => return None,
        };
        let algorithm = match matching {
            0 => return Some(whole == data),
            1 => &ring::digest::SHA256,
            2 => &ring::digest::SHA512,
            _ => return None,
        };
        Some(!whole.is_empty() && ring::digest::digest(algorithm, whole).as_ref() == data)
    }
}

/// A host name or an address; other kinds of names say nothing about a server.
fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.chars().take(LONGEST_NAME).collect()),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(|v4| Ipv4Addr::from(v4).to_string());
            v4.or_else(|_| <[u8; 16]>::try_from(*octets).map(|v6| Ipv6Addr::from(v6).to_string())).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_tells_whom_it_is_for() {
        let names = vec!["mail.example.org".to_owned(), "192.0.2.7".to_owned()];
        let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
        let facts = CertificateFacts::of(made.cert.der());
        assert_eq!(facts.names, names);
        assert!(facts.self_issued && facts.not_before < facts.not_after);
        let hash = |octets: &[u8]| ring::digest::digest(&ring::digest::SHA256, octets).as_ref().to_vec();
        assert_eq!(facts.matches_tlsa(1, 1, &hash(&facts.public_key)), Some(true));
        assert_eq!(facts.matches_tlsa(0, 1, &hash(&facts.der)), Some(true));
        assert_eq!(facts.matches_tlsa(0, 0, &facts.der), Some(true));
        assert_eq!(facts.matches_tlsa(0, 1, &hash(b"other")), Some(false));
        assert_eq!(facts.matches_tlsa(0, 9, b""), None);
    }

    #[test]
    fn no_broken_certificate_makes_us_panic() {
        let made = rcgen::generate_simple_self_signed(vec!["mail.example.org".to_owned()]).unwrap();
        for der in crate::mutated(made.cert.der(), 20_000) {
            CertificateFacts::of(&der);
        }
    }

    #[test]
    fn garbage_is_shown_and_matches_nothing() {
        let facts = CertificateFacts::of(b"no certificate");
        assert_eq!((facts.subject.as_str(), facts.not_after), ("", None));
        assert_eq!(facts.matches_tlsa(1, 0, b"x"), Some(false));
        let empty = ring::digest::digest(&ring::digest::SHA256, b"");
        assert_eq!(facts.matches_tlsa(1, 1, empty.as_ref()), Some(false));
    }
}
