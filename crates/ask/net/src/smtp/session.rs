//! An SMTP session as a client, one command at a time, every line recorded (RFC 5321).
//!
//! It never decides what a reply means, never sends DATA unless it is handed content, and never sends content in a session
//! that only looks. What breaks off the session is a [`SessionError`]; a refusal is a reply like any other.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use redeliver_model::Stage;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::dialogue::{Dialogue, Line, Speaker, Step};
use super::extensions::Extensions;
use super::failure::SessionError;
use crate::dial::{self, Wire};
use crate::guard::{Guard, Reach};
use crate::tls::{Demand, Tls};

/// The longest line of a reply: four times the 512 octets of RFC 5321 4.5.3.1.5, since servers put URLs into them.
const LONGEST_REPLY_LINE: usize = 2048;
/// How many lines a reply may have: EHLO of the most talkative servers has about thirty.
const MOST_REPLY_LINES: usize = 128;
/// The longest command with its line end (RFC 5321 4.5.3.1.4), plus room for the parameters of extensions.
const LONGEST_COMMAND: usize = 1024;
/// How many commands one session may record: 1000 recipients and what belongs around them.
const MOST_STEPS: usize = 2000;
/// How many octets one session may record: those 1000 recipients with replies of a few hundred octets.
const MOST_RECORDED: usize = 1024 * 1024;

/// How long the server may take.
#[derive(Debug, Clone, Copy)]
pub struct SmtpPatience {
    /// For the connection.
    pub connect: Duration,
    /// For the greeting, which servers delay on purpose.
    pub greeting: Duration,
    /// For each command; RFC 5321 4.5.3.2 wants five minutes of whoever delivers.
    pub command: Duration,
    /// For the reply to the end of the content (RFC 5321 4.5.3.2.6: ten minutes).
    pub content: Duration,
    /// For the whole session.
    pub session: Duration,
}

impl SmtpPatience {
    /// For a look: 10 seconds to connect, 30 for the greeting, 30 a command, two minutes in all.
    pub const LOOK: Self = Self {
        connect: Duration::from_secs(10),
        greeting: Duration::from_secs(30),
        command: Duration::from_secs(30),
        content: Duration::from_secs(30),
        session: Duration::from_mins(2),
    };
    /// For delivery, as RFC 5321 4.5.3.2 asks.
    pub const DELIVER: Self = Self {
        connect: Duration::from_secs(30),
        greeting: Duration::from_mins(5),
        command: Duration::from_mins(5),
        content: Duration::from_mins(10),
        session: Duration::from_hours(1),
    };
}

/// An open session.
pub struct Session {
    wire: Option<Box<dyn Wire>>,
    unread: Vec<u8>,
    dialogue: Dialogue,
    patience: SmtpPatience,
    began: Instant,
    /// Octets of all lines so far.
    recorded: usize,
    looks_only: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("server", &self.dialogue.server).finish_non_exhaustive()
    }
}

impl Session {
    /// Dials the server; the greeting is not read yet.
    pub async fn connect(
        guard: &Guard,
        reach: Reach,
        server: SocketAddr,
        patience: SmtpPatience,
    ) -> Result<Self, SessionError> {
        let began = Instant::now();
        let stream = dial::tcp(guard, reach, server, began + patience.connect).await;
        let stream = stream.map_err(|error| SessionError::of_dial(&error))?;
        Ok(Self { began, ..Self::over(Box::new(stream), server, patience) })
    }

    /// A session over a connection that is already there.
    pub(super) fn over(wire: Box<dyn Wire>, server: SocketAddr, patience: SmtpPatience) -> Self {
        Self {
            wire: Some(wire),
            unread: Vec::new(),
            dialogue: Dialogue::new(server),
            patience,
            began: Instant::now(),
            recorded: 0,
            looks_only: false,
        }
    }

    /// What was said so far.
    pub fn dialogue(&self) -> &Dialogue {
        &self.dialogue
    }

    /// Ends the session without another word and hands out what was said.
    pub fn into_dialogue(self) -> Dialogue {
        self.dialogue
    }

    /// Reads the greeting.
    pub async fn greeting(&mut self) -> Result<&Step, SessionError> {
        self.reply(Stage::Connect, String::new(), self.patience.greeting).await
    }

    /// Says EHLO, and HELO where EHLO is not known (RFC 5321 4.1.1.1).
    pub async fn hello(&mut self, name: &str) -> Result<&Step, SessionError> {
        let code = self.command(Stage::Helo, &format!("EHLO {name}")).await?.reply().code;
        if matches!(code, Some(500..=504)) {
            self.command(Stage::Helo, &format!("HELO {name}")).await?;
            self.dialogue.extensions = Extensions::default();
        } else if let Some(step) = self.dialogue.steps.last() {
            self.dialogue.extensions =
                if step.is_accepted() { Extensions::of_reply(&step.reply) } else { Extensions::default() };
        }
        self.last_step(Stage::Helo)
    }

