//! Delivery status notifications: the fields of message/delivery-status (RFC 3464) and of its UTF-8 form (RFC 6533).
//!
//! Reads what is there: fields missing, doubled, in the wrong block, nested in text. Says nothing of what they mean.

use std::borrow::Cow;

use redeliver_message::Headers;
use redeliver_model::{EnhancedStatus, Timestamp};

/// Most recipients read from one report. A server reports at most some hundred in one mail; each costs a diagnosis.
pub const MOST_RECIPIENTS: usize = 2000;

/// Most bytes of a diagnostic that are kept; RFC 5321 4.5.3.1.5 allows 512 octets a reply line, real ones have under 4 KiB.
const LONGEST_DIAGNOSTIC: usize = 8 * 1024;

/// Longest address that is kept: RFC 5321 4.5.3.1.3 allows 256; VERP and encoded ones are longer.
const LONGEST_ADDRESS: usize = 1000;

/// What was done about a recipient (RFC 3464 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It could not be delivered.
    Failed,
    /// Not yet; it is still being tried.
    Delayed,
    /// It was delivered, handed to a system that sends no notifications, or given to the members of a list.
    Delivered,
}

/// What a report says about itself (RFC 3464 2.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerMessage {
    /// The server that reports.
    pub reporting_mta: Option<String>,
    /// The server that the message came from.
    pub received_from_mta: Option<String>,
    /// The queue id there (`X-Postfix-Queue-ID`).
    pub queue_id: Option<String>,
    /// The envelope sender (`X-Postfix-Sender`).
    pub sender: Option<String>,
}

/// What a report says about one recipient (RFC 3464 2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerRecipient {
    /// As the sender gave it.
    pub original: Option<String>,
    /// As it was tried last.
    pub recipient: Option<String>,
    /// Whether that was an inner route (`@relay:ann@store`), which says less than the address that was written to.
    pub routed: bool,
    /// Where the server had expanded it to (Sendmail's `X-Actual-Recipient`).
    pub expanded_to: Option<String>,
    /// What was done.
    pub action: Option<Action>,
    /// The status.
    pub status: Option<EnhancedStatus>,
    /// The words of the field Status behind the numbers, where a server puts its reason.
    pub status_words: Option<String>,
    /// The server that said it.
    pub remote_mta: Option<String>,
    /// Its address, where the field gives it too.
    pub remote_ip: Option<std::net::IpAddr>,
    /// What it said, without the type in front.
    pub diagnostic: Option<String>,
    /// When it was tried last.
    pub last_attempt: Option<Timestamp>,
    /// Until when it is tried.
    pub retry_until: Option<Timestamp>,
}

/// One report: its own fields and those of each recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// About the message.
    pub message: PerMessage,
    /// About each recipient, in order.
    pub recipients: Vec<PerRecipient>,
}

impl DeliveryStatus {
    /// Reads the content of a delivery-status part.
    pub fn read(bytes: &[u8]) -> Self {
        let mut report = Self::default();
        let mut rest = bytes;
        while !rest.trim_ascii().is_empty() {
            let (fields, end) = Headers::read(rest);
            if fields.is_empty() {
                // A line that is no field: pass over it.
                let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
                rest = &rest[line..];
                continue;
            }
            report.block(&fields);
            rest = &rest[end.max(1)..];
        }
        report.recipients.retain(|one| {
            one.recipient.is_some() || one.original.is_some() || one.diagnostic.is_some() || one.status.is_some()
        });
        report
    }

    fn block(&mut self, fields: &Headers<'_>) {
        let mut open: Option<PerRecipient> = None;
        for field in fields.iter() {
            let name = field.name.to_ascii_lowercase();
            let value = redeliver_message::decode_text(field.raw, None);
            let value = value.trim();
            if self.message_field(&name, value) {
                continue;
            }
            // A second Final-Recipient without a blank line before it begins another recipient.
            let again = |open: &PerRecipient| match name.as_str() {
                "final-recipient" => open.recipient.is_some(),
                "original-recipient" => open.original.is_some() && open.recipient.is_some(),
                "action" => open.action.is_some() && open.recipient.is_some(),
                _ => false,
            };
            if open.as_ref().is_some_and(again) {
                self.recipients.extend(open.take());
            }
            if self.recipients.len() >= MOST_RECIPIENTS {
                return;
            }
            recipient_field(open.get_or_insert_with(PerRecipient::default), &name, value);
        }
        // Fields behind a blank line that does not belong there go to the recipient before it.
        match (open, self.recipients.last_mut()) {
            (Some(open), Some(last))
                if open.recipient.is_none() && open.original.is_none() && open.action.is_none() =>
            {
                last.diagnostic = last.diagnostic.take().or(open.diagnostic);
                last.status = last.status.or(open.status);
                last.remote_mta = last.remote_mta.take().or(open.remote_mta);
            }
            (open, _) => self.recipients.extend(open),
        }
    }

