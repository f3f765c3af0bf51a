//! The catalog's phrases, compiled for one pass over a text.

use std::collections::{BTreeMap, HashMap};

use redeliver_catalog::{Catalog, Rule};

use crate::automaton::Automaton;
use crate::packed::{Row, Unpacker, pack};
use crate::phrase::{Phrase, Segment};
use crate::words::WordTable;

/// What a phrase speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy)]
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
#[derive(Debug, Clone, Copy)]
struct PhraseInfo {
    parts: (u32, u32),
    owners: (u32, u32),
}

/// A pattern: its length, and the phrases that are looked at when it occurs.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    length: u32,
    anchors: (u32, u32),
}

/// A phrase to look at, and which of its segments was found.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    /// The phrase.
    pub phrase: u32,
    /// The place of the segment.
    pub place: u32,
}

/// Everything that the scan needs.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Finds patterns of plain words.
    pub words: WordTable,
    /// Finds the other patterns: open words, names, marks.
    pub automaton: Automaton,
    /// Finds patterns outside ASCII; only texts outside ASCII can have them.
    pub wide_automaton: Automaton,
    patterns: Vec<Pattern>,
    /// For each pattern the phrases whose rarest segment it is, with the place of that segment.
    anchors: Vec<Anchor>,
    phrases: Vec<PhraseInfo>,
    parts: Vec<Part>,
    owners: Vec<Owner>,
    /// How many different `all` phrases each rule has.
    pub needed: Vec<u32>,
    /// Rules with a status and no phrase, by subject and detail of the status, sorted.
    status_rules: Vec<(u32, u32)>,
    /// Rules with neither phrase nor exact status, by the start of their code (0 for any), sorted.
    bare_rules: Vec<(u32, u32)>,
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
        let mut anchors: Vec<Vec<Anchor>> = vec![Vec::new(); texts.len()];
        for number in 0..self.phrases.len() as u32 {
            let parts = self.parts(number);
            // A phrase is looked at when its rarest segment occurs: "not" is everywhere, "in our directory" is not.
            let rarest = (0..parts.len()).min_by_key(|place| {
                let pattern = parts[*place].pattern as usize;
                (shared[pattern], std::cmp::Reverse(texts[pattern].len()))
            });
            if let Some(place) = rarest {
                anchors[parts[place].pattern as usize].push(Anchor { phrase: number, place: place as u32 });
            }
        }
        for (text, anchors) in texts.iter().zip(anchors) {
            let start = self.anchors.len() as u32;
            self.anchors.extend(anchors);
            self.patterns.push(Pattern { length: text.len() as u32, anchors: (start, self.anchors.len() as u32) });
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
                    self.status_rules.push((status_key(pattern.subject, detail), number as u32));
                }
            }
            if rule.status.iter().all(|pattern| pattern.detail.is_none()) {
                let starts = rule.code.iter().filter_map(|start| start.parse().ok());
                self.bare_rules.extend(starts.map(|start: u32| (start, number as u32)));
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

    /// Number of phrases.
    pub fn phrases(&self) -> usize {
        self.phrases.len()
    }

    /// Length of a pattern in bytes.
    pub fn length(&self, pattern: u32) -> usize {
        self.patterns[pattern as usize].length as usize
    }

    /// The phrases to look at when a pattern occurs, each with the place of the pattern in it.
    pub fn anchors(&self, pattern: u32) -> &[Anchor] {
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
        of_key(&self.status_rules, status_key(subject, detail))
    }

    /// Rules that may hold for this code whatever the words are.
    pub fn bare_rules(&self, code: Option<u16>) -> impl Iterator<Item = u32> {
        let code = code.map(u32::from);
        let starts = [Some(0), code, code.map(|code| code / 10), code.map(|code| code / 100)];
        starts.into_iter().flatten().flat_map(|start| of_key(&self.bare_rules, start))
    }

    /// The index as bytes.
    pub fn pack(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.words.pack(&mut out);
        self.automaton.pack(&mut out);
        self.wide_automaton.pack(&mut out);
        pack(&self.patterns, &mut out);
        pack(&self.anchors, &mut out);
        pack(&self.phrases, &mut out);
        pack(&self.parts, &mut out);
        pack(&self.owners, &mut out);
        pack(&self.needed, &mut out);
        pack(&self.status_rules, &mut out);
        pack(&self.bare_rules, &mut out);
        out
    }

    /// The index that was packed; none if the bytes are damaged.
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut packed = Unpacker(bytes);
        Some(Self {
            words: WordTable::unpack(&mut packed)?,
            automaton: Automaton::unpack(&mut packed)?,
            wide_automaton: Automaton::unpack(&mut packed)?,
            patterns: packed.table()?,
            anchors: packed.table()?,
            phrases: packed.table()?,
            parts: packed.table()?,
            owners: packed.table()?,
            needed: packed.table()?,
            status_rules: packed.table()?,
            bare_rules: packed.table()?,
        })
    }
}

