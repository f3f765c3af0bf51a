//! A TCP peer for tests that says and hears what a script tells it, on a port of 127.0.0.1 of the system's choice.
//!
//! It plays the same script for every connection, and keeps what it heard. It serves tests only: what goes wrong in it
//! panics or ends the connection.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "test support: a peer that cannot start must stop the test"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::dial::Wire;

/// One turn of a script.
#[derive(Debug, Clone)]
pub enum Turn {
    /// Says this, as it stands.
    Say(Vec<u8>),
    /// Hears up to and with this text, and keeps it.
    HearTo(&'static str),
    /// Shakes hands as a TLS server.
    Tls(Identity),
    /// Says nothing more and keeps the connection open until the other side hangs up.
    Silence,
    /// Says the same again and again until the other side hangs up.
    Forever(Vec<u8>),
    /// Says this octet each time so much time has passed, until the other side hangs up.
    Drip(u8, Duration),
}

impl Turn {
    /// Says a line.
    pub fn say(line: &str) -> Self {
        Self::Say(format!("{line}\r\n").into_bytes())
    }

    /// Hears a line and says the reply, which may have several lines.
    pub fn reply(line: &str) -> [Self; 2] {
        [Self::HearTo("\n"), Self::say(line)]
    }
}

/// A server's certificate and key.
#[derive(Clone)]
pub struct Identity(Arc<ServerConfig>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// A chain of certificates, the server's own first, and its key in PKCS #8; all DER.
    pub fn new(chain: Vec<Vec<u8>>, key: Vec<u8>) -> Self {
        Self::speaking(rustls::DEFAULT_VERSIONS, chain, key)
    }

    /// The same for a server that speaks nothing newer than TLS 1.2.
    pub fn of_tls12(chain: Vec<Vec<u8>>, key: Vec<u8>) -> Self {
        Self::speaking(&[&rustls::version::TLS12], chain, key)
    }

    fn speaking(versions: &[&'static SupportedProtocolVersion], chain: Vec<Vec<u8>>, key: Vec<u8>) -> Self {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate and its key");
        Self(Arc::new(config))
    }
}

/// A peer that plays a script.
///
/// ```no_run
/// # #[cfg(feature = "test-support")]
/// # async fn example() {
/// use redeliver_net::{ScriptedPeer, Turn};
/// let peer = ScriptedPeer::smtp(&["220 mx.example.net ESMTP", "250 mx.example.net", "221 bye"]).await;
/// println!("{} heard {:?}", peer.address(), peer.heard());
/// # }
/// ```
#[derive(Debug)]
pub struct ScriptedPeer {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl ScriptedPeer {
    /// Plays these turns for everybody who connects.
    pub async fn start(script: Vec<Turn>) -> Self {
        Self::start_on("127.0.0.1:0", script).await
    }

    /// The same at another address of the loopback.
    pub async fn start_on(address: &str, script: Vec<Turn>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port on loopback");
        let address = listener.local_addr().expect("the port's number");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicU32::new(0));
        let (keep, count) = (heard.clone(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (script, keep) = (script.clone(), keep.clone());
                tokio::spawn(async move {
                    let _ = play(Box::new(stream), script, &keep).await;
                });
            }
        });
        Self { address, heard, connections, task }
    }

    /// An SMTP server: the first line is the greeting, each further one answers the next line heard; then silence.
    pub async fn smtp(replies: &[&str]) -> Self {
        let mut script: Vec<Turn> = replies.iter().take(1).map(|greeting| Turn::say(greeting)).collect();
        script.extend(replies.iter().skip(1).flat_map(|reply| Turn::reply(reply)));
        script.push(Turn::Silence);
        Self::start(script).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it heard so far, without line ends.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().map(|heard| heard.clone()).unwrap_or_default()
    }

    /// How many connected so far.
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for ScriptedPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Plays a script over an open connection, and hangs up.
pub(crate) async fn play(mut wire: Box<dyn Wire>, script: Vec<Turn>, keep: &Mutex<Vec<String>>) -> io::Result<()> {
    for turn in script {
        match turn {
            Turn::Say(octets) => {
                wire.write_all(&octets).await?;
                wire.flush().await?;
            }
            Turn::HearTo(end) => {
                let heard = hear(&mut wire, end.as_bytes()).await?;
                let text = String::from_utf8_lossy(&heard).trim_end_matches(['\r', '\n']).to_owned();
                keep.lock().expect("nobody panicked").push(text);
            }
            Turn::Tls(identity) => wire = Box::new(TlsAcceptor::from(identity.0).accept(wire).await?),
            Turn::Silence => while wire.read(&mut [0; 1024]).await? > 0 {},
            Turn::Forever(octets) => loop {
                wire.write_all(&octets).await?;
            },
            Turn::Drip(octet, pause) => loop {
                wire.write_all(&[octet]).await?;
                tokio::time::sleep(pause).await;
            },
        }
    }
    wire.shutdown().await
}

async fn hear(wire: &mut Box<dyn Wire>, end: &[u8]) -> io::Result<Vec<u8>> {
    let mut heard = Vec::new();
    while !heard.ends_with(end) {
        heard.push(wire.read_u8().await?);
    }
    Ok(heard)
}
