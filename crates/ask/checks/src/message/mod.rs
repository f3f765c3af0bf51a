//! A message: what SPF, DKIM, DMARC and ARC say of it, in the words of RFC 8601, and the checks of its sender's domain and IP.

mod alignment;
mod path;
mod signatures;

use std::borrow::Cow;
use std::net::IpAddr;

use futures_util::future::{join, join4};
use redeliver_message::Headers;
use redeliver_model::{Cause, Domain, EmailAddress, Fact, Facts, Finding, Severity};
use redeliver_net::dns::{Dns, Name};
use redeliver_records::Policy;
use redeliver_spf::{Evaluation, Request, SpfResult, analyse, evaluate, outlook};

use crate::asked::{raw, raw_look_ups};
use crate::dmarc::DMARC;
use crate::known::{Known, KnownBy, Scope};
use crate::mail_servers::Means;
use crate::run::Run;
use crate::sender_domain::{SENDER, Standing};
use crate::{domain, mail_servers, sender_domain, spf};
use alignment::{Aligned, AlignmentEvidence, DmarcWord};
use signatures::{DkimWord, Signature, Vouched};

/// How many signatures give selectors to look at.
const MOST_SELECTORS: usize = 8;

/// The envelope as far as it is known.
struct Envelope {
    ip: Option<(IpAddr, KnownBy)>,
    helo: Option<String>,
    mail_from: Option<String>,
}

/// Reads who handed the message in: what was told goes before what the header says.
fn envelope(run: &Run<'_>, headers: &Headers<'_>, known: &Known) -> Envelope {
    let handed_in = path::handed_in(headers, run.guard);
    let ip = known.ip.or_else(|| handed_in.as_ref().map(|hop| (hop.ip, KnownBy::Header)));
    // The header's HELO belongs to the header's IP.
    let same = handed_in.as_ref().filter(|hop| ip.is_some_and(|(ip, _)| ip == hop.ip));
    let helo = known.helo.clone().or_else(|| same.and_then(|hop| hop.helo.clone()));
    let return_path = || {
        let text = headers.text("return-path")?;
        let text = text.trim();
        if text == "<>" {
            Some(String::new())
        } else {
            EmailAddress::parse(text).ok().map(|address| address.to_string())
        }
    };
    let mail_from = known.mail_from.clone().or_else(return_path);
    Envelope { ip, helo, mail_from }
}

/// The domain in From; none if there is none, or if several differ.
fn author(headers: &Headers<'_>) -> Result<Domain, &'static str> {
    let mut domains: Vec<Domain> = headers
        .addresses("from")
        .iter()
        .filter_map(|one| Domain::parse(one.address.rsplit('@').next().unwrap_or_default()).ok())
        .collect();
    domains.dedup();
    match (domains.len(), domains.pop()) {
        (1, Some(author)) => {
            domain::in_ascii(&author).map(|(_, author)| author).ok_or("From names no domain that DNS knows")
        }
        (0, _) => Err("there is no address in From"),
        _ => Err("From names several domains"),
    }
}

/// The message as it went over the wire: a saved one may have lost its CRs, and got a line of an mbox in front.
fn as_sent(bytes: &[u8]) -> Cow<'_, [u8]> {
    let end = |text: &[u8]| text.iter().position(|byte| *byte == b'\n');
    let bytes = match end(bytes) {
        Some(end) if bytes.starts_with(b"From ") => &bytes[end + 1..],
        _ => bytes,
    };
    let first = end(bytes).unwrap_or_default();
    if first > 0 && bytes[first - 1] == b'\r' {
        return Cow::Borrowed(bytes);
    }
    let mut sent = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        sent.extend_from_slice(bare.unwrap_or(line));
        if bare.is_some() {
            sent.extend_from_slice(b"\r\n");
        }
    }
    Cow::Owned(sent)
}

/// The domain of the envelope sender, where it is another one: receivers look whether it is there before they take MAIL FROM.
async fn envelope_domain(
    run: &Run<'_>,
    dns: &dyn Dns,
    evaluation: Option<&Evaluation>,
    author: &Domain,
) -> Vec<Finding> {
    let other = evaluation.filter(|one| !one.domain.eq_ignore_ascii_case(author.as_str()));
    let Some(name) = other.and_then(|one| Name::parse(&one.domain).ok()) else { return Vec::new() };
    let quiet = Scope { connect: false, open_relay: false, ..run.scope.clone() };
    let means = Means { scope: &quiet, ..run.means(dns) };
    let (itself, servers) = join(sender_domain::gather(dns, &name), mail_servers::gather(means, &name)).await;
    let absent: Vec<Finding> = itself.judge(name.as_str(), SENDER, Cause::SenderInvalid).into_iter().collect();
    if itself.standing() == Standing::There {
        sender_domain::judge_mail(name.as_str(), &itself, &servers, SENDER, None)
    } else {
        absent
    }
}

