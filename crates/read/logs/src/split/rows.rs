//! Following a row of a table to its end (RFC 4180).
//!
//! A quotation mark that is never closed swallows the rows behind it up to their first mark. So a row over several lines counts only
//! if it has a field for each column, and if what follows the mark that closes is a comma or the line's end.

use super::{Followed, LONGEST_RECORD, trimmed};
use crate::event::Fault;

/// A row on the way.
#[derive(Debug)]
struct Following {
    at: u64,
    /// Within quotation marks.
    quoted: bool,
    fields: usize,
    /// The row has a line end within quotation marks, and so has the present field.
    lines: bool,
    field_lines: bool,
}

/// The row that is followed.
#[derive(Debug, Default)]
pub(super) struct Rows {
    now: Option<Following>,
    /// How far a damaged row was followed. A row that begins before and has a line end in quotation marks there goes the same way.
    doubt: u64,
    #[cfg(test)]
    pub(super) looked: u64,
}

impl Rows {
    /// Follows the row that `text` begins with, which stands at `start`.
    pub(super) fn follow(&mut self, text: &[u8], start: u64, columns: usize, at_end: bool) -> Followed {
        let new = || Following { at: start, quoted: false, fields: 1, lines: false, field_lines: false };
        let mut row = self.now.take().unwrap_or_else(new);
        #[cfg(test)]
        let before = row.at;
        let most = text.len().min(LONGEST_RECORD);
        let followed = row.go(&text[..most], start, columns, self.doubt, at_end && most == text.len());
        #[cfg(test)]
        {
            self.looked += row.at - before;
        }
        let followed = match followed {
            Followed::More if text.len() > LONGEST_RECORD => Followed::Damaged(Fault::TooLong),
            followed => followed,
        };
        match followed {
            Followed::More => self.now = Some(row),
            Followed::Damaged(_) => self.doubt = self.doubt.max(row.at),
            Followed::Whole { .. } => {}
        }
        followed
    }
}

impl Following {
    fn go(&mut self, text: &[u8], start: u64, columns: usize, doubt: u64, at_end: bool) -> Followed {
        loop {
            let here = (self.at - start) as usize;
            let found = memchr::memchr2(b'"', b'\n', &text[here..]).map_or(text.len(), |found| here + found);
            self.at = start + found as u64;
            if self.quoted {
                match (text.get(found), text.get(found + 1)) {
                    (Some(b'\n'), _) if self.at < doubt => return Followed::Damaged(Fault::NotTheTable),
                    (Some(b'\n'), _) => {
                        (self.lines, self.field_lines) = (true, true);
                        self.at += 1;
                    }
                    // RFC 4180 2.7: a quotation mark within is written twice.
                    (Some(_), Some(b'"')) => self.at += 2,
                    (Some(_), Some(b',' | b'\r' | b'\n')) => self.close(),
                    (Some(_), Some(_)) if self.field_lines => return Followed::Damaged(Fault::NotTheTable),
                    (Some(_), Some(_)) => self.close(),
                    (Some(_), None) if at_end => self.close(),
                    (None, _) if at_end => return Followed::Damaged(Fault::Incomplete),
                    _ => return Followed::More,
                }
                continue;
            }
            self.fields += memchr::memchr_iter(b',', &text[here..found]).count();
            if self.lines && self.fields > columns {
                return Followed::Damaged(Fault::NotTheTable);
            }
            match text.get(found) {
                Some(b'"') => {
                    // Anywhere else than at the start of a field it is a letter like others.
                    self.quoted = found == 0 || text[found - 1] == b',';
                    self.field_lines = false;
                    self.at += 1;
                }
                None if !at_end => return Followed::More,
                _ if self.lines && self.fields != columns => return Followed::Damaged(Fault::NotTheTable),
                line_end => {
                    let used = found + usize::from(line_end.is_some());
                    return Followed::Whole { end: trimmed(text, found), used };
                }
            }
        }
    }

    fn close(&mut self) {
        self.quoted = false;
        self.at += 1;
    }
}
