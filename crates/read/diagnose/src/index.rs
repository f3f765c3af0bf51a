//! The catalog's phrases, compiled for one pass over a text.

use std::collections::{BTreeMap, HashMap};

use redeliver_catalog::{Catalog, Rule};
use serde::{Deserialize, Serialize};

use crate::automaton::Automaton;
use crate::phrase::{Phrase, Segment};

/// What a phrase speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// One of the `any` phrases of a rule.
    Any(u32),
    /// One of the `all` phrases of a rule.
    All(u32),
    /// One of the `not` phrases of a rule.
    Not(u32),
    /// A mark of a site.
    Site(u16),
    /// A mark of a kind of software.
    Software(u16),
    /// Words that say nothing.
    Trailer,
}

/// A use of a pattern: as which segment of which phrase, and what may stand beside it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Use {
    /// The phrase.
    pub phrase: u32,
    /// Which segment of it.
    pub segment: u8,
    /// The word may begin earlier.
    pub open_left: bool,
    /// The word may go on.
    pub open_right: bool,
    /// It may match inside a name.
    pub named: bool,
}

/// A phrase: how many segments, and whose it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PhraseInfo {
    /// Number of segments.
    pub segments: u8,
    owners: (u32, u32),
}

/// A pattern: its length and its uses.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Pattern {
    /// Bytes of the pattern.
    pub length: u16,
    uses: (u32, u32),
}

/// Everything that the scan needs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index {
    /// Finds the patterns.
    pub automaton: Automaton,
    /// By pattern number.
    pub patterns: Vec<Pattern>,
    uses: Vec<Use>,
    /// By phrase number.
    pub phrases: Vec<PhraseInfo>,
    owners: Vec<Owner>,
    /// How many different `all` phrases each rule has.
    pub needed: Vec<u8>,
    /// Rules with a status and no phrase, by subject and detail of the status, sorted.
    status_rules: Vec<((u16, u16), u32)>,
    /// Rules with neither phrase nor exact status.
    pub bare_rules: Vec<u32>,
}

impl Index {
    /// Compiles the phrases of a catalog.
    pub fn new(catalog: &Catalog) -> Self {
        let mut phrases: BTreeMap<Phrase, Vec<Owner>> = BTreeMap::new();
        let mut add = |text: &str, owner| {
            let phrase = Phrase::parse(text);
            if !phrase.segments.is_empty() {
                phrases.entry(phrase).or_default().push(owner);
            }
        };
        for (number, rule) in catalog.rules.iter().enumerate() {
            let number = number as u32;
            rule.any.iter().for_each(|text| add(text, Owner::Any(number)));
            rule.all.iter().for_each(|text| add(text, Owner::All(number)));
            rule.not.iter().for_each(|text| add(text, Owner::Not(number)));
        }
        for (number, site) in catalog.sites.iter().enumerate() {
            site.marks.iter().for_each(|text| add(text, Owner::Site(number as u16)));
        }
        for (number, software) in catalog.software.iter().enumerate() {
            software.marks.iter().for_each(|text| add(text, Owner::Software(number as u16)));
        }
        for trailer in &catalog.trailers {
            trailer.any.iter().for_each(|text| add(text, Owner::Trailer));
        }
        let mut index = Self { needed: catalog.rules.iter().map(needed).collect(), ..Self::default() };
        index.add_phrases(phrases);
        index.add_wordless(&catalog.rules);
        index
    }

    fn add_phrases(&mut self, phrases: BTreeMap<Phrase, Vec<Owner>>) {
        let mut numbers: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut texts: Vec<Vec<u8>> = Vec::new();
        let mut uses: Vec<Vec<Use>> = Vec::new();
        for (number, (phrase, owners)) in phrases.into_iter().enumerate() {
            let start = self.owners.len() as u32;
            self.owners.extend(owners);
            let segments = phrase.segments.len() as u8;
            self.phrases.push(PhraseInfo { segments, owners: (start, self.owners.len() as u32) });
            for (place, Segment { bytes, open_left, open_right, named }) in phrase.segments.into_iter().enumerate() {
                let pattern = *numbers.entry(bytes.clone()).or_insert_with(|| {
                    texts.push(bytes);
                    uses.push(Vec::new());
                    texts.len() as u32 - 1
                });
                let segment = place as u8;
                uses[pattern as usize].push(Use { phrase: number as u32, segment, open_left, open_right, named });
            }
        }
        for (text, uses) in texts.iter().zip(uses) {
            let start = self.uses.len() as u32;
            self.uses.extend(uses);
            self.patterns.push(Pattern { length: text.len() as u16, uses: (start, self.uses.len() as u32) });
        }
        self.automaton = Automaton::new(&texts);
    }

    fn add_wordless(&mut self, rules: &[Rule]) {
        for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.any.is_empty() && rule.all.is_empty()) {
            for pattern in &rule.status {
                if let Some(detail) = pattern.detail {
                    self.status_rules.push(((pattern.subject, detail), number as u32));
                }
            }
            if rule.status.iter().all(|pattern| pattern.detail.is_none()) {
                self.bare_rules.push(number as u32);
            }
        }
        self.status_rules.sort_unstable();
        self.status_rules.dedup();
    }

    /// The uses of a pattern.
    pub fn uses(&self, pattern: u32) -> (&[Use], usize) {
        let Pattern { length, uses } = self.patterns[pattern as usize];
        (&self.uses[uses.0 as usize..uses.1 as usize], usize::from(length))
    }

    /// Whose a phrase is.
    pub fn owners(&self, phrase: u32) -> &[Owner] {
        let (start, end) = self.phrases[phrase as usize].owners;
        &self.owners[start as usize..end as usize]
    }

    /// Rules that look at a status of this subject and detail, and at no words.
    pub fn status_rules(&self, subject: u16, detail: u16) -> impl Iterator<Item = u32> {
        let start = self.status_rules.partition_point(|(key, _)| *key < (subject, detail));
        self.status_rules[start..].iter().take_while(move |(key, _)| *key == (subject, detail)).map(|(_, rule)| *rule)
    }
}

/// How many different phrases must all be there.
fn needed(rule: &Rule) -> u8 {
    let mut phrases: Vec<Phrase> = rule.all.iter().map(|text| Phrase::parse(text)).collect();
    phrases.sort_unstable();
    phrases.dedup();
    phrases.len() as u8
}
