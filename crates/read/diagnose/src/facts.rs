//! What a reply names: addresses, IPs, pages, lists, waiting times.

use redeliver_model::{Refusal, Reply, Subject};

use crate::fold::{Folded, Found, Kind};

/// What was found in the words of a reply, borrowed from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts<'a> {
    /// The IP that was refused.
    pub ip: Option<&'a str>,
    /// The sender's address.
    pub sender: Option<&'a str>,
    /// The recipient's address.
    pub recipient: Option<&'a str>,
    /// The page that the reply points to.
    pub url: Option<&'a str>,
    /// The zone or name of a list that the catalog does not know.
    pub list: Option<&'a str>,
    /// How long to wait, in the reply's words: `5 minutes`.
    pub wait: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// Reads the facts; what the caller already knows of the refusal wins.
    pub fn read(
        refusal: &'a Refusal<'_>,
        reply: &'a Reply<'_>,
        folded: &Folded,
        subject: Subject,
        blocklisted: bool,
    ) -> Self {
        let line = |found: &Found| reply.lines.get(usize::from(found.line)).map_or("", |line| line.as_ref());
        let raw = |found: &Found| line(found).get(found.start as usize..found.end as usize).unwrap_or("");
        let of = |kind: Kind| folded.found.iter().filter(move |found| found.kind == kind);
        let mut facts = Facts {
            sender: refusal.sender.as_deref(),
            recipient: refusal.recipient.as_deref(),
            wait: reply.lines.iter().find_map(|line| waiting_time(line)),
            url: of(Kind::Url).map(raw).next(),
            ..Facts::default()
        };
        let refuser = refusal.refused_by.ip.map(|ip| ip.to_string());
        facts.ip =
            of(Kind::Ip).map(raw).find(|ip| Some(*ip) != refuser.as_deref() && ip.bytes().any(|b| b.is_ascii_digit()));
        if blocklisted {
            facts.list = of(Kind::Name).find(|found| behind_a_list_word(folded, found)).map(raw);
        }
        // The first address of a reply is the one it is about; whose it is, the subject tells.
        let address = of(Kind::Address).next().map(|found| whole_address(line(found), found));
        match subject {
            Subject::Sender | Subject::SenderDomain => facts.sender = facts.sender.or(address),
            Subject::Recipient | Subject::RecipientDomain => facts.recipient = facts.recipient.or(address),
            Subject::Ip | Subject::Url | Subject::Message => {}
        }
        facts
    }
}

/// The whole of an address of which only the letters of ASCII were found (RFC 6531 3.3 allows all others, RFC 5322 3.2.3 many
/// signs): `jörg@example.net` is not `rg@example.net`, who is somebody else.
fn whole_address<'t>(line: &'t str, found: &Found) -> &'t str {
    let (Some(before), Some(behind)) = (line.get(..found.start as usize), line.get(found.end as usize..)) else {
        return "";
    };
    let signs = |c: char| matches!(c, '\'' | '`' | '/' | '$' | '^' | '{' | '}' | '|' | '?');
    let is_local = |c: char| {
        c.is_alphanumeric() || signs(c) || matches!(c, '.' | '-' | '_' | '+' | '%' | '=' | '*' | '~' | '#' | '&' | '!')
    };
    let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    let front = before.trim_end_matches(is_local).len();
    // A sign that opens the word is a quotation mark, or a path.
    let front = before.len() - before[front..].trim_start_matches(signs).len();
    let back = behind.len() - behind.trim_start_matches(is_domain).len();
    let whole = &line[front..found.end as usize + back];
    whole.trim_end_matches(['.', '-'])
}

/// `blocked using dnsbl.example.net`, `listed in ...`, `found on ...`.
fn behind_a_list_word(folded: &Folded, found: &Found) -> bool {
    let before = &folded.bytes[..found.folded as usize];
    [
        b"using ".as_slice(),
        b"listed at ",
        b"listed in ",
        b"listed on ",
        b"listed by ",
        b"blocked by ",
        b"list at ",
        b"dnsbl ",
        b"rbl ",
    ]
    .iter()
    .any(|word| before.ends_with(word))
}

/// A number and a unit of time behind it: `5 minutes`, `300 seconds`, `24 hours`.
fn waiting_time(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        let alone = start == 0 || matches!(bytes[start - 1], b' ' | b'(' | b'~');
        let rest = text[at..].strip_prefix(' ').unwrap_or(&text[at..]);
        let word = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = &rest[..word];
        let is_unit = ["second", "sec", "minute", "min", "hour", "hr", "day"].iter().any(|known| {
            unit.eq_ignore_ascii_case(known)
                || (unit.len() == known.len() + 1
                    && unit.get(..known.len()).is_some_and(|u| u.eq_ignore_ascii_case(known))
                    && unit.ends_with(['s', 'S']))
        });
        if alone && at - start <= 5 && is_unit {
            return Some(&text[start..text.len() - rest.len() + word]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_whole_or_somebody_elses() {
        let address = |text: &str| {
            let mut folded = Folded::default();
            folded.fold(text);
            let found = folded.found.iter().find(|found| found.kind == Kind::Address);
            found.map(|found| whole_address(text, found).to_owned()).unwrap_or_default()
        };
        for whole in
            ["jörg@example.net", "o'neill@example.net", "a/b@example.net", "x$y@example.net", "ann@müller.example"]
        {
            for text in
                [format!("<{whole}>: User unknown"), format!("550 ‹{whole}›"), format!("no {whole}."), whole.to_owned()]
            {
                assert_eq!(address(&text), whole, "{text}");
            }
        }
        for text in [
            "'ann@example.net' is unknown",
            "`ann@example.net`",
            "550 no (ann@example.net).",
            "mailto:ann@example.net-",
        ] {
            assert_eq!(address(text), "ann@example.net", "{text}");
        }
    }

    #[test]
    fn waiting_times_are_read() {
        assert_eq!(waiting_time("Greylisted for 5 minutes"), Some("5 minutes"));
        assert_eq!(waiting_time("try again in 300 seconds."), Some("300 seconds"));
        assert_eq!(waiting_time("retry in 4 Hours"), Some("4 Hours"));
        assert_eq!(waiting_time("3 senders, 10 minds, mx5 minutes"), None);
    }
}
