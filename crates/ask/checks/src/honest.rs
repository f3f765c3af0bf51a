//! A resolver that puts addresses where there are none (a provider's search page) is found out and not believed.
//!
//! Two names that cannot exist are asked for once a run. If they have addresses, every later answer with nothing but such
//! addresses becomes could-not-ask, and so does every address question that the resolver says nothing else about: whatever
//! rests on it is then unknown, never found or missing.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use redeliver_net::dns::{Answer, Asking, CouldNotAsk, Dns, Question, RecordType, Why};

use crate::asked::Asked;

/// Names that do not exist: `invalid` never does (RFC 6761 6.4), and nobody would register the other.
const NOWHERE: [&str; 2] =
    ["no-such-name-asked-by-redeliver.invalid", "no-such-name-asked-by-redeliver-0123456789abcdef.com"];

/// A DNS whose invented addresses are not believed.
pub(crate) struct Honest {
    dns: Arc<dyn Dns>,
    invented: BTreeSet<IpAddr>,
    /// The probes.
    pub probes: Vec<Asked>,
}

impl Honest {
    /// Finds out about the resolver.
    pub(crate) async fn find_out(dns: Arc<dyn Dns>) -> Self {
        let questions: Vec<Question> =
            NOWHERE.iter().filter_map(|name| Question::parse(name, RecordType::A).ok()).collect();
        let answers = dns.ask_all(&questions).await;
        let invented = answers.iter().flat_map(Answer::addresses).collect();
        let probes = questions.into_iter().zip(answers).map(|(question, answer)| Asked { question, answer }).collect();
        Self { dns, invented, probes }
    }

    /// Whether the resolver invents addresses.
    pub(crate) fn is_lied_to(&self) -> bool {
        !self.invented.is_empty()
    }

    /// Whether the resolver answers at all.
    pub(crate) fn is_deaf(&self) -> bool {
        self.probes.iter().all(|probe| probe.answer.could_not_ask().is_some())
    }

    fn believed(&self, question: &Question, answer: Answer) -> Answer {
        if !self.is_lied_to() || !matches!(question.record_type, RecordType::A | RecordType::Aaaa) {
            return answer;
        }
        let lie = match &answer {
            Answer::Present { .. } => answer.addresses().all(|address| self.invented.contains(&address)),
            Answer::Absent { .. } | Answer::CouldNotAsk(_) => false,
        };
        let server = answer.origin().and_then(|origin| origin.server);
        if lie { Answer::CouldNotAsk(CouldNotAsk { server, ..CouldNotAsk::new(Why::BadAnswer) }) } else { answer }
    }
}

impl Dns for Honest {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move { self.believed(question, self.dns.ask(question).await) })
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        self.dns.ask_server(server, question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redeliver_net::dns::{FakeDns, Name};

    #[tokio::test]
    async fn an_invented_address_is_neither_there_nor_absent() {
        let lying = FakeDns {
            a: &[
                (NOWHERE[0], "198.51.100.99"),
                (NOWHERE[1], "198.51.100.99"),
                ("typo.example", "198.51.100.99"),
                ("example.org", "192.0.2.7"),
            ],
            ..FakeDns::default()
        };
        let honest = Honest::find_out(Arc::new(lying)).await;
        let dns: &dyn Dns = &honest;
        assert!(honest.is_lied_to() && !honest.is_deaf());
        let name = |text| Name::parse(text).unwrap();
        assert_eq!(
            dns.look_up(&name("typo.example"), RecordType::A).await.could_not_ask().unwrap().why,
            Why::BadAnswer
        );
        assert_eq!(dns.look_up(&name("example.org"), RecordType::A).await.addresses().count(), 1);
        let honest = Honest::find_out(Arc::new(FakeDns::default())).await;
        assert!(!honest.is_lied_to());
    }
}
