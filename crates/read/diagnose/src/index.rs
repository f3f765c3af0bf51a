//! The catalog's phrases, compiled for one pass over a text.

use std::collections::{BTreeMap, HashMap};

use redeliver_catalog::{Catalog, Rule};
use serde::{Deserialize, Serialize};

use crate::automaton::Automaton;
use crate::phrase::{Phrase, Segment};
use crate::words::WordTable;

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

/// One segment of a phrase: its pattern, and what may stand beside it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Part {
    /// The pattern.
    pub pattern: u32,
    /// The word may begin earlier.
    pub open_left: bool,
    /// The word may go on.
    pub open_right: bool,
    /// It may match inside a name.
    pub named: bool,
}

/// A phrase: its segments, and whose it is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct PhraseInfo {
    parts: (u32, u32),
    owners: (u32, u32),
}

/// A pattern: its length, and the phrases that are looked at when it occurs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Pattern {
    length: u16,
    anchors: (u32, u32),
}

/// Everything that the scan needs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index {
    /// Finds patterns of plain words.
    pub words: WordTable,
    /// Finds the other patterns: open words, names, marks.
    pub automaton: Automaton,
    /// Finds patterns outside ASCII; only texts outside ASCII can have them.
    pub wide_automaton: Automaton,
    patterns: Vec<Pattern>,
    /// For each pattern the phrases whose rarest segment it is, with the place of that segment.
    anchors: Vec<(u32, u8)>,
    phrases: Vec<PhraseInfo>,
    parts: Vec<Part>,
    owners: Vec<Owner>,
    /// How many different `all` phrases each rule has.
    pub needed: Vec<u8>,
    /// Rules with a status and no phrase, by subject and detail of the status, sorted.
    status_rules: Vec<((u16, u16), u32)>,
    /// Rules with neither phrase nor exact status, by the start of their code (0 for any), sorted.
    bare_rules: Vec<(u16, u32)>,
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
        for (phrase, owners) in phrases {
            let (first_part, first_owner) = (self.parts.len() as u32, self.owners.len() as u32);
            self.owners.extend(owners);
            for Segment { bytes, open_left, open_right, named } in phrase.segments {
                let pattern = *numbers.entry(bytes.clone()).or_insert_with(|| {
                    texts.push(bytes);
                    texts.len() as u32 - 1
                });
                self.parts.push(Part { pattern, open_left, open_right, named });
            }
            let parts = (first_part, self.parts.len() as u32);
            self.phrases.push(PhraseInfo { parts, owners: (first_owner, self.owners.len() as u32) });
        }
        let mut shared = vec![0u32; texts.len()];
        self.parts.iter().for_each(|part| shared[part.pattern as usize] += 1);
        let mut anchors: Vec<Vec<(u32, u8)>> = vec![Vec::new(); texts.len()];
        for number in 0..self.phrases.len() as u32 {
            let parts = self.parts(number);
            // A phrase is looked at when its rarest segment occurs: "not" is everywhere, "in our directory" is not.
            let rarest = (0..parts.len()).min_by_key(|place| {
                let pattern = parts[*place].pattern as usize;
                (shared[pattern], std::cmp::Reverse(texts[pattern].len()))
            });
            if let Some(place) = rarest {
                anchors[parts[place].pattern as usize].push((number, place as u8));
            }
        }
        for (text, anchors) in texts.iter().zip(anchors) {
            let start = self.anchors.len() as u32;
            self.anchors.extend(anchors);
            self.patterns.push(Pattern { length: text.len() as u16, anchors: (start, self.anchors.len() as u32) });
        }
        self.add_texts(&texts);
    }

    /// Gives each pattern to the cheapest way of finding it.
    fn add_texts(&mut self, texts: &[Vec<u8>]) {
        let mut open = vec![false; texts.len()];
        self.parts
            .iter()
            .for_each(|part| open[part.pattern as usize] |= part.open_left || part.open_right || part.named);
        let mut words: Vec<(u32, &[u8])> = Vec::new();
        let mut narrow: Vec<(u32, &[u8])> = Vec::new();
        let mut wide: Vec<(u32, &[u8])> = Vec::new();
        for ((number, text), open) in texts.iter().enumerate().zip(open) {
            let numbered = (number as u32, text.as_slice());
            match text.is_ascii() {
                true if !open && WordTable::takes(text) => words.push(numbered),
                true => narrow.push(numbered),
                false => wide.push(numbered),
            }
        }
        self.words = WordTable::new(&words);
        self.automaton = Automaton::new(&narrow);
        self.wide_automaton = Automaton::new(&wide);
    }

    fn add_wordless(&mut self, rules: &[Rule]) {
        for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.any.is_empty() && rule.all.is_empty()) {
            for pattern in &rule.status {
                if let Some(detail) = pattern.detail {
                    self.status_rules.push(((pattern.subject, detail), number as u32));
                }
            }
            if rule.status.iter().all(|pattern| pattern.detail.is_none()) {
                let starts = rule.code.iter().filter_map(|start| start.parse().ok());
                self.bare_rules.extend(starts.map(|start: u16| (start, number as u32)));
                if rule.code.is_empty() {
                    self.bare_rules.push((0, number as u32));
                }
            }
        }
        self.status_rules.sort_unstable();
        self.status_rules.dedup();
        self.bare_rules.sort_unstable();
        self.bare_rules.dedup();
    }

    /// Number of patterns.
    pub fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Length of a pattern in bytes.
    pub fn length(&self, pattern: u32) -> usize {
        usize::from(self.patterns[pattern as usize].length)
    }

    /// The phrases to look at when a pattern occurs, each with the place of the pattern in it.
    pub fn anchors(&self, pattern: u32) -> &[(u32, u8)] {
        let (start, end) = self.patterns[pattern as usize].anchors;
        &self.anchors[start as usize..end as usize]
    }

    /// The segments of a phrase.
    pub fn parts(&self, phrase: u32) -> &[Part] {
        let (start, end) = self.phrases[phrase as usize].parts;
        &self.parts[start as usize..end as usize]
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

    /// Rules that may hold for this code whatever the words are.
    pub fn bare_rules(&self, code: Option<u16>) -> impl Iterator<Item = u32> {
        let starts = [Some(0), code, code.map(|code| code / 10), code.map(|code| code / 100)];
        starts.into_iter().flatten().flat_map(|start| {
            let first = self.bare_rules.partition_point(|(key, _)| *key < start);
            self.bare_rules[first..].iter().take_while(move |(key, _)| *key == start).map(|(_, rule)| *rule)
        })
    }
}

/// How many different phrases must all be there.
fn needed(rule: &Rule) -> u8 {
    let mut phrases: Vec<Phrase> = rule.all.iter().map(|text| Phrase::parse(text)).collect();
    phrases.sort_unstable();
    phrases.dedup();
    phrases.len() as u8
}
