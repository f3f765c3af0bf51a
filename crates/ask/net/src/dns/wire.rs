//! Between our words and the DNS wire format (RFC 1035 4), by way of `hickory-proto`.
//!
//! Pure. A message that does not answer the question is no answer at all; a record that cannot be read is left out only if
//! it is of another type, else the whole answer is bad: half a record set must not pass for a whole one.

use std::net::SocketAddr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{self, DNSClass, RData};
use hickory_proto::serialize::binary::BinEncodable as _;

use super::answer::{Absence, Answer, CouldNotAsk, Dnssec, Origin, Question, Why};
use super::name::Name;
use super::record::{Data, Record, Soa};
use super::text::Text;

/// How many aliases are followed within one answer: resolvers stop at about as many.
const MOST_ALIASES: usize = 16;
/// The largest UDP answer asked for: fits every path unfragmented (DNS flag day 2020).
pub(super) const UDP_PAYLOAD: u16 = 1232;

/// How a question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Ask for recursion: a resolver, not an authoritative server.
    pub recursion: bool,
    /// Ask the resolver not to check signatures (RFC 4035 3.2.2).
    pub checking_disabled: bool,
    /// Speak EDNS (RFC 6891); a few old servers cannot.
    pub edns: bool,
}

/// The message that puts a question; none if the library refuses the name.
pub(super) fn put(question: &Question, manner: Manner) -> Option<Message> {
    let mut name = rr::Name::from_labels(question.name.labels()).ok()?;
    name.set_fqdn(true);
    let mut message = Message::query();
    message.metadata.recursion_desired = manner.recursion;
    message.metadata.checking_disabled = manner.checking_disabled;
    // RFC 6840 5.7: the AD bit in a question asks for it in the answer, without the weight of signatures.
    message.metadata.authentic_data = manner.recursion;
    message.add_query(Query::query(name, rr::RecordType::from(question.record_type.code())));
    if manner.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD).set_version(0);
        message.set_edns(edns);
    }
    Some(message)
}

/// Whether `answer` answers the question that `asked` puts (RFC 5452 9.1: id and question must be the same).
pub(super) fn answers(answer: &Message, asked: &Message) -> bool {
    let (answer_head, asked_head) = (&answer.metadata, &asked.metadata);
    let same_question = match (answer.queries.as_slice(), asked.queries.as_slice()) {
        ([answered], [question]) => {
            answered.name.eq_ignore_root(&question.name)
                && answered.query_type == question.query_type
                && answered.query_class == question.query_class
        }
        // A server that could not even read the question may leave it out.
        ([], _) => matches!(answer_head.response_code, ResponseCode::FormErr | ResponseCode::NotImp),
        _ => false,
    };
    answer_head.id == asked_head.id
        && answer_head.message_type == MessageType::Response
        && answer_head.op_code == OpCode::Query
        && same_question
}

/// What a message says about the question.
pub(super) fn read(message: &Message, question: &Question, server: SocketAddr, manner: Manner) -> Answer {
    let head = &message.metadata;
    let could_not = |why| {
        Answer::CouldNotAsk(CouldNotAsk { code: Some(u16::from(head.response_code)), ..CouldNotAsk::at(why, server) })
    };
    match head.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        ResponseCode::ServFail => return could_not(Why::ServerFailure),
        ResponseCode::Refused => return could_not(Why::Refused),
        _ => return could_not(Why::BadAnswer),
    }
    let Some((aliases, last)) = chain(message, question) else { return could_not(Why::BadAnswer) };
    let dnssec = match (manner.recursion, head.authentic_data) {
        (false, _) => Dnssec::Unknown,
        (true, true) => Dnssec::Secure,
        (true, false) => Dnssec::Insecure,
    };
    let mut origin = Origin { server: Some(server), authoritative: head.authoritative, dnssec, aliases, ttl: 0 };
    let mut records = Vec::new();
    for record in in_class(&message.answers) {
        let wanted = u16::from(record.record_type()) == question.record_type.code();
        if wanted && name_of(&record.name).as_ref() == Some(&last) {
            let Some(data) = data_of(&record.data) else { return could_not(Why::BadAnswer) };
            records.push(Record { name: last.clone(), ttl: record.ttl, data });
        }
    }
    if !records.is_empty() {
        origin.ttl = message.answers.iter().map(|record| record.ttl).min().unwrap_or(0);
        return Answer::Present { records, origin };
    }
    let absence = match head.response_code {
        ResponseCode::NXDomain => Absence::NoSuchName,
        _ => Absence::NoSuchType,
    };
    absent(message, absence, origin, manner)
}

/// An answer without records: an absence, or a server that points elsewhere.
fn absent(message: &Message, absence: Absence, mut origin: Origin, manner: Manner) -> Answer {
    let soa = in_class(&message.authorities)
        .find_map(|record| if let RData::SOA(soa) = &record.data { Some((record.ttl, soa.minimum)) } else { None });
    let servers = in_class(&message.authorities)
        .filter_map(|record| if let RData::NS(ns) = &record.data { name_of(&ns.0) } else { None });
    let referral: Vec<Name> = servers.collect();
    let elsewhere = absence == Absence::NoSuchType && soa.is_none() && !origin.authoritative;
    let unfinished = !manner.recursion && absence == Absence::NoSuchType && !origin.aliases.is_empty();
    // A referral (RFC 1034 4.3.2) is not "no such record": this server does not hold the zone.
    if (elsewhere && (!referral.is_empty() || !manner.recursion)) || unfinished {
        let code = Some(u16::from(message.metadata.response_code));
        return Answer::CouldNotAsk(CouldNotAsk { why: Why::NotAuthoritative, server: origin.server, code, referral });
    }
    // RFC 2308 5: the lesser of the SOA's own TTL and its minimum; without SOA nothing may be kept.
    origin.ttl = soa.map_or(0, |(ttl, minimum)| ttl.min(minimum));
    Answer::Absent { absence, origin }
}