    fn message_field(&mut self, name: &str, value: &str) -> bool {
        let field = match name {
            "reporting-mta" | "reported-by" => &mut self.message.reporting_mta,
            "received-from-mta" => &mut self.message.received_from_mta,
            "x-postfix-queue-id" | "x-queue-id" => &mut self.message.queue_id,
            "x-postfix-sender" => &mut self.message.sender,
            "arrival-date" | "original-envelope-id" | "dsn-gateway" => return true,
            _ => return false,
        };
        let value = untyped(value).trim();
        if field.is_none() && !value.is_empty() {
            *field = Some(value.to_owned());
        }
        true
    }
}

fn recipient_field(open: &mut PerRecipient, name: &str, value: &str) {
    match name {
        "original-recipient" => {
            // RFC 3461 4.2: the address was given in xtext; some report it without decoding.
            let decoded = address(value).map(|one| xtext(&one).into_owned());
            open.original = decoded.or(open.original.take());
        }
        "final-recipient" => {
            open.routed = untyped(value).trim_start_matches('<').starts_with('@') || is_inner_name(value);
            open.recipient = address(value).or(open.recipient.take());
        }
        "x-actual-recipient" => open.expanded_to = address(value),
        "action" => open.action = action(value).or(open.action),
        "status" => {
            let at = value.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
            if let Some((status, end)) = EnhancedStatus::read(&value[at..]) {
                open.status = Some(status);
                let words = value[at + end..].trim_matches([' ', '(', ')']);
                open.status_words = (words.len() > 8).then(|| words.to_owned());
            }
        }
        "remote-mta" => {
            // Gmail: "mx.example.net. (192.0.2.1, the server for the domain example.net.)"
            let inner = untyped(value).split(['(', ')', '[', ']', ',', ' ']).find_map(|word| word.parse().ok());
            open.remote_ip = inner.or(open.remote_ip);
            let host = untyped(value).split([' ', '(', '\r', '\n']).find(|part| !part.is_empty());
            open.remote_mta = host.map(|host| host.trim_end_matches('.').to_owned()).or(open.remote_mta.take());
        }
        "diagnostic-code" => {
            let words = joined(untyped(value));
            if !words.is_empty() {
                match &mut open.diagnostic {
                    Some(before) if before.len() + words.len() < LONGEST_DIAGNOSTIC => {
                        before.push(' ');
                        before.push_str(&words);
                    }
                    Some(_) => {}
                    none => *none = Some(words),
                }
            }
        }
        "last-attempt-date" => open.last_attempt = date(value),
        "will-retry-until" => open.retry_until = date(value),
        _ => {}
    }
}

fn date(value: &str) -> Option<Timestamp> {
    let field = format!("Date: {value}\n\n");
    Headers::read(field.as_bytes()).0.date("date")
}

fn action(value: &str) -> Option<Action> {
    let word = value.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty())?.to_ascii_lowercase();
    Some(match word.as_str() {
        "failed" | "failure" | "fail" | "bounced" | "expired" | "undeliverable" | "rejected" => Action::Failed,
        "delayed" | "delay" | "deferred" => Action::Delayed,
        "delivered" | "relayed" | "expanded" | "deliverable" => Action::Delivered,
        _ => return None,
    })
}

/// A value without its type: `rfc822; ann@example.org` (RFC 3464 2.1.2).
fn untyped(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest))
            if kind.len() <= 24
                && kind.trim().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) =>
        {
            rest.trim_start()
        }
        _ => value,
    }
}

/// Whether the type of an address is that of a system of its own (`system;<ann%example.net@smtp>`), and not of the open network
/// (RFC 3464 2.3.2, RFC 6533 3).
fn is_inner_name(value: &str) -> bool {
    let kind = value[..value.len() - untyped(value).len()].trim_end_matches([';', ' ']).trim().to_ascii_lowercase();
    !matches!(kind.as_str(), "" | "rfc822" | "utf-8" | "utf8" | "smtp" | "unknown" | "dns")
}

/// Folded lines as one; a reply of several lines keeps its codes, by which it is taken apart again.
fn joined(value: &str) -> String {
    let end = value.floor_char_boundary(value.len().min(LONGEST_DIAGNOSTIC));
    let mut words = String::with_capacity(end);
    for line in value[..end].split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(line);
    }
    words
}

