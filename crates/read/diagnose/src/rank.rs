//! From the rules a text meets to causes, ranked, with honest confidence. Pure: gathers nothing.

use redeliver_catalog::{Blocklist, Catalog, Origin, Rule, Tier};
use redeliver_model::{Cause, Subject, Timestamp};

use crate::classifier::Guess;
use crate::matching::Candidate;

/// Most causes that are told; further ones are noise.
const MOST_CAUSES: usize = 4;

/// From this confidence on, clear words are not weighed against bare codes.
const SURE_ENOUGH_TO_BE_BRIEF: f32 = 0.75;

/// How far another cause must lead, by all words together, to make a clear wording doubtful (as the classifier counts leads).
const CLEAR_LEAD: f32 = 3.0;

/// What is left of a clear wording's confidence then: 0.93 falls below 0.9.
const WHEN_THE_WORDS_DISAGREE: f32 = 0.9;

/// What a dead list leaves of the meaning "listed".
const LISTED_ON_A_DEAD_LIST: f32 = 0.2;

/// Why a cause is assumed.
#[derive(Debug, Clone, Copy)]
pub enum Why<'c> {
    /// The text meets this rule.
    Rule(&'c Rule),
    /// The rule documents this as another meaning of the same text.
    AlsoMeant(&'c Rule),
    /// The list that is named had ended when it was named.
    DeadList(&'c Rule, &'c Blocklist),
    /// No wording that is known decides; all words together are most like those of this cause.
    Words,
    /// Nothing is known.
    Nothing,
}

impl<'c> Why<'c> {
    /// The rule behind it.
    pub fn rule(&self) -> Option<&'c Rule> {
        match self {
            Self::Rule(rule) | Self::AlsoMeant(rule) | Self::DeadList(rule, _) => Some(rule),
            Self::Words | Self::Nothing => None,
        }
    }
}

/// A cause with what speaks for it.
#[derive(Debug, Clone, Copy)]
pub struct Hypothesis<'c> {
    /// The cause.
    pub cause: Cause,
    /// What the refusal is about.
    pub subject: Subject,
    /// 0 to 1: how often a careful reader would agree.
    pub confidence: f32,
    /// Why.
    pub why: Why<'c>,
    tier: Tier,
    score: f32,
}

impl Hypothesis<'_> {
    /// Whether words, a tag or a named list speak for it, and not a bare code or a likeness.
    pub fn is_said_in_words(&self) -> bool {
        self.tier >= Tier::Words
    }
}

/// Ranks the causes of the candidates (best first) as seen at `when`.
pub fn rank<'c>(catalog: &'c Catalog, candidates: &[Candidate], when: Timestamp) -> Vec<Hypothesis<'c>> {
    let mut ranked: Vec<Hypothesis<'c>> = Vec::with_capacity(MOST_CAUSES + 2);
    for candidate in candidates {
        let rule = &catalog.rules[candidate.rule as usize];
        let hypothesis = read(catalog, rule, candidate, when);
        match ranked.iter_mut().find(|known| known.cause == hypothesis.cause) {
            Some(known) => support(known, &hypothesis),
            None => ranked.push(hypothesis),
        }
    }
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    yield_to_the_real_error(&mut ranked);
    let Some(first) = ranked.first().copied() else { return ranked };
    if first.confidence >= SURE_ENOUGH_TO_BE_BRIEF && first.tier >= Tier::Words {
        // What a bare code or a weak word also suggests is noise beside clear words.
        ranked.retain(|other| other.tier >= Tier::Words);
    }
    doubt(&mut ranked);
    let also = first.why.rule().map_or(&[][..], |rule| &rule.also);
    for meaning in also {
        let confidence = meaning.confidence.min(left_by(&ranked[0]));
        if let Some(known) = ranked.iter_mut().find(|known| known.cause == meaning.cause) {
            if known.cause != first.cause {
                known.confidence = known.confidence.max(confidence);
            }
        } else if let Some(rule) = first.why.rule() {
            let subject = catalog.cause(meaning.cause).subject;
            let why = Why::AlsoMeant(rule);
            ranked.push(Hypothesis { cause: meaning.cause, subject, confidence, why, tier: Tier::Code, score: 0.0 });
        }
    }
    if let Why::DeadList(rule, list) = first.why {
        let why = Why::AlsoMeant(rule);
        let confidence = LISTED_ON_A_DEAD_LIST;
        if !ranked.iter().any(|known| known.cause == list.cause) {
            ranked.push(Hypothesis {
                cause: list.cause,
                subject: rule.subject,
                confidence,
                why,
                tier: Tier::Code,
                score: 0.0,
            });
        }
    }
    ranked[1..].sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    ranked.truncate(MOST_CAUSES);
    ranked
}

/// That a server gave up is never the reason itself: the error before it is, if the same text names one.
fn yield_to_the_real_error(ranked: &mut [Hypothesis<'_>]) {
    if ranked.first().is_none_or(|first| first.cause != Cause::Expired) {
        return;
    }
    let is_real = |other: &Hypothesis<'_>| {
        let vague = matches!(other.cause, Cause::Expired | Cause::Unknown);
        other.tier >= Tier::Words && other.confidence >= 0.5 && !vague
    };
    // "timeout" stands in the words of giving up as well.
    let better = ranked.iter().position(|other| is_real(other) && other.cause != Cause::Unreachable);
    if let Some(real) = better.or_else(|| ranked.iter().position(is_real)) {
        ranked[..=real].rotate_right(1);
    }
}

