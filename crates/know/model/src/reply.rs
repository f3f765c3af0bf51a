//! The one parser of SMTP replies (RFC 5321 4.2): code, enhanced status, lines.
//!
//! Takes what people have: a clean reply, several lines with `550-` in front, the same lines run together into one,
//! a status in brackets at the end, a blank or a `#` before it, or no code at all. It never fails.

use std::borrow::Cow;

use crate::EnhancedStatus;

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply<'a> {
    /// The basic code, 200 to 599.
    pub code: Option<u16>,
    /// The enhanced status, wherever in the text it stood.
    pub enhanced: Option<EnhancedStatus>,
    /// The words of each line, without code and status.
    pub lines: Vec<Cow<'a, str>>,
}

impl<'a> Reply<'a> {
    /// Reads a reply.
    pub fn parse(text: &'a str) -> Self {
        let mut reply = Self::default();
        for line in text.lines() {
            reply.read_line(line.trim());
        }
        if reply.enhanced.is_none() {
            reply.enhanced = reply.lines.iter().find_map(|line| status_within(line));
        }
        reply
    }

    /// The first digit of the code, or the class of the status: 2, 4 or 5.
    pub fn class(&self) -> Option<u8> {
        self.code.map(|code| (code / 100) as u8).or(self.enhanced.map(|status| status.class))
    }

    /// The words of all lines, joined by blanks.
    pub fn words(&self) -> Cow<'_, str> {
        match self.lines.as_slice() {
            [] => Cow::Borrowed(""),
            [one] => Cow::Borrowed(one),
            many => Cow::Owned(many.join(" ")),
        }
    }

    /// The same reply, owning its text.
    pub fn into_owned(self) -> Reply<'static> {
        let lines = self.lines.into_iter().map(|line| Cow::Owned(line.into_owned())).collect();
        Reply { code: self.code, enhanced: self.enhanced, lines }
    }

    fn read_line(&mut self, line: &'a str) {
        if line.is_empty() {
            return;
        }
        let Some((code, separator, rest)) = code_at_start(line) else {
            self.push(line);
            return;
        };
        self.code.get_or_insert(code);
        if separator != b'-' {
            self.push(rest);
            return;
        }
        // Lines of one reply that were run together: "550-5.7.1 first 550 5.7.1 second".
        let mut start = 0;
        let mut at = 0;
        while let Some(found) = rest[at..].find(' ') {
            at += found + 1;
            if let Some((again, _, tail)) = code_at_start(&rest[at..])
                && again == code
            {
                self.push(&rest[start..at]);
                start = rest.len() - tail.len();
                at = start;
            }
        }
        self.push(&rest[start..]);
    }

    /// Adds the words of one line, cutting a status off its front.
    fn push(&mut self, line: &'a str) {
        let bare = line.trim_start_matches([' ', '-', ':', '#', '(', '[']);
        let words = match EnhancedStatus::read(bare) {
            Some((status, end)) => {
                self.enhanced.get_or_insert(status);
                bare[end..].trim_start_matches([')', ']'])
            }
            None => line,
        };
        self.lines.push(Cow::Borrowed(words.trim_matches(|c: char| c == ' ' || c == '\t')));
    }
}

impl std::fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut blank = "";
        if let Some(code) = self.code {
            write!(f, "{code}")?;
            blank = " ";
        }
        if let Some(status) = self.enhanced {
            write!(f, "{blank}{status}")?;
            blank = " ";
        }
        for line in &self.lines {
            write!(f, "{blank}{line}")?;
            blank = " ";
        }
        Ok(())
    }
}

/// A code of 200 to 599 at the start of `text`, the byte behind it, and what follows.
fn code_at_start(text: &str) -> Option<(u16, u8, &str)> {
    let bytes = text.as_bytes();
    let digits = bytes.get(..3)?;
    if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
        return None;
    }
    let code = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match bytes.get(3) {
        None => Some((code, b' ', "")),
        Some(separator @ (b' ' | b'-' | b'\t')) => Some((code, *separator, &text[4..])),
        // "550: no" and "550, no" are seen in the wild.
        Some(b':' | b',' | b';') => Some((code, b' ', &text[4..])),
        Some(_) => None,
    }
}

/// A status inside the words: "(#5.7.1)", "... - 5.7.1 [BL23]".
fn status_within(line: &str) -> Option<EnhancedStatus> {
    let mut before = b' ';
    for (at, byte) in line.bytes().enumerate() {
        if matches!(byte, b'4' | b'5')
            && matches!(before, b' ' | b'#' | b'(' | b'[' | b':' | b'=')
            && let Some((status, end)) = EnhancedStatus::read(&line[at..])
            && !line[at + end..].starts_with(|c: char| c.is_alphanumeric() || c == '-')
        {
            return Some(status);
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<u16>, Option<String>, Vec<String>) {
        let reply = Reply::parse(text);
        (reply.code, reply.enhanced.map(|s| s.to_string()), reply.lines.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn one_line() {
        let line = |text| read(text);
        assert_eq!(line("554 5.7.1 No"), (Some(554), Some("5.7.1".into()), vec!["No".into()]));
        assert_eq!(line("554 5.7.1 : No"), (Some(554), Some("5.7.1".into()), vec![": No".into()]));
        assert_eq!(line("550 #5.1.0 Bad."), (Some(550), Some("5.1.0".into()), vec!["Bad.".into()]));
        assert_eq!(line("554 No (#5.7.1)"), (Some(554), Some("5.7.1".into()), vec!["No (#5.7.1)".into()]));
        assert_eq!(line("421"), (Some(421), None, vec![String::new()]));
        assert_eq!(line("Relay access denied"), (None, None, vec!["Relay access denied".into()]));
        assert_eq!(line("5.1.1 no user"), (None, Some("5.1.1".into()), vec!["no user".into()]));
        assert_eq!(line("192.0.2.1 is bad"), (None, None, vec!["192.0.2.1 is bad".into()]));
    }

    #[test]
    fn several_lines_and_the_same_run_together() {
        let want = (Some(550), Some("5.7.1".into()), vec!["first".to_owned(), "second".into(), "third".into()]);
        assert_eq!(read("550-5.7.1 first\r\n550-5.7.1 second\r\n550 5.7.1 third\r\n"), want);
        assert_eq!(read("550-5.7.1 first 550-5.7.1 second 550 5.7.1 third"), want);
        assert_eq!(read("550-SPF failed: 550 example.com says no").2, ["SPF failed:", "example.com says no"]);
    }

    #[test]
    fn an_ip_is_no_status() {
        assert_eq!(read("550 client 5.1.1.9 refused").1, None);
        assert_eq!(read("550 exim 4.96.1-2 says no").1, None);
    }
}
