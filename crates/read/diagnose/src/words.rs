//! Finds patterns of whole words: each pattern is looked at only when its rarest word occurs.
//!
//! Most phrases of the catalog are plain ASCII words. For them a look-up a word is several times cheaper than a walk
//! through an automaton a byte, whose states do not fit a near cache. The automaton keeps the other patterns.

use std::collections::HashMap;

use crate::packed::{Row, Unpacker, pack, pack_bytes};

/// Where the entries of a word begin, by its hash; open addressing, a power of two of places, at most half full.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordTable {
    /// Hash of the word and the number of its first entry plus one; (0, 0) for a free place.
    places: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    /// The bytes of all patterns, one behind the other.
    texts: Vec<u8>,
}

/// A pattern that has the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    pattern: u32,
    /// Where the pattern stands in `texts`.
    text: u32,
    length: u16,
    /// Where the word stands in the pattern.
    offset: u16,
    /// The first and the last byte of the pattern: nearly every wrong place fails by them.
    ends: (u8, u8),
    /// Whether this is the last entry of its word.
    last: bool,
}

impl Row for Entry {
    const NUMBERS: usize = 4;

    fn write(&self, out: &mut Vec<u32>) {
        let place = u32::from(self.length) << 16 | u32::from(self.offset);
        let ends = u32::from(self.ends.0) << 16 | u32::from(self.ends.1) << 8 | u32::from(self.last);
        out.extend([self.pattern, self.text, place, ends]);
    }

    fn read(numbers: &[u32]) -> Self {
        let [pattern, text, place, ends] = [numbers[0], numbers[1], numbers[2], numbers[3]];
        let (length, offset) = ((place >> 16) as u16, place as u16);
        Self { pattern, text, length, offset, ends: ((ends >> 16) as u8, (ends >> 8) as u8), last: ends & 1 == 1 }
    }
}