    /// Says STARTTLS and, if the server agrees, shakes hands (RFC 3207); EHLO must be said again afterwards.
    ///
    /// `name` is the server's name for SNI and for the judgement of its certificate.
    pub async fn start_tls(&mut self, tls: &Tls, name: Option<&str>, demand: Demand) -> Result<&Step, SessionError> {
        if self.command(Stage::Tls, "STARTTLS").await?.reply().code != Some(220) {
            return self.last_step(Stage::Tls);
        }
        // RFC 3207 5 and 4.2: what came in the clear must be forgotten; a line that is already here is an injection.
        if !self.unread.is_empty() {
            return Err(SessionError::SpokeBeforeTls);
        }
        let wire = self.wire.take().ok_or(SessionError::Closed(Stage::Tls))?;
        let deadline = self.until(self.patience.command);
        let shaken = tls.shake_hands(wire, name, self.dialogue.server.ip(), demand, deadline).await;
        let (stream, facts) = shaken.map_err(|error| SessionError::Tls(Box::new(error)))?;
        self.wire = Some(Box::new(stream));
        self.looks_only |= demand == Demand::Look;
        self.dialogue.tls = Some(facts);
        self.dialogue.extensions = Extensions::default();
        self.last_step(Stage::Tls)
    }

    /// Says MAIL FROM; an empty address is the null sender. `parameters` is empty or begins without a blank.
    pub async fn mail(&mut self, address: &str, parameters: &str) -> Result<&Step, SessionError> {
        let line = path_command("MAIL FROM", address, parameters)?;
        self.command(Stage::Mail, &line).await
    }

    /// Says RCPT TO.
    pub async fn rcpt(&mut self, address: &str, parameters: &str) -> Result<&Step, SessionError> {
        let line = path_command("RCPT TO", address, parameters)?;
        self.command(Stage::Rcpt, &line).await
    }

    /// Sends a message: DATA, the content, the dot. Lines must end with CRLF: a bare CR or LF is how mail is smuggled past
    /// the dot, and is refused before DATA is said.
    pub async fn data(&mut self, content: &[u8]) -> Result<&Step, SessionError> {
        if self.looks_only {
            return Err(SessionError::OnlyLooking);
        }
        let stuffed = stuffed(content)?;
        if self.command(Stage::Data, "DATA").await?.reply().code != Some(354) {
            return self.last_step(Stage::Data);
        }
        self.send(Stage::Body, &stuffed, self.patience.content).await?;
        let said = format!("[content, {} octets]", content.len());
        self.put_down(Speaker::Us, said.clone());
        self.reply(Stage::Body, said, self.patience.content).await
    }

    /// Says QUIT; whoever hangs up instead of answering has understood as well.
    pub async fn quit(&mut self) {
        let _ = self.command(Stage::Later, "QUIT").await;
    }

    /// Says any one-line command and reads the reply.
    pub async fn command(&mut self, stage: Stage, line: &str) -> Result<&Step, SessionError> {
        // Whoever could put a line end into a command could say another one.
        if line.len() + 2 > LONGEST_COMMAND || line.chars().any(char::is_control) {
            return Err(SessionError::BadArgument(line.escape_debug().take(80).collect()));
        }
        self.send(stage, format!("{line}\r\n").as_bytes(), self.patience.command).await?;
        self.put_down(Speaker::Us, line.to_owned());
        self.reply(stage, line.to_owned(), self.patience.command).await
    }

    fn last_step(&self, stage: Stage) -> Result<&Step, SessionError> {
        self.dialogue.steps.last().ok_or(SessionError::Closed(stage))
    }

