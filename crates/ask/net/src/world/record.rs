//! Writing down what is asked and answered.
//!
//! A tape that cannot be written never disturbs the asking: the first error is kept and told at the end.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Entry, FORMAT, Head};
use crate::dns::{Answer, Asking, Dns, Question, Why};
use crate::http::{Fetching, Get, Http};
use crate::smtp::{Probe, Probing, Smtp};
use crate::tls::{Look, Looking, TlsLook};

/// Where the lines go.
pub struct Tape(Mutex<Writing>);

struct Writing {
    out: Box<dyn Write + Send>,
    error: Option<io::Error>,
}

impl Tape {
    /// Begins a recording; give it a buffered writer.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        let tape = Self(Mutex::new(Writing { out, error: None }));
        tape.write(&Head { format: FORMAT });
        tape
    }

    /// Ends a recording: what is buffered goes out, and what went wrong is told.
    pub fn finish(&self) -> io::Result<()> {
        let mut writing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match writing.error.take() {
            Some(error) => Err(error),
            None => writing.out.flush(),
        }
    }

    fn write(&self, line: &impl serde::Serialize) {
        let mut writing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if writing.error.is_some() {
            return;
        }
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            writing.out.write_all(&text)
        });
        writing.error = written.err();
    }
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tape")
    }
}

/// Asks as `inner` does, and writes it down.
#[derive(Debug)]
pub struct Recorded<T> {
    inner: T,
    tape: Arc<Tape>,
}

impl<T> Recorded<T> {
    /// Records what `inner` is asked.
    pub fn new(inner: T, tape: Arc<Tape>) -> Self {
        Self { inner, tape }
    }
}

/// A question under way. Whoever lost patience and let it go had a time-out: that is what is written down.
struct UnderWay<'a> {
    tape: &'a Tape,
    server: Option<SocketAddr>,
    question: &'a Question,
    answer: Answer,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let (server, question, answer) = (self.server, self.question.clone(), self.answer.clone());
        self.tape.write(&Entry::Dns { server, question, answer });
    }
}

impl<D> Recorded<D> {
    fn under_way<'a>(&'a self, server: Option<SocketAddr>, question: &'a Question) -> UnderWay<'a> {
        UnderWay { tape: &self.tape, server, question, answer: Answer::unasked(Why::Timeout) }
    }
}

impl<D: Dns> Dns for Recorded<D> {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let mut under_way = self.under_way(None, question);
            under_way.answer = self.inner.ask(question).await;
            under_way.answer.clone()
        })
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let mut under_way = self.under_way(Some(server), question);
            under_way.answer = self.inner.ask_server(server, question).await;
            under_way.answer.clone()
        })
    }
}

impl<S: Smtp> Smtp for Recorded<S> {
    fn probe<'a>(&'a self, probe: &'a Probe) -> Probing<'a> {
        Box::pin(async move {
            let probed = self.inner.probe(probe).await;
            self.tape.write(&Entry::Smtp { probe: probe.clone(), probed: Box::new(probed.clone()) });
            probed
        })
    }
}

impl<L: TlsLook> TlsLook for Recorded<L> {
    fn look<'a>(&'a self, look: &'a Look) -> Looking<'a> {
        Box::pin(async move {
            let result = self.inner.look(look).await;
            self.tape.write(&Entry::Tls { look: look.clone(), result: result.clone().map(Box::new) });
            result
        })
    }
}

impl<H: Http> Http for Recorded<H> {
    fn get<'a>(&'a self, get: &'a Get) -> Fetching<'a> {
        Box::pin(async move {
            let result = self.inner.get(get).await;
            self.tape.write(&Entry::Http { get: get.clone(), result: result.clone().map(Box::new) });
            result
        })
    }
}