impl WordTable {
    /// Whether a pattern can be found by its words.
    pub fn takes(pattern: &[u8]) -> bool {
        let mut words = pattern.split(|byte| *byte == b' ');
        pattern.is_ascii() && words.all(|word| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric))
    }

    /// Builds the table for patterns that it takes, each with its number.
    pub fn new(patterns: &[(u32, &[u8])]) -> Self {
        let mut shared: HashMap<&[u8], u32> = HashMap::new();
        for (_, pattern) in patterns {
            for word in pattern.split(|byte| *byte == b' ') {
                *shared.entry(word).or_default() += 1;
            }
        }
        let mut table = Self::default();
        let mut by_word: Vec<(&[u8], Entry)> = Vec::new();
        for (number, pattern) in patterns {
            let mut offset = 0;
            let mut rarest: Option<(u32, &[u8], usize)> = None;
            for word in pattern.split(|byte| *byte == b' ') {
                let count = shared[word];
                if rarest.is_none_or(|(least, known, _)| (count, known.len()) < (least, word.len())) {
                    rarest = Some((count, word, offset));
                }
                offset += word.len() + 1;
            }
            let Some((_, word, offset)) = rarest else { continue };
            let (text, length) = (table.texts.len() as u32, pattern.len() as u16);
            table.texts.extend_from_slice(pattern);
            let ends = (pattern[0], pattern[pattern.len() - 1]);
            by_word.push((word, Entry { pattern: *number, text, length, offset: offset as u16, ends, last: false }));
        }
        by_word.sort_by_key(|(word, entry)| (*word, entry.pattern));
        table.places = vec![(0, 0); (shared.len() * 2).next_power_of_two().max(2)];
        for (number, (word, entry)) in by_word.iter().enumerate() {
            if number == 0 || by_word[number - 1].0 != *word {
                table.put(hash(word), number as u32 + 1);
            }
            let last = by_word.get(number + 1).is_none_or(|(next, _)| next != word);
            table.entries.push(Entry { last, ..*entry });
        }
        table
    }

    /// Adds the table to packed bytes.
    pub fn pack(&self, out: &mut Vec<u8>) {
        pack(&self.places, out);
        pack(&self.entries, out);
        pack_bytes(&self.texts, out);
    }

    /// Takes the table off packed bytes.
    pub fn unpack(packed: &mut Unpacker<'_>) -> Option<Self> {
        Some(Self { places: packed.table()?, entries: packed.table()?, texts: packed.bytes()?.to_vec() })
    }

    fn put(&mut self, hash: u32, first: u32) {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while self.places[place].1 != 0 {
            place = (place + 1) & mask;
        }
        self.places[place] = (hash, first);
    }

    /// Calls `hit(pattern, start, end)` for every pattern in `text` that stands there in whole words.
    pub fn scan(&self, text: &[u8], mut hit: impl FnMut(u32, usize, usize)) {
        if self.entries.is_empty() {
            return;
        }
        let mut at = 0;
        while at < text.len() {
            if !text[at].is_ascii_alphanumeric() {
                at += 1;
                continue;
            }
            let start = at;
            let mut hash = SEED;
            while let Some(byte) = text.get(at).filter(|byte| byte.is_ascii_alphanumeric()) {
                hash = step(hash, *byte);
                at += 1;
            }
            self.word(text, start, finish(hash), &mut hit);
        }
    }

    /// Looks at the patterns of one word. Words with the same hash share their places; the text decides.
    fn word(&self, text: &[u8], start: usize, hash: u32, hit: &mut impl FnMut(u32, usize, usize)) {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while self.places[place].1 != 0 {
            if self.places[place].0 == hash {
                let mut number = self.places[place].1 as usize - 1;
                loop {
                    let entry = self.entries[number];
                    self.entry(text, start, entry, hit);
                    if entry.last {
                        break;
                    }
                    number += 1;
                }
            }
            place = (place + 1) & mask;
        }
    }

    #[inline]
    fn entry(&self, text: &[u8], word: usize, entry: Entry, hit: &mut impl FnMut(u32, usize, usize)) {
        let Some(start) = word.checked_sub(usize::from(entry.offset)) else { return };
        let end = start + usize::from(entry.length);
        if text[start] != entry.ends.0 || text.get(end - 1) != Some(&entry.ends.1) {
            return;
        }
        let pattern = &self.texts[entry.text as usize..entry.text as usize + usize::from(entry.length)];
        let letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        if text.get(start..end) == Some(pattern) && !letter(end) && (start == 0 || !letter(start - 1)) {
            hit(entry.pattern, start, end);
        }
    }
}

const SEED: u32 = 0x811c_9dc5;

/// FNV-1a, a byte at a time: words are short.
#[inline]
fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

/// Spreads the high bits into the low ones, by which the table is addressed.
#[inline]
fn finish(hash: u32) -> u32 {
    hash ^ (hash >> 15)
}

fn hash(word: &[u8]) -> u32 {
    finish(word.iter().fold(SEED, |hash, byte| step(hash, *byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(patterns: &[&str], text: &str) -> Vec<(u32, usize, usize)> {
        let numbered: Vec<(u32, &[u8])> =
            patterns.iter().enumerate().map(|(number, text)| (number as u32, text.as_bytes())).collect();
        let mut hits = Vec::new();
        WordTable::new(&numbered).scan(text.as_bytes(), |pattern, start, end| hits.push((pattern, start, end)));
        hits.sort_unstable();
        hits
    }

    #[test]
    fn finds_whole_words_only() {
        assert_eq!(find(&["user unknown", "user", "unknown user"], "no user unknown users"), [(0, 3, 15), (1, 3, 7)]);
        assert_eq!(find(&["spam"], "antispam spams spam"), [(0, 15, 19)]);
        assert_eq!(find(&["not a", "a not"], "not a not"), [(0, 0, 5), (1, 4, 9)]);
        assert_eq!(find(&["spam"], "über spam ü"), [(0, 6, 10)]);
        assert_eq!(find(&[], "anything"), []);
    }

    #[test]
    fn takes_plain_words_only() {
        assert!(WordTable::takes(b"user unknown 2"));
        for other in ["größe", "zen.spamhaus.org", "\u{2} blocked", "a  b", ""] {
            assert!(!WordTable::takes(other.as_bytes()), "{other}");
        }
    }
}
