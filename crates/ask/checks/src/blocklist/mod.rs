//! Check `blocklist:ZONE`: one question to each list that takes the subject, and its test points in the same run. A list that
//! does not pass its test points says nothing: neither listed nor clean. Lists that have ended are never asked.

mod codes;
mod judge;

use std::net::IpAddr;

use futures_util::future::{join, join_all};
use redeliver_catalog::{Blocklist, Catalog, ListStatus, Lists};
use redeliver_net::dns::{Answer, Dns, Name, RecordType};

use crate::asked::Asked;
use crate::known::Scope;
pub(crate) use codes::{Meaning, meanings};
pub(crate) use judge::judge;

/// The listed test point of IPv6 lists, `::FFFF:7F00:2`, and the clean one (RFC 5782 5).
const LISTED_V6: &str = "::ffff:7f00:2";
const CLEAN_V6: &str = "::ffff:7f00:1";

/// What lists are asked about.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    Ip(IpAddr),
    Domain(String),
}

/// What a list said.
#[derive(Debug)]
pub(crate) struct ListAnswer<'c> {
    pub list: &'c Blocklist,
    /// Whether its test points came out right.
    pub tested: Tested,
    /// The answer about the subject; none if the test points went wrong.
    pub asked: Option<Asked>,
    /// The list's own words, if the subject is listed.
    pub words: Option<Asked>,
}

/// The outcome of a list's test points.
#[derive(Debug)]
pub(crate) enum Tested {
    /// The entry that must be there is, the one that must not is not.
    Good,
    /// It did not answer, or refused to.
    NoAnswer(String, Vec<Asked>),
    /// It lists what it must not, or does not list what it must.
    Sick(&'static str, Vec<Asked>),
    /// It takes no such subject; nobody need hear of it.
    OtherKind,
    /// It wants a key.
    NoKey,
}

impl Subject {
    /// What stands before the zone.
    fn front(&self) -> String {
        match self {
            Self::Ip(ip) => Name::reverse_labels(ip.to_canonical()),
            Self::Domain(domain) => domain.clone(),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
        }
    }
}

/// Asks every list that takes the subject, all at once.
pub(crate) async fn gather<'c>(
    dns: &dyn Dns,
    catalog: &'c Catalog,
    scope: &Scope,
    subject: &Subject,
) -> Vec<ListAnswer<'c>> {
    let lists = catalog.lists.iter().filter(|list| takes(list, subject) && is_asked(list, scope));
    join_all(lists.map(|list| ask(dns, list, scope, subject))).await
}

/// Whether a list is worth asking: alive, with a test point to prove it.
fn is_asked(list: &Blocklist, scope: &Scope) -> bool {
    let alive = match list.status {
        ListStatus::Alive => true,
        ListStatus::Dead => false,
        ListStatus::Unknown => scope.all_lists,
        // Without a key nobody is told of lists that he does not pay for.
        ListStatus::Paid => scope.list_keys.contains_key(list.zone),
    };
    alive && list.test_listed.is_some()
}

fn takes(list: &Blocklist, subject: &Subject) -> bool {
    let by_ip = list.test_listed.is_some_and(|point| point.parse::<IpAddr>().is_ok());
    match subject {
        Subject::Ip(IpAddr::V4(_)) => list.lists != Lists::Domain && list.test_listed != Some("::FFFF:7F00:2") && by_ip,
        Subject::Ip(IpAddr::V6(_)) => list.lists != Lists::Domain && by_ip,
        Subject::Domain(_) => list.lists == Lists::Domain || (list.lists == Lists::Both && !by_ip),
    }
}

async fn ask<'c>(dns: &dyn Dns, list: &'c Blocklist, scope: &Scope, subject: &Subject) -> ListAnswer<'c> {
    let mut answer = ListAnswer { list, tested: Tested::Good, asked: None, words: None };
    let key = scope.list_keys.get(list.zone);
    if list.status == ListStatus::Paid && key.is_none() {
        answer.tested = Tested::NoKey;
        return answer;
    }
    let zone = key.map_or_else(|| list.zone.to_owned(), |key| format!("{key}.{}", list.zone));
    let Ok(zone) = Name::parse(&zone) else { return ListAnswer { tested: Tested::OtherKind, ..answer } };
    let (listed, clean) = test_points(list, subject);
    let (listed, clean) =
        join(Asked::below(dns, &zone, &listed, RecordType::A), Asked::below(dns, &zone, &clean, RecordType::A)).await;
    let shown = |asked: Asked| without_key(asked, key, list.zone);
    answer.tested = judge_test_points(list, subject, shown(listed), shown(clean));
    if !matches!(answer.tested, Tested::Good) {
        return answer;
    }
    let front = subject.front();
    let asked = Asked::below(dns, &zone, &front, RecordType::A).await;
    if matches!(asked.answer, Answer::Present { .. }) {
        answer.words = Some(shown(Asked::below(dns, &zone, &front, RecordType::Txt).await));
    }
    answer.asked = Some(shown(asked));
    answer
}

/// The question as it may be shown: the key is a secret.
fn without_key(mut asked: Asked, key: Option<&String>, zone: &str) -> Asked {
    let Some(key) = key else { return asked };
    let end = format!("{key}.{zone}").to_ascii_lowercase();
    let front = asked.question.name.as_str().strip_suffix(&end).map(|front| front.trim_end_matches('.').to_owned());
    if let (Some(front), Ok(zone)) = (front, Name::parse(zone)) {
        asked.question.name = zone.below(&front).unwrap_or(zone);
    }
    asked
}

/// What stands before the zone for the test points (RFC 5782 5): the one listed, and the one not.
fn test_points(list: &Blocklist, subject: &Subject) -> (String, String) {
    let turned = |point: &str| point.parse::<IpAddr>().map(Name::reverse_labels);
    let pair = match subject {
        Subject::Ip(IpAddr::V6(_)) => (LISTED_V6, CLEAN_V6),
        Subject::Ip(IpAddr::V4(_)) => (list.test_listed.unwrap_or("127.0.0.2"), list.test_clean.unwrap_or("127.0.0.1")),
        Subject::Domain(_) => (list.test_listed.unwrap_or("test"), list.test_clean.unwrap_or("invalid")),
    };
    let front = |point: &str| turned(point).unwrap_or_else(|_| point.to_owned());
    (front(pair.0), front(pair.1))
}

fn judge_test_points(list: &Blocklist, subject: &Subject, listed: Asked, clean: Asked) -> Tested {
    let v6 = matches!(subject, Subject::Ip(IpAddr::V6(_)));
    let said = meanings(list, &listed.answer);
    let no_answer = said.iter().chain(&meanings(list, &clean.answer)).find_map(|meaning| match meaning {
        Meaning::NoAnswer(words) => Some(words.clone()),
        _ => None,
    });
    if let Some(words) = no_answer {
        return Tested::NoAnswer(words, vec![listed, clean]);
    }
    if let Some(no) = listed.why_not().or(clean.why_not()) {
        let words = no.to_string();
        return Tested::NoAnswer(words, vec![listed, clean]);
    }
    if matches!(clean.answer, Answer::Present { .. }) {
        return Tested::Sick("it lists its test entry that must be clean, so it lists everything", vec![listed, clean]);
    }
    match (said.is_empty(), v6) {
        (true, true) => Tested::OtherKind, // it takes no IPv6
        (true, false) => Tested::Sick("it does not list its own test entry, so it lists nothing", vec![listed, clean]),
        (false, _) => Tested::Good,
    }
}
