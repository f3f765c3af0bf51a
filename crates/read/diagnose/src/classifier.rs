//! Guesses the cause by the words of a text, where the wordings of the catalog leave doubt.
//!
//! A linear classifier over words, their beginnings and pairs of words: logistic regression of many classes, learned sentence by
//! sentence and averaged (Polyak and Juditsky 1992), its features hashed into a table of fixed size (Weinberger and others 2009).
//! It learns from the catalog alone, from the phrases and examples of the rules and from the free wordings, when the binary is
//! built or an overlay is loaded; a guess is never sure. The same catalog always gives the same table.

use std::borrow::Cow;
use std::ops::Range;

use redeliver_catalog::Catalog;
use redeliver_model::Cause;

use crate::fold::Folded;

/// Rows of the table; the features of the catalog are some 200,000, of which few have much weight.
const ROWS: usize = 1 << 16;

/// Weights of a row.
const CAUSES: usize = Cause::ALL.len();

/// How often the sentences are gone through.
const ROUNDS: usize = 8;

/// How often a free wording counts: a phrase is said of a cause in many ways already, a wording stands for itself.
const SAID: usize = 3;

/// How far one sentence moves the weights at most.
const RATE: f32 = 0.5;

/// A sentence whose cause is held for less likely to be wrong than this teaches nothing.
const LEARNED: f32 = 0.01;

/// Steps of a stored weight that make 1: weights reach 15.
const STEPS: f32 = 8.0;

/// A word longer than this also counts by its beginning: `limit`, `limits`, `limitiert`.
const BEGINNING: usize = 5;

/// As many features has a reply without any code. Shorter texts are labels of a notification ("To:"), longer ones whole
/// notifications, of which most says nothing about the cause.
const FEATURES_WITHOUT_CODE: Range<usize> = 8..60;

/// How far the likeliest cause of such a text must lead: it may be no reply at all.
const LEAD_WITHOUT_CODE: f32 = 2.0;

/// As many features as a short reply has.
const FEATURES_OF_A_REPLY: f32 = 40.0;

/// So many weights sum up to less than the largest [`i16`].
const MOST_SUMMED: usize = 250;

/// First byte, in UTF-8, of Thai, Japanese, Chinese and all blocks above U+0E00. Words are not told apart by blanks there,
/// so that pairs of letters count.
const UPPER_BLOCKS: u8 = 0xe0;

/// Fewer features than this speak for nothing.
const LEAST_FEATURES: usize = 3;

/// What each feature says for and against each cause.
#[derive(Debug, Clone, Default)]
pub struct Classifier {
    /// [`ROWS`] times [`CAUSES`] signed bytes.
    weights: Cow<'static, [u8]>,
}

/// What all words of a text together say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess {
    /// The likeliest cause.
    pub cause: Cause,
    /// What speaks for each cause, in [`STEPS`].
    scores: [i32; CAUSES],
    /// By what differences of the scores count less: the more words, the more of them say something by chance.
    noise: f32,
}

impl Guess {
    /// How far the likeliest cause leads the second: a difference of logarithms, so that 0 is even and 3 is twenty to one.
    pub fn lead(&self) -> f32 {
        let others = Cause::ALL.iter().filter(|cause| **cause != self.cause);
        others.map(|other| self.lead_over(*other)).fold(f32::MAX, f32::min)
    }

    /// How far the likeliest cause leads `other`.
    pub fn lead_over(&self, other: Cause) -> f32 {
        (self.scores[self.cause as usize] - self.scores[other as usize]) as f32 / STEPS / self.noise
    }
}

impl Classifier {
    /// Learns a catalog.
    pub fn learn(catalog: &Catalog) -> Self {
        let sentences = sentences(catalog);
        let mut learning = Learning::new();
        let mut order: Vec<usize> = (0..sentences.len()).collect();
        let mut random = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..ROUNDS {
            shuffle(&mut order, &mut random);
            for number in &order {
                let (cause, rows) = &sentences[*number];
                learning.see(*cause, rows);
            }
        }
        Self { weights: Cow::Owned(learning.averages()) }
    }

    /// The table that was learned when the binary was built; none if its size is wrong.
    pub fn learned(weights: &'static [u8]) -> Option<Self> {
        (weights.len() == ROWS * CAUSES).then_some(Self { weights: Cow::Borrowed(weights) })
    }

    /// The table as bytes.
    #[cfg_attr(not(test), allow(dead_code, reason = "the build asks for it"))]
    pub fn bytes(&self) -> &[u8] {
        &self.weights
    }

    /// The likeliest cause; none for a text without words, and for one without a code that is no reply by its length.
    pub fn guess(&self, folded: &Folded, has_code: bool) -> Option<Guess> {
        let rows = features(folded);
        let fitting = if has_code { LEAST_FEATURES..usize::MAX } else { FEATURES_WITHOUT_CODE };
        if !fitting.contains(&rows.len()) {
            return None;
        }
        let noise = (rows.len() as f32 / FEATURES_OF_A_REPLY).sqrt().max(1.0);
        let mut scores = [0i32; CAUSES];
        let (table, _) = self.weights.as_chunks::<CAUSES>();
        for rows in rows.chunks(MOST_SUMMED) {
            // Of known length and in small numbers, so that the compiler makes vectors of them.
            let mut sums = [0i16; CAUSES];
            for row in rows {
                let weights = table.get(*row)?;
                for (cause, weight) in weights.iter().enumerate() {
                    sums[cause] += i16::from(weight.cast_signed());
                }
            }
            scores.iter_mut().zip(sums).for_each(|(score, sum)| *score += i32::from(sum));
        }
        let best = (0..CAUSES).max_by_key(|cause| (scores[*cause], std::cmp::Reverse(*cause)))?;
        let guess = Guess { cause: Cause::ALL[best], scores, noise };
        (has_code || guess.lead() >= LEAD_WITHOUT_CODE).then_some(guess)
    }
}

