//! Check `egress`: is our own port 25 open to the world? Asked only when mail servers do not answer, since then the fault may
//! be here. It never touches more than a handful of great receivers, and says nothing to them but QUIT.

use futures_util::future::join_all;
use redeliver_model::{Cause, Fact, Facts, Finding, Severity};
use redeliver_net::dns::{Name, RecordType};
use redeliver_net::smtp::{Probe, Probed, SessionError};

use crate::asked::Asked;
use crate::mail_servers::{Means, greet};

/// The name of the check.
const EGRESS: &str = "egress";
/// Two unrelated receivers that do not answer are no accident.
const ENOUGH: usize = 2;

/// One receiver, and how it answered.
#[derive(Debug)]
pub(crate) struct Reference {
    pub domain: String,
    pub probed: Probed,
}

/// Tries the ways to great receivers.
pub(crate) async fn gather(means: Means<'_>) -> Vec<Reference> {
    let asking = means.scope.egress_references.iter().map(|domain| async move {
        let name = Name::parse(domain).ok()?;
        let mx = Asked::at(means.dns, &name, RecordType::Mx).await;
        let host = mx.answer.exchanges().first().map(|(_, host)| (*host).clone())?;
        let address = Asked::at(means.dns, &host, RecordType::A).await.answer.addresses().next()?;
        let probe = Probe { start_tls: false, ..greet(means.scope, &host, address) };
        Some(Reference { domain: domain.clone(), probed: means.smtp.probe(&probe).await })
    });
    join_all(asking).await.into_iter().flatten().collect()
}

/// Judges; nothing is said where nothing could be tried.
pub(crate) fn judge(references: &[Reference]) -> Option<Finding> {
    let closed = |reference: &&Reference| {
        matches!(
            reference.probed.broken_off,
            Some(SessionError::Timeout(redeliver_model::Stage::Connect) | SessionError::Unreachable(_))
        )
    };
    let blocked = |reference: &&Reference| {
        matches!(reference.probed.broken_off, Some(SessionError::Blocked(_) | SessionError::NotRecorded))
    };
    let tried: Vec<&Reference> = references.iter().filter(|reference| !blocked(reference)).collect();
    let shut = tried.iter().copied().filter(|reference| closed(reference)).count();
    let names: Vec<&str> = tried.iter().map(|reference| reference.domain.as_str()).collect();
    let finding = if tried.is_empty() {
        return None;
    } else if shut == tried.len() && shut >= ENOUGH {
        let summary = format!(
            "Port 25 is closed on the way out of this machine: none of {} answers. What is said here about mail servers \
             may be a fault of this network.",
            names.join(", ")
        );
        Finding::fail(EGRESS, "egress-blocked", Severity::Refuses, summary).because(Cause::EgressBlocked)
    } else if shut == tried.len() {
        let summary = "Whether port 25 is open on the way out of this machine is not known.";
        Finding::could_not_ask(EGRESS, "egress-could-not-ask", summary)
    } else {
        Finding::pass(EGRESS, "egress-open", "Port 25 is open on the way out of this machine.")
    };
    let told = |reference: &&Reference| {
        let said = reference.probed.broken_off.as_ref().map_or_else(|| "answers".to_owned(), ToString::to_string);
        Fact::Group(Facts::new().with("domain", reference.domain.clone()).with("said", said))
    };
    Some(finding.fact("tried", tried.iter().map(told).collect::<Vec<_>>()))
}