/// Checks a message.
pub(crate) async fn check(run: &Run<'_>, dns: &dyn Dns, bytes: &[u8], known: &Known) -> Vec<Finding> {
    let bytes = &as_sent(bytes)[..];
    let (headers, _) = Headers::read(bytes);
    let envelope = envelope(run, &headers, known);
    let author = author(&headers);
    let (vouched, evaluation) = join(signatures::verify(dns, bytes, run.now), evaluation(dns, &envelope)).await;
    let mut findings = Vec::new();
    let compared: Vec<String> = vouched
        .signatures
        .iter()
        .map(|signature| signature.domain.clone())
        .chain(evaluation.iter().map(|evaluation| evaluation.domain.to_ascii_lowercase()))
        .collect();
    let rest = Known {
        ip: envelope.ip,
        helo: envelope.helo.clone(),
        mail_from: None,
        selectors: known.selectors.clone(),
        daily: known.daily,
    };
    if let Ok(author) = &author {
        let rest = Known { selectors: selectors(&vouched, author, &rest), ..rest };
        let analysing = async {
            match &evaluation {
                Some(evaluation) => Some(analyse(dns, &evaluation.domain).await),
                None => None,
            }
        };
        let gathered = join4(
            alignment::gather(dns, author, &compared),
            analysing,
            domain::check(run, dns, author, &rest),
            envelope_domain(run, dns, evaluation.as_ref(), author),
        );
        let (aligning, analysis, of_domain, of_envelope) = gathered.await;
        let spf = evaluation.as_ref().map(|evaluation| (evaluation.result, evaluation.domain.as_str()));
        let aligned = aligning.judge(spf, &vouched.signatures);
        let passes = aligned.word == DmarcWord::Pass;
        findings.push(of_spf(&envelope, evaluation.as_ref(), analysis.as_ref(), passes));
        findings.push(of_dkim(&vouched.signatures, passes));
        findings.push(of_dmarc(author, &aligning, &aligned));
        findings.extend(of_domain);
        findings.extend(of_envelope);
    } else if let Err(why) = author {
        findings.push(of_spf(&envelope, evaluation.as_ref(), None, false));
        findings.push(of_dkim(&vouched.signatures, false));
        let summary = format!("DMARC cannot be applied: {why}.");
        let finding = Finding::fail(DMARC, "from-not-one-domain", Severity::Refuses, summary);
        findings.push(finding.because(Cause::MalformedMessage).fact("result", "permerror"));
        if let Some((ip, _)) = envelope.ip {
            findings.extend(domain::judge_ip(&domain::gather_ip(run, dns, ip, envelope.helo.as_deref()).await));
        }
    }
    findings.extend(of_arc(&vouched.arc));
    findings.extend(path::judge(&headers));
    findings
}

async fn evaluation(dns: &dyn Dns, envelope: &Envelope) -> Option<Evaluation> {
    let (ip, _) = envelope.ip?;
    let mail_from = envelope.mail_from.clone()?;
    let helo = envelope.helo.clone().unwrap_or_default();
    if mail_from.is_empty() && helo.is_empty() {
        return None;
    }
    Some(evaluate(dns, &Request::new(ip, helo, mail_from)).await)
}

/// The selectors that sign for the author's domain.
fn selectors(vouched: &Vouched, author: &Domain, known: &Known) -> Vec<String> {
    let mut selectors = known.selectors.clone();
    for signature in vouched.signatures.iter().take(MOST_SELECTORS) {
        if signature.domain == author.as_str() && !selectors.contains(&signature.selector) {
            selectors.push(signature.selector.clone());
        }
    }
    selectors
}

fn of_spf(
    envelope: &Envelope,
    evaluation: Option<&Evaluation>,
    analysis: Option<&redeliver_spf::Analysis>,
    dmarc_passes: bool,
) -> Finding {
    let Some(evaluation) = evaluation else {
        let what = if envelope.ip.is_none() { "from which IP it came (--ip)" } else { "who sent it (--mail-from)" };
        let summary = format!("SPF of the message cannot be evaluated: it is not known {what}.");
        return Finding::could_not_ask("spf", "spf-envelope-unknown", summary);
    };
    let result = evaluation.result;
    let summary = analysis.map_or_else(
        || format!("SPF of {} for {} gives {result}.", evaluation.domain, evaluation.ip),
        |analysis| outlook(evaluation, analysis).to_string(),
    );
    // What another aligned identity makes good, few refuse.
    let severity = if dmarc_passes { Severity::Weakens } else { Severity::Refuses };
    let finding = match result {
        SpfResult::Pass => Finding::pass("spf", "message-spf", summary),
        SpfResult::TempError => Finding::could_not_ask("spf", "message-spf", summary),
        SpfResult::Fail | SpfResult::PermError => {
            Finding::fail("spf", "message-spf", severity, summary).because(Cause::SpfFail)
        }
        SpfResult::SoftFail | SpfResult::Neutral | SpfResult::None => {
            Finding::warn("spf", "message-spf", Severity::Weakens, summary).because(Cause::SpfFail)
        }
    };
    let by = envelope.ip.map(|(_, by)| by.as_str());
    finding
        .fact("result", result.as_str())
        .fact("domain", evaluation.domain.clone())
        .fact("ip", evaluation.ip.to_string())
        .fact("ip_known_by", by)
        .fact("record", evaluation.visit.record.clone())
        .fact("explanation", evaluation.explanation.clone())
        .fact("asked", raw_look_ups(spf::look_ups(evaluation)))
}

