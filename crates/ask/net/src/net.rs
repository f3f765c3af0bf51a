//! Everything behind one door: DNS, SMTP, TLS and HTTP, real, recorded or played.
//!
//! It only wires; whoever holds it does not know which of the three he asks.

use std::sync::Arc;

use crate::dns::{Dns, Overlay, Resolver};
use crate::guard::Guard;
use crate::http::{Http, HttpClient};
use crate::smtp::{Smtp, SmtpClient};
use crate::tls::{Tls, TlsClient, TlsLook};
use crate::world::{Recorded, Tape, World};

/// The network, as far as it may be asked.
#[derive(Clone)]
pub struct Net {
    /// Names and records.
    pub dns: Arc<dyn Dns>,
    /// Looks at mail servers.
    pub smtp: Arc<dyn Smtp>,
    /// Looks at servers that speak TLS from the first octet.
    pub tls: Arc<dyn TlsLook>,
    /// Fetches from the web.
    pub http: Arc<dyn Http>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Net")
    }
}

impl Net {
    /// The real network, through one guard, one resolver and one set of roots.
    pub fn real(guard: &Guard, resolver: Resolver, tls: Tls) -> Self {
        let dns: Arc<dyn Dns> = Arc::new(resolver);
        let smtp = Arc::new(SmtpClient::new(guard.clone(), tls.clone()));
        let look = Arc::new(TlsClient::new(guard.clone(), tls.clone()));
        let http = Arc::new(HttpClient::new(guard.clone(), dns.clone(), tls));
        Self { dns, smtp, tls: look, http }
    }

    /// A recorded world (`--world`); nothing is sent.
    pub fn played(world: World) -> Self {
        let world = Arc::new(world);
        Self { dns: world.clone(), smtp: world.clone(), tls: world.clone(), http: world }
    }

    /// The same, written down (`--record`).
    #[must_use]
    pub fn recorded(self, tape: &Arc<Tape>) -> Self {
        Self {
            dns: Arc::new(Recorded::new(self.dns, tape.clone())),
            smtp: Arc::new(Recorded::new(self.smtp, tape.clone())),
            tls: Arc::new(Recorded::new(self.tls, tape.clone())),
            http: Arc::new(Recorded::new(self.http, tape.clone())),
        }
    }

    /// The same with proposed records over its DNS; `propose` fills them in.
    #[must_use]
    pub fn proposed(self, propose: impl FnOnce(&mut Overlay<Arc<dyn Dns>>)) -> Self {
        let mut overlay = Overlay::new(self.dns);
        propose(&mut overlay);
        Self { dns: Arc::new(overlay), ..self }
    }
}
