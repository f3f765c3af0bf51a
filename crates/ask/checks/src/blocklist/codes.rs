//! What an answer of a list means: a listing, something harmless, or no answer at all. Pure.

use std::net::Ipv4Addr;

use redeliver_catalog::Blocklist;
use redeliver_net::dns::Answer;

/// The meaning of one address in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Listed, in the list's words as far as the catalog has them.
    Listed(String),
    /// An end-user range: no accusation, but direct mail is refused.
    EndUser(String),
    /// An entry that speaks for the subject, or says nothing against it.
    Harmless(String),
    /// The list did not answer the question: refused, mistyped, over quota, or something that is no list's answer.
    NoAnswer(String),
}

/// Reads one address of an answer.
pub(crate) fn decode(list: &Blocklist, address: Ipv4Addr) -> Meaning {
    let text = address.to_string();
    let known = |pairs: &[(&'static str, &'static str)]| {
        pairs.iter().find(|(code, _)| fits(code, &text)).map(|(_, words)| (*words).to_owned())
    };
    if let Some(words) = known(&list.non_answers) {
        // A list of non-answers also holds entries that are no listings ("white: trusted, no listing").
        let refused = ["refused", "mistyped", "asked on", "too many", "nothing is known"];
        return if refused.iter().any(|word| words.contains(word)) {
            Meaning::NoAnswer(words)
        } else {
            Meaning::Harmless(words)
        };
    }
    if let Some(words) = known(&list.answers) {
        return if words.contains("allow list") || is_praise(&words) {
            Meaning::Harmless(words)
        } else if words.contains("end-user range") {
            Meaning::EndUser(words)
        } else {
            Meaning::Listed(words)
        };
    }
    match address.octets() {
        // RFC 5782 2.3 wants 127/8; Spamhaus' errors are 127.255.255.x, and other lists have taken that over.
        [127, 255, 255, _] | [127, 0, 0, 1] => {
            Meaning::NoAnswer(format!("{text}: the question was refused, nothing is listed"))
        }
        [127, ..] => Meaning::Listed(format!("{text}, a code that is not documented")),
        _ => Meaning::NoAnswer(format!(
            "{text} is no answer of a list: the resolver or the list's domain has other plans"
        )),
    }
}

/// Grades of reputation lists that are no reason to refuse.
fn is_praise(words: &str) -> bool {
    ["good", "neutral", "excellent", "trusted", "white"].iter().any(|word| words.contains(word))
}

/// Whether a code fits, `x` standing for any number.
fn fits(code: &str, address: &str) -> bool {
    let mut wanted = code.split('.');
    let mut given = address.split('.');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || matches!(wanted, "x" | "y") => {}
            _ => return false,
        }
    }
}

/// The meanings of all addresses in an answer; nothing for an absence.
pub(crate) fn meanings(list: &Blocklist, answer: &Answer) -> Vec<Meaning> {
    answer
        .addresses()
        .map(|address| match address {
            std::net::IpAddr::V4(v4) => decode(list, v4),
            std::net::IpAddr::V6(v6) => Meaning::NoAnswer(format!("{v6} is no answer of a list")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use redeliver_catalog::Catalog;

    #[test]
    fn a_refused_question_is_never_a_listing() {
        let catalog = Catalog::builtin().unwrap();
        let kind = |zone: &str, address: &str| match decode(catalog.list(zone).unwrap(), address.parse().unwrap()) {
            Meaning::Listed(_) => "listed",
            Meaning::EndUser(_) => "end-user",
            Meaning::Harmless(_) => "harmless",
            Meaning::NoAnswer(_) => "no-answer",
        };
        for (zone, address, meaning) in [
            ("zen.spamhaus.org", "127.0.0.2", "listed"),
            ("zen.spamhaus.org", "127.0.0.11", "end-user"),
            ("zen.spamhaus.org", "127.255.255.254", "no-answer"),
            ("zen.spamhaus.org", "127.255.255.255", "no-answer"),
            ("zen.spamhaus.org", "198.51.100.1", "no-answer"),
            ("dbl.spamhaus.org", "127.0.1.255", "no-answer"),
            ("dbl.spamhaus.org", "127.0.1.2", "listed"),
            ("multi.uribl.com", "127.0.0.1", "no-answer"),
            ("multi.surbl.org", "127.0.0.64", "listed"),
            ("bl.spamcop.net", "127.255.255.1", "no-answer"),
            ("bl.spamcop.net", "127.0.0.1", "no-answer"),
            ("list.dnswl.org", "127.0.5.2", "harmless"),
            ("list.dnswl.org", "127.0.0.255", "no-answer"),
            ("list.dnswl.org", "127.0.10.3", "no-answer"),
            ("bl.score.senderscore.com", "127.0.0.1", "listed"),
            ("score.senderscore.com", "127.0.4.90", "harmless"),
            ("hostkarma.junkemailfilter.com", "127.0.0.1", "harmless"),
            ("rep.mailspike.net", "127.0.0.18", "harmless"),
            ("rep.mailspike.net", "127.0.0.10", "listed"),
        ] {
            assert_eq!(kind(zone, address), meaning, "{zone} {address}");
        }
    }
}