/// Weighs what the rules gave against what all words together say.
pub fn hear_all_words<'c>(catalog: &'c Catalog, ranked: &mut Vec<Hypothesis<'c>>, guess: &Guess) {
    clear_doubt(ranked, guess);
    match ranked.first_mut() {
        Some(first) if first.confidence >= SURE_ENOUGH_TO_BE_BRIEF => {
            if guess.lead_over(first.cause) > CLEAR_LEAD {
                // Words that a rule does not know change what its phrase means more often than one would like.
                first.confidence *= WHEN_THE_WORDS_DISAGREE;
            }
        }
        _ => add_guess(catalog, ranked, guess),
    }
}

/// Where a rule of a few words made one in doubt that states the whole, all words together decide for the one they speak for.
fn clear_doubt(ranked: &mut [Hypothesis<'_>], guess: &Guess) {
    let Some((first, others)) = ranked.split_first_mut() else { return };
    let Why::Rule(rule) = first.why else { return };
    if guess.cause == first.cause
        && guess.lead() > CLEAR_LEAD
        && first.is_said_in_words()
        && rule.confidence > first.confidence
    {
        first.confidence = rule.confidence;
        let left = left_by(first);
        for other in others {
            other.confidence = other.confidence.min(left);
        }
    }
}

fn add_guess<'c>(catalog: &'c Catalog, ranked: &mut Vec<Hypothesis<'c>>, guess: &Guess) {
    // Never sure: from 0.4 for a close call to 0.7 for a clear one; that nothing is said is worth no more than a bare code.
    let most = if guess.cause == Cause::Unknown { 0.45 } else { 0.7 };
    let confidence = (0.4 + 0.1 * guess.lead()).min(most);
    let place = ranked.iter().position(|known| known.cause == guess.cause).unwrap_or_else(|| {
        let (subject, why) = (catalog.cause(guess.cause).subject, Why::Words);
        ranked.push(Hypothesis { cause: guess.cause, subject, confidence: 0.0, why, tier: Tier::Code, score: 0.0 });
        ranked.len() - 1
    });
    let (first, known) = (ranked[0], &mut ranked[place]);
    known.confidence = known.confidence.max((known.confidence + 0.1).min(0.7)).max(confidence);
    // It decides between weak evidence; it does not turn over what stronger words have decided.
    let is_settled =
        known.tier != Tier::Code && first.is_said_in_words() && first.tier > known.tier || first.confidence >= 0.6;
    let is_new = matches!(known.why, Why::Words);
    if known.confidence > first.confidence && (is_new || !is_settled) {
        ranked[..=place].rotate_right(1);
    } else if place > 0 {
        known.confidence = known.confidence.min(first.confidence);
    }
    ranked[1..].sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    ranked.truncate(MOST_CAUSES);
}

/// The answer where nothing is known.
pub fn nothing<'c>() -> Hypothesis<'c> {
    Hypothesis {
        cause: Cause::Unknown,
        subject: Subject::Message,
        confidence: 0.3,
        why: Why::Nothing,
        tier: Tier::Code,
        score: 0.0,
    }
}

/// A candidate as a hypothesis; a list that had ended makes it the receiver's fault.
fn read<'c>(catalog: &'c Catalog, rule: &'c Rule, candidate: &Candidate, when: Timestamp) -> Hypothesis<'c> {
    let Candidate { tier, score, .. } = *candidate;
    if let Origin::Named(list) = rule.origin {
        let list = &catalog.lists[usize::from(list)];
        if list.is_dead_at(when) {
            let (cause, subject, confidence) = (Cause::ReceiverMisconfigured, Subject::Ip, 0.9);
            return Hypothesis { cause, subject, confidence, why: Why::DeadList(rule, list), tier, score };
        }
    }
    Hypothesis {
        cause: rule.cause,
        subject: rule.subject,
        confidence: rule.confidence,
        why: Why::Rule(rule),
        tier,
        score,
    }
}

/// Another kind of evidence for the same cause makes it surer, wording and code together up to 0.95.
fn support(known: &mut Hypothesis<'_>, other: &Hypothesis<'_>) {
    let kind = |hypothesis: &Hypothesis<'_>| match hypothesis.why {
        Why::Rule(rule) | Why::DeadList(rule, _) => rule.tier,
        _ => hypothesis.tier,
    };
    if kind(known) == kind(other) {
        return;
    }
    let joined = 1.0 - (1.0 - known.confidence) * (1.0 - 0.5 * other.confidence);
    let joined = joined.min(0.95).max(known.confidence);
    // Within one rank of evidence, agreement decides.
    if known.tier == other.tier {
        known.score += (joined - known.confidence) * 4.0;
    }
    known.confidence = joined;
}

/// How sure another cause can be at most beside the first.
fn left_by(first: &Hypothesis<'_>) -> f32 {
    0.95 - 0.5 * first.confidence
}

/// Rivals of the same rank make the first less sure, and the others cannot be surer than what it leaves.
fn doubt(ranked: &mut [Hypothesis<'_>]) {
    let Some((first, others)) = ranked.split_first_mut() else { return };
    let rival =
        others.iter().filter(|other| other.tier == first.tier).map(|other| other.confidence).fold(0.0, f32::max);
    if rival > 0.0 {
        let close = (1.0 - (first.confidence - rival).max(0.0) * 2.0).max(0.0);
        first.confidence *= 1.0 - 0.3 * close * rival;
    }
    let left = left_by(first);
    for other in others {
        other.confidence = (other.confidence * 0.8).min(left);
    }
}
