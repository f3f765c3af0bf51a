//! TXT strings joined the wrong way: a seam without a blank that glues two terms into one.

use super::SpfRecord;
use super::parse::words;
use crate::fault::{Effect, Fault, Parsed, Span};
use crate::txt::JoinedText;

impl SpfRecord {
    /// Reads a record from the strings of one TXT record, and names terms that were glued together at a seam.
    pub fn parse_strings<S: AsRef<[u8]>>(strings: &[S]) -> Parsed<Self> {
        Self::parse_joined(&JoinedText::of(strings))
    }

    /// The same for strings that are joined already.
    pub fn parse_joined(joined: &JoinedText) -> Parsed<Self> {
        let mut read = Self::parse(&joined.bytes);
        if joined.seams.is_empty() {
            return read;
        }
        let broken: Vec<Span> = read.faults.iter().map(|fault| fault.span).collect();
        for (seam, word) in glued(joined) {
            let breaks = broken.iter().any(|span| word.start <= span.start && span.end <= word.end);
            read.faults.push(Fault {
                id: "spf-split-strings",
                effect: if breaks { Effect::BreaksRecord } else { Effect::LosesPart },
                span: word,
                text: format!("The record is split at byte {seam} without a blank, so two terms are read as one."),
            });
        }
        read.faults.sort_by_key(|fault| fault.span.start);
        read
    }
}

/// The seams inside a word whose halves are terms of their own, with that word.
fn glued(joined: &JoinedText) -> Vec<(usize, Span)> {
    let all: Vec<Span> = words(&joined.bytes).collect();
    let word_of = |seam: usize| all.iter().find(|word| word.start < seam && seam < word.end).copied();
    let seams = joined.seams.iter().filter_map(|seam| Some((*seam, word_of(*seam)?)));
    seams
        .filter(|(seam, word)| {
            let (before, after) = (&joined.bytes[word.start..*seam], &joined.bytes[*seam..word.end]);
            is_whole(before, word.start == 0) && is_clearly_a_term(after)
        })
        .collect()
}

/// Whether a first half stands well by itself.
fn is_whole(half: &[u8], first: bool) -> bool {
    if first {
        return half.eq_ignore_ascii_case(b"v=spf1");
    }
    // `include:mail.example.` + `mx` is more likely one name.
    !half.ends_with(b".") && reads_alone(half)
}

/// Whether a second half can hardly be the rest of a name: a qualifier, a known mechanism with a value, or a known modifier.
fn is_clearly_a_term(half: &[u8]) -> bool {
    let marked = half.first().is_some_and(|byte| b"+-~?".contains(byte))
        || half.iter().any(|byte| matches!(byte, b':' | b'='))
        || [&b"all"[..], b"mx", b"ptr"].iter().any(|word| half.eq_ignore_ascii_case(word));
    marked && reads_alone(half)
}

fn reads_alone(half: &[u8]) -> bool {
    let mut record = b"v=spf1 ".to_vec();
    record.extend_from_slice(half);
    let read = SpfRecord::parse(&record);
    read.faults.iter().all(|fault| fault.effect == Effect::Untidy) && read.record.terms.len() == 1
}
