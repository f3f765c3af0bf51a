//! Puts together what the readers found: for each recipient the server's words, and what else is said about him.

use std::borrow::Cow;

use redeliver_message::Headers;
use redeliver_model::{EnhancedStatus, Forwarding, Refusal, Reply, ReportKind, Timestamp};

use super::delivery_status::{Action, MOST_RECIPIENTS, PerRecipient};
use super::labels;
use super::passages::{Form, Passage, is_address, passages};
use super::recipients::{failed_recipients, named, same_address};
use super::report::Report;
use super::roles;
use super::transcript::{Exchange, exchanges, program_said};
use super::{Ours, Told};
use crate::locate::locate;

/// Bytes of the whole words that are read as a last resort.
const MOST_WORDS: usize = 4 * 1024;

/// Most single lines, and most answers of a session, about one recipient that are read.
const MOST_LINES: usize = 8;

/// Bytes of the replies of all recipients together that are read whole. Each is matched against the whole catalog, and
/// some hundred recipients with long replies stay below.
const MOST_SAID: usize = 768 * 1024;

/// Bytes that are read of each reply behind those; most say their reason in fewer.
const SHORT_REPLY: usize = 256;

/// What stands behind a reply that was cut short.
pub const CUT_SHORT: &str = " [...]";

/// What the report says about each recipient; one without a recipient where none is named.
pub fn told(report: &Report<'_>, ours: &Ours, kind: ReportKind) -> Vec<Told> {
    let returned = report.returned_headers();
    let envelope_sender = sender(report, &returned);
    let found = passages(&report.words);
    let sessions = exchanges(&report.words);
    let fields = report.status.iter().chain(&report.receipt);
    let status: Vec<&PerRecipient> = fields.flat_map(|status| &status.recipients).take(MOST_RECIPIENTS).collect();
    let mut all: Vec<Told> = if status.iter().any(|one| one.recipient.is_some() || one.original.is_some()) {
        let mut all: Vec<Told> = {
            let alone = status.len() == 1;
            status.iter().map(|one| of_status(report, (one, alone), kind, &found, &sessions)).collect()
        };
        // What failed is what the mail is about.
        if kind != ReportKind::Delivered {
            all.retain(|told| told.kind != ReportKind::Delivered);
        }
        all.dedup_by(|a, b| a.refusal.recipient.is_some() && a.refusal == b.refusal);
        all
    } else {
        let lone = status.first().copied();
        let named = named(report, &returned, &found);
        let alone = named.names.len() <= 1;
        named
            .or_nobody()
            .map(|address| {
                let mut refusal = of_words(report, &Whose::named(address.as_deref(), alone), &found, &sessions);
                if let Some(one) = lone {
                    add_status(&mut refusal, one);
                }
                Told { kind, refusal }
            })
            .collect()
    };
    // What failed comes first.
    all.sort_by_key(|told| told.kind != kind);
    if all.is_empty() {
        all.push(Told { kind, refusal: of_words(report, &Whose::named(None, true), &found, &sessions) });
    }
    let (reporter, reported_at) = (roles::reporter(report), time(report));
    for told in &mut all {
        let refusal = &mut told.refusal;
        refusal.sender = refusal.sender.take().or_else(|| envelope_sender.clone().map(Cow::Owned));
        refusal.time = refusal.time.or(reported_at);
        told.refusal.given_up = told.kind == ReportKind::Refusal;
        roles::assign(report, reporter.as_deref(), &returned, ours, &mut told.refusal);
    }
    shorten(&mut all);
    all
}

/// Cuts short what all recipients together were told, past what is read whole.
fn shorten(all: &mut [Told]) {
    let size = |reply: &Reply<'_>| reply.lines.iter().map(|line| line.len()).sum::<usize>();
    let mut said = 0;
    for Told { refusal, .. } in all {
        said += size(&refusal.reply) + refusal.further.iter().map(size).sum::<usize>();
        if said > MOST_SAID {
            refusal.further.truncate(1);
            refusal
                .further
                .iter_mut()
                .chain([&mut refusal.reply])
                .filter(|reply| size(reply) > SHORT_REPLY)
                .for_each(cut);
        }
    }
}

fn cut(reply: &mut Reply<'static>) {
    let words = reply.words();
    let start = &words[..words.floor_char_boundary(SHORT_REPLY)];
    reply.lines = vec![Cow::Owned(format!("{start}{CUT_SHORT}"))];
}

