//! How the closed words of a verdict are said to a person.

use std::borrow::Cow;

use redeliver_model::{Act, AddressIsBad, Cause, Explanation, Fault, Forwarding, Origin, Retry, Scope, Stage};

/// Whose fault.
pub fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Author => "the sender (who wrote or sent it)",
        Fault::SenderHost => "whoever runs the sending server",
        Fault::SenderDomain => "whoever runs the sender's domain",
        Fault::OwnProvider => "the sender's own mail provider",
        Fault::Receiver => "whoever runs the receiving server",
        Fault::Recipient => "the recipient",
        Fault::Forwarder => "whoever sent the message on",
        Fault::Network => "the network in between",
        Fault::Software => "the sending software",
        Fault::Nobody => "nobody, it is so by design",
        Fault::Unknown => "the reply does not tell",
    }
}

/// Whether to act.
pub fn act(act: Act) -> &'static str {
    match act {
        Act::Now => "yes, now",
        Act::Wait => "no, wait",
        Act::Stop => "no, stop writing to this address",
        Act::Ask => "only somebody else can: ask",
    }
}

/// When to send again.
pub fn retry(retry: Retry) -> &'static str {
    match retry {
        Retry::Now => "at once",
        Retry::AfterTime => "later, unchanged",
        Retry::AfterChange => "after something was changed",
        Retry::Never => "not at all",
    }
}

/// What the refusal says of the address.
pub fn address(address: AddressIsBad) -> &'static str {
    match address {
        AddressIsBad::Yes => "it takes no mail: take it off your list",
        AddressIsBad::No => "nothing is wrong with it",
        AddressIsBad::Unproven => "one refusal does not prove that it is dead",
    }
}

/// How far the no reaches.
pub fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Message => "this message only",
        Scope::Mailbox => "this mailbox only",
        Scope::Organisation => "this organisation",
        Scope::Site => "this whole receiver",
        Scope::List => "every receiver that uses the list",
        Scope::OwnProvider => "your own provider: the mail never left it",
    }
}

/// The step of the dialogue.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "at the greeting",
        Stage::Helo => "at HELO/EHLO",
        Stage::Tls => "at STARTTLS",
        Stage::Auth => "at the log-in",
        Stage::Mail => "at MAIL FROM",
        Stage::Rcpt => "at RCPT TO",
        Stage::Data => "at DATA",
        Stage::Body => "after the whole message",
        Stage::Later => "after accepting it",
    }
}

/// How sure, in a word and a number.
pub fn sure(confidence: f32) -> String {
    let word = match confidence {
        c if c >= 0.9 => "sure",
        c if c >= 0.7 => "likely",
        c if c >= 0.45 => "perhaps",
        _ => "a guess",
    };
    format!("{word} ({:.0} %)", confidence * 100.0)
}

/// The headline: the title of the cause, or that it is only a guess.
pub fn headline(told: &Explanation<'_>) -> String {
    match told.causes.first() {
        Some(first) if first.confidence < 0.5 && first.cause != Cause::Unknown => {
            format!("Not clear; perhaps: {}", told.title)
        }
        _ => told.title.to_string(),
    }
}

/// Who said no, as far as it is known: host, operator, software, stage.
pub fn who(told: &Explanation<'_>) -> String {
    let refuser = &told.refusal.refused_by;
    let mut who = match (refuser.host.as_deref(), refuser.ip) {
        (Some(host), Some(ip)) => format!("{host} [{ip}]"),
        (Some(host), None) => host.to_owned(),
        (None, Some(ip)) => format!("[{ip}]"),
        (None, None) => String::new(),
    };
    let mut add = |text: &str| {
        if !who.is_empty() {
            who.push_str(", ");
        }
        who.push_str(text);
    };
    if let Some((_, name)) = told.site {
        add(name);
    }
    if let Some(software) = told.software {
        add(&format!("{software} (by its wording)"));
    }
    if let Some(at) = told.refusal.stage {
        add(stage(at));
    }
    if who.is_empty() { "the reply does not name itself".to_owned() } else { who }
}

