//! A verifier that judges a server's certificates and records what it found, but lets the handshake go on.
//!
//! Nobody may send mail or secrets on its "yes": whoever uses it reads the record after the handshake and decides then.
//! The handshake's own signature is always checked, since without it the certificate is only a claim.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::{Deserialize, Serialize};

use super::certificate::CertificateFacts;

/// How many certificates of a chain are kept; honest chains have two to five.
const MOST_CERTIFICATES: usize = 16;

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFault {
    /// It cannot be read, or the handshake proved nothing with it.
    Unreadable,
    /// It vouches for itself and is not among the trusted roots.
    SelfSigned,
    /// Nobody trusted has signed the chain, or a certificate in between is missing.
    UnknownIssuer,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is not for the name that was asked for.
    WrongName,
    /// It is not for servers.
    WrongPurpose,
    /// Another fault of the chain: a bad signature, an unknown critical extension.
    BadChain,
}

/// What was seen of a server's certificates.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub chain: Vec<CertificateFacts>,
    pub faults: Vec<CertificateFault>,
}

#[derive(Debug)]
pub(super) struct RecordingVerifier {
    pub roots: Arc<RootCertStore>,
    pub algorithms: WebPkiSupportedAlgorithms,
    pub seen: Mutex<Option<Seen>>,
}

impl RecordingVerifier {
    fn faults(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
        first: &CertificateFacts,
    ) -> Vec<CertificateFault> {
        let Ok(certificate) = ParsedCertificate::try_from(end_entity) else {
            return vec![CertificateFault::Unreadable];
        };
        let chain_at = |moment| {
            let (roots, algorithms) = (&self.roots, self.algorithms.all);
            let chain =
                verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, moment, algorithms);
            chain.err().map(|error| fault_of(&error, first.self_issued))
        };
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let mut faults: Vec<CertificateFault> = chain_at(now).into_iter().collect();
        let over = first.not_after.filter(|until| until.0 < seconds);
        let to_come = first.not_before.filter(|from| from.0 > seconds);
        faults.extend(over.map(|_| CertificateFault::Expired));
        faults.extend(to_come.map(|_| CertificateFault::NotYetValid));
        // The library stops at the time; whether the chain was good otherwise is asked of a moment when it was valid.
        if let Some(valid) = over.or(to_come).and_then(|moment| u64::try_from(moment.0).ok()) {
            faults.extend(chain_at(UnixTime::since_unix_epoch(Duration::from_secs(valid))));
        }
        if verify_server_name(&certificate, name).is_err() {
            faults.push(CertificateFault::WrongName);
        }
        faults.sort_unstable();
        faults.dedup();
        faults
    }

    fn put_down(&self, fault: CertificateFault) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let faults = &mut seen.get_or_insert_default().faults;
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// A signature that is wrong ends the handshake; one that cannot be checked since the certificate cannot be read is
    /// recorded.
    fn signed(
        &self,
        result: Result<HandshakeSignatureValid, Error>,
        certificate: &CertificateDer<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if result.is_err() && ParsedCertificate::try_from(certificate).is_err() {
            self.put_down(CertificateFault::Unreadable);
            return Ok(HandshakeSignatureValid::assertion());
        }
        result
    }
}

fn fault_of(error: &Error, self_issued: bool) -> CertificateFault {
    let Error::InvalidCertificate(error) = error else { return CertificateFault::BadChain };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => CertificateFault::NotYetValid,
        CertificateError::UnknownIssuer if self_issued => CertificateFault::SelfSigned,
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFault::WrongPurpose
        }
        CertificateError::BadEncoding => CertificateFault::Unreadable,
        // A root used as a server's certificate: "CA used as end entity" comes as another error.
        _ if self_issued => CertificateFault::SelfSigned,
        _ => CertificateFault::BadChain,
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let first = CertificateFacts::of(end_entity);
        let faults = self.faults(end_entity, intermediates, server_name, now, &first);
        let rest = intermediates.iter().take(MOST_CERTIFICATES - 1).map(|der| CertificateFacts::of(der));
        let chain = std::iter::once(first).chain(rest).collect();
        *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Seen { chain, faults });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms);
        self.signed(result, certificate)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms);
        self.signed(result, certificate)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
