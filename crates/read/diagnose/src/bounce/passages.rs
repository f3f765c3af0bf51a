//! Who is named in the words of a notification, and what is said about each.
//!
//! Half of all bounces have no status fields. Nearly all of them put the address on a line of its own, or in front of the
//! reason: `<ann@example.net>: reason`, an indented address with the reason indented deeper, `Recipient: ann@example.net`.
//! Such a line opens a passage, which reaches to the next one.

use super::labels;
use super::transcript::is_conclusion;

/// Most passages of one notification.
const MOST_PASSAGES: usize = 2000;

/// Bytes of a passage that are read.
const LONGEST_PASSAGE: usize = 4 * 1024;

/// Longest line that may open a passage.
const LONGEST_LINE: usize = 1000;

/// How plainly a line names a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Somewhere in a sentence.
    InSentence,
    /// Behind `To:`, which may only describe the message.
    BehindTo,
    /// A line of its own, or in front of the reason.
    Heading,
}

/// What is said about one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The address, as written.
    pub address: String,
    /// The words behind it.
    pub text: String,
    /// How plainly it was named.
    pub form: Form,
    /// Where its line begins in the words.
    pub at: usize,
}

/// Sentences that close every notification of their kind, behind the last recipient.
const ENDINGS: [&str; 5] = [
    "no action is required on your part",
    "for further assistance",
    "the mail system will continue to try",
    "please do not reply to this",
    "you do not need to resend",
];

fn starts_with_words(line: &str, words: &str) -> bool {
    line.trim_start().get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words))
}

/// Reads the passages of `words`, in order. A line that names somebody in a sentence is a passage of its own, and part
/// of the one that is open.
pub fn passages(words: &str) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut open: Option<usize> = None;
    let mut sentence: Option<usize> = None;
    let mut next = 0;
    let mut above = "";
    for whole in words.split_inclusive('\n') {
        let (line, at) = (whole.trim_end_matches('\n'), next);
        next += whole.len();
        if is_conclusion(line, above) {
            continue;
        }
        above = line;
        let named = if line.len() <= LONGEST_LINE && passages.len() < MOST_PASSAGES { heading(line) } else { None };
        // A reply broken before the address that it names is no new recipient.
        let goes_on = |address: &str| {
            open.and_then(|open| passages.get(open))
                .is_some_and(|open| open.address == address && !open.text.trim().is_empty())
        };
        let named = named.filter(|(form, address, _)| *form != Form::Heading || !goes_on(address));
        match named {
            Some((Form::Heading, address, rest)) => {
                open = Some(passages.len());
                sentence = None;
                passages.push(Passage { address: address.to_owned(), text: rest.to_owned(), form: Form::Heading, at });
                continue;
            }
            Some((form, address, _)) => {
                sentence = open.is_none().then_some(passages.len());
                passages.push(Passage { address: address.to_owned(), text: line.trim().to_owned(), form, at });
            }
            None if line.trim().is_empty() => sentence = None,
            None => {
                // A sentence goes on to the end of its paragraph; what it says of the returned message is not about why.
                if let Some(one) = sentence.and_then(|one| passages.get_mut(one))
                    && one.text.len() < LONGEST_PASSAGE
                    && !labels::is_of_the_message(line)
                {
                    one.text.push('\n');
                    one.text.push_str(line.trim_end());
                }
            }
        }
        // A rule ends a passage that has said something: a transcript or the next chapter follows.
        if line.trim_start().starts_with("---")
            && open.is_some_and(|open| passages.get(open).is_some_and(|one| !one.text.trim().is_empty()))
        {
            open = None;
        }
        if ENDINGS.iter().any(|ending| starts_with_words(line, ending)) {
            open = None;
        }
        if let Some(open) = open.and_then(|open| passages.get_mut(open))
            && open.text.len() < LONGEST_PASSAGE
        {
            if !open.text.is_empty() {
                open.text.push('\n');
            }
            open.text.push_str(line.trim_end());
        }
    }
    passages
}

