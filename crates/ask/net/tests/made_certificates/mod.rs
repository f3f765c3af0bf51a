//! Certificates made for a test: an authority, servers signed by it, and all the ways in which one can be bad.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use redeliver_model::{Clock, FixedClock, Timestamp};
use redeliver_net::Identity;
use redeliver_net::tls::{Roots, Tls};

/// The day of all tests.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock(Timestamp::from_date(2026, 11, 21)))
}

/// An authority of the test's own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub der: Vec<u8>,
    pem: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Self { issuer: Issuer::new(params, key), der, pem }
    }

    /// A client that trusts this authority only.
    pub fn trusted(&self) -> Tls {
        Tls::new(Roots::from_pem(self.pem.as_bytes()), clock())
    }

    /// A server's identity for `name`, valid in these years.
    pub fn signs(&self, name: &str, from: i32, until: i32) -> Identity {
        let (params, key) = server(name, from, until);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::new(vec![certificate.der().to_vec()], key.serialize_der())
    }
}

/// A server that vouches for itself and speaks nothing newer than TLS 1.2.
pub fn old_fashioned(name: &str) -> Identity {
    let (params, key) = server(name, 2026, 2027);
    let certificate = params.self_signed(&key).unwrap();
    Identity::of_tls12(vec![certificate.der().to_vec()], key.serialize_der())
}

/// A server that vouches for itself.
pub fn self_signed(name: &str) -> Identity {
    self_signed_der(name).0
}

/// The same, and its certificate.
pub fn self_signed_der(name: &str) -> (Identity, Vec<u8>) {
    let (params, key) = server(name, 2026, 2027);
    let certificate = params.self_signed(&key).unwrap();
    let der = certificate.der().to_vec();
    (Identity::new(vec![der.clone()], key.serialize_der()), der)
}

fn server(name: &str, from: i32, until: i32) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params, KeyPair::generate().unwrap())
}
