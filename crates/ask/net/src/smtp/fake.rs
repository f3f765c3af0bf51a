//! Mail servers of a few lines for tests, filled by one literal.
//!
//! A real session is held with them, only not over a socket: what a test sees is what a server that says this would show.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use redeliver_model::{FixedClock, Timestamp};
use tokio::io::duplex;

use super::probe::{Probe, Probed, Probing, Smtp, SmtpClient};
use super::session::{Session, SmtpPatience};
use super::{Dialogue, SessionError};
use crate::guard::Guard;
use crate::scripted_peer::{Turn, play};
use crate::tls::{Roots, Tls};

/// Room for what one side says before the other listens.
const ROOM: usize = 64 * 1024;

/// Faked mail servers: what is not named is unreachable. STARTTLS must not be offered.
///
/// ```
/// # #[cfg(feature = "test-support")] {
/// use redeliver_net::smtp::FakeMail;
/// let mail = FakeMail {
///     servers: &[("192.0.2.25", &["220 mx.example.org", "250 mx.example.org", "250 ok", "550 5.1.1 no", "250 ok", "221 bye"])],
///     ..FakeMail::default()
/// };
/// # }
/// ```
#[derive(Debug, Default)]
pub struct FakeMail {
    /// Address, and what is said: the greeting, then a reply to each command; then the server hangs up.
    pub servers: &'static [(&'static str, &'static [&'static str])],
    /// Servers that do not answer, and why; this goes before `servers`.
    pub fail: &'static [(&'static str, SessionError)],
    /// Every look, in order.
    pub asked: Mutex<Vec<Probe>>,
}

impl FakeMail {
    async fn look(&self, probe: &Probe) -> Probed {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(probe.clone());
        }
        let at = |address: &str| address.parse::<IpAddr>() == Ok(probe.server.ip());
        let broken = |error| Probed { dialogue: Dialogue::new(probe.server), broken_off: Some(error) };
        if let Some((_, error)) = self.fail.iter().find(|(address, _)| at(address)) {
            return broken(error.clone());
        }
        let Some((_, replies)) = self.servers.iter().find(|(address, _)| at(address)) else {
            return broken(SessionError::Unreachable("nobody is there".to_owned()));
        };
        hold(probe.server, replies, probe).await
    }
}

/// Holds a session with a server that says these replies.
async fn hold(server: SocketAddr, replies: &[&str], probe: &Probe) -> Probed {
    let mut script: Vec<Turn> = replies.iter().take(1).map(|greeting| Turn::say(greeting)).collect();
    script.extend(replies.iter().skip(1).flat_map(|reply| Turn::reply(reply)));
    play_out(server, script, probe).await
}

async fn play_out(server: SocketAddr, script: Vec<Turn>, probe: &Probe) -> Probed {
    let (ours, theirs) = duplex(ROOM);
    let clock = Arc::new(FixedClock(Timestamp(0)));
    let client = SmtpClient::new(Guard::default(), Tls::new(Roots::none(), clock));
    let heard = Mutex::new(Vec::new());
    let session = Session::over(Box::new(ours), server, SmtpPatience::LOOK);
    let speaking = play(Box::new(theirs), script, &heard);
    futures_util::future::join(client.look_over(session, probe), speaking).await.0
}

impl Smtp for FakeMail {
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a> {
        Box::pin(self.look(probe))
    }
}

#[cfg(test)]
mod tests {
    use redeliver_model::Stage;

    use super::*;

    #[tokio::test]
    async fn no_broken_server_makes_us_panic_or_wait() {
        let good = b"220-mx\r\n220 mx\r\n250-mx\r\n250 SIZE 9\r\n250 ok\r\n550-5.1.1 no\r\n550 5.1.1 no\r\n250 ok\r\n221 bye\r\n";
        let probe = Probe {
            server: "192.0.2.25:25".parse().unwrap(),
            name: None,
            helo: "client.example.org".into(),
            start_tls: false,
            mail_from: Some("a@example.org".into()),
            recipients: vec!["b@example.net".into(); 3],
        };
        for octets in crate::mutated(good, 2000) {
            let script = vec![Turn::Say(octets)];
            let Probed { dialogue, .. } = play_out(probe.server, script, &probe).await;
            dialogue.steps.iter().for_each(|step| drop(step.reply()));
        }
    }

    #[tokio::test]
    async fn a_faked_server_refuses_as_a_real_one() {
        let mail = FakeMail {
            servers: &[("192.0.2.25", &["220 mx", "250 mx", "250 ok", "550 5.1.1 no", "250 ok", "221 bye"])],
            fail: &[("192.0.2.26", SessionError::Timeout(Stage::Connect))],
            ..FakeMail::default()
        };
        let probe = |address: &str| Probe {
            server: format!("{address}:25").parse().unwrap(),
            name: None,
            helo: "client.example.org".into(),
            start_tls: true,
            mail_from: Some(String::new()),
            recipients: vec!["ann@example.net".into()],
        };
        let probed = mail.probe(&probe("192.0.2.25")).await;
        assert_eq!(probed.broken_off, None);
        assert_eq!(probed.dialogue.last(Stage::Rcpt).unwrap().reply().code, Some(550));
        let silent = mail.probe(&probe("192.0.2.26")).await;
        assert_eq!(silent.broken_off, Some(SessionError::Timeout(Stage::Connect)));
        assert!(matches!(mail.probe(&probe("192.0.2.27")).await.broken_off, Some(SessionError::Unreachable(_))));
    }
}
