//! A look at a server: connect, greeting, EHLO, STARTTLS, MAIL, RCPT, QUIT. Never DATA.
//!
//! It goes as far as the server lets it and then says QUIT. What ended it early is told beside the dialogue.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use redeliver_model::Stage;
use serde::{Deserialize, Serialize};

use super::dialogue::Dialogue;
use super::failure::SessionError;
use super::session::{Session, SmtpPatience};
use crate::guard::{Guard, Reach};
use crate::tls::{Demand, Tls};

/// How many recipients one look may ask for: more looks like an address harvest, and is one.
const MOST_RECIPIENTS: usize = 10;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Probe {
    /// The server; its address must be public.
    pub server: SocketAddr,
    /// The server's name: for SNI and for the judgement of its certificate.
    pub name: Option<String>,
    /// Our own name.
    pub helo: String,
    /// Whether STARTTLS is said if it is offered.
    pub start_tls: bool,
    /// The envelope sender; empty is the null sender, none ends the look before MAIL.
    pub mail_from: Option<String>,
    /// The recipients to ask for, at most ten; the others are left out.
    pub recipients: Vec<String>,
}

/// What a look showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// What was said.
    pub dialogue: Dialogue,
    /// What ended it before its time; none if it came to its end, be it by a refusal.
    pub broken_off: Option<SessionError>,
}

/// A look that is on its way.
pub type Probing<'a> = Pin<Box<dyn Future<Output = Probed> + Send + 'a>>;

/// Whoever looks at SMTP servers: the real one, or a recording.
pub trait Smtp: Send + Sync {
    /// Looks at a server.
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a>;
}

impl<S: Smtp + ?Sized> Smtp for &S {
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a> {
        (**self).probe(probe)
    }
}

impl<S: Smtp + ?Sized> Smtp for std::sync::Arc<S> {
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a> {
        (**self).probe(probe)
    }
}

/// Looks at real servers.
#[derive(Debug, Clone)]
pub struct SmtpClient {
    guard: Guard,
    tls: Tls,
    patience: SmtpPatience,
}

impl SmtpClient {
    /// Looks through this guard, with these roots, as patiently as [`SmtpPatience::LOOK`].
    pub fn new(guard: Guard, tls: Tls) -> Self {
        Self { guard, tls, patience: SmtpPatience::LOOK }
    }

    /// Changes how long servers may take.
    #[must_use]
    pub fn with_patience(mut self, patience: SmtpPatience) -> Self {
        self.patience = patience;
        self
    }

    async fn look(&self, probe: &Probe) -> Probed {
        // The server's address came from DNS: it must not lead inward.
        let connected = Session::connect(&self.guard, Reach::World, probe.server, self.patience).await;
        match connected {
            Ok(session) => self.look_over(session, probe).await,
            Err(error) => Probed { dialogue: Dialogue::new(probe.server), broken_off: Some(error) },
        }
    }

    /// Looks at the server of a session that is open.
    pub(super) async fn look_over(&self, mut session: Session, probe: &Probe) -> Probed {
        let broken_off = self.steps(&mut session, probe).await.err();
        if broken_off.is_none() {
            session.quit().await;
        }
        Probed { dialogue: session.into_dialogue(), broken_off }
    }

    async fn steps(&self, session: &mut Session, probe: &Probe) -> Result<(), SessionError> {
        if !session.greeting().await?.is_accepted() || !session.hello(&probe.helo).await?.is_accepted() {
            return Ok(());
        }
        if probe.start_tls && session.dialogue().extensions.has("STARTTLS") {
            let agreed = session.start_tls(&self.tls, probe.name.as_deref(), Demand::Look).await?.is_accepted();
            // RFC 3207 4.2: after the handshake everything begins anew.
            if agreed && !session.hello(&probe.helo).await?.is_accepted() {
                return Ok(());
            }
        }
        let Some(sender) = &probe.mail_from else { return Ok(()) };
        let recipients = &probe.recipients[..probe.recipients.len().min(MOST_RECIPIENTS)];
        let international = !sender.is_ascii() || recipients.iter().any(|recipient| !recipient.is_ascii());
        let parameters = match (international, session.dialogue().extensions.has("SMTPUTF8")) {
            (false, _) => "",
            (true, true) => "SMTPUTF8", // RFC 6531 3.4
            (true, false) => {
                return Err(SessionError::BadArgument("an international address, without SMTPUTF8".to_owned()));
            }
        };
        if !session.mail(sender, parameters).await?.is_accepted() {
            return Ok(());
        }
        for recipient in recipients {
            // 421: the server is about to hang up (RFC 5321 3.8).
            if session.rcpt(recipient, "").await?.reply().code == Some(421) {
                return Ok(());
            }
        }
        session.command(Stage::Later, "RSET").await.map(drop)
    }
}

impl Smtp for SmtpClient {
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a> {
        Box::pin(self.look(probe))
    }
}