/// The address that a line opens with, how, and what follows it on the line.
fn heading(line: &str) -> Option<(Form, &str, &str)> {
    let at = line.find('@')?;
    let marks = |c: char| matches!(c, '*' | '-' | '\u{2022}' | '\u{b7}' | '>' | '|' | '#' | ' ' | '\t');
    let text = line.trim().trim_start_matches(marks);
    let bare = text.trim_start_matches(['"', '\'']);
    if let Some((address, rest)) = address_in_front(text).or_else(|| address_in_front(bare)) {
        return Some((Form::Heading, address, rest));
    }
    let (address, start, end) = address_around(line, at)?;
    let before = line[..start].trim_end_matches("SMTP:").trim_end_matches("smtp:").trim_end_matches("mailto:");
    let before = before.trim_end_matches(['<', '"', '\'', '(', '[', ' ', '\t']);
    let behind = &line[end..];
    let behind = behind.trim_start_matches(['>', '"', '\'', ')', ']']);
    // "Recipient address: ann@example.net", "Error-for:  ann@example.net", "To: <ann@example.net>"
    if let Some(label) = before.strip_suffix([':', '\u{ff1a}']) {
        let label = label.trim().trim_start_matches(['*', '-', '>', ' ']).to_lowercase();
        let other = labels::is_of_another(&label);
        let short = label.split_whitespace().nth(8).is_none();
        if short && !other && behind.trim().len() <= 60 && labels::is_of_a_recipient(&label) {
            let form = if label == "to" { Form::BehindTo } else { Form::Heading };
            return Some((form, address, behind));
        }
        if other {
            return None;
        }
    }
    // "1) ann@example.net", "ann@example.net" behind an x-unix path and the like are sentences to us.
    Some((Form::InSentence, address, &line[end..]))
}

/// `<ann@example.net>: ...`, `ann@example.net`, `ann@example.net: ...`, `"Ann" <ann@example.net>`.
fn address_in_front(text: &str) -> Option<(&str, &str)> {
    let bracketed = text.strip_prefix('<').or_else(|| text.strip_prefix("mailto:"));
    let start = bracketed.unwrap_or(text);
    let end = if let Some(quoted) = start.strip_prefix('"') {
        // "a b"@example.org
        let local = quoted.find("\"@")? + 2;
        local + start[local..].find(|c: char| is_end(c)).unwrap_or(start.len() - local)
    } else {
        end_of_word(start)
    };
    let address = start[..end].trim_end_matches(['.', ':', ',', ';']);
    if !is_address(address) {
        return None;
    }
    let rest = start[address.len()..].trim_start_matches(['>', '"', '\'']);
    // "ann@example.net<mailto:ann@example.net>" of Outlook.
    let (address, rest) = match rest.trim_start().strip_prefix('<').and_then(|inner| inner.split_once('>')) {
        Some((inner, rest)) if inner.contains(address) => (address, rest),
        // An address as display name: "ann@example.org <bob@example.net>: ...".
        Some((inner, rest)) if is_address(inner) && rest.starts_with(':') => (inner, rest),
        _ => (address, rest),
    };
    let rest = rest.trim_start();
    let opens = rest.is_empty()
        || rest.starts_with([':', '(', '-', ',', ';', '.'])
        || bracketed.is_some()
        || rest.starts_with(|c: char| c.is_alphanumeric());
    opens.then(|| (address, rest.trim_start_matches([':', ',', ';']).trim_start_matches("...").trim_start()))
}

/// Where the word at the start of a text ends. An apostrophe between letters belongs to it (`o'neill@example.org`, RFC 5322 3.2.3).
fn end_of_word(text: &str) -> usize {
    let is_inside = |at: usize| {
        text[at..].starts_with('\'')
            && text[..at].ends_with(char::is_alphanumeric)
            && text[at + 1..].starts_with(char::is_alphanumeric)
    };
    text.char_indices().find(|(at, c)| is_end(*c) && !is_inside(*at)).map_or(text.len(), |(at, _)| at)
}

