//! The nearest known reply, for texts that no rule meets: shared words, rare ones counting more.

use std::collections::{BTreeMap, HashMap};

use redeliver_catalog::Catalog;
use redeliver_model::Cause;

use crate::fold::Folded;
use crate::locate::locate;

/// Below this likeness a known reply is no help.
pub const LEAST_LIKENESS: f32 = 0.4;

/// Fewer known words than this are like anything.
const LEAST_WORDS: usize = 3;

/// The known replies, by their words.
#[derive(Debug)]
pub struct Nearest {
    /// For each word: how rare it is, and the examples that have it.
    words: HashMap<Vec<u8>, (f32, Vec<u32>)>,
    examples: Vec<Example>,
}

#[derive(Debug)]
struct Example {
    rule: u32,
    /// Sum of the squared weights of its words.
    norm: f32,
}

/// A known reply that is like the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The rule it is an example of.
    pub rule: u32,
    /// 0 to 1: the cosine of the two weighted word sets.
    pub likeness: f32,
}

impl Nearest {
    /// Reads the examples of all rules that have words.
    pub fn new(catalog: &Catalog) -> Self {
        let mut word_sets = Vec::new();
        let mut folded = Folded::default();
        for (number, rule) in catalog.rules.iter().enumerate() {
            if rule.any.is_empty() && rule.all.is_empty() || rule.cause == Cause::Unknown {
                continue;
            }
            for example in &rule.examples {
                folded.clear();
                for line in &locate(example).refusal.reply.lines {
                    folded.add(line);
                }
                word_sets.push((number as u32, words_of(&folded)));
            }
        }
        let mut postings: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        for (number, (_, words)) in word_sets.iter().enumerate() {
            for word in words {
                postings.entry(word).or_default().push(number as u32);
            }
        }
        let total = word_sets.len() as f32;
        let mut words = HashMap::new();
        let mut examples: Vec<Example> = word_sets.iter().map(|(rule, _)| Example { rule: *rule, norm: 0.0 }).collect();
        for (word, places) in postings {
            let weight = (total / places.len() as f32).ln();
            for place in &places {
                examples[*place as usize].norm += weight * weight;
            }
            words.insert(word.to_vec(), (weight, places));
        }
        Self { words, examples }
    }

    /// The example most like the text, if any is like it.
    pub fn find(&self, folded: &Folded) -> Option<Neighbour> {
        let mut shared: HashMap<u32, f32> = HashMap::new();
        // A word that no example has counts as very rare: a text full of such words is like nothing known.
        let unknown = (self.examples.len().max(2) as f32).ln();
        let mut own = 0.0;
        let mut known = 0;
        for word in words_of(folded) {
            match self.words.get(&word) {
                Some((weight, places)) => {
                    known += 1;
                    own += weight * weight;
                    for place in places {
                        *shared.entry(*place).or_default() += weight * weight;
                    }
                }
                None => own += unknown * unknown * 0.5,
            }
        }
        if known < LEAST_WORDS {
            return None;
        }
        let like =
            |place: u32, sum: f32| sum / (own.sqrt() * self.examples[place as usize].norm.sqrt()).max(f32::EPSILON);
        let best = shared
            .into_iter()
            .map(|(place, sum)| (like(place, sum), std::cmp::Reverse(place)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        let neighbour = Neighbour { rule: self.examples[best.1.0 as usize].rule, likeness: best.0 };
        (neighbour.likeness >= LEAST_LIKENESS).then_some(neighbour)
    }
}

/// The different words of a text; names, marks, numbers and single letters left out.
fn words_of(folded: &Folded) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in folded.bytes.split(|byte| *byte == b' ') {
        let end = at + word.len();
        if word.len() > 1 && !word.iter().all(u8::is_ascii_digit) && !folded.touches_name(at, end) {
            words.push(word.to_vec());
        }
        at = end + 1;
    }
    words.sort_unstable();
    words.dedup();
    words
}
