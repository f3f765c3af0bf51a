//! The way that a message took: its Received fields, and what they tell about who handed it in. Pure.

use std::net::IpAddr;

use redeliver_message::{Headers, Received};
use redeliver_model::{Cause, Fact, Facts, Finding, Severity};
use redeliver_net::Guard;

/// The name of the check.
const PATH: &str = "relay-path";
/// RFC 5321 6.3: at least 100 hops must be let through; honest mail has fewer than 30.
const MANY_HOPS: usize = 30;
/// How many hops are shown.
const MOST_SHOWN: usize = 50;

/// Who handed the message in, from outside, as the latest public hop says.
#[derive(Debug, Clone)]
pub(crate) struct HandedIn {
    pub ip: IpAddr,
    pub helo: Option<String>,
}

/// The latest hop that came from a public address: what happened behind it is the receiver's own house.
pub(crate) fn handed_in(headers: &Headers<'_>, guard: &Guard) -> Option<HandedIn> {
    let hop = headers.received().find(|hop| hop.ip.is_some_and(|ip| guard.is_public(ip)))?;
    Some(HandedIn { ip: hop.ip?, helo: hop.from })
}

/// Judges the way.
pub(crate) fn judge(headers: &Headers<'_>) -> Option<Finding> {
    let hops: Vec<Received> = headers.received().collect();
    if hops.is_empty() {
        return None;
    }
    let told = |hop: &Received| {
        let facts = Facts::new().with("from", hop.from.clone()).with("ip", hop.ip.map(|ip| ip.to_string()));
        Fact::Group(facts.with("by", hop.by.clone()))
    };
    let count = hops.len();
    let finding = if count > MANY_HOPS {
        let summary = format!("The message went through {count} servers: it may run in a circle.");
        Finding::warn(PATH, "many-hops", Severity::Weakens, summary).because(Cause::RoutingLoop)
    } else {
        Finding::pass(PATH, "path-good", format!("The message went through {count} servers."))
    };
    Some(finding.fact("hops", hops.iter().take(MOST_SHOWN).map(told).collect::<Vec<_>>()))
}
