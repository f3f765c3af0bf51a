//! Finding the reply in the words around it: a log line, a bounce's sentence, a screen copied from a web mailer.

use std::borrow::Cow;

use redeliver_model::{EnhancedStatus, Party, Refusal, Reply, Stage};

/// Words right before a quoted reply, in mailers' own sentences.
const INTRODUCTIONS: [&str; 12] = [
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
];

/// Where a quoted reply ends.
const ENDINGS: [&str; 4] = ["\n\n", "\r\n\r\n", "\n--", "\nFinal-Recipient:"];

/// How Postfix closes a quoted reply.
const POSTFIX_ENDING: &str = " (in reply to ";

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
    let quoted = cut_ending(&text[at..]);
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
    let lower = text.to_ascii_lowercase();
    INTRODUCTIONS.iter().find_map(|words| {
        let at = lower.find(words)? + words.len();
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
    let lower = text.to_ascii_lowercase();
    let mut party = Party::default();
    let Some(at) =
        ["host ", "server ", "from "].iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min()
    else {
        return party;
    };
    let rest = &text[at..];
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(rest.len());
    let name = rest[..end].trim_end_matches('.');
    if name.contains('.') && name.contains(|c: char| c.is_ascii_alphabetic()) {
        party.host = Some(Cow::Borrowed(name));
        let behind = rest[end..].trim_start_matches([' ', '(']);
        party.ip = behind.strip_prefix('[').and_then(|inner| inner.split_once(']')).and_then(|(ip, _)| ip.parse().ok());
    }
    party
}

/// The step of the dialogue, where the words around the reply name it.
fn stage(text: &str) -> Option<Stage> {
    if text.is_empty() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["in reply to end of data", "after end of data", "after data", "end of data command"]) {
        Some(Stage::Body)
    } else if has(&["in reply to rcpt", "after rcpt to", "during rcpt to", "rcpt to:<"]) {
        Some(Stage::Rcpt)
    } else if has(&["in reply to mail from", "after mail from", "during mail from", "mail from:<"]) {
        Some(Stage::Mail)
    } else if has(&["in reply to data", "during data"]) {
        Some(Stage::Data)
    } else if has(&["in reply to starttls", "after starttls"]) {
        Some(Stage::Tls)
    } else if has(&["in reply to ehlo", "in reply to helo", "after ehlo", "after helo"]) {
        Some(Stage::Helo)
    } else if has(&[
        "refused to talk to me",
        "initial server greeting",
        "after initial connection",
        "initial connection",
    ]) {
        Some(Stage::Connect)
    } else if has(&["in reply to auth", "after auth"]) {
        Some(Stage::Auth)
    } else {
        None
    }
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
