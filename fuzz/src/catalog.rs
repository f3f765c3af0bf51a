//! An operator's own knowledge: files laid over the catalog, and the sentences in them.

use std::sync::OnceLock;

use redeliver_catalog::{Catalog, CatalogError, Parameter, Sentence, Values};

use crate::hold::bounded;

const FOLDERS: [&str; 10] = [
    "words.toml", "causes/a.toml", "remedies/a.toml", "blocklists/a.toml", "sites/a.toml", "software/a.toml",
    "phrases/a.toml", "codes/a.toml", "letters/a.toml", "reports/a.toml",
];

fn builtin() -> Catalog {
    static BUILTIN: OnceLock<Catalog> = OnceLock::new();
    BUILTIN.get_or_init(|| Catalog::builtin().expect("the catalog is whole")).clone()
}

/// One file over the built-in catalog; the first byte says in which folder. What is wrong is a problem that names a line.
pub fn overlay(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let path = FOLDERS[usize::from(first) % FOLDERS.len()];
    let laid = builtin().with_overlay_texts(vec![(path.to_owned(), text.to_owned())]);
    let lines = text.lines().count() + 1;
    match laid {
        Ok(catalog) => {
            let known = builtin();
            // Every text that makes a rule takes some bytes of the file.
            assert!(catalog.rules.len() <= known.rules.len() + text.len());
        }
        Err(CatalogError::Overlay(problems)) => {
            assert!(!problems.is_empty());
            for problem in &problems {
                assert!(problem.line <= lines, "line {} of {lines}", problem.line);
                bounded(problem.reason.len(), text.len(), 4, 16 * 1024);
            }
        }
        Err(CatalogError::Damaged) => panic!("an overlay cannot damage the catalog"),
    }
}

/// A sentence with gaps, filled. Sentences borrow from a catalog that lives as long as the process; here the text is given
/// back, or an hour of runs would fill the memory.
pub fn sentence(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let raw = Box::into_raw(text.to_owned().into_boxed_str());
    {
        // SAFETY: the text is given back below, behind the last use of what borrows from it.
        let text: &'static str = unsafe { &*raw };
        if let Ok(sentence) = Sentence::parse(text) {
            let words = &builtin_words();
            let mut values = Values::new(words);
            let bare = sentence.fill(&values).into_owned();
            assert_eq!(bare, sentence.fill(&values));
            let value = "x".repeat(100);
            for name in ["host", "ip", "list", "sender", "recipient", "reply", "code", "url", "wait"] {
                if let Some(parameter) = Parameter::named(name) {
                    values.set(parameter, Some(&value));
                }
            }
            // A gap takes four bytes at least: `{ip}`.
            bounded(sentence.fill(&values).len(), text.len(), 40, 256);
        }
    }
    // SAFETY: it came from `into_raw` above and nothing borrows from it any more.
    drop(unsafe { Box::from_raw(raw) });
}

fn builtin_words() -> Vec<&'static str> {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| builtin().words).clone()
}
