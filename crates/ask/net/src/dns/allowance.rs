//! What one run or one subject may ask: until when, and how many questions.
//!
//! A wrapper around any DNS. What is over the allowance is could-not-ask, and no packet is sent for it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Question, Why};
use super::{Asking, Dns};

/// How long a run may take unless told otherwise.
pub const RUN_DEADLINE: Duration = Duration::from_secs(5);
/// How many questions one subject may cost: the checks of a domain need about a hundred; hostile records ask for more.
pub const QUESTIONS_OF_A_SUBJECT: u32 = 500;

/// A DNS with a deadline and a budget.
#[derive(Debug)]
pub struct Allowance<D> {
    dns: D,
    until: Instant,
    left: AtomicU32,
}

impl<D: Dns> Allowance<D> {
    /// Lets `dns` be asked `questions` times in the time `from_now`.
    pub fn new(dns: D, from_now: Duration, questions: u32) -> Self {
        Self { dns, until: Instant::now() + from_now, left: AtomicU32::new(questions) }
    }

    /// How many questions are left.
    pub fn left(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }

    async fn within(&self, asking: impl Future<Output = Answer>) -> Answer {
        if Instant::now() >= self.until {
            return Answer::unasked(Why::Timeout);
        }
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if taken.is_err() {
            return Answer::unasked(Why::BudgetUsedUp);
        }
        timeout_at(self.until, asking).await.unwrap_or_else(|_| Answer::unasked(Why::Timeout))
    }
}

impl<D: Dns> Dns for Allowance<D> {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.within(self.dns.ask(question)))
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        Box::pin(self.within(self.dns.ask_server(server, question)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{FakeDns, RecordType};

    #[tokio::test(start_paused = true)]
    async fn neither_time_nor_budget_is_overdrawn() {
        let fake = FakeDns { a: &[("example.org", "192.0.2.1")], ..FakeDns::default() };
        let question = Question::parse("example.org", RecordType::A).unwrap();
        let dns = Allowance::new(&fake, RUN_DEADLINE, 3);
        for _ in 0..3 {
            assert_eq!(dns.ask(&question).await.records().len(), 1);
        }
        assert_eq!(dns.ask(&question).await.could_not_ask().unwrap().why, Why::BudgetUsedUp);
        assert_eq!((dns.left(), fake.asked().len()), (0, 3));
        let dns = Allowance::new(&fake, RUN_DEADLINE, 3);
        tokio::time::advance(RUN_DEADLINE).await;
        assert_eq!(dns.ask(&question).await.could_not_ask().unwrap().why, Why::Timeout);
        assert_eq!(fake.asked().len(), 3);
    }
}
