//! Checks `tls` and `recipient-mx`: what the mail servers of a domain show to a stranger: greeting, STARTTLS, certificate.

use redeliver_diagnose::{Engine, Scratch};
use redeliver_model::{Cause, Facts, Finding, Refusal, Reply, Severity, Stage, Timestamp};
use redeliver_net::smtp::{Dialogue, Probed, SessionError, Speaker};
use redeliver_net::tls::{CertificateFault, TlsError, TlsFacts};

use crate::dane;
use crate::mail_servers::{MailHost, MailServers};

/// The name of the check of encryption.
const TLS: &str = "tls";
/// The name of the check whether the server takes mail at all.
const RECIPIENT_MX: &str = "recipient-mx";
/// A greeting after so many milliseconds makes hasty senders and call-backs give up; RFC 5321 4.5.3.2.1 allows five minutes.
const SLOW_GREETING: u64 = 8_000;
/// A certificate that ends within so many seconds (14 days) is worth a word.
const ENDS_SOON: i64 = 14 * 86_400;

/// How a failure of the certificate matters: by itself nobody refuses, but policies may demand it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demanded {
    /// By an MTA-STS policy in mode `enforce`.
    ByMtaSts,
    /// By nobody.
    No,
}

/// Judges every server that was looked at.
pub(crate) fn judge(engine: &Engine, servers: &MailServers, demanded: Demanded, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for host in &servers.hosts {
        let Some(look) = &host.look else { continue };
        let facts = session(host, &look.dialogue);
        let said = of_session(engine, host, look, demanded, now);
        findings.extend(said.into_iter().map(|mut finding| {
            facts.iter().for_each(|(name, fact)| finding.facts.add(name.to_owned(), fact.clone()));
            finding
        }));
    }
    findings
}

/// The dialogue as facts.
pub(crate) fn session(host: &MailHost, dialogue: &Dialogue) -> Facts {
    let line = |line: &redeliver_net::smtp::Line| {
        let sign = if line.from == Speaker::Us { ">" } else { "<" };
        format!("{} ms {sign} {}", line.at, line.text)
    };
    let mut facts = Facts::new()
        .with("host", host.name.to_string())
        .with("server", dialogue.server.to_string())
        .with("session", dialogue.lines.iter().map(line).collect::<Vec<_>>());
    if let Some(tls) = &dialogue.tls {
        facts.add("tls", tls_facts(tls));
    }
    facts
}

fn tls_facts(tls: &TlsFacts) -> Facts {
    let mut facts = Facts::new().with("protocol", tls.protocol.clone()).with("cipher", tls.cipher.clone());
    if let Some(own) = tls.chain.first() {
        facts.add("subject", own.subject.clone());
        facts.add("issuer", own.issuer.clone());
        facts.add("names", own.names.clone());
        facts.add("not_before", own.not_before.map(|time| time.to_string()));
        facts.add("not_after", own.not_after.map(|time| time.to_string()));
        facts.add("sha256", own.sha256.clone());
    }
    facts
}

fn of_session(engine: &Engine, host: &MailHost, look: &Probed, demanded: Demanded, now: Timestamp) -> Vec<Finding> {
    let name = &host.name;
    let greeting = look.dialogue.last(Stage::Connect);
    let mut findings = Vec::new();
    match (&greeting, &look.broken_off) {
        (Some(step), _) if !step.is_accepted() => {
            findings.push(refused(engine, host, &step.reply(), now));
            return findings;
        }
        (None, Some(error)) => return vec![no_session(host, error)],
        _ => {}
    }
    if let Some(step) = greeting {
        findings.push(if step.took >= SLOW_GREETING {
            let seconds = step.took / 1000;
            let summary = format!("{name} lets senders wait {seconds} s for its greeting; hasty ones give up.");
            Finding::warn(RECIPIENT_MX, "greeting-slow", Severity::Untidy, summary)
                .because(Cause::Unreachable)
                .fact("milliseconds", step.took)
        } else {
            Finding::pass(RECIPIENT_MX, "greeting-good", format!("{name} greets."))
        });
    }
    if let Some(step) = look.dialogue.last(Stage::Helo).filter(|step| !step.is_accepted()) {
        findings.push(refused(engine, host, &step.reply(), now));
        return findings;
    }
    findings.extend(encryption(host, look, demanded, now));
    findings
}

/// There was no session: nobody knows what others see.
fn no_session(host: &MailHost, error: &SessionError) -> Finding {
    let name = &host.name;
    let (id, summary) = match error {
        SessionError::Timeout(Stage::Connect) => {
            ("mx-no-connection", format!("{name} does not answer on port 25 from here: {error}."))
        }
        SessionError::Unreachable(_) | SessionError::Blocked(_) => {
            ("mx-no-connection", format!("No connection to {name} came about from here: {error}."))
        }
        SessionError::NotSmtp { .. } => {
            let summary = format!("What answers at {name} does not speak SMTP.");
            return Finding::fail(RECIPIENT_MX, "mx-not-smtp", Severity::Refuses, summary).because(Cause::Unreachable);
        }
        _ => ("mx-no-session", format!("The session with {name} came to nothing: {error}.")),
    };
    Finding::could_not_ask(RECIPIENT_MX, id, summary)
}

