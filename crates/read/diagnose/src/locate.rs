//! Finding the reply in the words around it: a log line, a bounce's sentence, a screen copied from a web mailer.

use std::borrow::Cow;

use redeliver_model::{EnhancedStatus, Party, Refusal, Reply, Stage};

use crate::finder::Finder;

/// Words right before a quoted reply, in mailers' own sentences.
static INTRODUCTIONS: Finder = Finder::new(&[
    " said: ",
    "remote server returned '",
    "the other server returned was:",
    "the response was:",
    "the response from the remote server was:",
    "response from the remote server was:",
    "remote server replied:",
    "the server responded:",
    "server response was:",
    "smtp error:",
    "diagnostic-code: smtp;",
    "remote host said:",
    "<<< ",
]);

/// Words that name a step of the dialogue; each is about the stage of the same place in [`STAGES`].
static STAGE_WORDS: Finder = Finder::new(&[
    "in reply to end of data",
    "after end of data",
    "after data",
    "end of data command",
    "in reply to rcpt",
    "after rcpt to",
    "during rcpt to",
    "rcpt to:<",
    "in reply to mail from",
    "after mail from",
    "during mail from",
    "mail from:<",
    "in reply to data",
    "during data",
    "in reply to starttls",
    "after starttls",
    "in reply to ehlo",
    "in reply to helo",
    "after ehlo",
    "after helo",
    "refused to talk to me",
    "initial server greeting",
    "initial connection",
    "in reply to auth",
    "after auth",
]);

/// The stages that [`STAGE_WORDS`] name.
const STAGES: [Stage; 25] = {
    use Stage::{Auth, Body, Connect, Data, Helo, Mail, Rcpt, Tls};
    [
        Body, Body, Body, Body, Rcpt, Rcpt, Rcpt, Rcpt, Mail, Mail, Mail, Mail, Data, Data, Tls, Tls, Helo, Helo, Helo,
        Helo, Connect, Connect, Connect, Auth, Auth,
    ]
};

/// Where a quoted reply ends.
const ENDINGS: [&str; 4] = ["\n\n", "\r\n\r\n", "\n--", "\nFinal-Recipient:"];

/// How Postfix closes a quoted reply.
const POSTFIX_ENDING: &str = " (in reply to ";

/// What stands behind a server's answer in a session of Sendmail that was joined to one line: the next command, and what Sendmail
/// says of every permanent failure.
const SESSION_ENDINGS: [&str; 2] = [" >>> ", " 554 5.0.0 Service unavailable"];

/// A refusal, and the words around it, which are the reporting software's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    /// What was read.
    pub refusal: Refusal<'a>,
    /// What stands before the reply.
    pub before: &'a str,
    /// What stands behind it.
    pub after: &'a str,
}

/// Reads what a person has: a reply, or a text with one in it.
pub fn locate(text: &str) -> Located<'_> {
    let text = text.trim().trim_start_matches('\u{feff}');
    let mut refusal = Refusal::default();
    let at = if starts_with_code(text) {
        0
    } else if let Some((host, at)) = spoken_by(text) {
        refusal.refused_by.host = Some(Cow::Borrowed(host));
        at
    } else if let Some(at) = introduced(text).or_else(|| code_within(text)) {
        refusal.refused_by = host_before(&text[..at]);
        at
    } else {
        // No code anywhere: every word may be the server's.
        refusal.reply = Reply::parse(text);
        refusal.stage = stage(text);
        return Located { refusal, before: "", after: "" };
    };
    let mut quoted = cut_ending(&text[at..]);
    if text[..at].ends_with("<<< ") {
        let end = SESSION_ENDINGS.iter().filter_map(|ending| quoted.find(ending)).min();
        quoted = quoted[..end.unwrap_or(quoted.len())].trim_end();
    }
    let (before, after) = (&text[..at], &text[at + quoted.len()..]);
    refusal.reply = Reply::parse(if before.is_empty() { quoted } else { unquoted(quoted) });
    refusal.stage = stage(before).or_else(|| stage(after));
    Located { refusal, before, after }
}

