//! Following an object of JSON to its end (RFC 8259), or to the first byte that cannot stand where it does.
//!
//! Strings hold no line end, so an object that was cut off is noticed on its line or soon behind. Where following failed, the objects
//! that were open there are known not to have ended before, so none of them is followed over the same bytes again.

use super::{Followed, LONGEST_RECORD};
use crate::event::Fault;

/// The deepest nesting: what the parser of JSON takes.
const DEEPEST: usize = 127;

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    FirstValue,
    Name,
    FirstName,
    Colon,
    Comma,
    /// More of a number or a word, or what may follow one.
    Word,
    /// The rest of a string.
    Text {
        is_name: bool,
    },
}

/// An object on the way.
#[derive(Debug)]
struct Following {
    /// Where what is open began, outermost first.
    open: Vec<u64>,
    at: u64,
    next: Next,
}

/// The object that is followed.
#[derive(Debug, Default)]
pub(super) struct Objects {
    now: Option<Following>,
    /// The last one that was damaged, and how far it was followed.
    doubt: Option<Following>,
    #[cfg(test)]
    pub(super) looked: u64,
}

impl Objects {
    /// Follows the object that `text` begins with, which stands at `start`.
    pub(super) fn follow(&mut self, text: &[u8], start: u64, at_end: bool) -> Followed {
        let mut following = self.now.take().unwrap_or_else(|| self.begin(start));
        #[cfg(test)]
        let before = following.at;
        let followed = following.go(&text[..text.len().min(LONGEST_RECORD)], start);
        #[cfg(test)]
        {
            self.looked += following.at - before;
        }
        let followed = match followed {
            Followed::More if text.len() > LONGEST_RECORD => Followed::Damaged(Fault::TooLong),
            Followed::More if at_end => Followed::Damaged(Fault::Incomplete),
            followed => followed,
        };
        match followed {
            Followed::More => self.now = Some(following),
            Followed::Damaged(_) => self.doubt = Some(following),
            Followed::Whole { .. } => {}
        }
        followed
    }

    /// Whether this lies where a damaged object was followed.
    pub(super) fn is_in_doubt(&self, at: u64) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| at < doubt.at)
    }

    /// Goes on where a damaged object around this one was left, if it was open there.
    fn begin(&mut self, start: u64) -> Following {
        let within = self.doubt.as_ref().and_then(|doubt| doubt.open.iter().position(|open| *open == start));
        match (within, self.doubt.take_if(|_| within.is_some())) {
            (Some(outer), Some(mut doubt)) => {
                doubt.open.drain(..outer);
                doubt
            }
            _ => Following { open: Vec::new(), at: start, next: Next::Value },
        }
    }
}

impl Following {
    fn go(&mut self, text: &[u8], start: u64) -> Followed {
        loop {
            let here = (self.at - start) as usize;
            if let Next::Text { is_name } = self.next {
                let found = memchr::memchr3(b'"', b'\\', b'\n', &text[here..]).map_or(text.len(), |found| here + found);
                self.at = start + found as u64;
                match (text.get(found), text.get(found + 1)) {
                    (Some(b'"'), _) => {
                        self.next = if is_name { Next::Colon } else { Next::Comma };
                        self.at += 1;
                    }
                    // RFC 8259 7: a line end stands in no string as it is.
                    (Some(b'\n'), _) | (Some(_), Some(b'\n')) => return Followed::Damaged(Fault::Incomplete),
                    (Some(_), Some(_)) => self.at += 2,
                    _ => return Followed::More,
                }
                continue;
            }
            let Some(&byte) = text.get(here) else { return Followed::More };
            let inner = self.open.last().map(|open| text[(open - start) as usize]);
            self.next = match (self.next, byte) {
                (Next::Value | Next::FirstValue, b'{' | b'[') if self.open.len() < DEEPEST => {
                    self.open.push(self.at);
                    if byte == b'{' { Next::FirstName } else { Next::FirstValue }
                }
                (Next::Value | Next::FirstValue, b'"') => Next::Text { is_name: false },
                (Next::Name | Next::FirstName, b'"') => Next::Text { is_name: true },
                (
                    Next::Value | Next::FirstValue | Next::Word,
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.',
                ) => Next::Word,
                (Next::Colon, b':') => Next::Value,
                (Next::Comma | Next::Word, b',') => {
                    if inner == Some(b'{') {
                        Next::Name
                    } else {
                        Next::Value
                    }
                }
                (Next::FirstName | Next::Comma | Next::Word, b'}') if inner == Some(b'{') => self.close(),
                (Next::FirstValue | Next::Comma | Next::Word, b']') if inner == Some(b'[') => self.close(),
                (Next::Word, b' ' | b'\t' | b'\r' | b'\n') => Next::Comma,
                (next, b' ' | b'\t' | b'\r' | b'\n') => next,
                _ => return Followed::Damaged(Fault::NotJson),
            };
            self.at += 1;
            if self.open.is_empty() {
                return Followed::Whole { end: here + 1, used: here + 1 };
            }
        }
    }

    fn close(&mut self) -> Next {
        self.open.pop();
        Next::Comma
    }
}
