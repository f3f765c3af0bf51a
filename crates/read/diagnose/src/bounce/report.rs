//! What a mail holds of a report: its own words, its status fields, the message that it returns. Gathers, judges nothing.

use std::borrow::Cow;

use redeliver_message::{Headers, Mail, Part};

use super::delivery_status::DeliveryStatus;
use super::event::{self, Event};
use super::marks::{self, Found, Mark};

/// Bytes of a notification's own words that are read. The longest real ones, in five languages, have under 40 KiB.
const MOST_WORDS: usize = 64 * 1024;

/// Parts of one report that are read as status fields; one is the rule.
const MOST_STATUS_PARTS: usize = 16;

/// The pieces of one report.
#[derive(Debug, Default)]
pub struct Report<'m> {
    /// The fields of the mail itself.
    pub headers: Headers<'m>,
    /// What form of report it says it is (`report-type`).
    pub form: Option<String>,
    /// What it says in words, up to the returned message; apostrophes plain.
    pub words: String,
    /// What was cut off behind them.
    pub tail: String,
    /// The sentences by which notifications are known, in `words`.
    pub marks: Vec<Found>,
    /// Its status fields.
    pub status: Vec<DeliveryStatus>,
    /// It has more of them than are read.
    pub has_more_status: bool,
    /// The fields of a complaint (RFC 5965).
    pub feedback: Option<Cow<'m, [u8]>>,
    /// The fields of a receipt (RFC 8098).
    pub disposition: Option<Cow<'m, [u8]>>,
    /// What the receipt says of its recipient.
    pub receipt: Option<DeliveryStatus>,
    /// The returned message, or its fields alone.
    pub returned: Option<Cow<'m, [u8]>>,
    /// Numbers of the messages attached.
    pub attached: Vec<usize>,
}

impl<'m> Report<'m> {
    /// Gathers what belongs to the message whose first part is `root`: 0 for the mail itself.
    pub fn gather(mail: &Mail<'m>, root: usize) -> Self {
        let top = &mail.parts[root];
        let mut report = Self { headers: top.headers.clone(), ..Self::default() };
        report.form = top.content_type.parameter("report-type").map(str::to_ascii_lowercase);
        let inside = |number: usize| {
            let mut at = number;
            while at != root {
                match mail.parts[at].parent {
                    Some(parent) if parent >= root => at = parent,
                    _ => return false,
                }
            }
            true
        };
        let mut words = String::new();
        let mut html: Option<&Part<'m>> = None;
        for (number, part) in mail.parts.iter().enumerate().skip(root) {
            if part.level != top.level || !inside(number) {
                continue;
            }
            match part.content_type.kind.as_str() {
                "message/delivery-status" | "message/global-delivery-status" => report.add_status(part),
                "message/feedback-report" => report.feedback = Some(decoded(part)),
                "message/disposition-notification" | "message/global-disposition-notification" => {
                    report.disposition = Some(decoded(part));
                }
                "message/rfc822" | "message/global" | "message/news" => {
                    report.attached.push(number);
                    if report.returned.is_none() {
                        report.returned = Some(decoded(part));
                    }
                }
                "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers" | "message/partial" => {
                    report.returned.get_or_insert_with(|| decoded(part));
                }
                "text/html" => html = html.or(Some(part)),
                // A file attached as text is no words of the report.
                kind if kind.starts_with("text/")
                    && (number == root || part.file_name().is_none() || words.is_empty())
                    && words.len() < MOST_WORDS =>
                {
                    words.push_str(&part.text());
                    words.push('\n');
                }
                _ => {}
            }
        }
        if let Some(html) = html {
            let plain = words.bytes().filter(u8::is_ascii_graphic).count();
            if plain < 40 || looks_like_html(&words) {
                words = html.text().into_owned();
            }
        } else if looks_like_html(&words) {
            words = redeliver_message::html_text(&words);
        }
        if words.trim().is_empty() && report.status.is_empty() {
            // Gateways say all in the subject.
            words = report.headers.text("subject").unwrap_or_default().into_owned();
        }
        let start = &words[..words.floor_char_boundary(words.len().min(MOST_WORDS))];
        match event::read(start) {
            Some(Event::Status(fields)) => report.status.push(DeliveryStatus::read(fields.as_bytes())),
            Some(Event::Complaint(fields)) => report.feedback = Some(Cow::Owned(fields.into_bytes())),
            None => {}
        }
        report.set_words(&words);
        if report.status.is_empty()
            && let Some(fields) = &report.disposition
        {
            // A receipt names its recipient as a report does (RFC 8098 3.2).
            let read = DeliveryStatus::read(fields);
            report.receipt = Some(read);
        }
        report
    }

    /// Gathers from words alone: a report that was quoted or pasted.
    pub fn from_words(words: &str) -> Self {
        let mut report = Self::default();
        report.set_words(words);
        report
    }

