//! The certificate authorities that are trusted.
//!
//! They are given, or taken from the file in which the system keeps them; nothing is fetched. A file that is not there
//! gives no roots, and then no chain is trusted.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Where systems keep their roots: Debian and kin, Red Hat and kin, SUSE, the BSDs and Alpine.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Trusted roots.
#[derive(Debug, Clone)]
pub struct Roots(pub(super) Arc<RootCertStore>);

impl Roots {
    /// Trusts nobody: every chain is judged untrusted.
    pub fn none() -> Self {
        Self(Arc::new(RootCertStore::empty()))
    }

    /// The system's roots; none if it keeps them nowhere known.
    pub fn of_this_machine() -> Self {
        let bundle = BUNDLES.iter().find_map(|path| std::fs::read(path).ok());
        bundle.map_or_else(Self::none, |pem| Self::from_pem(&pem))
    }

    /// The certificates of a PEM text; those that cannot be read are passed over ([`Roots::len`] tells how many were).
    pub fn from_pem(pem: &[u8]) -> Self {
        let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates);
        Self(Arc::new(store))
    }

    /// How many roots there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
