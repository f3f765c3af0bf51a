//! How Postfix's delivery agents word a refusal: who said it, at which step, and which part of it is the reply.

use std::borrow::Cow;

use redeliver_model::{Party, Side, Stage};

use crate::cut::{cut_last, party, stage_of_command};

/// A refusal taken out of `status=deferred (...)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Said<'a> {
    /// The reply, or Postfix's own words where nobody replied.
    pub text: &'a str,
    pub stage: Option<Stage>,
    pub by: Party<'a>,
}

/// Reads what stands in the brackets.
pub(crate) fn said(text: &str) -> Said<'_> {
    let text = text.strip_prefix("delivery temporarily suspended: ").unwrap_or(text);
    if let Some(rest) = text.strip_prefix("host ") {
        return by_host(text, rest);
    }
    if let Some(rest) = text.strip_prefix("SASL authentication failed; server ") {
        let (host, reply) = rest.split_once(" said: ").unwrap_or((rest, text));
        return found(reply, Stage::Auth, host);
    }
    if let Some(rest) = text.strip_prefix("SASL authentication failed; cannot authenticate to server ") {
        return found(text, Stage::Auth, rest.split(':').next().unwrap_or(rest));
    }
    if let Some(rest) = text.strip_prefix("TLS is required, but host ") {
        let (host, reply) = rest.split_once(" refused to start TLS: ").unwrap_or((rest, text));
        return found(reply, Stage::Tls, host);
    }
    if let Some(host) = text.strip_prefix("TLS is required, but was not offered by host ") {
        return found(text, Stage::Tls, host);
    }
    if text.starts_with("Cannot start TLS") || text.starts_with("Server certificate not ") {
        return Said { text, stage: Some(Stage::Tls), by: Party::default() };
    }
    if let Some(rest) = text.strip_prefix("connect to ") {
        return found(text, Stage::Connect, rest);
    }
    if let Some(rest) = text.strip_prefix("lost connection with ").or_else(|| text.strip_prefix("conversation with "))
        && let Some((host, doing)) = rest.split_once(' ')
    {
        return Said { text, stage: stage_of_deed(doing), by: party(host, Side::Theirs) };
    }
    Said { text, ..Said::default() }
}

fn found<'a>(text: &'a str, stage: Stage, host: &'a str) -> Said<'a> {
    Said { text, stage: Some(stage), by: party(host, Side::Theirs) }
}

/// `host mx[ip] said: REPLY (in reply to RCPT TO command)`, `host mx[ip] refused to talk to me: REPLY`.
fn by_host<'a>(whole: &'a str, rest: &'a str) -> Said<'a> {
    let Some((host, rest)) = rest.split_once(' ') else { return Said { text: whole, ..Said::default() } };
    let by = party(host, Side::Theirs);
    if let Some(reply) = rest.strip_prefix("refused to talk to me: ") {
        return Said { text: reply, stage: Some(Stage::Connect), by };
    }
    let Some(reply) = rest.strip_prefix("said: ") else { return Said { text: whole, ..Said::default() } };
    match cut_last(reply, " (in reply to ") {
        Some((reply, command)) => {
            let command = command.trim_end_matches(')');
            let body = command.starts_with("end of DATA");
            Said { text: reply, stage: if body { Some(Stage::Body) } else { stage_of_command(command) }, by }
        }
        None => Said { text: reply, stage: None, by },
    }
}

/// `while sending RCPT TO`, `timed out while receiving the initial server greeting`.
fn stage_of_deed(words: &str) -> Option<Stage> {
    let deed = words.split_once("while ").map_or(words, |(_, deed)| deed);
    if deed.contains("initial server greeting") {
        return Some(Stage::Connect);
    }
    if deed.contains("handshake") {
        return Some(if deed.contains("TLS") { Stage::Tls } else { Stage::Helo });
    }
    let deed = deed.strip_prefix("sending ")?;
    if deed.starts_with("end of data") || deed.starts_with("message body") {
        return Some(Stage::Body);
    }
    stage_of_command(deed)
}

/// `RCPT from client[ip]: REPLY; from=<..> to=<..> proto=.. helo=<..>`: a refusal of our own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rejected<'a> {
    pub text: &'a str,
    pub stage: Option<Stage>,
    pub client: Party<'a>,
    pub sender: Option<Cow<'a, str>>,
    pub recipient: Option<Cow<'a, str>>,
}

