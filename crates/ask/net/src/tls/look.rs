//! A look at a server that speaks TLS from the first octet (465, 443): shake hands, tell, hang up.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Demand, Tls, TlsError, TlsFacts};
use crate::dial::{self, DialError};
use crate::guard::{Guard, Reach};

/// How long connection and handshake may take together unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Look {
    /// The server; its address must be public.
    pub server: SocketAddr,
    /// The name to ask for and to judge by; none judges by the address.
    pub name: Option<String>,
}

/// A look that is on its way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<TlsFacts, TlsError>> + Send + 'a>>;

/// Whoever looks at TLS servers: the real one, or a recording.
pub trait TlsLook: Send + Sync {
    /// Looks at a server.
    fn look<'a>(&'a self, look: &'a Look) -> Looking<'a>;
}

impl<L: TlsLook + ?Sized> TlsLook for std::sync::Arc<L> {
    fn look<'a>(&'a self, look: &'a Look) -> Looking<'a> {
        (**self).look(look)
    }
}

/// Looks at real servers.
#[derive(Debug, Clone)]
pub struct TlsClient {
    guard: Guard,
    tls: Tls,
    patience: Duration,
}

impl TlsClient {
    /// Looks through this guard, for at most ten seconds.
    pub fn new(guard: Guard, tls: Tls) -> Self {
        Self { guard, tls, patience: PATIENCE }
    }

    /// Changes how long a look may take.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl TlsLook for TlsClient {
    fn look<'a>(&'a self, look: &'a Look) -> Looking<'a> {
        Box::pin(async move {
            let deadline = Instant::now() + self.patience;
            let stream = dial::tcp(&self.guard, Reach::World, look.server, deadline).await;
            let stream = stream.map_err(|error| match error {
                DialError::Timeout => TlsError::Timeout,
                error => TlsError::NoConnection(error.to_string()),
            })?;
            let (name, address) = (look.name.as_deref(), look.server.ip());
            let (_, facts) = self.tls.shake_hands(stream, name, address, Demand::Look, deadline).await?;
            Ok(facts)
        })
    }
}
