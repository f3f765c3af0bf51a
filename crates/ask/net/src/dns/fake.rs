//! A DNS of a few lines for tests, filled by one literal.
//!
//! It behaves like a recursive resolver: aliases are followed, a name without the asked type is NODATA, a name that nothing
//! stands at or below is NXDOMAIN. It never opens a socket. A name in the literal that is no DNS name panics: a test is wrong.

#![allow(clippy::expect_used, reason = "test support: a literal that is wrong must stop the test")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use super::{
    Absence, Answer, Asking, CouldNotAsk, Data, Dns, Name, Origin, Question, Record, RecordType, Soa, Text, Why,
};

/// The time to live of every faked record and absence, in seconds.
const FAKE_TTL: u32 = 300;
/// How many aliases are followed before it is SERVFAIL, as resolvers do.
const MOST_ALIASES: usize = 8;

/// What stands beside a name in the literal.
type Beside<T> = &'static [(&'static str, T)];

/// A faked DNS.
///
/// ```
/// # #[cfg(feature = "test-support")] {
/// use redeliver_net::dns::{FakeDns, Why};
/// let dns = FakeDns {
///     txt: &[("example.org", &["v=spf1 ", "mx -all"])],
///     mx: &[("example.org", (10, "mail.example.org"))],
///     a: &[("mail.example.org", "192.0.2.7")],
///     fail: &[("broken.example", Why::ServerFailure)],
///     ..FakeDns::default()
/// };
/// # }
/// ```
#[derive(Debug, Default)]
pub struct FakeDns {
    /// IPv4 addresses.
    pub a: Beside<&'static str>,
    /// IPv6 addresses.
    pub aaaa: Beside<&'static str>,
    /// Mail exchanges: preference and host.
    pub mx: Beside<(u16, &'static str)>,
    /// TXT records: one entry a record, its strings kept apart.
    pub txt: Beside<&'static [&'static str]>,
    /// Reverse names, by address.
    pub ptr: Beside<&'static str>,
    /// Aliases.
    pub cname: Beside<&'static str>,
    /// Name servers.
    pub ns: Beside<&'static str>,
    /// Start of authority: primary server and serial.
    pub soa: Beside<(&'static str, u32)>,
    /// SPF records of type 99: one entry a record, its strings kept apart.
    pub spf: Beside<&'static [&'static str]>,
    /// TLSA: usage, selector, matching type, data.
    pub tlsa: Beside<(u8, u8, u8, &'static [u8])>,
    /// CAA: critical, tag, value.
    pub caa: Beside<(bool, &'static str, &'static str)>,
    /// DS: key tag, algorithm, digest type, digest.
    pub ds: Beside<(u16, u8, u8, &'static [u8])>,
    /// DNSKEY: flags, algorithm, key.
    pub dnskey: Beside<(u16, u8, &'static [u8])>,
    /// Names at which every question fails; this goes before all records.
    pub fail: Beside<Why>,
    /// Names at which questions for one type fail.
    pub fail_type: Beside<(RecordType, Why)>,
    /// Further records, for tests that make them at run time ([`FakeDns::add`]).
    pub records: Vec<(Name, Data)>,
    /// Further failures made at run time; no type means every type ([`FakeDns::add_failure`]).
    pub failures: Vec<(Name, Option<RecordType>, Why)>,
    /// What a server says when it is asked directly; servers that are not named time out.
    pub servers: Vec<(IpAddr, FakeDns)>,
    /// Every question to the resolver, in order.
    pub asked: Mutex<Vec<Question>>,
}

impl FakeDns {
    /// Adds a record.
    pub fn add(&mut self, name: &str, data: Data) -> &mut Self {
        self.records.push((named(name), data));
        self
    }

    /// Lets questions at a name fail: those for one type, or all.
    pub fn add_failure(&mut self, name: &str, record_type: Option<RecordType>, why: Why) -> &mut Self {
        self.failures.push((named(name), record_type, why));
        self
    }

    /// The questions that the resolver was asked so far, in order.
    pub fn asked(&self) -> Vec<Question> {
        self.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }

    /// Every record of the fake.
    fn all(&self) -> Vec<(Name, Data)> {
        let mut all = self.records.clone();
        let mut put = |name: &str, data| all.push((named(name), data));
        self.a.iter().for_each(|(name, v4)| put(name, Data::A(v4.parse().expect("an IPv4 address"))));
        self.aaaa.iter().for_each(|(name, v6)| put(name, Data::Aaaa(v6.parse().expect("an IPv6 address"))));
        self.txt.iter().for_each(|(name, strings)| put(name, Data::Txt(Text::of(strings))));
        self.spf.iter().for_each(|(name, strings)| put(name, Data::Spf(Text::of(strings))));
        self.cname.iter().for_each(|(name, target)| put(name, Data::Cname(named(target))));
        self.ns.iter().for_each(|(name, target)| put(name, Data::Ns(named(target))));
        for &(name, (preference, host)) in self.mx {
            put(name, Data::Mx { preference, exchange: named(host) });
        }
        for &(address, host) in self.ptr {
            let name = Name::reverse(address.parse().expect("an address beside a PTR"));
            put(name.as_str(), Data::Ptr(named(host)));
        }
        for &(name, (primary, serial)) in self.soa {
            let soa = Soa {
                primary: named(primary),
                mailbox: named("hostmaster.example"),
                serial,
                refresh: 3600,
                retry: 600,
                expire: 86_400,
                minimum: FAKE_TTL,
            };
            put(name, Data::Soa(soa));
        }
        for &(name, (usage, selector, matching, data)) in self.tlsa {
            put(name, Data::Tlsa { usage, selector, matching, data: data.to_vec() });
        }
        for &(name, (critical, tag, value)) in self.caa {
            put(name, Data::Caa { critical, tag: tag.to_owned(), value: value.as_bytes().to_vec() });
        }
        for &(name, (key_tag, algorithm, digest_type, digest)) in self.ds {
            put(name, Data::Ds { key_tag, algorithm, digest_type, digest: digest.to_vec() });
        }
        for &(name, (flags, algorithm, key)) in self.dnskey {
            put(name, Data::Dnskey { flags, algorithm, key: key.to_vec() });
        }
        all
    }

    /// The failure that stands at a question.
    fn failure(&self, question: &Question) -> Option<Why> {
        let at = |name: &str| named(name) == question.name;
        let whole = self.fail.iter().find(|(name, _)| at(name)).map(|(_, why)| *why);
        let typed = self
            .fail_type
            .iter()
            .find(|(name, (kind, _))| *kind == question.record_type && at(name))
            .map(|found| found.1.1);
        let made = self
            .failures
            .iter()
            .find(|(name, kind, _)| *name == question.name && kind.is_none_or(|kind| kind == question.record_type));
        whole.or(typed).or(made.map(|(_, _, why)| *why))
    }

    /// The answer to a question.
    fn answer(&self, question: &Question, authoritative: bool) -> Answer {
        let all = self.all();
        let mut aliases = Vec::new();
        let mut at = question.clone();
        loop {
            if let Some(why) = self.failure(&at) {
                return Answer::unasked(why);
            }
            let here: Vec<&Data> = all.iter().filter(|(name, _)| *name == at.name).map(|(_, data)| data).collect();
            let records: Vec<Record> = here
                .iter()
                .filter(|data| data.record_type() == at.record_type)
                .map(|data| Record { name: at.name.clone(), ttl: FAKE_TTL, data: (*data).clone() })
                .collect();
            let origin = Origin { authoritative, ttl: FAKE_TTL, aliases: aliases.clone(), ..Origin::default() };
            if !records.is_empty() {
                return Answer::Present { records, origin };
            }
            let alias = here.iter().find_map(|data| if let Data::Cname(target) = data { Some(target) } else { None });
            let Some(target) = alias else {
                let exists = all.iter().any(|(name, _)| name.is_within(&at.name));
                let absence = if exists { Absence::NoSuchType } else { Absence::NoSuchName };
                return Answer::Absent { absence, origin };
            };
            aliases.push(at.name);
            if aliases.len() > MOST_ALIASES {
                return Answer::unasked(Why::ServerFailure);
            }
            at.name = target.clone();
        }
    }
}

fn named(text: &str) -> Name {
    Name::parse(text).expect("a DNS name in a fake")
}

impl Dns for FakeDns {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            if let Ok(mut asked) = self.asked.lock() {
                asked.push(question.clone());
            }
            self.answer(question, false)
        })
    }

