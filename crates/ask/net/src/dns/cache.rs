//! What the resolver remembers: answers for as long as their TTL allows, failures for a moment.
//!
//! Two who ask the same at the same time wait for one question. It never keeps an answer longer than a constant allows,
//! however long its TTL, and never more than a constant number of questions.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, Question};

/// How many questions are remembered; beyond it the outdated ones go, then all.
const MOST_KEPT: usize = 20_000;
/// No answer is kept longer than an hour, since people change records and look again.
const LONGEST_PRESENT: Duration = Duration::from_hours(1);
/// No absence is kept longer than five minutes, for the same reason (RFC 2308 5 allows up to three hours).
const LONGEST_ABSENT: Duration = Duration::from_mins(5);
/// A failure is kept this long, so that a broken server is not asked again by every check of one run (RFC 9520 3.2).
const FAILURE: Duration = Duration::from_secs(5);

/// One question's place: filled, or being filled by whoever holds the lock.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

#[derive(Debug, Clone)]
struct Kept {
    answer: Answer,
    since: Instant,
    until: Instant,
}

/// The memory of a resolver.
#[derive(Debug, Default)]
pub(super) struct Cache {
    slots: Mutex<HashMap<Question, Slot>>,
}

impl Cache {
    /// The remembered answer, or the one that `ask` brings.
    pub(super) async fn get_or_ask(&self, question: &Question, ask: impl Future<Output = Answer>) -> Answer {
        let slot = self.slot(question);
        let mut kept = slot.lock().await;
        let now = Instant::now();
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.until) {
            return aged(&kept.answer, now - kept.since);
        }
        let answer = ask.await;
        let since = Instant::now();
        *kept = Some(Kept { answer: answer.clone(), since, until: since + keep_for(&answer) });
        answer
    }

    fn slot(&self, question: &Question) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if slots.len() >= MOST_KEPT && !slots.contains_key(question) {
            let now = Instant::now();
            slots.retain(|_, slot| {
                slot.try_lock().map_or(true, |kept| kept.as_ref().is_some_and(|kept| now < kept.until))
            });
            if slots.len() >= MOST_KEPT {
                slots.clear();
            }
        }
        slots.entry(question.clone()).or_default().clone()
    }
}

fn keep_for(answer: &Answer) -> Duration {
    match answer {
        Answer::Present { origin, .. } => Duration::from_secs(origin.ttl.into()).min(LONGEST_PRESENT),
        Answer::Absent { origin, .. } => Duration::from_secs(origin.ttl.into()).min(LONGEST_ABSENT),
        Answer::CouldNotAsk(_) => FAILURE,
    }
}

/// The answer with the seconds that have passed taken off its TTLs.
fn aged(answer: &Answer, age: Duration) -> Answer {
    let seconds = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
    let mut answer = answer.clone();
    match &mut answer {
        Answer::Present { records, origin } => {
            origin.ttl = origin.ttl.saturating_sub(seconds);
            for record in records {
                record.ttl = record.ttl.saturating_sub(seconds);
            }
        }
        Answer::Absent { origin, .. } => origin.ttl = origin.ttl.saturating_sub(seconds),
        Answer::CouldNotAsk(_) => {}
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::dns::{Absence, Origin, RecordType, Why};

    async fn asked_after(answer: Answer, seconds: u64) -> (u32, Answer) {
        let cache = Cache::default();
        let question = Question::parse("example.org", RecordType::Txt).unwrap();
        let count = AtomicU32::new(0);
        let ask = async || {
            count.fetch_add(1, Ordering::Relaxed);
            answer.clone()
        };
        cache.get_or_ask(&question, ask()).await;
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let last = cache.get_or_ask(&question, ask()).await;
        (count.load(Ordering::Relaxed), last)
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_kept_no_longer_than_they_may() {
        let origin = |ttl| Origin { ttl, ..Origin::default() };
        let present = |ttl| Answer::Present { records: Vec::new(), origin: origin(ttl) };
        let absent = |ttl| Answer::Absent { absence: Absence::NoSuchName, origin: origin(ttl) };
        for (answer, seconds, questions) in [
            (present(60), 59, 1),
            (present(60), 60, 2),
            (present(0), 0, 2),
            (present(1_000_000), 3601, 2),
            (absent(60), 59, 1),
            (absent(60), 61, 2),
            (absent(86_400), 301, 2),
            (Answer::unasked(Why::Timeout), 1, 1),
            (Answer::unasked(Why::Timeout), 6, 2),
        ] {
            assert_eq!(asked_after(answer.clone(), seconds).await.0, questions, "{answer:?} {seconds}");
        }
        assert_eq!(asked_after(present(60), 20).await.1.origin().unwrap().ttl, 40);
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_question_at_the_same_time_goes_out_once() {
        let cache = Cache::default();
        let question = Question::parse("example.org", RecordType::Txt).unwrap();
        let count = AtomicU32::new(0);
        let ask = async || {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            Answer::unasked(Why::ServerFailure)
        };
        let all = (0..10).map(|_| cache.get_or_ask(&question, ask()));
        futures_util::future::join_all(all).await;
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
