//! Phrases as the catalog writes them: folded words, `*` at an end, ` .. ` for a gap, `{addr}` and `{ip}`.

use crate::fold::{ADDRESS, Folded, IP};

/// Most words that a gap may stand for.
pub const WIDEST_GAP: usize = 10;

/// A part of a phrase between gaps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    /// The folded bytes.
    pub bytes: Vec<u8>,
    /// The word may begin earlier (`*list`).
    pub open_left: bool,
    /// The word may go on (`blacklist*`).
    pub open_right: bool,
    /// It has a dotted name in it, so it may match inside one.
    pub named: bool,
}

/// A phrase, cut at its gaps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phrase {
    /// At least one segment for a phrase that can match; none for an empty one.
    pub segments: Vec<Segment>,
}

impl Phrase {
    /// Reads a phrase.
    pub fn parse(text: &str) -> Self {
        let segments = text.split(" .. ").map(segment).filter(|segment| !segment.bytes.is_empty()).collect();
        Self { segments }
    }
}

fn segment(text: &str) -> Segment {
    let text = text.trim();
    let (text, open_left) = text.strip_prefix('*').map_or((text, false), |rest| (rest, true));
    let (text, open_right) = text.strip_suffix('*').map_or((text, false), |rest| (rest, true));
    let mut bytes = Vec::new();
    let mut named = false;
    let mut folded = Folded::default();
    for word in text.split_whitespace() {
        if !bytes.is_empty() {
            bytes.push(b' ');
        }
        match word {
            "{addr}" => bytes.push(ADDRESS),
            "{ip}" => bytes.push(IP),
            _ if is_name(word) => {
                named = true;
                bytes.extend(word.bytes().map(|byte| byte.to_ascii_lowercase()));
            }
            _ => {
                folded.fold(word);
                bytes.extend_from_slice(&folded.bytes);
                if folded.bytes.is_empty() {
                    bytes.pop();
                }
            }
        }
    }
    Segment { bytes, open_left, open_right, named }
}

/// A word with a dot, `=` or `?` inside is kept as it is.
fn is_name(word: &str) -> bool {
    let inner = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/' && c != '=');
    inner.is_ascii() && inner.contains(['.', '=', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Vec<(String, bool, bool, bool)> {
        let segments = Phrase::parse(text).segments.into_iter();
        segments.map(|s| (String::from_utf8(s.bytes).unwrap(), s.open_left, s.open_right, s.named)).collect()
    }

    #[test]
    fn words_are_folded_and_names_kept() {
        assert_eq!(
            show("Recipient's address-rejected:"),
            [("recipients address rejected".into(), false, false, false)]
        );
        assert_eq!(
            show("blacklist* .. using zen.spamhaus.org"),
            [("blacklist".into(), false, true, false), ("using zen.spamhaus.org".into(), false, false, true),]
        );
        assert_eq!(show("*list {ip}"), [("list \u{2}".into(), true, false, false)]);
        assert_eq!(show("support.google.com/mail/?p=X"), [("support.google.com/mail/?p=x".into(), false, false, true)]);
        assert_eq!(show(" - "), []);
    }
}
