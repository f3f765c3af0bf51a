//! "What if this record were published": proposed records laid over a DNS.
//!
//! A proposal replaces all records of its type at its name; an empty one takes them away. It never changes the world below.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::answer::{Absence, Answer, Origin, Question, Why};
use super::name::Name;
use super::record::{Data, Record, RecordType};
use super::{Asking, Dns};

/// The TTL that proposed records show, in seconds.
const PROPOSED_TTL: u32 = 300;
/// How often an alias may lead from the world into the overlay or back.
const MOST_ALIASES: usize = 16;

/// A DNS with proposed records over it.
///
/// ```
/// use redeliver_net::dns::{Data, Name, Overlay, RecordType, Resolver, Text};
/// use redeliver_net::Guard;
/// let world = Resolver::new(vec!["192.0.2.53:53".parse()?], Guard::default());
/// let mut overlay = Overlay::new(world);
/// overlay.propose(Name::parse("_dmarc.example.org")?, RecordType::Txt, vec![Data::Txt(Text::one("v=DMARC1; p=none"))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Overlay<D> {
    below: D,
    proposed: BTreeMap<(Name, RecordType), Vec<Data>>,
}

impl<D: Dns> Overlay<D> {
    /// Lays an empty overlay over `below`.
    pub fn new(below: D) -> Self {
        Self { below, proposed: BTreeMap::new() }
    }

    /// Proposes the whole set of records of one type at a name; data of another type is left out.
    pub fn propose(&mut self, name: Name, record_type: RecordType, mut records: Vec<Data>) -> &mut Self {
        records.retain(|data| data.record_type() == record_type);
        self.proposed.insert((name, record_type), records);
        self
    }

    /// The proposal's answer to a question; none if nothing is proposed there.
    fn proposal(&self, question: &Question) -> Option<Answer> {
        let data = self.proposed.get(&(question.name.clone(), question.record_type))?;
        let origin = Origin { ttl: PROPOSED_TTL, ..Origin::default() };
        if data.is_empty() {
            return Some(Answer::Absent { absence: Absence::NoSuchType, origin });
        }
        let record = |data: &Data| Record { name: question.name.clone(), ttl: PROPOSED_TTL, data: data.clone() };
        Some(Answer::Present { records: data.iter().map(record).collect(), origin })
    }

    /// The alias that is proposed at a name.
    fn alias(&self, question: &Question) -> Option<&Name> {
        if question.record_type == RecordType::Cname {
            return None;
        }
        self.proposed.get(&(question.name.clone(), RecordType::Cname))?.first()?.target()
    }

    /// A name of the world's answer, passed through or last, at which something is proposed for this type.
    fn led_into(&self, question: &Question, answer: &Answer) -> Option<Name> {
        let passed = answer.origin()?.aliases.iter().skip(1);
        let last = answer.records().first().map(|record| &record.name);
        passed
            .chain(last)
            .find(|name| {
                **name != question.name && self.proposed.contains_key(&((*name).clone(), question.record_type))
            })
            .cloned()
    }

    async fn answer(&self, server: Option<SocketAddr>, question: &Question) -> Answer {
        let mut passed: Vec<Name> = Vec::new();
        let mut at = question.clone();
        loop {
            if passed.len() > MOST_ALIASES {
                return Answer::unasked(Why::ServerFailure);
            }
            let mut answer = if let Some(proposal) = self.proposal(&at) {
                proposal
            } else if let Some(target) = self.alias(&at) {
                passed.push(std::mem::replace(&mut at.name, target.clone()));
                continue;
            } else {
                match server {
                    Some(server) => self.below.ask_server(server, &at).await,
                    None => self.below.ask(&at).await,
                }
            };
            if let Some(name) = self.led_into(&at, &answer) {
                passed.push(std::mem::replace(&mut at.name, name));
                continue;
            }
            // A name at or below which something is proposed would exist (RFC 8020).
            if let Answer::Absent { absence, .. } = &mut answer
                && self.proposed.iter().any(|((name, _), data)| !data.is_empty() && name.is_within(&at.name))
            {
                *absence = Absence::NoSuchType;
            }
            if let Answer::Present { origin, .. } | Answer::Absent { origin, .. } = &mut answer {
                passed.append(&mut origin.aliases);
                origin.aliases = passed;
            }
            return answer;
        }
    }
}

impl<D: Dns> Dns for Overlay<D> {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.answer(None, question))
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        Box::pin(self.answer(Some(server), question))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{FakeDns, Text};

    async fn texts(dns: &dyn Dns, name: &str) -> Vec<String> {
        let answer = dns.look_up(&Name::parse(name).unwrap(), RecordType::Txt).await;
        assert!(answer.could_not_ask().is_none(), "{name}: {answer:?}");
        answer.texts().map(Text::to_text).collect()
    }

    fn txt(text: &str) -> Vec<Data> {
        vec![Data::Txt(Text::one(text))]
    }

    #[tokio::test]
    async fn a_proposal_hides_the_world_and_leaves_the_rest_alone() {
        let world = FakeDns {
            txt: &[("example.org", &["old"]), ("example.net", &["other"]), ("gone.example", &["there"])],
            cname: &[("key.example.org", "key.provider.example")],
            ..FakeDns::default()
        };
        let name = |text| Name::parse(text).unwrap();
        let mut overlay = Overlay::new(&world);
        overlay
            .propose(name("example.org"), RecordType::Txt, txt("new"))
            .propose(name("gone.example"), RecordType::Txt, Vec::new())
            .propose(name("key.provider.example"), RecordType::Txt, txt("key"))
            .propose(name("alias.example"), RecordType::Cname, vec![Data::Cname(name("example.net"))])
            .propose(name("_dmarc.deep.example"), RecordType::Txt, txt("policy"));
        assert_eq!(texts(&overlay, "example.org").await, ["new"]);
        assert_eq!(texts(&overlay, "example.net").await, ["other"]);
        assert_eq!(texts(&overlay, "gone.example").await, [""; 0]);
        assert_eq!(texts(&overlay, "alias.example").await, ["other"]);
        assert_eq!(texts(&overlay, "_dmarc.deep.example").await, ["policy"]);
        let dns: &dyn Dns = &overlay;
        assert!(!dns.look_up(&name("deep.example"), RecordType::A).await.is_no_such_name());
        assert!(dns.look_up(&name("never.example"), RecordType::A).await.is_no_such_name());
    }

    #[tokio::test]
    async fn proposed_aliases_in_a_circle_end() {
        let world = FakeDns::default();
        let name = |text| Name::parse(text).unwrap();
        let mut overlay = Overlay::new(&world);
        overlay.propose(name("a.example"), RecordType::Cname, vec![Data::Cname(name("b.example"))]).propose(
            name("b.example"),
            RecordType::Cname,
            vec![Data::Cname(name("a.example"))],
        );
        let answer = (&overlay as &dyn Dns).look_up(&name("a.example"), RecordType::A).await;
        assert_eq!(answer.could_not_ask().unwrap().why, Why::ServerFailure);
    }
}