/// Follows the aliases of the answer: the names passed and the last one. None if they turn in a circle.
fn chain(message: &Message, question: &Question) -> Option<(Vec<Name>, Name)> {
    let mut passed = Vec::new();
    let mut at = question.name.clone();
    if question.record_type.code() == u16::from(rr::RecordType::CNAME) {
        return Some((passed, at));
    }
    loop {
        let alias = in_class(&message.answers).find_map(|record| match &record.data {
            RData::CNAME(target) if name_of(&record.name).as_ref() == Some(&at) => Some(&target.0),
            _ => None,
        });
        let Some(target) = alias else { return Some((passed, at)) };
        if passed.len() == MOST_ALIASES {
            return None;
        }
        passed.push(at);
        at = name_of(target)?;
    }
}

fn in_class(records: &[rr::Record]) -> impl Iterator<Item = &rr::Record> {
    records.iter().filter(|record| record.dns_class == DNSClass::IN)
}

fn name_of(name: &rr::Name) -> Option<Name> {
    Name::from_labels(name.iter()).ok()
}

/// The data of a record of one of our types.
fn data_of(data: &RData) -> Option<Data> {
    Some(match data {
        RData::A(v4) => Data::A(v4.0),
        RData::AAAA(v6) => Data::Aaaa(v6.0),
        RData::MX(mx) => Data::Mx { preference: mx.preference, exchange: name_of(&mx.exchange)? },
        RData::TXT(txt) => Data::Txt(Text(txt.txt_data.iter().map(|string| string.to_vec()).collect())),
        RData::PTR(name) => Data::Ptr(name_of(&name.0)?),
        RData::CNAME(name) => Data::Cname(name_of(&name.0)?),
        RData::NS(name) => Data::Ns(name_of(&name.0)?),
        RData::SOA(soa) => Data::Soa(Soa {
            primary: name_of(&soa.mname)?,
            mailbox: name_of(&soa.rname)?,
            serial: soa.serial,
            refresh: soa.refresh,
            retry: soa.retry,
            expire: soa.expire,
            minimum: soa.minimum,
        }),
        RData::TLSA(tlsa) => Data::Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        },
        RData::CAA(caa) => Data::Caa { critical: caa.issuer_critical, tag: caa.tag.clone(), value: caa.value.clone() },
        RData::Unknown { code, rdata } => unknown(u16::from(*code), &rdata.anything)?,
        // Where another crate of the build turns on the library's DNSSEC feature, DS and DNSKEY come read: back to octets.
        other => unknown(u16::from(other.record_type()), &other.to_bytes().ok()?)?,
    })
}

/// Data of the types that the library leaves as octets.
fn unknown(code: u16, octets: &[u8]) -> Option<Data> {
    let short = |at: usize| Some(u16::from_be_bytes([*octets.get(at)?, *octets.get(at + 1)?]));
    match code {
        43 => Some(Data::Ds {
            key_tag: short(0)?,
            algorithm: *octets.get(2)?,
            digest_type: *octets.get(3)?,
            digest: octets.get(4..)?.to_vec(),
        }), // RFC 4034 5.1
        48 => Some(Data::Dnskey { flags: short(0)?, algorithm: *octets.get(3)?, key: octets.get(4..)?.to_vec() }), // RFC 4034 2.1
        99 => character_strings(octets).map(|strings| Data::Spf(Text(strings))),
        _ => None,
    }
}

/// Length-prefixed strings up to the end (RFC 1035 3.3).
fn character_strings(mut octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    while let Some((&length, rest)) = octets.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(length))?;
        strings.push(string.to_vec());
        octets = rest;
    }
    Some(strings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::RecordType;
    use crate::mutated;

    #[test]
    fn no_broken_message_makes_us_panic() {
        let manner = Manner { recursion: true, checking_disabled: false, edns: true };
        for record_type in RecordType::ALL {
            let question = Question::parse("www.example.org", *record_type).unwrap();
            let mut answer = put(&question, manner).unwrap().into_response();
            let name = answer.queries[0].name.clone();
            let octets = [0, 5, 3, b'w', b'w', b'w', 7, b'e', b'x', 0, 0, 0];
            for code in [record_type.code(), 5, 6, 46] {
                let rdata = rr::rdata::NULL::with(octets.to_vec());
                let data = RData::Unknown { code: rr::RecordType::from(code), rdata };
                answer.add_answer(rr::Record::from_rdata(name.clone(), 60, data));
            }
            for octets in mutated(&answer.to_vec().unwrap(), 3000) {
                if let Ok(message) = Message::from_vec(&octets) {
                    read(&message, &question, "192.0.2.53:53".parse().unwrap(), manner);
                }
            }
        }
    }

    #[test]
    fn octets_of_unknown_types_are_read_whole_or_not_at_all() {
        assert_eq!(character_strings(b"\x01a\x00"), Some(vec![b"a".to_vec(), Vec::new()]));
        assert_eq!(character_strings(b"\x05a"), None);
        assert_eq!(unknown(43, &[1, 2, 3]), None);
        assert_eq!(unknown(48, &[1, 2, 3]), None);
        assert_eq!(unknown(1234, &[1, 2, 3]), None);
    }
}