    /// Takes the words, finds the marks, and cuts the returned message off.
    fn set_words(&mut self, words: &str) {
        let end = words.floor_char_boundary(words.len().min(MOST_WORDS));
        let mut words = plain(&words[..end]);
        // Status fields beside a returned message say themselves what the report is.
        let told = !self.status.is_empty() && self.returned.is_some();
        let mut found = if told { Vec::new() } else { marks::find(&words) };
        let by_mark = found.iter().find(|found| found.mark == Mark::Returned && begins_line(&words, found.start));
        let by_mark = by_mark.map(|found| found.start);
        let by_fields = returned_fields(&words);
        // A message in front of which nothing stands is not returned by these words.
        let cut = [by_mark, by_fields].into_iter().flatten().filter(|at| words[..*at].trim().len() > 20).min();
        if let Some(cut) = cut {
            let tail = words.split_off(cut);
            self.tail.clone_from(&tail);
            let fields = returned_fields(&tail).map_or("", |at| &tail[at..]);
            if self.returned.is_none() && !fields.is_empty() {
                self.returned = Some(Cow::Owned(fields.as_bytes().to_vec()));
            }
            found.retain(|found| found.start < cut);
        }
        if self.status.is_empty()
            && let Some(at) = status_fields(&words)
        {
            self.status.push(DeliveryStatus::read(&words.as_bytes()[at..]));
            words.truncate(at);
            found.retain(|found| found.start < at);
        }
        self.words = words;
        self.marks = found;
    }

    fn add_status(&mut self, part: &Part<'_>) {
        if self.status.len() < MOST_STATUS_PARTS {
            self.status.push(DeliveryStatus::read(&part.decoded()));
        } else {
            self.has_more_status = true;
        }
    }

    /// The fields of the returned message.
    pub fn returned_headers(&self) -> Headers<'_> {
        self.returned.as_deref().map(|bytes| Headers::read(bytes).0).unwrap_or_default()
    }

    /// Whether a mark of this sort was found.
    pub fn has(&self, mark: Mark) -> bool {
        self.marks.iter().any(|found| found.mark == mark)
    }
}

/// The text with line feeds and plain apostrophes.
fn plain(words: &str) -> String {
    let mut words =
        if words.contains('\r') { words.replace("\r\n", "\n").replace('\r', "\n") } else { words.to_owned() };
    if !words.is_ascii() && words.contains('\u{2019}') {
        words = words.replace('\u{2019}', "'");
    }
    words
}

/// The content of a part; borrowed where it is not encoded.
fn decoded<'m>(part: &Part<'m>) -> Cow<'m, [u8]> {
    match part.decoded() {
        Cow::Borrowed(_) => Cow::Borrowed(part.body),
        Cow::Owned(bytes) => Cow::Owned(bytes),
    }
}

fn looks_like_html(words: &str) -> bool {
    let start = words.trim_start();
    let start = start.get(..start.floor_char_boundary(start.len().min(200))).unwrap_or("").to_ascii_lowercase();
    start.starts_with("<html") || start.starts_with("<!doctype html") || start.starts_with("<body")
}

/// Whether only dashes, blanks and quotation marks stand before it on its line.
fn begins_line(text: &str, at: usize) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].chars().all(|c| !c.is_alphanumeric())
}

/// Where a block of fields of a returned message begins: three fields in a row, one of them a trace or an identifier.
fn returned_fields(words: &str) -> Option<usize> {
    let mut start = 0;
    let mut fields = 0;
    let mut telling = false;
    let mut at = 0;
    for line in words.split_inclusive('\n') {
        let text = line.trim_end();
        let folded = fields > 0 && text.starts_with([' ', '\t']) && !text.trim().is_empty();
        match text.split_once(':') {
            _ if folded => {}
            Some((name, _)) if is_field_name(name) => {
                if fields == 0 {
                    start = at;
                }
                fields += 1;
                telling |= ["received", "message-id", "return-path", "x-mailer", "mime-version", "dkim-signature"]
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known));
            }
            _ if fields == 0 && (text.starts_with("From ") || text.starts_with(">From ")) => {}
            _ => {
                if fields >= 3 && telling {
                    return Some(start);
                }
                (fields, telling) = (0, false);
            }
        }
        at += line.len();
    }
    (fields >= 3 && telling).then_some(start)
}

fn is_field_name(name: &str) -> bool {
    (2..=60).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Where status fields stand in the words of a report whose MIME structure was lost.
fn status_fields(words: &str) -> Option<usize> {
    let lower = words.to_ascii_lowercase();
    ["\nreporting-mta:", "\nfinal-recipient:", "\noriginal-recipient:"]
        .iter()
        .filter_map(|field| lower.find(field))
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(mail: &str) -> (String, usize, bool) {
        let mail = Mail::read(mail.as_bytes());
        let report = Report::gather(&mail, 0);
        (report.words.trim().to_owned(), report.status.len(), report.returned.is_some())
    }

    #[test]
    fn the_words_end_where_the_returned_message_begins() {
        let body = "I could not deliver it to anybody.\n\n<ann@example.net>: no\n\n--- Below this line is a copy of the message.\n\nReceived: a\nFrom: b\nSubject: 550 no\n\nx";
        assert_eq!(
            gather(&format!("Subject: x\n\n{body}")),
            ("I could not deliver it to anybody.\n\n<ann@example.net>: no".into(), 0, true)
        );
        let body = "I could not deliver it to anybody.\n\nReceived: from a\n by b\nMessage-ID: <x@y>\nSubject: y\n\nz";
        assert_eq!(gather(&format!("Subject: x\n\n{body}")), ("I could not deliver it to anybody.".into(), 0, true));
    }

    #[test]
    fn html_alone_is_read_as_lines() {
        let mail = "Content-Type: text/html\n\n<html><body><p>Address not found</p><p>550 5.1.1 no</p></body></html>";
        assert_eq!(gather(mail).0, "Address not found\n\n550 5.1.1 no");
    }

    #[test]
    fn status_fields_in_plain_text_are_found() {
        assert_eq!(gather("Subject: x\n\nIt did not work out at all.\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n").1, 1);
    }
}
