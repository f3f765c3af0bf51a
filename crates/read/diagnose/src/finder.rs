//! Finding any of a fixed list of words in one pass, whatever their case (ASCII).

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

/// A list of words, in lower case; its automaton is built when it is first asked for.
pub struct Finder {
    words: &'static [&'static str],
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Finder {
    /// A finder of these words.
    pub const fn new(words: &'static [&'static str]) -> Self {
        Self { words, automaton: OnceLock::new() }
    }

    /// Every place of every word, in the order in which they end: the number of the word, and the place behind it.
    pub fn all<'t>(&'static self, text: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
        let automaton =
            self.automaton.get_or_init(|| AhoCorasick::builder().ascii_case_insensitive(true).build(self.words).ok());
        let found = automaton.as_ref().map(|automaton| automaton.find_overlapping_iter(text));
        found.into_iter().flatten().map(|hit| (hit.pattern().as_usize(), hit.end()))
    }

    /// Whether one of the words is in the text.
    pub fn is_in(&'static self, text: &str) -> bool {
        self.all(text).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_inside_words_are_found_too() {
        static FINDER: Finder = Finder::new(&["after data", "data", "übermittelt"]);
        assert_eq!(FINDER.all("After DATA").collect::<Vec<_>>(), [(0, 10), (1, 10)]);
        assert!(FINDER.is_in("nicht übermittelt") && !FINDER.is_in("dat"));
    }
}
