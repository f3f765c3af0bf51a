//! Whom a notification without status fields is about: the addresses it names, told from those of senders and helpers.

use std::collections::HashSet;

use redeliver_message::Headers;

use super::delivery_status::MOST_RECIPIENTS;
use super::marks::Mark;
use super::passages::{Form, Passage, is_address};
use super::report::Report;

/// Fields of the returned message that name its recipients.
const RECIPIENT_FIELDS: [&str; 3] = ["to", "cc", "x-original-to"];

/// Most bytes of one such field that are read; the fields of a whole mail may have 8 MB.
const LONGEST_FIELD: usize = 64 * 1024;

/// Local parts that people are told to write to.
const SERVICES: [&str; 12] = [
    "postmaster",
    "mailer-daemon",
    "abuse",
    "support",
    "helpdesk",
    "webmaster",
    "hostmaster",
    "admin",
    "noc",
    "root",
    "help",
    "info",
];

/// The recipients of a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Their addresses, in the order of the words.
    pub names: Vec<String>,
    /// Whether they are only guessed: from a sentence, or from the returned message.
    pub guessed: bool,
}

impl Named {
    /// Each recipient; one unknown where nobody is named.
    pub fn or_nobody(self) -> impl Iterator<Item = Option<String>> {
        let nobody = self.names.is_empty().then_some(None);
        nobody.into_iter().chain(self.names.into_iter().map(Some))
    }
}

/// Finds the recipients that the words name, or else a field, or else a sentence, or else the returned message.
pub fn named(report: &Report<'_>, returned: &Headers<'_>, found: &[Passage]) -> Named {
    // Thousands are looked for among thousands.
    let own: HashSet<String> = report.headers.addresses("to").iter().map(|one| mailbox(&one.address)).collect();
    let is_own = |address: &str| own.contains(&mailbox(address));
    let fields = RECIPIENT_FIELDS.iter().flat_map(|field| returned.addresses(field));
    let written_to: Vec<String> = fields.map(|one| one.address).collect();
    let failed = failed_recipients(report);
    let known: HashSet<String> = written_to.iter().chain(&failed).map(|address| mailbox(address)).collect();
    let is_known = |address: &str| known.contains(&mailbox(address));
    let headings = || found.iter().filter(|one| one.form == Form::Heading).map(|one| one.address.as_str());
    let mut names = Vec::new();
    if let Some(list) = refusing_list(report, found) {
        return Named { names: vec![list], guessed: false };
    }
    let wanted = |address: &&str| is_known(address) || !is_own(address) && !is_service(address);
    names.extend(each_once(headings().filter(wanted)));
    if names.is_empty() && failed.is_empty() {
        // Mail to oneself, or to a postmaster.
        names.extend(each_once(headings()));
    }
    if names.is_empty() {
        names.extend(each_once(failed.iter().map(String::as_str)));
    }
    if !names.is_empty() {
        return Named { names, guessed: false };
    }
    let bare = bare_names(report);
    if !bare.is_empty() {
        return Named { names: bare, guessed: false };
    }
    let failure = report.marks.iter().find(|mark| mark.mark == Mark::Failed).map_or(0, |mark| mark.start);
    let in_sentences = || {
        let weak = found.iter().filter(|one| one.form != Form::Heading);
        weak.filter(|one| !is_own(&one.address) && !is_service(&one.address))
    };
    let line_of_failure = report.words[..failure].rfind('\n').unwrap_or(0);
    let behind = || in_sentences().filter(|one| one.at >= line_of_failure);
    let best = behind()
        .find(|one| is_known(&one.address))
        .or_else(|| in_sentences().find(|one| is_known(&one.address)))
        .or_else(|| behind().next())
        .or_else(|| in_sentences().next());
    // "info@" is the first address of many a house; somebody to write to for help is rarely it.
    let house = || {
        let weak = found.iter().filter(|one| one.form != Form::Heading && !is_own(&one.address));
        weak.into_iter().find(|one| is_known(&one.address) || one.address.to_ascii_lowercase().starts_with("info@"))
    };
    names.extend(best.or_else(house).map(|one| one.address.clone()));
    if names.is_empty() && written_to.len() == 1 {
        names.extend(written_to);
    }
    Named { names, guessed: true }
}

