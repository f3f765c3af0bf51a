//! DNS: questions, answers in three states, and the trait behind which resolver, recording, overlay and fake stand.

mod allowance;
mod answer;
mod cache;
mod exchange;
#[cfg(any(test, feature = "test-support"))]
mod fake;
mod name;
mod overlay;
mod record;
mod resolver;
mod text;
mod wire;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

pub use allowance::{Allowance, QUESTIONS_OF_A_SUBJECT, RUN_DEADLINE};
pub use answer::{Absence, Answer, CouldNotAsk, Dnssec, Origin, Question, Why};
#[cfg(any(test, feature = "test-support"))]
pub use fake::FakeDns;
pub use name::{Name, NameError};
pub use overlay::Overlay;
pub use record::{Data, Record, RecordType, Soa};
pub use resolver::{DNS_PORT, NoServer, Patience, Resolver, parse_server};
pub use text::Text;
pub(crate) use text::{escaped, hexadecimal};

/// An answer that is on its way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Whoever answers questions: the real resolver, a recording, an overlay, a fake.
///
/// Used as `&dyn Dns`. It never fails: what goes wrong is [`Answer::CouldNotAsk`].
pub trait Dns: Send + Sync {
    /// Asks the resolver of choice.
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a>;

    /// Asks this one server, without recursion; the answer's AA bit and the SOA's serial are then its own.
    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a>;
}

impl<D: Dns + ?Sized> Dns for &D {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        (**self).ask(question)
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        (**self).ask_server(server, question)
    }
}

impl<D: Dns + ?Sized> Dns for std::sync::Arc<D> {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        (**self).ask(question)
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        (**self).ask_server(server, question)
    }
}

impl dyn Dns + '_ {
    /// Asks the resolver for the records of `record_type` at `name`.
    pub async fn look_up(&self, name: &Name, record_type: RecordType) -> Answer {
        self.ask(&Question::new(name.clone(), record_type)).await
    }

    /// Asks all questions at once; the answers stand in the order of the questions.
    pub async fn ask_all(&self, questions: &[Question]) -> Vec<Answer> {
        futures_util::future::join_all(questions.iter().map(|question| self.ask(question))).await
    }
}
