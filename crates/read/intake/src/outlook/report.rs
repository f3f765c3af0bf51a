//! What a report's properties say of each recipient, as the fields of a delivery-status part (RFC 3464 2.3).

use std::io::{Read, Seek};

use cfb::CompoundFile;

use super::properties::{Storage, tag};
use super::write::one_line;

/// What a report says was done (RFC 3464 2.3.3), by the last word of its class (MS-OXOMSG 2.2.2.1).
pub(super) fn action(class: &str) -> Option<&'static str> {
    let class = class.to_ascii_uppercase();
    let word = class.strip_prefix("REPORT.")?.rsplit('.').next()?;
    Some(match word {
        "NDR" => "failed",
        "DELAYED" => "delayed",
        "DR" => "delivered",
        "RELAYED" => "relayed",
        "EXPANDED" => "expanded",
        _ => return None,
    })
}

/// The delivery-status part: fields of the message, then a group for each recipient. None where no recipient has any.
pub(super) fn status<F: Read + Seek>(file: &mut CompoundFile<F>, report: &Storage, action: &str) -> Option<String> {
    let mut text = String::new();
    if let Some(id) = report.text(file, tag::ORIGINAL_MESSAGE_ID) {
        field(&mut text, "X-Original-Message-ID", &id);
    }
    let mut groups = 0;
    for recipient in report.recipients(file) {
        let mut group = String::new();
        recipient_fields(file, &recipient, action, &mut group);
        if !group.is_empty() {
            groups += 1;
            text.push_str("\r\n");
            text.push_str(&group);
        }
    }
    (groups > 0).then_some(text)
}

fn recipient_fields<F: Read + Seek>(file: &mut CompoundFile<F>, one: &Storage, action: &str, group: &mut String) {
    let address = address(file, one);
    let name = one.text(file, tag::DISPLAY_NAME);
    let said = one.text(file, tag::SUPPLEMENTARY_INFO).map(|text| Said::read(&text)).unwrap_or_default();
    if address.is_none() && name.is_none() {
        return;
    }
    match address {
        Some(address) => field(group, "Final-Recipient", &format!("rfc822; {address}")),
        // RFC 3464 2.3.2 wants an address; where Outlook kept a name alone, that is what there is.
        None => field(group, "Final-Recipient", &format!("unknown; {}", name.as_deref().unwrap_or_default())),
    }
    field(group, "Action", action);
    // The number has one digit for each part, so that 5.1.10 and 5.2.0 are one; the text is better where there is one.
    let number = one.long(tag::NDR_STATUS_CODE).filter(|code| (200..600).contains(code));
    let number = number.map(|code| format!("{}.{}.{}", code / 100, code / 10 % 10, code % 10));
    if let Some(status) = said.status.or(number) {
        field(group, "Status", &status);
    }
    if let Some(host) = one.text(file, tag::REMOTE_MTA).or(said.host) {
        field(group, "Remote-MTA", &format!("dns; {host}"));
    }
    if let Some(words) = said.diagnostic.or_else(|| one.text(file, tag::REPORT_TEXT)) {
        let typed =
            words.split_once(';').is_some_and(|(kind, _)| !kind.trim().is_empty() && !kind.trim().contains(' '));
        let words = if typed { words } else { format!("smtp; {words}") };
        field(group, "Diagnostic-Code", &words);
    }
    for (name, tag) in
        [("X-MAPI-Reason-Code", tag::NDR_REASON_CODE), ("X-MAPI-Diagnostic-Code", tag::NDR_DIAGNOSTIC_CODE)]
    {
        if let Some(code) = one.long(tag) {
            field(group, name, &code.to_string());
        }
    }
}

/// An address of a recipient, if it is one of the internet.
pub(super) fn address<F: Read + Seek>(file: &mut CompoundFile<F>, one: &Storage) -> Option<String> {
    [tag::SMTP_ADDRESS, tag::ADDRESS, tag::DISPLAY_NAME].into_iter().find_map(|tag| {
        let text = one.text(file, tag)?;
        let text = text.trim_matches(['<', '>', '\'', '"']);
        (text.contains('@') && !text.contains(char::is_whitespace)).then(|| text.to_owned())
    })
}

/// What Exchange keeps as additional words: `<host #status type;words>`, or words alone.
#[derive(Default)]
struct Said {
    host: Option<String>,
    status: Option<String>,
    diagnostic: Option<String>,
}

impl Said {
    fn read(text: &str) -> Self {
        let inner = text.trim().strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        let Some((host, rest)) = inner.split_once('#') else {
            return Self { diagnostic: Some(inner.to_owned()), ..Self::default() };
        };
        let (status, words) = rest.split_once([' ', '#']).unwrap_or((rest, ""));
        let is_status = status.splitn(3, '.').filter(|part| part.parse::<u16>().is_ok()).count() == 3;
        if !is_status {
            return Self { diagnostic: Some(inner.to_owned()), ..Self::default() };
        }
        let some = |text: &str| Some(text.trim().trim_matches('#').to_owned()).filter(|text| !text.is_empty());
        Self { host: some(host), status: some(status), diagnostic: some(words) }
    }
}

fn field(to: &mut String, name: &str, value: &str) {
    to.push_str(name);
    to.push_str(": ");
    to.push_str(&one_line(value));
    to.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additional_words_with_and_without_host_and_status() {
        for (text, want) in [
            (
                "<mx.example.net #5.1.10 smtp;550 5.1.10 no such user>",
                (Some("mx.example.net"), Some("5.1.10"), Some("smtp;550 5.1.10 no such user")),
            ),
            ("<mx.example.net #5.7.1>", (Some("mx.example.net"), Some("5.7.1"), None)),
            ("<#4.4.7 smtp;400 4.4.7 delayed>", (None, Some("4.4.7"), Some("smtp;400 4.4.7 delayed"))),
            ("<mx.example.net #5.5.0 #SMTP#>", (Some("mx.example.net"), Some("5.5.0"), Some("SMTP"))),
            ("550 see https://example.net/#help", (None, None, Some("550 see https://example.net/#help"))),
        ] {
            let said = Said::read(text);
            let got = (said.host.as_deref(), said.status.as_deref(), said.diagnostic.as_deref());
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn classes_of_reports() {
        for (class, want) in [
            ("REPORT.IPM.Note.NDR", Some("failed")),
            ("Report.IPM.Note.Delayed", Some("delayed")),
            ("REPORT.IPM.Note.DR", Some("delivered")),
            ("REPORT.IPM.Note.IPNRN", None),
            ("IPM.Note", None),
        ] {
            assert_eq!(action(class), want, "{class}");
        }
    }
}