    fn ask_server<'a>(&'a self, server: SocketAddr, question: &'a Question) -> Asking<'a> {
        let fake = self.servers.iter().find(|(address, _)| *address == server.ip()).map(|(_, fake)| fake);
        let mut answer = fake.map_or_else(|| Answer::unasked(Why::Timeout), |fake| fake.answer(question, true));
        match &mut answer {
            Answer::Present { origin, .. } | Answer::Absent { origin, .. } => origin.server = Some(server),
            Answer::CouldNotAsk(CouldNotAsk { server: at, .. }) => *at = Some(server),
        }
        Box::pin(async move { answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(dns: &FakeDns, name: &str, record_type: RecordType) -> Answer {
        dns.answer(&Question::parse(name, record_type).unwrap(), false)
    }

    #[test]
    fn the_three_states_are_told_apart() {
        let dns = FakeDns {
            txt: &[("example.org", &["v=spf1 ", "-all"]), ("example.org", &["other"])],
            mx: &[("example.org", (20, "b.example.org")), ("example.org", (10, "a.example.org"))],
            ptr: &[("192.0.2.7", "mail.example.org")],
            cname: &[("www.example.org", "web.deep.example.org"), ("loop.example", "loop.example")],
            a: &[("web.deep.example.org", "192.0.2.8")],
            fail: &[("broken.example", Why::ServerFailure)],
            fail_type: &[("example.org", (RecordType::Spf, Why::Timeout))],
            ..FakeDns::default()
        };
        let txt = ask(&dns, "Example.ORG", RecordType::Txt);
        assert_eq!(txt.texts().map(Text::to_text).collect::<Vec<_>>(), ["v=spf1 -all", "other"]);
        assert_eq!(ask(&dns, "example.org", RecordType::Mx).exchanges()[0].0, 10);
        assert_eq!(ask(&dns, "7.2.0.192.in-addr.arpa", RecordType::Ptr).targets().count(), 1);
        let www = ask(&dns, "www.example.org", RecordType::A);
        assert_eq!(www.addresses().next().unwrap().to_string(), "192.0.2.8");
        assert_eq!(www.origin().unwrap().aliases[0].as_str(), "www.example.org");
        assert!(ask(&dns, "deep.example.org", RecordType::A).is_absent());
        assert!(!ask(&dns, "deep.example.org", RecordType::A).is_no_such_name());
        assert!(ask(&dns, "none.example.org", RecordType::A).is_no_such_name());
        let why = |name, kind| ask(&dns, name, kind).could_not_ask().map(|no| no.why);
        assert_eq!(why("broken.example", RecordType::A), Some(Why::ServerFailure));
        assert_eq!(why("example.org", RecordType::Spf), Some(Why::Timeout));
        assert_eq!(why("loop.example", RecordType::A), Some(Why::ServerFailure));
    }

    #[tokio::test]
    async fn a_server_is_asked_for_its_own_view() {
        let stale = FakeDns { soa: &[("example.org", ("ns1.example.org", 7))], ..FakeDns::default() };
        let dns = FakeDns { servers: vec![("192.0.2.53".parse().unwrap(), stale)], ..FakeDns::default() };
        let question = Question::parse("example.org", RecordType::Soa).unwrap();
        let answer = dns.ask_server("192.0.2.53:53".parse().unwrap(), &question).await;
        assert!(answer.origin().unwrap().authoritative);
        assert!(matches!(answer.data().next(), Some(Data::Soa(Soa { serial: 7, .. }))));
        let silent = dns.ask_server("192.0.2.54:53".parse().unwrap(), &question).await;
        assert_eq!(silent.could_not_ask().unwrap().why, Why::Timeout);
        let all = (&dns as &dyn Dns).ask_all(&[question.clone(), question]).await;
        assert_eq!((all.len(), dns.asked().len()), (2, 2));
    }
}
