//! Sentences with parameters: `{host} refuses mail from {ip}`.
//!
//! Read once when the catalog is built; filling one in is copying. A parameter nobody knows is said in words
//! (`words.toml`), so every sentence always reads.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What a sentence can leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the words of catalog/README.md")]
pub enum Parameter {
    Host,
    Site,
    Ip,
    List,
    ListUrl,
    WhoMayAsk,
    Sender,
    SenderDomain,
    Recipient,
    RecipientDomain,
    Helo,
    Url,
    Code,
    Status,
    Tag,
    FormUrl,
    Wait,
    Reply,
    Time,
    Forwarder,
    WrittenTo,
    Culprit,
}

impl Parameter {
    /// All of them, in the order of [`Values`].
    pub const ALL: [Self; 22] = [
        Self::Host,
        Self::Site,
        Self::Ip,
        Self::List,
        Self::ListUrl,
        Self::WhoMayAsk,
        Self::Sender,
        Self::SenderDomain,
        Self::Recipient,
        Self::RecipientDomain,
        Self::Helo,
        Self::Url,
        Self::Code,
        Self::Status,
        Self::Tag,
        Self::FormUrl,
        Self::Wait,
        Self::Reply,
        Self::Time,
        Self::Forwarder,
        Self::WrittenTo,
        Self::Culprit,
    ];

    /// The name between the braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Site => "site",
            Self::Ip => "ip",
            Self::List => "list",
            Self::ListUrl => "list_url",
            Self::WhoMayAsk => "who_may_ask",
            Self::Sender => "sender",
            Self::SenderDomain => "sender_domain",
            Self::Recipient => "recipient",
            Self::RecipientDomain => "recipient_domain",
            Self::Helo => "helo",
            Self::Url => "url",
            Self::Code => "code",
            Self::Status => "status",
            Self::Tag => "tag",
            Self::FormUrl => "form_url",
            Self::Wait => "wait",
            Self::Reply => "reply",
            Self::Time => "time",
            Self::Forwarder => "forwarder",
            Self::WrittenTo => "written_to",
            Self::Culprit => "culprit",
        }
    }

    /// What stands for an unknown value inside a command or a name.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::Host => "<host>",
            Self::Site => "<site>",
            Self::Ip => "<ip>",
            Self::List => "<list>",
            Self::ListUrl => "<list-page>",
            Self::WhoMayAsk => "<who-may-ask>",
            Self::Sender => "<sender>",
            Self::SenderDomain => "<sender-domain>",
            Self::Recipient => "<recipient>",
            Self::RecipientDomain => "<recipient-domain>",
            Self::Helo => "<helo-name>",
            Self::Url => "<page>",
            Self::Code => "<code>",
            Self::Status => "<status>",
            Self::Tag => "<tag>",
            Self::FormUrl => "<form>",
            Self::Wait => "<time>",
            Self::Reply => "<reply>",
            Self::Time => "<date>",
            Self::Forwarder => "<forwarder>",
            Self::WrittenTo => "<address>",
            Self::Culprit => "<log-in>",
        }
    }

    /// Whether its values are names that strangers have written, which hold no blank where they are what they claim to be.
    const fn is_a_strangers(self) -> bool {
        matches!(
            self,
            Self::Host
                | Self::Ip
                | Self::Sender
                | Self::SenderDomain
                | Self::Recipient
                | Self::RecipientDomain
                | Self::Helo
                | Self::Url
                | Self::Forwarder
                | Self::WrittenTo
                | Self::Culprit
        )
    }

    /// The parameter of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.as_str() == name)
    }
}

/// A piece of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// Words that stand as they are.
    Text(&'static str),
    /// A value, or the words for its absence.
    Value(Parameter),
    /// A value inside a command or a name: `mail.{sender_domain}`; its absence is said as `<sender-domain>`.
    Exact(Parameter),
}

/// A sentence, cut at its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Sentence {
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
}

impl Sentence {
    /// Reads a text with `{parameters}`. Fails with the name of a parameter that does not exist.
    pub fn parse(text: &'static str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').ok_or_else(|| "a brace `{` is not closed".to_owned())? + open;
            let name = &rest[open + 1..close];
            let parameter = Parameter::named(name).ok_or_else(|| format!("`{{{name}}}` is not a parameter"))?;
            if open > 0 {
                pieces.push(Piece::Text(&rest[..open]));
            }
            let before = &text[..text.len() - rest.len() + open];
            let behind = &rest[close + 1..];
            let quoted = before.matches('`').count() % 2 == 1;
            let joined = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric());
            let glued =
                before.ends_with(['.', '@', '=', '/']) || behind.strip_prefix(['.', '@', '/']).is_some_and(joined);
            pieces.push(if quoted || glued { Piece::Exact(parameter) } else { Piece::Value(parameter) });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
        Ok(Self { pieces })
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether it speaks of `parameter`.
    pub fn mentions(&self, parameter: Parameter) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Value(own) | Piece::Exact(own) if *own == parameter))
    }

    /// The sentence with its values; borrowed where it has no parameter.
    pub fn fill(&self, values: &Values<'_>) -> Cow<'static, str> {
        match self.pieces.as_slice() {
            [] => Cow::Borrowed(""),
            [Piece::Text(text)] => Cow::Borrowed(text),
            pieces => {
                let mut filled = String::with_capacity(160);
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => filled.push_str(text),
                        // Words for an unknown value may open the sentence.
                        Piece::Value(parameter) if filled.is_empty() && values.known(*parameter).is_none() => {
                            push_capitalised(&mut filled, values.get(*parameter));
                        }
                        Piece::Value(parameter) => match values.known(*parameter) {
                            Some(value) if parameter.is_a_strangers() && !is_one_word(value) => {
                                push_quoted(&mut filled, value);
                            }
                            _ => filled.push_str(values.get(*parameter)),
                        },
                        Piece::Exact(parameter) => {
                            match values.known(*parameter).filter(|value| is_pasted_safely(value)) {
                                Some(value) => filled.push_str(value),
                                None => filled.push_str(parameter.placeholder()),
                            }
                        }
                    }
                }
                Cow::Owned(filled)
            }
        }
    }
}