/// Whether more was said than is read: too many recipients, or replies that were cut short.
pub fn is_too_complex(all: &[Told]) -> bool {
    let is_cut = |reply: &Reply<'_>| reply.lines.last().is_some_and(|line| line.ends_with(CUT_SHORT));
    all.len() >= MOST_RECIPIENTS || all.iter().any(|one| is_cut(&one.refusal.reply))
}

/// Whether neither status fields nor plain words name a recipient.
pub fn names_nobody(report: &Report<'_>) -> bool {
    let mut status = report.status.iter().flat_map(|status| &status.recipients);
    if status.any(|one| one.recipient.is_some() || one.original.is_some()) {
        return false;
    }
    let named = named(report, &report.returned_headers(), &passages(&report.words));
    named.guessed || named.names.is_empty()
}

/// Whether there is neither a recipient, nor a code, nor a returned message.
pub fn says_nothing(report: &Report<'_>) -> bool {
    let whole = locate(&report.words).refusal.reply;
    report.returned.is_none()
        && whole.code.is_none()
        && whole.enhanced.is_none()
        && named(report, &Headers::default(), &passages(&report.words)).names.is_empty()
}

/// Sender, recipient and time alone.
pub fn bare(report: &Report<'_>) -> Refusal<'static> {
    let owned = |address: Option<String>| address.map(Cow::Owned);
    Refusal {
        sender: owned(report.headers.address("to")),
        recipient: owned(report.headers.address("from")),
        time: report.headers.date("date"),
        ..Refusal::default()
    }
}

/// A recipient of the status fields, with what the words say about him.
fn of_status(
    report: &Report<'_>,
    (one, alone): (&PerRecipient, bool),
    kind: ReportKind,
    found: &[Passage],
    sessions: &[Exchange],
) -> Told {
    let kind = match one.action {
        Some(Action::Failed) => ReportKind::Refusal,
        Some(Action::Delayed) => ReportKind::Delayed,
        Some(Action::Delivered) => ReportKind::Delivered,
        None if one.status.is_some_and(|status| status.class == 2) => ReportKind::Delivered,
        None => kind,
    };
    let (recipient, original) = match (&one.recipient, &one.original) {
        (Some(recipient), Some(original)) if one.routed || recipient.starts_with('/') => (Some(original), None),
        (Some(recipient), original) => {
            (Some(recipient), original.as_ref().filter(|original| !same_address(original, recipient)))
        }
        (None, original) => (original.as_ref(), None),
    };
    let lone_failed = || failed_recipients(report).pop().filter(|_| failed_recipients(report).len() == 1);
    let recipient = recipient.cloned().or_else(lone_failed);
    let said = one.diagnostic.as_deref().map(|words| owned(locate(words).refusal));
    let answered = said.as_ref().is_some_and(|refusal| says_something(&refusal.reply));
    let mine = Whose { address: recipient.as_deref(), original: one.original.as_deref(), alone, answered };
    let mut refusal = match said {
        Some(mut refusal) => {
            let further = of_words(report, &mine, found, sessions);
            refusal.stage = refusal.stage.or(further.stage);
            if refusal.refused_by.is_unknown() {
                refusal.refused_by = further.refused_by;
            }
            if further.reply != refusal.reply {
                refusal.further.push(further.reply);
            }
            refusal.further.extend(further.further.into_iter().filter(|other| *other != refusal.reply));
            refusal
        }
        None => of_words(report, &mine, found, sessions),
    };
    // Whether that is a forwarding, the roles tell.
    refusal.forwarded =
        one.expanded_to.clone().map(|to| Forwarding { to: Some(Cow::Owned(to)), ..Forwarding::default() });
    refusal.recipient = recipient.map(Cow::Owned);
    refusal.original_recipient = original.map(|original| Cow::Owned(original.clone()));
    add_status(&mut refusal, one);
    Told { kind, refusal }
}

/// Adds what the status fields know and the words do not.
fn add_status(refusal: &mut Refusal<'static>, one: &PerRecipient) {
    if let Some(status) = one.status {
        add_enhanced(&mut refusal.reply, status);
        if one.diagnostic.is_none() {
            refusal.further.iter_mut().for_each(|reply| add_enhanced(reply, status));
        }
    }
    if let Some(words) = &one.status_words {
        refusal.further.push(Reply { code: None, enhanced: one.status, lines: vec![Cow::Owned(words.clone())] });
    }
    refusal.time = one.last_attempt.or(refusal.time);
    refusal.refused_by.ip = refusal.refused_by.ip.or(one.remote_ip);
    if let Some(host) = &one.remote_mta {
        let literal = host.trim_matches(|c| matches!(c, '[' | ']'));
        match literal.parse() {
            Ok(ip) => refusal.refused_by.ip = refusal.refused_by.ip.or(Some(ip)),
            Err(_) => refusal.refused_by.host = Some(Cow::Owned(host.clone())),
        }
    }
}

/// A status that the server's own words do not contradict.
fn add_enhanced(reply: &mut Reply<'static>, status: EnhancedStatus) {
    let fits = reply.code.is_none_or(|code| code / 100 == u16::from(status.class));
    if reply.enhanced.is_none() && fits {
        reply.enhanced = Some(status);
    }
}

/// Whose words are looked for.
struct Whose<'a> {
    /// The recipient.
    address: Option<&'a str>,
    /// The address that was written to, under which the words may name him.
    original: Option<&'a str>,
    /// Whether the report is about nobody else, so that all its words are about him.
    alone: bool,
    /// Whether the status fields already hold an answer in words.
    answered: bool,
}