fn is_end(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\'' | '|' | '\u{3000}'..='\u{3002}' | '\u{300a}'..='\u{3011}')
        // Full-width brackets, comma, colon, semicolon; typographic quotation marks.
        || matches!(c, '\u{ff08}' | '\u{ff09}' | '\u{ff0c}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ab}' | '\u{bb}' | '\u{201c}'..='\u{201e}')
}

/// The address around the `@` at `at`: itself, its start and its end.
fn address_around(line: &str, at: usize) -> Option<(&str, usize, usize)> {
    let mut start =
        line[..at].rfind(is_end).map_or(0, |end| end + line[end..].chars().next().map_or(1, char::len_utf8));
    // An apostrophe between letters belongs to the name here as well.
    if let Some(front) = line[..start].strip_suffix('\'').filter(|front| front.ends_with(|c: char| c.is_alphanumeric()))
    {
        start = front.rfind(is_end).map_or(0, |end| end + front[end..].chars().next().map_or(1, char::len_utf8));
    }
    let end = line[at..].find(is_end).map_or(line.len(), |end| at + end);
    // "dda:SMTP=ann@example.net" of X.400.
    let start = start + line[start..at].rfind("SMTP=").map_or(0, |prefix| prefix + 5);
    let address = line[start..end].trim_end_matches(['.', '!', '?']);
    is_address(address).then_some((address, start, start + address.len()))
}

/// Whether a text has the form of a mail address of the open network.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let local_is_good = !local.is_empty()
        && local.len() <= 200
        && (quoted
            || !local.chars().any(|c| {
                c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | '(' | ')' | '"' | ',' | ';')
            }));
    let labels = domain.split('.').count();
    let domain_is_good = labels >= 2
        && domain.len() <= 253
        && domain
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')));
    let literal = domain.len() > 3 && domain.starts_with('[') && domain.ends_with(']');
    local_is_good && (domain_is_good || literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(words: &str) -> Vec<(String, String)> {
        passages(words)
            .into_iter()
            .filter(|passage| passage.form == Form::Heading)
            .map(|passage| (passage.address, passage.text.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect()
    }

    #[test]
    fn lines_that_open_a_passage() {
        for (line, address, rest) in [
            ("<ann@example.net>: host mx said: 550 no", "ann@example.net", "host mx said: 550 no"),
            ("<ann@example.net>:", "ann@example.net", ""),
            ("    ann@example.net", "ann@example.net", ""),
            ("  * ann@example.net: no", "ann@example.net", "no"),
            ("> ann@example.net", "ann@example.net", ""),
            ("ed.o'neill@example.net", "ed.o'neill@example.net", ""),
            ("ann@example.net on 1/2/2003 10:00 AM", "ann@example.net", "on 1/2/2003 10:00 AM"),
            ("Recipient address: ann@example.net", "ann@example.net", ""),
            ("Error-for:  ann@example.net", "ann@example.net", ""),
            ("Delivery failed: ann@example.net", "ann@example.net", ""),
            ("<ann@example.net>... User unknown", "ann@example.net", "User unknown"),
            ("ann@example.net<mailto:ann@example.net>", "ann@example.net", ""),
            ("\"a b\"@example.net", "\"a b\"@example.net", ""),
            ("bob@example.org <ann@example.net>: malformed", "ann@example.net", "malformed"),
            ("'ann@example.net' on 1/2/2003", "ann@example.net", "on 1/2/2003"),
        ] {
            assert_eq!(show(line), [(address.to_owned(), rest.to_owned())], "{line}");
        }
        for line in [
            "From: ann@example.net",
            "write to ann@example.net for help",
            "MAIL FROM:<ann@example.net>",
            "a@b",
            "@example.net",
        ] {
            assert_eq!(show(line), [], "{line}");
        }
    }

    #[test]
    fn a_passage_reaches_to_the_next() {
        let words =
            "They failed:\n\n  ann@example.net\n    host mx: 550 no\n    more\n  bob@example.net\n    552 full\n\nbye";
        assert_eq!(
            show(words),
            [
                ("ann@example.net".into(), "host mx: 550 no more".into()),
                ("bob@example.net".into(), "552 full bye".into())
            ]
        );
    }
}