/// Letters of a stranger's value that are shown where it is no single word.
const LONGEST_QUOTED: usize = 60;

/// Whether a value cannot be taken for a part of the sentence around it, or for a command.
fn is_one_word(value: &str) -> bool {
    value.len() <= LONGEST_PASTED && !value.contains(|c: char| c.is_whitespace() || c == '`')
}

/// A value of several words in quotes, so that nobody takes them for ours; the start of a long one.
fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    text.extend(value.chars().take(LONGEST_QUOTED).map(|c| match c {
        '"' | '`' => '\'',
        c if c.is_whitespace() => ' ',
        c => c,
    }));
    text.push_str(if value.chars().nth(LONGEST_QUOTED).is_some() { " ...\"" } else { "\"" });
}

/// Longest value in a command: the longest address (RFC 5321 4.5.3.1) fits.
const LONGEST_PASTED: usize = 320;

/// Whether a stranger's value may stand in a command or a record that somebody pastes: letters, digits and what names, addresses
/// and IPs are made of besides. No shell and no DNS zone reads anything into these, and no option begins so.
fn is_pasted_safely(value: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+' | '=' | ':' | '/' | '%');
    value.len() <= LONGEST_PASTED && value.starts_with(|c: char| c.is_alphanumeric()) && value.chars().all(is_plain)
        || value.starts_with("::") && value.parse::<std::net::Ipv6Addr>().is_ok()
}

fn push_capitalised(text: &mut String, words: &str) {
    let mut letters = words.chars();
    text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
    text.push_str(letters.as_str());
}

/// What is known of a case, for its sentences.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    known: [Option<&'a str>; Parameter::ALL.len()],
    words: &'a [&'static str],
}

impl<'a> Values<'a> {
    /// Nothing known; `words` are said instead, one for each parameter.
    pub fn new(words: &'a [&'static str]) -> Self {
        Self { known: [None; Parameter::ALL.len()], words }
    }

    /// The same values, with other words for what is not known.
    #[must_use]
    pub fn with_words(mut self, words: &'a [&'static str]) -> Self {
        self.words = words;
        self
    }

    /// Sets a value; an empty one counts as unknown.
    pub fn set(&mut self, parameter: Parameter, value: Option<&'a str>) {
        self.known[parameter as usize] = value.filter(|value| !value.is_empty());
    }

    /// The value, if it is known.
    pub fn known(&self, parameter: Parameter) -> Option<&'a str> {
        self.known[parameter as usize]
    }

    /// The value, or the words for its absence.
    pub fn get(&self, parameter: Parameter) -> &'a str {
        self.known(parameter).or_else(|| self.words.get(parameter as usize).copied()).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_always_reads() {
        let words = ["the receiving server"; Parameter::ALL.len()];
        let sentence = Sentence::parse("{host} refuses {ip}.").unwrap();
        let mut values = Values::new(&words);
        values.set(Parameter::Ip, Some("192.0.2.1"));
        assert_eq!(sentence.fill(&values), "The receiving server refuses 192.0.2.1.");
        let sentence = Sentence::parse("Ask `dig mail.{sender_domain}`, then {sender_domain}.").unwrap();
        assert_eq!(sentence.fill(&values), "Ask `dig mail.<sender-domain>`, then the receiving server.");
        values.set(Parameter::Ip, Some("192.0.2.1. Act now:  run \"x\""));
        assert_eq!(Sentence::parse("Ask {ip}.").unwrap().fill(&values), "Ask \"192.0.2.1. Act now:  run 'x'\".");
        for hostile in ["ex$(reboot).net", "bob';id;'@example.net", "evil.org\"+all", "-o", "#x", "a;b"] {
            values.set(Parameter::SenderDomain, Some(hostile));
            assert_eq!(sentence.fill(&values), format!("Ask `dig mail.<sender-domain>`, then {hostile}."));
        }
        for value in
            ["example.net", "bücher.example", "bob+a=b@example.net", "2001:db8::7", "::1", "_dmarc.example.net"]
        {
            values.set(Parameter::SenderDomain, Some(value));
            let safe = value.starts_with(|c: char| c != '_');
            assert_eq!(sentence.fill(&values).contains(&format!("mail.{value}`")), safe, "{value}");
        }
        values.set(Parameter::SenderDomain, Some("a`id`.net"));
        assert_eq!(sentence.fill(&values), "Ask `dig mail.<sender-domain>`, then \"a'id'.net\".");
        assert_eq!(Sentence::parse("{hots}").unwrap_err(), "`{hots}` is not a parameter");
        assert!(Sentence::parse("{host").is_err());
    }

    #[test]
    fn the_table_of_values_has_the_order_of_the_parameters() {
        for (place, parameter) in Parameter::ALL.into_iter().enumerate() {
            assert_eq!(parameter as usize, place);
            assert_eq!(Parameter::named(parameter.as_str()), Some(parameter));
        }
    }
}
