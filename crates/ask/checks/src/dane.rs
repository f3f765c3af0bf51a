//! Check `dane`: TLSA records of the mail servers, whether DNSSEC vouches for them, and whether the certificate fits
//! (RFC 7672). Senders that follow DANE do not deliver where a vouched record does not fit.

use redeliver_model::{Cause, Finding, Severity};
use redeliver_net::dns::{Data, Why};
use redeliver_net::tls::TlsFacts;
use redeliver_records::{Parsed, TlsaRecord};

use crate::asked::{Asked, raw};
use crate::mail_servers::{MailHost, MailServers};

/// The name of the check.
const DANE: &str = "dane";

/// Usage 3, DANE-EE (RFC 7218 2.1): the record names the server's own certificate.
const DOMAIN_ISSUED: u8 = 3;

/// Judges every server.
pub(crate) fn judge(servers: &MailServers) -> Vec<Finding> {
    servers.hosts.iter().flat_map(|host| host.tlsa.iter().flat_map(move |asked| of_host(host, asked))).collect()
}

fn of_host(host: &MailHost, asked: &Asked) -> Vec<Finding> {
    let name = &host.name;
    let finding = |finding: Finding| finding.fact("host", name.to_string()).fact("asked", raw([asked]));
    if let Some(no) = asked.why_not() {
        if host.asked.iter().all(|asked| asked.why_not().is_some()) {
            return Vec::new(); // the host itself is not known, which is told already
        }
        if no.why == Why::Bogus {
            let summary =
                format!("The signatures of the TLSA records of {name} are wrong: senders that follow DANE wait.");
            return vec![finding(
                Finding::fail(DANE, "dane-bogus", Severity::Refuses, summary).because(Cause::TlsFailed),
            )];
        }
        let summary = format!("Whether {name} has TLSA records is not known: {no}.");
        return vec![finding(Finding::could_not_ask(DANE, "dane-could-not-ask", summary))];
    }
    let records = records(asked);
    if records.is_empty() {
        return Vec::new();
    }
    if !is_vouched_for(host, asked) {
        let summary = format!("{name} has TLSA records, but DNSSEC does not vouch for them, so nobody uses them.");
        return vec![finding(
            Finding::warn(DANE, "dane-without-dnssec", Severity::Untidy, summary).because(Cause::TlsFailed),
        )];
    }
    let mut usable = Vec::new();
    let mut findings = Vec::new();
    for parsed in records {
        match parsed.first_break() {
            Some(fault) => findings.push(finding(Finding::warn(DANE, fault.id, Severity::Weakens, fault.text.clone()))),
            None => usable.push(parsed.record),
        }
    }
    let tls = host.look.as_ref().and_then(|look| look.dialogue.tls.as_ref());
    findings.push(finding(of_certificate(host, &usable, tls)));
    findings
}

/// The records, as read.
fn records(asked: &Asked) -> Vec<Parsed<TlsaRecord>> {
    let read = |data: &Data| match data {
        Data::Tlsa { usage, selector, matching, data } => {
            Some(TlsaRecord::from_parts(*usage, *selector, *matching, data.clone()))
        }
        _ => None,
    };
    asked.answer.data().filter_map(read).collect()
}

/// Whether DNSSEC vouches for the records; RFC 7672 2.2: the address records must be vouched for as well.
fn is_vouched_for(host: &MailHost, asked: &Asked) -> bool {
    asked.is_secure() && host.asked.iter().any(|asked| asked.is_secure() && !asked.answer.records().is_empty())
}

/// Usage 3: the server's own certificate; usage 2: any of the chain as an authority (RFC 7672 3.1).
fn fits(record: &TlsaRecord, tls: &TlsFacts) -> bool {
    let chain = if record.usage == DOMAIN_ISSUED { &tls.chain[..tls.chain.len().min(1)] } else { &tls.chain[..] };
    chain.iter().any(|one| one.matches_tlsa(record.selector, record.matching, &record.data) == Some(true))
}

/// Whether a vouched record names the server's own certificate. Then its issuer, its dates and its name do not matter (RFC 7672
/// 3.1.1).
pub(crate) fn pins(host: &MailHost, tls: &TlsFacts) -> bool {
    host.tlsa.iter().filter(|asked| is_vouched_for(host, asked)).any(|asked| {
        let mut pinning =
            records(asked).into_iter().filter(|read| !read.is_broken() && read.record.usage == DOMAIN_ISSUED);
        pinning.any(|read| fits(&read.record, tls))
    })
}