/// The server said no to us at once. Every line of the reply is kept: its reason is often in the second one.
fn refused(engine: &Engine, host: &MailHost, reply: &Reply<'_>, now: Timestamp) -> Finding {
    let mut scratch = Scratch::default();
    let refusal = Refusal { reply: reply.clone(), ..Refusal::default() };
    let cause = engine.diagnose(&refusal, now, &mut scratch).first().cause;
    let name = &host.name;
    let temporary = matches!(reply.code, Some(400..=499));
    let summary = format!("{name} refuses this machine at once: {reply}");
    let finding = if temporary {
        Finding::warn(RECIPIENT_MX, "greeting-refused", Severity::Weakens, summary)
    } else {
        Finding::fail(RECIPIENT_MX, "greeting-refused", Severity::Refuses, summary)
    };
    finding.because(cause).fact("reply", reply.lines.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn encryption(host: &MailHost, look: &Probed, demanded: Demanded, now: Timestamp) -> Vec<Finding> {
    let name = &host.name;
    let severity = if demanded == Demanded::ByMtaSts { Severity::Refuses } else { Severity::Weakens };
    let wrong = |id, summary: String| Finding::fail(TLS, id, severity, summary).because(Cause::TlsFailed);
    match (&look.dialogue.tls, &look.broken_off) {
        (Some(tls), _) => certificate(host, tls, demanded, now),
        (None, Some(SessionError::Tls(error))) => match error.as_ref() {
            TlsError::Timeout => {
                vec![Finding::could_not_ask(
                    TLS,
                    "tls-could-not-ask",
                    format!("The handshake with {name} was not over in time."),
                )]
            }
            error => {
                vec![wrong("tls-handshake", format!("{name} offers STARTTLS, but no handshake succeeds: {error}."))]
            }
        },
        (None, Some(SessionError::SpokeBeforeTls)) => {
            vec![wrong("tls-injection", format!("{name} spoke in the clear after it had agreed to STARTTLS."))]
        }
        (None, Some(error)) => {
            vec![Finding::could_not_ask(
                TLS,
                "tls-could-not-ask",
                format!("Whether {name} encrypts is not known: {error}."),
            )]
        }
        (None, None) => {
            let refused = look.dialogue.last(Stage::Tls).map(|step| step.reply().to_string());
            let summary = match refused {
                Some(reply) => format!("{name} offers STARTTLS and then refuses it: {reply}"),
                None => format!("{name} offers no STARTTLS: mail to it goes in the clear, or not at all."),
            };
            vec![wrong("tls-none", summary)]
        }
    }
}

fn certificate(host: &MailHost, tls: &TlsFacts, demanded: Demanded, now: Timestamp) -> Vec<Finding> {
    let name = &host.name;
    let ends = tls.chain.first().and_then(|own| own.not_after);
    if tls.faults.is_empty() {
        let soon = ends.is_some_and(|until| until.0 - now.0 < ENDS_SOON);
        let until = ends.map(|until| until.to_string()).unwrap_or_default();
        return vec![if soon {
            let summary = format!("The certificate of {name} ends soon, on {until}.");
            Finding::warn(TLS, "certificate-ends-soon", Severity::Untidy, summary)
        } else {
            Finding::pass(TLS, "tls-good", format!("{name} encrypts ({}) with a good certificate.", tls.protocol))
        }];
    }
    if demanded == Demanded::No && dane::pins(host, tls) {
        let summary = format!("{name} encrypts ({}), and DANE vouches for its certificate.", tls.protocol);
        return vec![Finding::pass(TLS, "tls-good", summary)];
    }
    let of_fault = |fault: &CertificateFault| {
        let (id, what) = match fault {
            CertificateFault::Expired => ("certificate-expired", "has expired"),
            CertificateFault::NotYetValid => ("certificate-not-yet-valid", "is not valid yet"),
            CertificateFault::SelfSigned => ("certificate-self-signed", "vouches for itself only"),
            CertificateFault::UnknownIssuer => {
                ("certificate-unknown-issuer", "was issued by nobody trusted, or lacks the chain")
            }
            CertificateFault::WrongName => ("certificate-wrong-name", "is for another name"),
            CertificateFault::WrongPurpose => ("certificate-wrong-purpose", "is not for servers"),
            CertificateFault::Unreadable => ("certificate-unreadable", "cannot be read"),
            CertificateFault::BadChain => ("certificate-bad-chain", "has a faulty chain"),
        };
        let summary = format!("The certificate of {name} {what}.");
        if demanded == Demanded::ByMtaSts {
            Finding::fail(TLS, id, Severity::Refuses, summary).because(Cause::TlsFailed)
        } else {
            // Without a policy senders encrypt to whoever is there (RFC 7435), and nobody refuses.
            Finding::warn(TLS, id, Severity::Weakens, summary).because(Cause::TlsFailed)
        }
    };
    tls.faults.iter().map(of_fault).collect()
}

/// Judges whether the domain's own servers take a stranger's mail to another stranger.
pub(crate) fn judge_relay(servers: &MailServers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for host in &servers.hosts {
        let Some(relay) = &host.relay else { continue };
        let name = &host.name;
        let finding = match relay.dialogue.last(Stage::Rcpt) {
            Some(step) if step.is_accepted() => {
                let summary = format!(
                    "{name} takes a stranger's mail for another stranger: it is, or looks like, an open relay."
                );
                Finding::fail("open-relay", "open-relay", Severity::Refuses, summary).because(Cause::Blocklisted)
            }
            Some(step) => {
                let summary = format!("{name} does not relay for strangers: {}", step.reply());
                Finding::pass("open-relay", "no-open-relay", summary)
            }
            None => {
                let why = relay.broken_off.as_ref().map_or_else(|| "it ended before".to_owned(), ToString::to_string);
                Finding::could_not_ask(
                    "open-relay",
                    "relay-could-not-ask",
                    format!("Whether {name} relays is not known: {why}."),
                )
            }
        };
        let mut finding = finding;
        session(host, &relay.dialogue).iter().for_each(|(name, fact)| finding.facts.add(name.to_owned(), fact.clone()));
        findings.push(finding);
    }
    findings
}