fn of_dkim(signatures: &[Signature], dmarc_passes: bool) -> Finding {
    let best = signatures.iter().min_by_key(|signature| signature.word);
    let word = best.map_or(DkimWord::None, |signature| signature.word);
    let severity = if dmarc_passes { Severity::Weakens } else { Severity::Refuses };
    let finding = match (word, best) {
        (DkimWord::Pass, Some(best)) => {
            Finding::pass("dkim", "message-dkim", format!("The signature of {} is good.", best.domain))
        }
        (DkimWord::TempError, Some(best)) => Finding::could_not_ask(
            "dkim",
            "message-dkim",
            format!("The signature of {} cannot be verified: {}.", best.domain, best.reason),
        ),
        (_, Some(best)) => {
            let summary = format!(
                "No DKIM signature of the message is good; {}: {}.",
                whose(best),
                best.reason.trim_end_matches('.')
            );
            Finding::fail("dkim", "message-dkim", severity, summary).because(Cause::DkimFail)
        }
        (_, None) => {
            Finding::fail("dkim", "message-dkim", severity, "The message is not signed.").because(Cause::DkimFail)
        }
    };
    let told = |signature: &Signature| {
        let facts = Facts::new()
            .with("domain", signature.domain.clone())
            .with("selector", signature.selector.clone())
            .with("algorithm", signature.algorithm)
            .with("result", signature.word.as_str())
            .with("reason", signature.reason.clone())
            .with("keys", signature.keys)
            .with("testing", signature.testing)
            .with("covers_octets", signature.covers);
        Fact::Group(facts)
    };
    let asked = signatures.iter().filter_map(|signature| signature.asked.as_ref());
    finding
        .fact("result", word.as_str())
        .fact("signatures", signatures.iter().map(told).collect::<Vec<_>>())
        .fact("asked", raw(asked))
}

fn whose(signature: &Signature) -> String {
    if signature.domain.is_empty() { "one cannot be read".to_owned() } else { format!("that of {}", signature.domain) }
}

fn of_dmarc(author: &Domain, evidence: &AlignmentEvidence, aligned: &Aligned) -> Finding {
    let by = aligned.by.join(", ");
    let strangers = if aligned.strangers.is_empty() {
        "no domain is verified".to_owned()
    } else {
        format!("{} is verified, but does not stand for {author}", aligned.strangers.join(", "))
    };
    let finding = match (aligned.word, aligned.policy) {
        (DmarcWord::Pass, _) => Finding::pass(DMARC, "message-dmarc", format!("DMARC of {author} passes by {by}.")),
        (DmarcWord::TempError, _) => {
            let why = aligned.unknown.clone().unwrap_or_else(|| "an identity could not be verified".to_owned());
            Finding::could_not_ask(DMARC, "message-dmarc", format!("DMARC of {author} is not known: {why}."))
        }
        (DmarcWord::None, _) => {
            let summary = format!("{author} has no DMARC policy that applies.");
            Finding::warn(DMARC, "message-dmarc", Severity::Weakens, summary).because(Cause::DmarcFail)
        }
        (DmarcWord::Fail, policy) => {
            let word = policy.map(Policy::as_str).unwrap_or_default();
            let summary = format!("DMARC of {author} fails: {strangers}. The policy is `{word}`.");
            let severity = if policy == Some(Policy::Reject) { Severity::Refuses } else { Severity::Weakens };
            Finding::fail(DMARC, "message-dmarc", severity, summary).because(Cause::DmarcFail)
        }
    };
    let asked =
        evidence.others.iter().chain([&evidence.author]).flat_map(|walk| walk.levels.iter().map(|(_, asked)| asked));
    finding
        .fact("result", aligned.word.as_str())
        .fact("author_domain", author.to_string())
        .fact("policy", aligned.policy.map(Policy::as_str))
        .fact("record", aligned.applying.as_ref().map(|applying| applying.text.clone()))
        .fact("aligned", aligned.by.clone())
        .fact("not_aligned", aligned.strangers.clone())
        .fact("asked", raw(asked))
}

fn of_arc(arc: &signatures::Arc8617) -> Option<Finding> {
    let sealer = arc.sealer.clone().unwrap_or_default();
    let finding = match arc.word {
        "none" => return None,
        "pass" => Finding::pass("arc", "message-arc", format!("The ARC chain is whole, sealed last by {sealer}.")),
        "temperror" => Finding::could_not_ask(
            "arc",
            "message-arc",
            format!("The ARC chain sealed by {sealer} cannot be verified: {}.", arc.reason),
        ),
        _ => {
            let summary = format!("The ARC chain sealed by {sealer} is broken: {}.", arc.reason);
            Finding::warn("arc", "message-arc", Severity::Untidy, summary)
        }
    };
    Some(finding.fact("result", arc.word).fact("sets", arc.sets).fact("asked", raw(&arc.asked)))
}
