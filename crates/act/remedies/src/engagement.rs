//! A list of addresses with the day on which each last reacted, as newsletter software exports it. Read line by line.

use redeliver_model::{EmailAddress, PartialDate, Timestamp};

/// Most addresses of a list that are taken.
pub const MOST_ADDRESSES: usize = 5_000_000;

/// Words in the head line of columns that tell of a reaction, by what newsletter software calls them.
const REACTIONS: [&str; 8] = ["engage", "open", "click", "activ", "repl", "react", "read", "seen"];

/// The list.
#[derive(Debug, Default)]
pub struct Engagement {
    rows: Vec<(String, Option<Timestamp>)>,
    /// The columns of reactions, where a head line names them.
    columns: Vec<usize>,
    lines: u64,
}

/// Why a line was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no mail address in it.
    NoAddress,
    /// A cell looks like a date, and is none of the form 2026-11-21.
    OtherDate,
    /// The list is too long.
    TooMany,
}

impl NotTaken {
    /// What is wrong, for a person.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAddress => "there is no mail address in it",
            Self::OtherDate => "the date is to be written 2026-11-21, since 11/12/2026 is two days",
            Self::TooMany => "the list is too long: 5,000,000 addresses are taken",
        }
    }
}

impl Engagement {
    /// Takes the next line: an address and the days of its reactions, in any order, divided by comma, semicolon or tab. The
    /// latest day counts; where a head line names columns of reactions, the latest of these. No day: never reacted.
    pub fn line(&mut self, line: &str) -> Result<(), NotTaken> {
        self.lines += 1;
        let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        if line.trim().is_empty() {
            return Ok(());
        }
        let cells = cells(line);
        if self.lines == 1 && !line.contains('@') {
            self.columns = reactions(&cells);
            return Ok(());
        }
        let address = cells.iter().find_map(|cell| EmailAddress::parse(cell).ok()).ok_or(NotTaken::NoAddress)?;
        let mut latest = None;
        for (_, cell) in cells.iter().enumerate().filter(|(at, _)| self.columns.is_empty() || self.columns.contains(at))
        {
            match day(cell) {
                Some(day) => latest = latest.max(Some(day)),
                None if is_other_date(cell) => return Err(NotTaken::OtherDate),
                None => {}
            }
        }
        if self.rows.len() >= MOST_ADDRESSES {
            return Err(NotTaken::TooMany);
        }
        self.rows.push((address.to_string(), latest));
        Ok(())
    }

    /// The addresses in the order of the list, with midnight UTC of the day of their last reaction.
    pub fn addresses(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.rows.iter().map(|(address, day)| (address.as_str(), *day))
    }

    /// How many addresses there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// The columns that tell of a reaction.
fn reactions(head: &[String]) -> Vec<usize> {
    let tells = |name: &str| REACTIONS.iter().any(|word| name.to_lowercase().contains(word));
    head.iter().enumerate().filter(|(_, name)| tells(name)).map(|(at, _)| at).collect()
}

/// RFC 4180 2: a cell in quotation marks may hold the divider, and two marks for one.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | ';' | '\t' if !quoted => cells.push(String::new()),
            _ => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(c);
                }
            }
        }
    }
    for cell in &mut cells {
        *cell = cell.trim().to_owned();
    }
    cells
}

/// `2026-11-21`, whatever stands behind it.
fn day(cell: &str) -> Option<Timestamp> {
    let date = PartialDate::parse(cell.get(..10)?)?;
    Some(Timestamp::from_date(date.year, date.month?, date.day?))
}

/// `21.11.2026`, `11/21/2026`.
fn is_other_date(cell: &str) -> bool {
    let date = cell.split([' ', 'T']).next().unwrap_or_default();
    let mut parts = date.split(['/', '.']);
    let numbers =
        parts.by_ref().take(3).filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    date.len() >= 8 && numbers.count() == 3 && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> (Vec<(String, Option<String>)>, Vec<NotTaken>) {
        let mut list = Engagement::default();
        let faults = lines.iter().filter_map(|line| list.line(line).err()).collect();
        let date = |day: Timestamp| day.to_string()[..10].to_owned();
        (list.addresses().map(|(address, day)| (address.to_owned(), day.map(date))).collect(), faults)
    }

    #[test]
    fn exports_of_several_kinds() {
        let ann = |day: &str| vec![("ann@example.net".to_owned(), Some(day.to_owned()))];
        assert_eq!(read(&["ann@example.net,2026-11-21"]).0, ann("2026-11-21"));
        assert_eq!(read(&["2026-11-01;ann@example.net;2026-11-21 10:00:00"]).0, ann("2026-11-21"));
        let head = "\u{feff}Email Address,\"Name, first\",Signed up,Last Open,Last Click\r\n";
        let row = "ann@example.net,\"Doe, \"\"Ann\"\"\",2026-11-20,2026-03-01,2026-04-01\r\n";
        assert_eq!(read(&[head, row]).0, ann("2026-04-01"), "signing up is no reaction");
        assert_eq!(read(&["email\tlast_engagement", "ann@example.net\t"]).0, [("ann@example.net".to_owned(), None)]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let (rows, faults) =
            read(&["address,last", "nobody,2026-11-21", "", "ann@example.net,11/21/2026", "a@b.example,1.2.3.4"]);
        assert_eq!(faults, [NotTaken::NoAddress, NotTaken::OtherDate]);
        assert_eq!(rows, [("a@b.example".to_owned(), None)], "an IP is no date");
    }
}