/// AOL names its members without their domain: one bare word a line, behind the sentence that says so.
fn bare_names(report: &Report<'_>) -> Vec<String> {
    let Some((_, behind)) = report.words.split_once("they are not accepting mail from") else { return Vec::new() };
    let domain =
        report.headers.address("from").and_then(|from| from.rsplit_once('@').map(|(_, domain)| domain.to_owned()));
    let Some(domain) = domain else { return Vec::new() };
    let lines = behind.lines().skip(1).map(str::trim).filter(|line| !line.is_empty());
    let is_name =
        |line: &&str| line.len() <= 64 && line.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
    lines.take_while(is_name).take(100).map(|line| format!("{line}@{domain}")).collect()
}

/// The list that refuses a posting: named in the sentence, in a field, or by its administrator's address.
fn refusing_list(report: &Report<'_>, found: &[Passage]) -> Option<String> {
    // LISTSERV names it in the subject.
    let subject = report.headers.text("subject").unwrap_or_default();
    if let Some(list) = subject.strip_prefix("Rejected posting to ").map(str::trim).filter(|list| is_address(list)) {
        return Some(list.to_owned());
    }
    let mark = report.marks.iter().find(|mark| mark.mark == Mark::Refused)?;
    let line = report.words[..mark.start].rfind('\n').map_or(0, |end| end + 1);
    let named = found.iter().find(|one| one.at == line).map(|one| one.address.clone());
    let by_field = || report.headers.address("x-beenthere").or_else(|| report.headers.address("list-post"));
    let by_sender = || {
        let from = report.headers.address("from")?;
        let (local, domain) = from.rsplit_once('@')?;
        let list = ["-owner", "-bounces", "-admin", "-request"].iter().find_map(|end| local.strip_suffix(end))?;
        Some(format!("{list}@{domain}"))
    };
    named.or_else(by_field).or_else(by_sender)
}

fn each_once<'a>(addresses: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    addresses.filter(move |address| seen.insert(mailbox(address))).map(str::to_owned)
}

/// The recipients that Exim and others name in a field.
pub fn failed_recipients(report: &Report<'_>) -> Vec<String> {
    let fields = report.headers.all("x-failed-recipients");
    // Each costs a diagnosis, and is compared with each of the words.
    let bounded = fields.take(MOST_RECIPIENTS).map(|raw| &raw[..raw.len().min(LONGEST_FIELD)]);
    let text: Vec<String> = bounded.map(|raw| String::from_utf8_lossy(raw).into_owned()).collect();
    let parts = text.iter().flat_map(|field| field.split([',', ' ', '\t', '\r', '\n']));
    let bare = parts.map(|one| one.trim_matches(|c| matches!(c, '<' | '>' | ';')));
    bare.filter(|one| is_address(one)).map(str::to_owned).take(MOST_RECIPIENTS).collect()
}

fn is_service(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    SERVICES.contains(&local.as_str())
}

/// Whether two addresses are the same mailbox as far as anybody can tell (RFC 5321 2.4: case in front of the `@` matters
/// to the receiver alone).
pub fn same_address(a: &str, b: &str) -> bool {
    let (a, b) = (bare(a), bare(b));
    // Small letters of other scripts are made only where there are any.
    a.eq_ignore_ascii_case(b) || (!(a.is_ascii() && b.is_ascii()) && a.to_lowercase() == b.to_lowercase())
}

/// What is the same for the same mailbox.
fn mailbox(address: &str) -> String {
    bare(address).to_lowercase()
}

/// Without what stands around it.
fn bare(address: &str) -> &str {
    address.trim_matches(['<', '>', ' '])
}