fn status_key(subject: u16, detail: u16) -> u32 {
    u32::from(subject) << 16 | u32::from(detail)
}

/// The values of a key in a sorted table.
fn of_key(table: &[(u32, u32)], key: u32) -> impl Iterator<Item = u32> {
    let first = table.partition_point(|(known, _)| *known < key);
    table[first..].iter().take_while(move |(known, _)| *known == key).map(|(_, value)| *value)
}

/// How many different phrases must all be there.
fn needed(rule: &Rule) -> u32 {
    let mut phrases: Vec<Phrase> = rule.all.iter().map(|text| Phrase::parse(text)).collect();
    phrases.sort_unstable();
    phrases.dedup();
    phrases.len() as u32
}

impl Row for Owner {
    const NUMBERS: usize = 2;

    fn write(&self, out: &mut Vec<u32>) {
        out.extend(match *self {
            Self::Any(rule) => [0, rule],
            Self::All(rule) => [1, rule],
            Self::Not(rule) => [2, rule],
            Self::Site(site) => [3, u32::from(site)],
            Self::Software(software) => [4, u32::from(software)],
            Self::Trailer => [5, 0],
        });
    }

    fn read(numbers: &[u32]) -> Self {
        match numbers[0] {
            0 => Self::Any(numbers[1]),
            1 => Self::All(numbers[1]),
            2 => Self::Not(numbers[1]),
            3 => Self::Site(numbers[1] as u16),
            4 => Self::Software(numbers[1] as u16),
            _ => Self::Trailer,
        }
    }
}

impl Row for Part {
    const NUMBERS: usize = 2;

    fn write(&self, out: &mut Vec<u32>) {
        let flags = u32::from(self.open_left) | u32::from(self.open_right) << 1 | u32::from(self.named) << 2;
        out.extend([self.pattern, flags]);
    }

    fn read(numbers: &[u32]) -> Self {
        let flag = |bit: u32| numbers[1] >> bit & 1 == 1;
        Self { pattern: numbers[0], open_left: flag(0), open_right: flag(1), named: flag(2) }
    }
}

impl Row for PhraseInfo {
    const NUMBERS: usize = 4;

    fn write(&self, out: &mut Vec<u32>) {
        out.extend([self.parts.0, self.parts.1, self.owners.0, self.owners.1]);
    }

    fn read(numbers: &[u32]) -> Self {
        Self { parts: (numbers[0], numbers[1]), owners: (numbers[2], numbers[3]) }
    }
}

impl Row for Pattern {
    const NUMBERS: usize = 3;

    fn write(&self, out: &mut Vec<u32>) {
        out.extend([self.length, self.anchors.0, self.anchors.1]);
    }

    fn read(numbers: &[u32]) -> Self {
        Self { length: numbers[0], anchors: (numbers[1], numbers[2]) }
    }
}

impl Row for Anchor {
    const NUMBERS: usize = 2;

    fn write(&self, out: &mut Vec<u32>) {
        out.extend([self.phrase, self.place]);
    }

    fn read(numbers: &[u32]) -> Self {
        Self { phrase: numbers[0], place: numbers[1] }
    }
}
