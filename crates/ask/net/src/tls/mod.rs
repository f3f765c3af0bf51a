//! TLS as a client: a handshake that looks at any certificate and tells what it found, or insists on a good one.
//!
//! The cryptography is `ring`'s, passed explicitly; nothing is installed for the whole process. Sessions are never
//! resumed, so every handshake shows the certificates. It never sends anything after the handshake.

mod certificate;
mod look;
mod roots;
mod verifier;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redeliver_model::Clock;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::{ServerName, UnixTime};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub use certificate::CertificateFacts;
pub use look::{Look, Looking, TlsClient, TlsLook};
pub use roots::Roots;
pub use verifier::CertificateFault;
use verifier::RecordingVerifier;

/// What a handshake showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// The name that was asked for (SNI), or the address.
    pub name: String,
    /// `TLSv1.3`, `TLSv1.2`.
    pub protocol: String,
    /// The cipher suite's name.
    pub cipher: String,
    /// The certificates as the server sent them, its own first.
    pub chain: Vec<CertificateFacts>,
    /// What is wrong with them; empty means trusted and for this name.
    pub faults: Vec<CertificateFault>,
}

/// Why there was no TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum TlsError {
    /// No connection came about: blocked by the guard, or refused.
    #[error("{0}")]
    NoConnection(String),
    /// The recorded world does not know this look.
    #[error("it is not in the recording")]
    NotRecorded,
    /// The handshake was not over in time.
    #[error("the handshake was not over in time")]
    Timeout,
    /// The two sides found no common ground, or one broke off.
    #[error("the handshake failed: {0}")]
    Handshake(String),
    /// A good certificate was demanded, and this is what was found.
    #[error("the certificate is not good: {faults:?}")]
    Untrusted {
        /// What is wrong.
        faults: Vec<CertificateFault>,
        /// Everything that was seen.
        facts: Box<TlsFacts>,
    },
}

/// What is asked of the other side's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing: look at whatever is shown. No mail data may follow.
    Look,
    /// Nothing: encrypt to whoever is there (opportunistic TLS, RFC 7435).
    Encrypt,
    /// A trusted chain and the right name.
    Verified,
}

/// TLS as a client, with its roots and its clock.
#[derive(Clone)]
pub struct Tls {
    roots: Roots,
    clock: Arc<dyn Clock>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

/// The clock that is handed in, in the words of the TLS library.
struct Time(Arc<dyn Clock>);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().0).ok().map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl Tls {
    /// Judges certificates by these roots and this clock.
    pub fn new(roots: Roots, clock: Arc<dyn Clock>) -> Self {
        Self { roots, clock, provider: Arc::new(rustls::crypto::ring::default_provider()) }
    }

    /// Shakes hands over `stream` with the server called `name`, or known only by its address.
    pub(crate) async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        name: Option<&str>,
        address: IpAddr,
        demand: Demand,
        deadline: Instant,
    ) -> Result<(TlsStream<S>, TlsFacts), TlsError> {
        let server_name = name
            .and_then(|name| ServerName::try_from(name.trim_end_matches('.').to_owned()).ok())
            .unwrap_or_else(|| ServerName::IpAddress(address.into()));
        let verifier = Arc::new(RecordingVerifier {
            roots: self.roots.0.clone(),
            algorithms: self.provider.signature_verification_algorithms,
            seen: Mutex::new(None),
        });
        let config = ClientConfig::builder_with_details(self.provider.clone(), Arc::new(Time(self.clock.clone())))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Handshake(error.to_string()))?;
        let mut config = config.dangerous().with_custom_certificate_verifier(verifier.clone()).with_no_client_auth();
        config.resumption = Resumption::disabled();
        let shown_name = server_name.to_str().into_owned();
        let shaken = timeout_at(deadline, TlsConnector::from(Arc::new(config)).connect(server_name, stream)).await;
        let stream = shaken.map_err(|_| TlsError::Timeout)?.map_err(|error| TlsError::Handshake(error.to_string()))?;
        let seen = verifier.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let mut seen = seen.unwrap_or_default();
        if seen.chain.is_empty() {
            seen.faults.push(CertificateFault::Unreadable);
        }
        let connection = stream.get_ref().1;
        let protocol = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            other => format!("{other:?}"),
        };
        let cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
        let facts = TlsFacts {
            name: shown_name,
            protocol,
            cipher: cipher.unwrap_or_default(),
            chain: seen.chain,
            faults: seen.faults,
        };
        if demand == Demand::Verified && !facts.faults.is_empty() {
            return Err(TlsError::Untrusted { faults: facts.faults.clone(), facts: Box::new(facts) });
        }
        Ok((stream, facts))
    }
}