/// `mx.example.net: 554 5.7.1 No`: the host that said it, in front.
fn spoken_by(text: &str) -> Option<(&str, usize)> {
    let (host, rest) = text.split_once(": ")?;
    let is_host = host.contains('.')
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let reply = rest.trim_start();
    (is_host && starts_with_code(reply)).then(|| (host, text.len() - reply.len()))
}

/// A code of refusal, and behind it a blank, a dash or the end.
fn starts_with_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(
        bytes,
        [b'4' | b'5', b'0'..=b'7', b'0'..=b'9', b' ' | b'-' | b':' | b'\r' | b'\n', ..]
            | [b'4' | b'5', b'0'..=b'7', b'0'..=b'9']
    )
}

/// The place behind words that introduce a reply, if a reply follows.
fn introduced(text: &str) -> Option<usize> {
    INTRODUCTIONS.all(text).find_map(|(_, at)| {
        let rest = text[at..].trim_start_matches([' ', '\r', '\n', '\'', '"', '>', '#']);
        starts_with_code(rest).then(|| text.len() - rest.len())
    })
}

/// A code with a status behind it, anywhere; or a code at the start of a line or behind `: `, `'`, `"`, `<<< `.
fn code_within(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut plain = None;
    for at in 0..bytes.len().saturating_sub(4) {
        if !matches!(bytes[at], b'4' | b'5') || !text.is_char_boundary(at) || !starts_with_code(&text[at..]) {
            continue;
        }
        let before = &text[..at];
        if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '/')) {
            continue;
        }
        let rest = text[at + 4..].trim_start_matches(['#', ' ', '(']);
        if EnhancedStatus::read(rest).is_some() {
            return Some(at);
        }
        let line = before.trim_end_matches([' ', '\t']);
        let opened = line.is_empty()
            || line.ends_with('\n')
            || before.ends_with(['\n', '\'', '"', '“', '«', '(', '>', '<'])
            || before.ends_with(": ")
            || before.ends_with("<<< ");
        if plain.is_none() && opened && rest.starts_with(|c: char| c.is_alphabetic() || c == '<' || c == '[') {
            plain = Some(at);
        }
    }
    plain
}

/// Cuts the reply off where the mailer's own words go on.
fn cut_ending(text: &str) -> &str {
    let mut end = text.len();
    if text.contains('(') {
        end = text.find(POSTFIX_ENDING).unwrap_or(end);
    }
    if text.contains('\n') {
        end = ENDINGS.iter().filter_map(|ending| text.find(ending)).fold(end, usize::min);
    }
    text[..end].trim_end()
}

/// Takes the quotation mark off the end of a quoted reply.
fn unquoted(text: &str) -> &str {
    let text = text.trim_end();
    match text.strip_suffix(['\'', '"', '”', '»']) {
        Some(inner) if !inner.contains(['\'', '"']) || text.ends_with(['”', '»']) => inner,
        _ => text,
    }
}