fn of_certificate(host: &MailHost, usable: &[TlsaRecord], tls: Option<&TlsFacts>) -> Finding {
    let name = &host.name;
    let Some(tls) = tls else {
        let greeted = host.look.as_ref().is_some_and(|look| look.broken_off.is_none());
        if greeted {
            // RFC 7672 2.2: with usable TLSA records TLS is required.
            let summary = format!("{name} promises TLS by DANE and offers none.");
            return Finding::fail(DANE, "dane-no-tls", Severity::Refuses, summary).because(Cause::TlsFailed);
        }
        let summary =
            format!("Whether the certificate of {name} fits its TLSA records is not known: there was no session.");
        return Finding::could_not_ask(DANE, "dane-could-not-ask", summary);
    };
    if usable.is_empty() {
        let summary = format!("None of the TLSA records of {name} can be used for mail.");
        return Finding::warn(DANE, "dane-unusable", Severity::Weakens, summary).because(Cause::TlsFailed);
    }
    if usable.iter().any(|record| fits(record, tls)) {
        return Finding::pass(DANE, "dane-good", format!("The certificate of {name} fits its TLSA records."));
    }
    let summary =
        format!("The certificate of {name} fits none of its TLSA records: senders that follow DANE do not deliver.");
    Finding::fail(DANE, "dane-mismatch", Severity::Refuses, summary).because(Cause::TlsFailed)
}

#[cfg(test)]
mod tests {
    use redeliver_net::dns::{Answer, Dnssec, Name, Origin, Question, Record, RecordType};
    use redeliver_net::smtp::{Dialogue, Extensions, Probed};
    use redeliver_net::tls::CertificateFacts;

    use super::*;

    fn asked(name: &str, record_type: RecordType, data: Data, dnssec: Dnssec) -> Asked {
        let name = Name::parse(name).unwrap();
        let records = vec![Record { name: name.clone(), ttl: 300, data }];
        let origin = Origin { dnssec, ..Origin::default() };
        Asked { question: Question::new(name, record_type), answer: Answer::Present { records, origin } }
    }

    /// A server with one TLSA record, and a session that showed this certificate, or none.
    fn host(tlsa: (u8, u8, u8, &[u8]), dnssec: Dnssec, certificate: Option<&[u8]>) -> MailHost {
        let (usage, selector, matching, data) = tlsa;
        let tlsa = Data::Tlsa { usage, selector, matching, data: data.to_vec() };
        let tls = certificate.map(|der| TlsFacts {
            name: "mx.example.org".to_owned(),
            protocol: "TLSv1.3".to_owned(),
            cipher: String::new(),
            chain: vec![CertificateFacts::of(der)],
            faults: Vec::new(),
        });
        let (server, extensions) = ("192.0.2.7:25".parse().unwrap(), Extensions::default());
        let dialogue = Dialogue { server, lines: Vec::new(), steps: Vec::new(), extensions, tls };
        MailHost {
            name: Name::parse("mx.example.org").unwrap(),
            asked: vec![asked("mx.example.org", RecordType::A, Data::A("192.0.2.7".parse().unwrap()), dnssec)],
            tlsa: Some(asked("_25._tcp.mx.example.org", RecordType::Tlsa, tlsa, dnssec)),
            addresses: Vec::new(),
            look: Some(Probed { dialogue, broken_off: None }),
            relay: None,
        }
    }

    #[test]
    fn only_vouched_records_bind_and_only_a_misfit_refuses() {
        let (secure, unsigned) = (Dnssec::Secure, Dnssec::Insecure);
        for (tlsa, dnssec, certificate, id, severity) in [
            ((3, 0, 0, &b"der"[..]), secure, Some(&b"der"[..]), "dane-good", None),
            ((3, 0, 0, &b"old"[..]), secure, Some(&b"der"[..]), "dane-mismatch", Some(Severity::Refuses)),
            ((3, 0, 0, &b"old"[..]), unsigned, Some(&b"der"[..]), "dane-without-dnssec", Some(Severity::Untidy)),
            ((3, 0, 0, &b"der"[..]), secure, None, "dane-no-tls", Some(Severity::Refuses)),
            ((1, 0, 0, &b"der"[..]), secure, Some(&b"der"[..]), "dane-unusable", Some(Severity::Weakens)),
        ] {
            let host = host(tlsa, dnssec, certificate);
            let found = of_host(&host, host.tlsa.as_ref().unwrap());
            let last = found.last().unwrap();
            assert_eq!((last.id.as_ref(), last.severity), (id, severity));
        }
    }
}