/// What the catalog says of each cause: its phrases, examples and free wordings, as features.
fn sentences(catalog: &Catalog) -> Vec<(usize, Vec<usize>)> {
    let mut folded = Folded::default();
    let mut sentences = Vec::new();
    let mut add = |cause: Cause, text: &str| {
        folded.fold(text);
        let rows = features(&folded);
        if !rows.is_empty() {
            sentences.push((cause as usize, rows));
        }
    };
    for rule in &catalog.rules {
        rule.examples.iter().for_each(|example| add(rule.cause, example));
        for phrase in &rule.any {
            add(rule.cause, &phrase.replace("{addr}", "a@example.org").replace("{ip}", "192.0.2.7"));
        }
    }
    for (cause, said) in &catalog.wordings {
        for text in said.iter().flat_map(|text| [text; SAID]) {
            add(*cause, text);
        }
    }
    sentences
}

/// The rows of a text's features: its words and their pairs. Names and numbers say nothing about a cause.
fn features(folded: &Folded) -> Vec<usize> {
    let mut rows = Vec::with_capacity(folded.bytes.len() / 2);
    let mut before = None;
    let mut at = 0;
    for word in folded.bytes.split(|byte| *byte == b' ') {
        let (start, end) = (at, at + word.len());
        at = end + 1;
        if word.iter().all(u8::is_ascii_digit) || folded.touches_name(start, end) {
            continue;
        }
        let hash = hash(word);
        if let Some(before) = before {
            rows.push(row(step(step(before, b' '), hash as u8) ^ hash));
        }
        before = Some(hash);
        let letters = || (0..word.len()).filter(|at| word[*at] & 0xc0 != 0x80).chain([word.len()]);
        if word[0] >= UPPER_BLOCKS {
            rows.extend(letters().zip(letters().skip(2)).map(|(start, end)| row(self::hash(&word[start..end]))));
            continue;
        }
        rows.push(row(hash));
        if let Some(end) = letters().nth(BEGINNING).filter(|end| *end < word.len()) {
            rows.push(row(step(self::hash(&word[..end]), b'*')));
        }
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// FNV-1a: words are short.
fn hash(word: &[u8]) -> u32 {
    word.iter().fold(0x811c_9dc5, |hash, byte| step(hash, *byte))
}

fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

fn row(hash: u32) -> usize {
    (hash ^ (hash >> 16)) as usize % ROWS
}

/// The weights while they are learned.
struct Learning {
    weights: Vec<[f32; CAUSES]>,
    /// Each change times when it was made: what the average lacks of the weight.
    late: Vec<[f32; CAUSES]>,
    seen: f32,
}

impl Learning {
    fn new() -> Self {
        Self { weights: vec![[0.0; CAUSES]; ROWS], late: vec![[0.0; CAUSES]; ROWS], seen: 1.0 }
    }

    /// Moves the weights of this sentence from each cause, as far as it is held for likely, to the right one.
    fn see(&mut self, right: usize, rows: &[usize]) {
        let mut scores = [0.0_f32; CAUSES];
        for row in rows {
            scores.iter_mut().zip(&self.weights[*row]).for_each(|(score, weight)| *score += *weight);
        }
        let best = scores.iter().copied().fold(f32::MIN, f32::max);
        let mut steps = scores.map(|score| (score - best).exp());
        let sum: f32 = steps.iter().sum();
        let wrong = 1.0 - steps[right] / sum;
        if wrong > LEARNED {
            steps = steps.map(|step| -RATE * step / sum);
            steps[right] = RATE * wrong;
            for row in rows {
                self.weights[*row].iter_mut().zip(steps).for_each(|(weight, step)| *weight += step);
                self.late[*row].iter_mut().zip(steps).for_each(|(late, step)| *late += step * self.seen);
            }
        }
        self.seen += 1.0;
    }

    /// The averages of all states of the weights, in [`STEPS`].
    fn averages(&self) -> Vec<u8> {
        let average = |weight: &f32, late: &f32| weight - late / self.seen;
        let rows = self.weights.iter().zip(&self.late);
        let averages = rows.flat_map(|(row, late)| row.iter().zip(late).map(|(weight, late)| average(weight, late)));
        averages.map(|average| (average * STEPS).round() as i8).map(i8::cast_unsigned).collect()
    }
}

/// Fisher and Yates; the same order at every build.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for last in (1..order.len()).rev() {
        // xorshift64 (Marsaglia 2003)
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        order.swap(last, (*random % (last as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_catalog_gives_the_same_table() {
        let built: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weights.bin"));
        assert!(Classifier::learn(&Catalog::builtin().unwrap()).bytes() == built);
        assert!(Classifier::learned(&built[1..]).is_none());
    }

    #[test]
    fn names_and_numbers_are_no_features() {
        let rows = |text: &str| {
            let mut folded = Folded::default();
            folded.fold(text);
            features(&folded)
        };
        assert_eq!(rows("550 box full at mx1.example.org (ref 12345)"), rows("box full at ref"));
        // box, full, and both
        assert_eq!(rows("box full").len(), 3);
        // quotas, its beginning, exceeded, its beginning, and the pair
        assert_eq!(rows("quotas exceeded").len(), 5);
        // 容量, 量已, 已满
        assert_eq!(rows("容量已满").len(), 3);
        assert!(rows("").is_empty());
    }
}