/// The address of an address field; the escapes of `utf-8` (RFC 6533 3) taken off.
fn address(value: &str) -> Option<String> {
    let kind = value.split_once(';').map_or("", |(kind, _)| kind).trim();
    let raw = untyped(value).trim();
    let raw = raw.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
    let raw = raw.trim_matches(|c| matches!(c, '<' | '>' | ',' | ';'));
    let plain = if kind.eq_ignore_ascii_case("utf-8") { utf8_escapes(raw) } else { Cow::Borrowed(raw) };
    // "@relay.example:ann@example.org": a source route (RFC 5321 4.1.1.3).
    let plain = match plain.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, address)) => address.to_owned(),
        None => plain.into_owned(),
    };
    let (local, domain) = plain.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty() && plain.len() <= LONGEST_ADDRESS).then_some(plain)
}

/// RFC 3461 4: `+2B` is a plus sign. Only upper-case hexadecimal digits make an escape, so `ann+2020@` mostly stays.
fn xtext(raw: &str) -> Cow<'_, str> {
    // Exchange's own encapsulation uses the same escapes and is an address as it stands.
    if !raw.contains('+') || raw.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("imcea")) {
        return Cow::Borrowed(raw);
    }
    let bytes = raw.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        // What needed no escape would not have been escaped; a blank (+20) is rarer in an address than a tag like `+2020`.
        match bytes.get(at..at + 3).and_then(|three| escaped(three, b'+')) {
            Some(byte) if matches!(byte, b'+' | b'=') || byte >= 0x80 => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(raw), Cow::Owned)
}

fn escaped(three: &[u8], mark: u8) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    match three {
        [first, high, low] if *first == mark => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    }
}

/// RFC 6533 3: `\x{1F408}` is that character.
fn utf8_escapes(raw: &str) -> Cow<'_, str> {
    if !raw.contains("\\x{") {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find("\\x{") {
        let (before, behind) = (&rest[..at], &rest[at + 3..]);
        out.push_str(before);
        let read = behind.split_once('}').and_then(|(hex, rest)| {
            let c = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)?;
            Some((c, rest))
        });
        if let Some((c, behind)) = read {
            out.push(c);
            rest = behind;
        } else {
            out.push_str("\\x{");
            rest = behind;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_as_the_rfc_has_it() {
        let report = DeliveryStatus::read(
            b"Reporting-MTA: dns; mail.example.org\r\nX-Postfix-Queue-ID: 4ABC\r\n\r\nFinal-Recipient: rfc822; ann@example.net\r\nOriginal-Recipient: rfc822;ann+2Bx@example.com\r\nAction: failed\r\nStatus: 5.1.1 (no such user)\r\nRemote-MTA: dns; mx.example.net (192.0.2.1)\r\nDiagnostic-Code: smtp; 550-5.1.1 first\r\n 550 5.1.1 second\r\n\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: delayed\r\nWill-Retry-Until: Sat, 21 Nov 2026 10:00:00 +0000\r\n",
        );
        assert_eq!(report.message.reporting_mta.as_deref(), Some("mail.example.org"));
        let [ann, bob] = report.recipients.as_slice() else { panic!("{report:?}") };
        assert_eq!(ann.original.as_deref(), Some("ann+x@example.com"));
        assert_eq!(ann.diagnostic.as_deref(), Some("550-5.1.1 first 550 5.1.1 second"));
        assert_eq!(ann.remote_mta.as_deref(), Some("mx.example.net"));
        assert_eq!((ann.action, bob.action), (Some(Action::Failed), Some(Action::Delayed)));
        assert!(bob.retry_until.is_some());
    }

    #[test]
    fn fields_in_the_wrong_place_are_still_read() {
        let report = DeliveryStatus::read(
            b"Reporting-MTA: dns;a\nFinal-Recipient: rfc822;ann@example.net\nAction: failed\nFinal-Recipient: rfc822;bob@example.net\nAction: failed\n\nDiagnostic-Code: smtp;550 no\n",
        );
        assert_eq!(report.recipients.len(), 2);
        assert_eq!(report.recipients[1].diagnostic.as_deref(), Some("550 no"));
    }

    #[test]
    fn addresses_of_every_kind() {
        for (value, want) in [
            ("rfc822; ann@example.org", Some("ann@example.org")),
            ("RFC822;<ann@example.org>", Some("ann@example.org")),
            ("ann@example.org", Some("ann@example.org")),
            ("rfc822; ann+2020@example.org", Some("ann+2020@example.org")),
            ("utf-8; \\x{1F408}@example.org", Some("\u{1f408}@example.org")),
            ("rfc822; @relay.example:ann@example.org", Some("ann@example.org")),
            ("x400; /s=ann/c=gb/", None),
            ("rfc822; <>", None),
        ] {
            assert_eq!(address(value).as_deref(), want, "{value}");
        }
        assert_eq!(xtext("ann+2Bx+3Dy@example.org"), "ann+x=y@example.org");
        assert_eq!(xtext("ann+2020@example.org"), "ann+2020@example.org");
        assert_eq!(xtext("IMCEAEX-_O=A+20B@example.org"), "IMCEAEX-_O=A+20B@example.org");
    }
}
