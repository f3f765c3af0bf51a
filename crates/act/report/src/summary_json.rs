//! The summary of many reports in JSON: one object.

use redeliver_model::{AddressIsBad, AddressVerdict, Timestamp};

use crate::json::{Object, array};
use crate::summary::{Group, Summary};

/// Writes the summary as one line.
pub fn summary(summary: &Summary, addresses: &[AddressVerdict]) -> Vec<u8> {
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
    for word in AddressIsBad::ALL {
        let count = addresses.iter().filter(|one| one.dead == *word).count();
        dead.raw(word.as_str(), &count.to_string());
    }
    dead.close();
    array(json.key("groups"), &summary.groups(), |group, out| row(group, out));
    json.close();
    out.push(b'\n');
    out
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