    fn until(&self, patience: Duration) -> Instant {
        (Instant::now() + patience).min(self.began + self.patience.session)
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn put_down(&mut self, from: Speaker, text: String) {
        let at = self.milliseconds();
        self.recorded += text.len();
        self.dialogue.lines.push(Line { at, from, text });
    }

    async fn send(&mut self, stage: Stage, octets: &[u8], patience: Duration) -> Result<(), SessionError> {
        let deadline = self.until(patience);
        let wire = self.wire.as_mut().ok_or(SessionError::Closed(stage))?;
        let sent = timeout_at(deadline, async {
            wire.write_all(octets).await?;
            wire.flush().await
        });
        // A server that refused and hung up may have left its reason: it is read before this counts.
        match sent.await {
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(SessionError::Closed(stage)),
            Ok(_) => Ok(()),
            Err(_) => Err(SessionError::Timeout(stage)),
        }
    }

    /// Reads one reply of one or more lines (RFC 5321 4.2.1).
    async fn reply(&mut self, stage: Stage, command: String, patience: Duration) -> Result<&Step, SessionError> {
        let asked = self.milliseconds();
        let deadline = self.until(patience);
        let mut lines: Vec<String> = Vec::new();
        loop {
            let line = self.line(stage, deadline).await?;
            self.put_down(Speaker::Them, line.clone());
            let good = is_reply_line(&line) && lines.first().is_none_or(|first| first[..3] == line[..3]);
            if !good {
                return Err(SessionError::NotSmtp { stage, line });
            }
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !more {
                break;
            }
            if lines.len() == MOST_REPLY_LINES || self.recorded > MOST_RECORDED {
                return Err(SessionError::TooLong(stage));
            }
        }
        if self.dialogue.steps.len() == MOST_STEPS || self.recorded > MOST_RECORDED {
            return Err(SessionError::TooLong(stage));
        }
        let took = self.milliseconds() - asked;
        self.dialogue.steps.push(Step { stage, command, reply: lines.join("\n"), took });
        self.last_step(stage)
    }

    /// Reads one line, without its end.
    async fn line(&mut self, stage: Stage, deadline: Instant) -> Result<String, SessionError> {
        loop {
            let end = self.unread.iter().position(|octet| *octet == b'\n');
            if let Some(end) = end.filter(|end| *end < LONGEST_REPLY_LINE) {
                let rest = self.unread.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.unread, rest);
                line.truncate(end);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if self.unread.len() >= LONGEST_REPLY_LINE {
                return Err(SessionError::TooLong(stage));
            }
            let wire = self.wire.as_mut().ok_or(SessionError::Closed(stage))?;
            let mut more = [0; LONGEST_REPLY_LINE];
            match timeout_at(deadline, wire.read(&mut more)).await {
                Ok(Ok(0) | Err(_)) => return Err(SessionError::Closed(stage)),
                Ok(Ok(length)) => self.unread.extend_from_slice(&more[..length]),
                Err(_) => return Err(SessionError::Timeout(stage)),
            }
        }
    }
}

/// Three digits from 200 to 599, then nothing, a blank or a hyphen (RFC 5321 4.2).
fn is_reply_line(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() >= 3
        && matches!(bytes[0], b'2'..=b'5')
        && bytes[1..3].iter().all(u8::is_ascii_digit)
        && matches!(bytes.get(3), None | Some(b' ' | b'-'))
}

/// `MAIL FROM:<address> parameters` (RFC 5321 4.1.1.2).
fn path_command(verb: &str, address: &str, parameters: &str) -> Result<String, SessionError> {
    // Outside quotes a bracket or a blank would end the path and begin a parameter.
    let quoted = address.starts_with('"');
    if address.contains(['<', '>']) || (!quoted && address.contains(' ')) {
        return Err(SessionError::BadArgument(address.escape_debug().take(80).collect()));
    }
    let blank = if parameters.is_empty() { "" } else { " " };
    Ok(format!("{verb}:<{address}>{blank}{parameters}"))
}

/// The content with its dots doubled (RFC 5321 4.5.2) and the end behind it.
fn stuffed(content: &[u8]) -> Result<Vec<u8>, SessionError> {
    let mut stuffed = Vec::with_capacity(content.len() + content.len() / 64 + 5);
    for line in content.split_inclusive(|octet| *octet == b'\n') {
        let bare = line.strip_suffix(b"\r\n").unwrap_or(line);
        if bare.contains(&b'\n') || bare.contains(&b'\r') {
            return Err(SessionError::BadArgument("a bare CR or LF in the content".to_owned()));
        }
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.is_empty() && !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(b".\r\n");
    Ok(stuffed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_the_content_does_not_end_it() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b").unwrap(), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed(b"").unwrap(), b".\r\n");
        for smuggled in [&b"a\n.\r\nMAIL FROM:<>"[..], b"a\r.\r\n", b"a\r\n.\n", b"a\r"] {
            assert!(stuffed(smuggled).is_err(), "{smuggled:?}");
        }
    }

    #[test]
    fn an_address_cannot_say_another_command() {
        assert_eq!(path_command("MAIL FROM", "", "SIZE=1").unwrap(), "MAIL FROM:<> SIZE=1");
        assert!(path_command("RCPT TO", "\"a b\"@example.org", "").is_ok());
        for wrong in ["a@example.org> NOTIFY=NEVER", "a b@example.org", "<a@example.org>"] {
            assert!(path_command("RCPT TO", wrong, "").is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_replies_pass_for_replies() {
        for good in ["220", "220 ", "220 mx", "250-mx", "554 5.7.1 no"] {
            assert!(is_reply_line(good), "{good}");
        }
        for bad in ["", "22", "220x", "HTTP/1.1 200 OK", "150 x", "650 x", "SSH-2.0-x", "\u{e9}20"] {
            assert!(!is_reply_line(bad), "{bad}");
        }
    }
}