/// Where a report was found; none for what was given on the command line.
pub fn found_in(told: &Explanation<'_>) -> Option<String> {
    let origin = &told.origin;
    if matches!(origin.source.as_ref(), "--reply" | "-") && origin.member.is_none() {
        return None;
    }
    Some(at(origin))
}

/// File, member and line.
pub fn at(origin: &Origin<'_>) -> String {
    let member = origin.member.as_deref().map(|member| format!(", {member}")).unwrap_or_default();
    let line = origin.line.map(|line| format!(", line {line}")).unwrap_or_default();
    format!("{}{member}{line}", origin.source)
}

/// Whom it is about: the address, and the one that was written to.
pub fn recipient(told: &Explanation<'_>) -> Option<String> {
    let recipient = told.refusal.recipient.as_deref()?;
    Some(match told.refusal.original_recipient.as_deref() {
        Some(original) => format!("{} (written to {})", address_shown(recipient), address_shown(original)),
        None => address_shown(recipient).into_owned(),
    })
}

/// Letters of an address that are shown: the longest real one (RFC 5321 4.5.3.1) fits.
const LONGEST_SHOWN: usize = 320;

/// An address; in quotes and cut where it has blanks or no end, which no real one has.
fn address_shown(address: &str) -> Cow<'_, str> {
    if address.len() <= LONGEST_SHOWN && !address.contains(char::is_whitespace) {
        return Cow::Borrowed(address);
    }
    let start = &address[..address.floor_char_boundary(LONGEST_SHOWN)];
    Cow::Owned(format!("\"{start}\"{}", if start.len() < address.len() { " ..." } else { "" }))
}

/// Who sent the message on, from where to where, and what shows it.
pub fn forwarded(forwarded: &Forwarding<'_>) -> String {
    let by = forwarded.by.as_deref().unwrap_or("somebody");
    let from = forwarded.from.as_deref().map(|from| format!(" from {from}")).unwrap_or_default();
    let to = forwarded.to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
    format!("by {by}{from}{to}: {}", forwarded.shown_by)
}

/// The checks that settle the case, for a person.
pub fn checks(checks: &[&str]) -> String {
    let named = checks.iter().map(|check| match *check {
        "blocklist" => "whether the list names the IP or domain now",
        "reverse-dns" => "the reverse DNS of the sending IP",
        "helo" => "the HELO name",
        "spf" => "SPF for this sender and IP",
        "dkim" => "the DKIM signature",
        "dmarc" => "DMARC alignment",
        "authentication" => "SPF, DKIM and DMARC of this very message",
        "tls" => "the TLS session",
        "mta-sts" => "the MTA-STS policy",
        "dane" => "the TLSA record",
        "sender-domain" => "the DNS of the sender's domain",
        "recipient-domain" => "the DNS of the recipient's domain",
        "recipient-mx" => "the refusing host against the recipient's MX",
        "egress" => "our own way out (port 25)",
        "lint" => "form and content of the message",
        "history" => "our own volume, complaints and unknown users",
        "own-logs" => "our own logs",
        "transcript" => "the SMTP dialogue",
        "resend-without-links" => "the same message without its links",
        "other-receivers" => "whether other receivers take the mail",
        "service-events" => "the event history at the sending service",
        "smtp-size" => "the receiver's size limit",
        "submission" => "port, host and log-in of the mail program",
        other => other.strip_prefix("blocklist:").unwrap_or(other),
    });
    let mut text = String::new();
    for (number, (name, check)) in named.zip(checks).enumerate() {
        if number > 0 {
            text.push_str("; ");
        }
        if check.starts_with("blocklist:") {
            text.push_str("a look-up in ");
        }
        text.push_str(name);
    }
    text
}