impl<'a> Whose<'a> {
    fn named(address: Option<&'a str>, alone: bool) -> Self {
        Self { address, original: None, alone, answered: false }
    }

    fn is(&self, other: &str) -> bool {
        [self.address, self.original].into_iter().flatten().any(|own| same_address(other, own))
    }
}

/// What the words say about a recipient: his passage, his lines of the session, then everything.
fn of_words(report: &Report<'_>, whose: &Whose<'_>, found: &[Passage], sessions: &[Exchange]) -> Refusal<'static> {
    let mut texts: Vec<Refusal<'static>> = Vec::new();
    let is_his = |other: &str| whose.is(other);
    let is_heading = |one: &Passage| one.form == Form::Heading;
    let mut reason = None;
    if let Some(mut place) = found.iter().rposition(|one| is_his(&one.address) && is_heading(one)) {
        // Addresses listed one below the other share what stands behind the last.
        while found[place].text.trim().is_empty() && found.get(place + 1).is_some_and(is_heading) {
            place += 1;
        }
        if !found[place].text.trim().is_empty() {
            let located = locate(&found[place].text);
            reason = own_words(located.before);
            texts.push(owned(located.refusal));
        }
    }
    let mine = sessions.iter().filter(|one| one.recipient.as_deref().is_none_or(is_his) || whose.address.is_none());
    for one in mine.take(MOST_LINES) {
        let mut refusal = owned(locate(&one.reply).refusal);
        refusal.stage = one.stage.or(refusal.stage);
        if let Some(host) = &one.host {
            refusal.refused_by.host = Some(Cow::Owned(host.clone()));
        }
        texts.push(refusal);
    }
    for one in found.iter().filter(|one| is_his(&one.address) && !is_heading(one)).take(MOST_LINES) {
        texts.push(owned(locate(&one.text).refusal));
    }
    // The whole notification says much that is said in every one; it is read only where nothing better is there.
    let mut all = Refusal::default();
    if whose.alone && !whose.answered && !texts.iter().any(|one| says_something(&one.reply)) {
        all = whole_words(report);
        if all.reply.code.is_some() || all.reply.enhanced.is_some() {
            // A reply quoted among the words is as good as one in a passage.
            texts.push(std::mem::take(&mut all));
        }
    }
    if whose.alone && sessions.is_empty() {
        texts.extend(program_said(&report.words).map(|said| owned(locate(said).refusal)));
    }
    // The server's own words, with a code, before those of the notification.
    let first = texts.iter().position(|one| one.reply.code.is_some() || one.reply.enhanced.is_some()).unwrap_or(0);
    let mut refusal = if texts.is_empty() { Refusal::default() } else { texts.remove(first) };
    texts.push(all);
    texts.extend(reason);
    let others = texts.into_iter().map(|one| one.reply);
    refusal.further = others.filter(|reply| *reply != refusal.reply && !reply.lines.is_empty()).collect();
    refusal.recipient = whose.address.map(|address| Cow::Owned(address.to_owned()));
    refusal
}

/// What the notification itself says in front of the reply that it quotes: its reason, often in the reader's language. Where
/// the reply says nothing, that does.
fn own_words(before: &str) -> Option<Refusal<'static>> {
    let foreign = before.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).count();
    (foreign > 0 && before.len() <= MOST_WORDS).then(|| Refusal {
        reply: Reply { lines: vec![Cow::Owned(before.trim().to_owned())], ..Reply::default() },
        ..Refusal::default()
    })
}

