//! Playing a recording: answers without any network.
//!
//! What was never asked is could-not-ask, never an absence. A recording that cannot be read is refused with its line.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::io::BufRead;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use super::{Entry, FORMAT, Head};
use crate::dns::{Answer, Asking, Dns, Question, Why};
use crate::http::{FetchError, Fetched, Fetching, Get, Http};
use crate::smtp::{Dialogue, Probe, Probed, Probing, SessionError, Smtp};
use crate::tls::{Look, Looking, TlsError, TlsFacts, TlsLook};

/// The longest line: a body of some megabytes, escaped.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;
/// How many lines a recording may have.
const MOST_LINES: usize = 1_000_000;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file cannot be read.
    #[error("line {line}: {error}")]
    Unreadable {
        /// The line, counted from 1.
        line: usize,
        /// What went wrong.
        error: std::io::Error,
    },
    /// A line is none of a recording.
    #[error("line {line}: {error}")]
    BadLine {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The first line does not name this format.
    #[error("it is no recording of format {FORMAT}")]
    OtherFormat,
    /// Too many lines, or one that is too long.
    #[error("line {0}: the recording is too large")]
    TooLarge(usize),
}

/// A recorded world.
#[derive(Debug, Default)]
pub struct World {
    dns: Answers<(Option<SocketAddr>, Question), Answer>,
    smtp: Answers<Probe, Probed>,
    tls: Answers<Look, Result<TlsFacts, TlsError>>,
    http: Answers<String, Result<Fetched, FetchError>>,
}

/// Answers by question, in the order in which they were given.
#[derive(Debug)]
struct Answers<Q, A>(Mutex<HashMap<Q, VecDeque<A>>>);

impl<Q, A> Default for Answers<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: Hash + Eq, A: Clone> Answers<Q, A> {
    fn add(&mut self, question: Q, answer: A) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).entry(question).or_default().push_back(answer);
    }

    /// The next answer; the last one stays.
    fn next(&self, question: &Q) -> Option<A> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = all.get_mut(question)?;
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    }
}

impl World {
    /// Reads a recording.
    pub fn read(mut input: impl BufRead) -> Result<Self, WorldError> {
        let mut world = Self::default();
        let mut text = Vec::new();
        for line in 1..=MOST_LINES {
            text.clear();
            let mut bounded = std::io::Read::take(&mut input, LONGEST_LINE);
            bounded.read_until(b'\n', &mut text).map_err(|error| WorldError::Unreadable { line, error })?;
            match text.last() {
                None if line == 1 => return Err(WorldError::OtherFormat),
                None => return Ok(world),
                Some(b'\n') => {}
                Some(_) if text.len() as u64 == LONGEST_LINE => return Err(WorldError::TooLarge(line)),
                Some(_) => {} // the last line has lost its end
            }
            if line == 1 {
                let head = serde_json::from_slice::<Head>(&text);
                if !matches!(head, Ok(Head { format: FORMAT })) {
                    return Err(WorldError::OtherFormat);
                }
                continue;
            }
            let entry = serde_json::from_slice(&text).map_err(|error| WorldError::BadLine { line, error })?;
            match entry {
                Entry::Dns { server, question, answer } => world.dns.add((server, question), answer),
                Entry::Smtp { probe, probed } => world.smtp.add(probe, *probed),
                Entry::Tls { look, result } => world.tls.add(look, result.map(|facts| *facts)),
                Entry::Http { get, result } => world.http.add(get.url, result.map(|fetched| *fetched)),
            }
        }
        Err(WorldError::TooLarge(MOST_LINES))
    }

    fn answer(&self, server: Option<SocketAddr>, question: &Question) -> Answer {
        self.dns.next(&(server, question.clone())).unwrap_or_else(|| Answer::unasked(Why::NotRecorded))
    }
}

impl Dns for World {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move { self.answer(None, question) })
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        Box::pin(async move { self.answer(Some(server), question) })
    }
}

impl Smtp for World {
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a> {
        Box::pin(async move {
            let unknown =
                || Probed { dialogue: Dialogue::new(probe.server), broken_off: Some(SessionError::NotRecorded) };
            self.smtp.next(probe).unwrap_or_else(unknown)
        })
    }
}

impl TlsLook for World {
    fn look<'a>(&'a self, look: &'a Look) -> Looking<'a> {
        Box::pin(async move { self.tls.next(look).unwrap_or(Err(TlsError::NotRecorded)) })
    }
}

impl Http for World {
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a> {
        Box::pin(async move { self.http.next(&get.url).unwrap_or(Err(FetchError::NotRecorded)) })
    }
}