/// Reads what follows `reject: `.
pub(crate) fn rejected(text: &str) -> Option<Rejected<'_>> {
    let (word, _) = text.split_once(' ')?;
    // header_checks and body_checks put the reply behind what tells of the session.
    let checks = matches!(word, "header" | "body" | "mime-header" | "nested-header" | "content");
    let session = text.rfind("; from=<").or_else(|| text.rfind("; proto="));
    let (before, tags) = session.map_or((text, ""), |at| (&text[..at], &text[at + 2..]));
    let (who, reply) = if checks {
        let (_, who) = before.rsplit_once(" from ")?;
        (who, tags.rsplit_once(">: ").map_or("", |(_, reply)| reply))
    } else {
        let (_, rest) = before.split_once(" from ")?;
        let bracket = rest.find(']').unwrap_or(0);
        // postscreen puts a port behind the address.
        let colon = bracket + rest[bracket..].find(": ")?;
        (&rest[..colon], &rest[colon + 2..])
    };
    let mut client = party(who, Side::Theirs);
    client.helo = tag(tags, "helo=<");
    Some(Rejected {
        text: reply,
        stage: if checks { Some(Stage::Body) } else { stage_of_session(word) },
        client,
        sender: tag(tags, "from=<"),
        recipient: tag(tags, "to=<"),
    })
}

fn stage_of_session(word: &str) -> Option<Stage> {
    match word {
        "CONNECT" => Some(Stage::Connect),
        "END-OF-MESSAGE" | "END-OF-HEADER" | "EOM" => Some(Stage::Body),
        command => stage_of_command(command),
    }
}

fn tag<'a>(tags: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let at = if tags.starts_with(name) { 0 } else { tags.find(&format!(" {name}"))? + 1 };
    let (address, _) = crate::cut::angle(&tags[at + name.len() - 1..])?;
    crate::cut::filled(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_gives_reply_stage_and_host() {
        let table = [
            (
                "host m.a[192.0.2.1] said: 550 No (really) (in reply to RCPT TO command)",
                "550 No (really)",
                Some(Stage::Rcpt),
                "m.a",
            ),
            ("host m.a[192.0.2.1] said: 550 No (in reply to end of DATA command)", "550 No", Some(Stage::Body), "m.a"),
            ("host m.a[192.0.2.1] refused to talk to me: 554 No", "554 No", Some(Stage::Connect), "m.a"),
            (
                "delivery temporarily suspended: host m.a[192.0.2.1] refused to talk to me: 554 No",
                "554 No",
                Some(Stage::Connect),
                "m.a",
            ),
            ("SASL authentication failed; server m.a[192.0.2.1] said: 535 No", "535 No", Some(Stage::Auth), "m.a"),
            (
                "TLS is required, but host m.a[192.0.2.1] refused to start TLS: 454 No",
                "454 No",
                Some(Stage::Tls),
                "m.a",
            ),
            ("lost connection with m.a[192.0.2.1] while performing the EHLO handshake", "", Some(Stage::Helo), "m.a"),
            ("conversation with m.a[192.0.2.1] timed out while sending MAIL FROM", "", Some(Stage::Mail), "m.a"),
            ("connect to m.a[2001:db8::1]:25: Connection refused", "", Some(Stage::Connect), "m.a"),
            ("unknown user: \"x\"", "", None, ""),
            ("host ", "", None, ""),
            ("host x", "", None, ""),
        ];
        for (text, reply, stage, host) in table {
            let said = said(text);
            assert_eq!(said.text, if reply.is_empty() { text } else { reply });
            assert_eq!((said.stage, said.by.host.as_deref().unwrap_or("")), (stage, host), "{text}");
        }
    }

    #[test]
    fn our_own_refusals_in_all_their_forms() {
        let table = [
            "RCPT from c.a[192.0.2.1]: 554 5.7.1 No: x; from=<s@a> to=<r@b> proto=ESMTP helo=<h>",
            "RCPT from [192.0.2.1]:4711: 554 5.7.1 No: x; from=<s@a>, to=<r@b>, proto=ESMTP, helo=<h>",
            "header Subject: buy from us from c.a[192.0.2.1]; from=<s@a> to=<r@b> proto=ESMTP helo=<h>: 554 5.7.1 No: x",
            "END-OF-MESSAGE from c.a[192.0.2.1]: 554 5.7.1 No: x; from=<s@a> to=<r@b> proto=ESMTP helo=<h>",
        ];
        for text in table {
            let rejected = rejected(text).unwrap();
            assert_eq!(rejected.text, "554 5.7.1 No: x", "{text}");
            assert_eq!(rejected.client.ip.map(|ip| ip.to_string()).as_deref(), Some("192.0.2.1"), "{text}");
            assert_eq!(
                (rejected.sender.as_deref(), rejected.recipient.as_deref()),
                (Some("s@a"), Some("r@b")),
                "{text}"
            );
            assert_eq!(rejected.client.helo.as_deref(), Some("h"), "{text}");
        }
        assert_eq!(rejected("RCPT"), None);
    }
}
