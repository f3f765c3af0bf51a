//! The summary of many reports in JSON: one object.

use redeliver_model::{AddressTally, Timestamp};

use crate::json::{Object, array, string};
use crate::summary::{Group, Summary};

/// Writes the summary as one line.
pub fn summary(summary: &Summary, addresses: AddressTally) -> Vec<u8> {
    let mut out = Vec::new();
    let mut json = Object::open(&mut out);
    json.raw("schema", "1");
    seen(&mut json, summary.seen());
    let mut kinds = Object::open(json.key("kinds"));
    for (kind, count) in summary.kinds() {
        kinds.raw(kind.as_str(), &count.to_string());
    }
    kinds.close();
    json.raw("unread", &summary.unread().to_string());
    let mut about = Object::open(json.key("about"));
    for (whom, count) in summary.about() {
        about.raw(whom.as_str(), &count.to_string());
    }
    about.close();
    let mut dead = Object::open(json.key("addresses_dead"));
    dead.raw("yes", &addresses.dead.to_string());
    dead.raw("no", &addresses.fine.to_string());
    dead.raw("unproven", &addresses.unproven.to_string());
    dead.close();
    traffic(json.key("traffic"), summary);
    array(json.key("suspects"), &summary.suspects, |suspect, out| {
        let mut json = Object::open(out);
        json.text("source", &suspect.source);
        json.text("suspicion", suspect.suspicion);
        array(json.key("evidence"), &suspect.evidence, |text, out| string(text, out));
        json.text("title", &suspect.title);
        array(json.key("steps"), &suspect.steps, |text, out| string(text, out));
        json.close();
    });
    array(json.key("groups"), &summary.groups(), |group, out| row(group, out));
    json.close();
    out.push(b'\n');
    out
}

/// What logs tell beside the refusals; null where no log was read.
fn traffic(out: &mut Vec<u8>, summary: &Summary) {
    let Some(traffic) = &summary.traffic else {
        out.extend_from_slice(b"null");
        return;
    };
    let mut json = Object::open(out);
    json.raw("attempts", &traffic.attempts.to_string());
    json.raw("taken_after_all", &traffic.taken_after_all.to_string());
    json.raw("unreadable", &traffic.unreadable.to_string());
    let mut taken: Vec<_> = traffic.taken.iter().collect();
    taken.sort_by_key(|(place, taken)| (std::cmp::Reverse(taken.count), place.as_str()));
    array(json.key("taken"), &taken, |(place, taken), out| {
        let mut json = Object::open(out);
        json.text("place", place);
        json.raw("count", &taken.count.to_string());
        seen(&mut json, taken.seen);
        json.close();
    });
    let mut by_us: Vec<_> = traffic.refused_by_us.iter().collect();
    by_us.sort();
    let mut refused = Object::open(json.key("refused_by_us"));
    for (cause, count) in by_us {
        refused.raw(cause.as_str(), &count.to_string());
    }
    refused.close();
    array(json.key("senders"), &summary.senders()[..summary.senders().len().min(100)], |(sender, count), out| {
        let mut json = Object::open(out);
        json.text("sender", sender);
        json.raw("refused", &count.to_string());
        json.close();
    });
    json.close();
}

fn row(group: &Group, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.text("cause", group.cause.as_str());
    json.text("place", &group.place);
    json.raw("count", &group.count.to_string());
    seen(&mut json, group.seen);
    json.text("about", group.about.as_str());
    json.text("act", group.act.as_str());
    json.text("title", &group.title);
    json.text("actor", &group.actor);
    json.optional("step", group.step.as_deref());
    json.text("example", &group.example);
    json.text("source", &group.source);
    json.close();
}

fn seen(json: &mut Object<'_>, seen: Option<(Timestamp, Timestamp)>) {
    json.optional("first", seen.map(|(first, _)| first.to_string()).as_deref());
    json.optional("last", seen.map(|(_, last)| last.to_string()).as_deref());
}