/// `host mx.example.net[192.0.2.1] said:`, `mx.example.net [192.0.2.1]:`: who said it.
fn host_before(text: &str) -> Party<'_> {
    let mut words = text.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let known = ["host", "server", "from", "(host", "host:", "talking"];
        let introduces = known.iter().any(|known| word.eq_ignore_ascii_case(known));
        // Sendmail: "... while talking to mx.example.net.:"
        if word == "talking" && words.peek() == Some(&"to") {
            words.next();
        }
        let Some(next) = words.peek().filter(|_| introduces) else { continue };
        let end =
            next.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(next.len());
        let name = next[..end].trim_end_matches('.');
        if !name.contains('.') || !name.contains(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        // "mx.example.net[192.0.2.1]", or the address as the next word, in brackets.
        let place = next.as_ptr() as usize - text.as_ptr() as usize + end;
        let behind = text[place..].trim_start_matches([' ', '\n', '\r', '\t', '(']);
        let ip = behind.strip_prefix('[').and_then(|inner| inner.split_once(']')).and_then(|(ip, _)| ip.parse().ok());
        return Party { host: Some(Cow::Borrowed(name)), ip, ..Party::default() };
    }
    // Exchange puts the host on the line before: "mx.example.net\nRemote Server returned '550 ...".
    let above = text.trim_end_matches(['\'', '"', ' ']).rsplit_once('\n').map(|(above, _)| above.trim_end());
    let line = above.and_then(|above| above.rsplit('\n').next()).unwrap_or_default().trim();
    let is_host = line.contains('.')
        && !line.contains('@')
        && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if is_host && line.contains(|c: char| c.is_ascii_alphabetic()) {
        return Party { host: Some(Cow::Borrowed(line)), ..Party::default() };
    }
    // qmail names the address alone.
    let ip = ["Connected to ", "connected to "].iter().find_map(|mark| {
        let (_, behind) = text.split_once(mark)?;
        behind.split([' ', '\n']).next()?.trim_matches(['[', ']']).parse().ok()
    });
    let does_not_like =
        || text.split_once(" does not like").and_then(|(before, _)| before.rsplit([' ', '\n']).next()?.parse().ok());
    Party { ip: ip.or_else(does_not_like), ..Party::default() }
}

/// The step of the dialogue, where the words around the reply name it.
fn stage(text: &str) -> Option<Stage> {
    // The words stand in the order of the stages: what names two is about the later one.
    STAGE_WORDS.all(text).map(|(number, _)| number).min().map(|number| STAGES[number])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> (String, Option<String>, Option<Stage>) {
        let refusal = locate(text).refusal;
        (refusal.reply.to_string(), refusal.refused_by.host.map(Cow::into_owned), refusal.stage)
    }

    #[test]
    fn a_plain_reply_is_left_alone() {
        assert_eq!(show(" 554 5.7.1 No. \n"), ("554 5.7.1 No.".into(), None, None));
        assert_eq!(show("Relay access denied"), ("Relay access denied".into(), None, None));
        assert_eq!(show("mx.example.net: 554 No"), ("554 No".into(), Some("mx.example.net".into()), None));
    }

    #[test]
    fn a_log_line_gives_host_and_stage() {
        let line = "host mx1.example.net[198.51.100.7] said: 554 5.7.1 <a@example.net>: Relay access denied (in reply to RCPT TO command)";
        let want = "554 5.7.1 <a@example.net>: Relay access denied";
        assert_eq!(show(line), (want.into(), Some("mx1.example.net".into()), Some(Stage::Rcpt)));
        assert_eq!(locate(line).refusal.refused_by.ip.map(|ip| ip.to_string()), Some("198.51.100.7".into()));
    }

    #[test]
    fn a_session_of_sendmail_on_one_line() {
        let session = "... while talking to mx.example.net.: >>> DATA <<< 554 Blocked, see our page 554 5.0.0 Service unavailable";
        let (reply, host, _) = show(session);
        assert_eq!((reply.as_str(), host.as_deref()), ("554 Blocked, see our page", Some("mx.example.net")));
    }

    #[test]
    fn a_screen_of_a_web_mailer() {
        let screen = "Sorry, your message could not be sent.\n\nThe server responded: \"550 5.1.1 No such user\"\n\nTry again | Help";
        assert_eq!(show(screen).0, "550 5.1.1 No such user");
        let screen = "Message blocked\nThe response from the remote server was:\n\n550-5.7.1 first line\n550 5.7.1 second line\n\nHelp 2024";
        assert_eq!(show(screen).0, "550 5.7.1 first line second line");
        assert_eq!(
            show("We sent 450 letters and 550 people read them").0,
            "We sent 450 letters and 550 people read them"
        );
    }
}
