//! A question with its answer, and how both are told as raw facts. It judges nothing.

use futures_util::future::join_all;
use redeliver_model::{Fact, Facts};
use redeliver_net::dns::{Absence, Answer, CouldNotAsk, Data, Dns, Dnssec, Name, Question, RecordType, Why};
use redeliver_spf::LookUp;

/// A question and what came back.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub question: Question,
    pub answer: Answer,
}

impl Asked {
    /// Asks for the records of a type at a name.
    pub(crate) async fn at(dns: &dyn Dns, name: &Name, record_type: RecordType) -> Self {
        let question = Question::new(name.clone(), record_type);
        let answer = dns.ask(&question).await;
        Self { question, answer }
    }

    /// Asks below a name: `_dmarc`. A name that gets too long is told as could-not-ask: nobody can publish there.
    pub(crate) async fn below(dns: &dyn Dns, name: &Name, front: &str, record_type: RecordType) -> Self {
        match name.below(front) {
            Ok(name) => Self::at(dns, &name, record_type).await,
            Err(_) => {
                Self { question: Question::new(name.clone(), record_type), answer: Answer::unasked(Why::BadAnswer) }
            }
        }
    }

    /// Asks for several types at a name at once.
    pub(crate) async fn each<const N: usize>(dns: &dyn Dns, name: &Name, types: [RecordType; N]) -> Vec<Self> {
        join_all(types.map(|record_type| Self::at(dns, name, record_type))).await
    }

    /// The texts of TXT records, each with its strings joined.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.answer.texts().map(redeliver_net::dns::Text::to_text).collect()
    }

    /// Why there is no answer.
    pub(crate) fn why_not(&self) -> Option<&CouldNotAsk> {
        self.answer.could_not_ask()
    }

    /// Whether the resolver vouches for the answer.
    pub(crate) fn is_secure(&self) -> bool {
        self.answer.origin().is_some_and(|origin| origin.dnssec == Dnssec::Secure)
    }

    /// Question and answer as facts.
    pub(crate) fn facts(&self) -> Facts {
        told(&self.question, &self.answer)
    }
}

/// Several questions with their answers, as facts.
pub(crate) fn raw<'a>(asked: impl IntoIterator<Item = &'a Asked>) -> Fact {
    Fact::List(asked.into_iter().map(|asked| asked.facts().into()).collect())
}

/// The same for the look-ups of SPF.
pub(crate) fn raw_look_ups<'a>(asked: impl IntoIterator<Item = &'a LookUp>) -> Fact {
    Fact::List(asked.into_iter().map(|look_up| told(&look_up.question, &look_up.answer).into()).collect())
}

/// Question and answer as facts.
pub(crate) fn told(question: &Question, answer: &Answer) -> Facts {
    let mut facts = Facts::new().with("question", question.to_string());
    match answer {
        Answer::Present { records, .. } => {
            facts.add("answer", records.iter().map(|record| data_text(&record.data)).collect::<Vec<_>>());
        }
        Answer::Absent { absence: Absence::NoSuchName, .. } => facts.add("answer", "no such name"),
        Answer::Absent { absence: Absence::NoSuchType, .. } => facts.add("answer", "no such record"),
        Answer::CouldNotAsk(could_not_ask) => facts.add("answer", could_not_ask.to_string()),
    }
    if let Some(origin) = answer.origin() {
        if !origin.aliases.is_empty() {
            facts.add("aliases", origin.aliases.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        if let Some(server) = origin.server {
            facts.add("server", server.to_string());
        }
        if origin.dnssec == Dnssec::Secure {
            facts.add("dnssec", "secure");
        }
        facts.add("ttl", origin.ttl);
    }
    facts
}

/// What a record says, as zone files write it; octets that are no UTF-8 are shown with U+FFFD.
pub(crate) fn data_text(data: &Data) -> String {
    match data {
        Data::A(v4) => v4.to_string(),
        Data::Aaaa(v6) => v6.to_string(),
        Data::Mx { preference, exchange } => format!("{preference} {exchange}"),
        Data::Txt(text) | Data::Spf(text) => text.to_text(),
        Data::Ptr(name) | Data::Cname(name) | Data::Ns(name) => name.to_string(),
        Data::Soa(soa) => format!("{} {} {}", soa.primary, soa.mailbox, soa.serial),
        Data::Tlsa { usage, selector, matching, data } => format!("{usage} {selector} {matching} {}", hex(data)),
        Data::Caa { tag, value, .. } => format!("{tag} {}", String::from_utf8_lossy(value)),
        Data::Ds { key_tag, algorithm, digest_type, digest } => {
            format!("{key_tag} {algorithm} {digest_type} {}", hex(digest))
        }
        Data::Dnskey { flags, algorithm, .. } => format!("{flags} 3 {algorithm}"),
    }
}

fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}
