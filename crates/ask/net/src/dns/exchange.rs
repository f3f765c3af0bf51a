//! One question to one server: UDP first, TCP when the answer was cut off.
//!
//! Each question goes out from a port of its own with a random id; datagrams that do not answer it are passed over, so a
//! guess from outside needs both right (RFC 5452). It never asks a second server and never keeps anything.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, CouldNotAsk, Question, Why};
use super::wire::{self, Manner};
use crate::dial::{self, DialError};
use crate::guard::{Guard, Reach};

/// How many datagrams that do not fit are passed over: a flood of guesses must not keep us busy.
const MOST_STRAYS: usize = 64;
/// The largest datagram that is read; more than we asked for, since some servers do not heed it.
const LARGEST_DATAGRAM: usize = 4096;

/// Where and how a question is put.
pub(super) struct Exchange<'a> {
    pub guard: &'a Guard,
    pub reach: Reach,
    pub server: SocketAddr,
    pub recursion: bool,
    /// How long one try may take, UDP and TCP each.
    pub patience: Duration,
    /// When everything must be over.
    pub deadline: Instant,
}

impl Exchange<'_> {
    /// Asks; a server that cannot do EDNS is asked once more without it.
    pub(super) async fn ask(&self, question: &Question, checking_disabled: bool) -> Answer {
        let mut manner = Manner { recursion: self.recursion, checking_disabled, edns: true };
        let mut message = self.exchange(question, manner).await;
        if let Ok(answer) = &message
            && matches!(answer.metadata.response_code, ResponseCode::FormErr | ResponseCode::NotImp)
        {
            manner.edns = false; // RFC 6891 7
            message = self.exchange(question, manner).await;
        }
        match message {
            Ok(message) => wire::read(&message, question, self.server, manner),
            Err(why) => Answer::CouldNotAsk(CouldNotAsk::at(why, self.server)),
        }
    }

    fn until(&self) -> Instant {
        self.deadline.min(Instant::now() + self.patience)
    }

    async fn exchange(&self, question: &Question, manner: Manner) -> Result<Message, Why> {
        let asked = wire::put(question, manner).ok_or(Why::BadAnswer)?;
        let octets = asked.to_vec().map_err(|_| Why::BadAnswer)?;
        let answer = self.by_udp(&asked, &octets).await?;
        if !answer.metadata.truncation {
            return Ok(answer);
        }
        // RFC 7766 5: a truncated answer is asked for again over TCP; its part is never used.
        let deadline = self.until();
        let answer = timeout_at(deadline, self.by_tcp(&asked, &octets, deadline)).await;
        let answer = answer.unwrap_or(Err(Why::Truncated)).map_err(|_| Why::Truncated)?;
        if answer.metadata.truncation { Err(Why::Truncated) } else { Ok(answer) }
    }

    async fn by_udp(&self, asked: &Message, octets: &[u8]) -> Result<Message, Why> {
        let socket = dial::udp(self.guard, self.reach, self.server).await.map_err(|error| why(&error))?;
        let deadline = self.until();
        socket.send(octets).await.map_err(|_| Why::Unreachable)?;
        let mut datagram = vec![0; LARGEST_DATAGRAM];
        let mut garbled = false;
        for _ in 0..MOST_STRAYS {
            let received = match timeout_at(deadline, socket.recv(&mut datagram)).await {
                Ok(received) => received.map_err(|_| Why::Unreachable)?, // ICMP: nobody listens there
                Err(_) => return Err(if garbled { Why::BadAnswer } else { Why::Timeout }),
            };
            match Message::from_vec(&datagram[..received]) {
                Ok(answer) if wire::answers(&answer, asked) => return Ok(answer),
                // With the right id it may be the answer, broken; a better one may still come.
                Err(_) if datagram[..received].starts_with(&octets[..2]) => {
                    garbled = true;
                    if cut_off(&datagram[..received]) {
                        return Ok(truncated(asked));
                    }
                }
                _ => {}
            }
        }
        Err(Why::BadAnswer)
    }

    async fn by_tcp(&self, asked: &Message, octets: &[u8], deadline: Instant) -> Result<Message, Why> {
        let stream = dial::tcp(self.guard, self.reach, self.server, deadline).await;
        let mut stream = stream.map_err(|error| why(&error))?;
        let length = u16::try_from(octets.len()).map_err(|_| Why::BadAnswer)?;
        let mut framed = length.to_be_bytes().to_vec(); // RFC 1035 4.2.2
        framed.extend_from_slice(octets);
        stream.write_all(&framed).await.map_err(|_| Why::Unreachable)?;
        let length = stream.read_u16().await.map_err(|_| Why::BadAnswer)?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.map_err(|_| Why::BadAnswer)?;
        let answer = Message::from_vec(&answer).map_err(|_| Why::BadAnswer)?;
        if wire::answers(&answer, asked) { Ok(answer) } else { Err(Why::BadAnswer) }
    }
}

/// Whether the TC bit is set in a message that breaks off in the midst of a record (RFC 1035 4.1.1).
fn cut_off(octets: &[u8]) -> bool {
    octets.get(2).is_some_and(|flags| flags & 0x82 == 0x82)
}

/// Stands for a truncated answer that cannot be read whole.
fn truncated(asked: &Message) -> Message {
    let mut message = Message::response(asked.metadata.id, asked.metadata.op_code);
    message.metadata.truncation = true;
    message
}

fn why(error: &DialError) -> Why {
    match error {
        DialError::Blocked(_) => Why::Blocked,
        DialError::Timeout => Why::Timeout,
        DialError::Unreachable(_) => Why::Unreachable,
    }
}