/// The fewest letters of a reply that may say a reason: `no`, `User unknown`.
const LETTERS_OF_A_REASON: usize = 8;

/// Whether a reply is a server's and has words.
fn says_something(reply: &Reply<'_>) -> bool {
    let letters = reply.lines.iter().flat_map(|line| line.bytes()).filter(u8::is_ascii_alphabetic);
    reply.code.is_some() && letters.take(LETTERS_OF_A_REASON).count() == LETTERS_OF_A_REASON
}

/// All words of the notification, or its subject where it has none.
fn whole_words(report: &Report<'_>) -> Refusal<'static> {
    let end = report.words.floor_char_boundary(report.words.len().min(MOST_WORDS));
    let words = report.words[..end].trim();
    if words.is_empty() {
        return report.headers.text("subject").map(|subject| owned(locate(&subject).refusal)).unwrap_or_default();
    }
    // Its subject and sender are not what was said about it.
    if words.lines().any(labels::is_of_the_message) {
        let said: Vec<&str> = words.lines().filter(|line| !labels::is_of_the_message(line)).collect();
        return owned(locate(&said.join("\n")).refusal);
    }
    owned(locate(words).refusal)
}

/// The envelope sender of the returned message.
pub fn sender(report: &Report<'_>, returned: &Headers<'_>) -> Option<String> {
    let said = report.status.iter().find_map(|status| status.message.sender.clone()).filter(|one| is_address(one));
    // A Return-Path below a Received field is of an earlier hop (RFC 5321 4.4): then the address that the report came to is
    // nearer to the envelope.
    let first = returned
        .iter()
        .find(|field| ["return-path", "received"].iter().any(|name| field.name.eq_ignore_ascii_case(name)));
    let on_top = first.is_some_and(|field| field.name.eq_ignore_ascii_case("return-path"));
    said.or_else(|| returned.address("return-path").filter(|_| on_top))
        .or_else(|| report.headers.address("to").filter(|_| report.headers.has("return-path") || !returned.is_empty()))
        .or_else(|| returned.address("from"))
        .or_else(|| report.headers.address("to"))
}

fn time(report: &Report<'_>) -> Option<Timestamp> {
    report.headers.date("date")
}

/// The same refusal, owning its texts.
fn owned(refusal: Refusal<'_>) -> Refusal<'static> {
    let keep = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
    Refusal {
        reply: refusal.reply.into_owned(),
        stage: refusal.stage,
        refused_by: redeliver_model::Party {
            host: keep(refusal.refused_by.host),
            ip: refusal.refused_by.ip,
            helo: None,
            side: refusal.refused_by.side,
        },
        sender: keep(refusal.sender),
        recipient: keep(refusal.recipient),
        time: refusal.time,
        ..Refusal::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(letters: usize) -> Told {
        let reply = Reply { code: Some(550), enhanced: None, lines: vec![Cow::Owned("x".repeat(letters))] };
        let refusal = Refusal { further: vec![reply.clone(), reply.clone()], reply, ..Refusal::default() };
        Told { kind: ReportKind::Refusal, refusal }
    }

    #[test]
    fn long_replies_of_very_many_recipients_are_cut_and_said_to_be() {
        let mut few = vec![said(4000); 20];
        shorten(&mut few);
        assert_eq!(few, vec![said(4000); 20]);
        assert!(!is_too_complex(&few));
        let mut many = vec![said(4000); 1900];
        shorten(&mut many);
        assert!(is_too_complex(&many) && many[0] == said(4000));
        assert!(many[1899].refusal.reply.words().ends_with(CUT_SHORT));
        let size: usize = many.iter().map(|one| one.refusal.reply.words().len()).sum();
        assert!(size < 2 * MOST_SAID, "{size}");
    }

    #[test]
    fn a_field_of_300000_failed_recipients_is_read_at_its_start() {
        let names: String = (0..300_000).map(|number| format!("u{number}@example.net")).collect::<Vec<_>>().join(", ");
        let mail = format!("X-Failed-Recipients: {names}\n\n");
        let report = Report { headers: Headers::read(mail.as_bytes()).0, ..Report::default() };
        assert_eq!(failed_recipients(&report).len(), MOST_RECIPIENTS);
    }
}
