//! Postfix, first step: which lines of a block can matter, and where their parts are.
//!
//! It knows nothing of other lines, so blocks can be looked through on another core. A line that says nothing for refusals,
//! deliveries or submissions (most do not) is left after a glance at its head. Nothing is allocated but the list of marks.

use memchr::memchr;

use crate::split::{LONGEST_LINE, zeros};
use crate::syslog::head;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `to=<...>, relay=..., status=...`
    Delivery,
    /// `from=<...>, size=..., nrcpt=...` or `..., status=expired, returned to sender`.
    From,
    /// `client=...`
    Client,
    /// `uid=... from=<...>`
    Uid,
    /// `reject: ...`, `milter-reject: ...`
    Reject,
    /// `warning: header X-PHP-Originating-Script: ...`
    Script,
    /// `warning: host[ip]: SASL ... authentication failed: ...`
    LogIn,
    /// `removed`: the id is free again.
    Removed,
    /// The line is wrapped (JSON): its parts are not known yet.
    Wrapped,
    /// The line is too long.
    TooLong,
}

/// A line that matters; places in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub kind: Kind,
    /// The line's number in the block, from 0.
    pub line: u32,
    pub start: u32,
    pub end: u32,
    /// Behind the head: where the queue id begins.
    pub id: u32,
    /// Behind the id and `: `.
    pub rest: u32,
}

/// Looks through whole lines; returns how many there were.
pub(crate) fn scan(block: &[u8], marks: &mut Vec<Mark>) -> u32 {
    let mut line = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', block) {
        mark(block, start, end, line, marks);
        line += 1;
        start = end + 1;
    }
    if start < block.len() {
        mark(block, start, block.len(), line, marks);
        line += 1;
    }
    line
}

#[inline]
fn mark(block: &[u8], start: usize, end: usize, line: u32, marks: &mut Vec<Mark>) {
    let start = start + zeros(&block[start..end]);
    let text = &block[start..end];
    let found = if text.len() > LONGEST_LINE {
        Some((Kind::TooLong, 0, 0))
    } else if text.first() == Some(&b'{') {
        Some((Kind::Wrapped, 0, 0))
    } else {
        parts(text)
    };
    if let Some((kind, id, rest)) = found {
        let at = |place: usize| (start + place) as u32;
        marks.push(Mark { kind, line, start: start as u32, end: end as u32, id: at(id), rest: at(rest) });
    }
}

/// A head is no longer: time, a host of RFC 1035 2.3.4, a program.
const LONGEST_HEAD: usize = 400;

/// The kind of a line, where its message begins, and what follows its id.
///
/// A glance instead of a parsing: the first colon with a blank behind it, other than those of the clock, ends the program.
#[inline]
fn parts(line: &[u8]) -> Option<(Kind, usize, usize)> {
    let near = &line[..line.len().min(LONGEST_HEAD)];
    // Behind the clock of `Nov 25 21:33:43` or `2026-11-25T21:33:43`.
    let mut at = 15;
    loop {
        at += memchr(b':', near.get(at..)?)? + 1;
        if line.get(at) == Some(&b' ') {
            break;
        }
    }
    let message = at + 1;
    if let Some((kind, id)) = kind(line.get(message..)?) {
        return Some((kind, message, message + id + 2));
    }
    // RFC 5424 has no colon behind the program.
    if line[0] != b'<' {
        return None;
    }
    let message = head(line)?.message;
    kind(&line[message..]).map(|(kind, id)| (kind, message, message + id + 2))
}

/// Postfix's queue ids are hexadecimal digits, or with `enable_long_queue_ids` letters and digits without vowels; 20 at the most.
const LONGEST_ID: usize = 24;

/// What a message is about, and how long the id in front of it is.
#[inline]
pub(crate) fn kind(message: &[u8]) -> Option<(Kind, usize)> {
    let id = memchr(b':', &message[..message.len().min(LONGEST_ID)])?;
    let rest = message.get(id + 2..)?;
    let kind = match rest.first()? {
        b't' if rest.starts_with(b"to=<") => Kind::Delivery,
        b'f' if rest.starts_with(b"from=<") => Kind::From,
        b'c' if rest.starts_with(b"client=") => Kind::Client,
        b'u' if rest.starts_with(b"uid=") => Kind::Uid,
        b'r' if rest.starts_with(b"removed") => Kind::Removed,
        b'r' if rest.starts_with(b"reject: ") => Kind::Reject,
        b'm' if rest.starts_with(b"milter-reject: ") => Kind::Reject,
        b'p' if rest.starts_with(b"proxy-reject: ") => Kind::Reject,
        b'w' if rest.starts_with(b"warning: header X-PHP-") => Kind::Script,
        b'i' if rest.starts_with(b"info: header X-PHP-") => Kind::Script,
        _ if message.starts_with(b"warning: ") && memchr::memmem::find(rest, b" authentication failed: ").is_some() => {
            Kind::LogIn
        }
        _ => return None,
    };
    let is_id = id > 0 && message[id + 1] == b' ' && message[..id].iter().all(u8::is_ascii_alphanumeric);
    is_id.then_some((kind, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_matter_are_marked() {
        let block = b"Nov 25 21:33:43 mail postfix/smtpd[24]: connect from localhost[127.0.0.1]\n\
            Nov 25 21:33:43 mail postfix/smtpd[24]: 713715F: client=localhost[127.0.0.1]\n\
            Nov 25 21:33:43 mail postfix/cleanup[29]: 713715F: message-id=<1001@mail.example.org>\n\
            {\"MESSAGE\":\"x\"}\n\
            Nov 25 21:33:43 mail postfix/qmgr[22]: 713715F: removed\n\
            Nov 25 21:33:43 mail postfix/qmgr[22]: 713715F: from=<>, half a li";
        let mut marks = Vec::new();
        assert_eq!(scan(block, &mut marks), 6);
        let seen: Vec<_> = marks.iter().map(|mark| (mark.kind, mark.line)).collect();
        assert_eq!(seen, [(Kind::Client, 1), (Kind::Wrapped, 3), (Kind::Removed, 4), (Kind::From, 5)]);
        assert!(block[marks[0].id as usize..].starts_with(b"713715F: client="));
        assert!(block[marks[0].rest as usize..].starts_with(b"client="));
    }

    #[test]
    fn heads_of_other_kinds_hide_nothing() {
        for line in [
            "2026-11-25T22:33:43.123456+01:00 mail postfix/smtp[30]: 71F: to=<a>, x",
            "<22>Nov 25 21:33:43 2001:db8::1 postfix/smtp[30]: 71F: to=<a>, x",
            "<22>1 2026-11-25T21:33:43.5Z mail postfix/smtp 30 - - 71F: to=<a>, x",
        ] {
            let mut marks = Vec::new();
            scan(line.as_bytes(), &mut marks);
            assert_eq!(marks.len(), 1, "{line}");
            assert_eq!(&line[marks[0].id as usize..marks[0].rest as usize], "71F: ");
        }
    }
}
