//! Replies: parsing one, finding one in a text, and saying what it means.

use std::borrow::Cow;

use redeliver_diagnose::{Scratch, locate as locate_reply};
use redeliver_model::{
    Cause, Domain, EmailAddress, EnhancedStatus, Party, Refusal, Reply, Stage, StatusPattern, Timestamp,
};

use crate::hold::{NOW, bounded, engine, lies_in};

/// A reply, and the small words of the model.
pub fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let reply = Reply::parse(&text);
    assert_eq!(reply, Reply::parse(&text));
    let mut words = 0;
    for line in &reply.lines {
        assert!(matches!(line, Cow::Borrowed(line) if lies_in(line, &text)));
        words += line.len();
    }
    assert!(words <= text.len() && reply.lines.len() <= text.len());
    assert!(reply.words().len() <= words + reply.lines.len());
    assert!(reply.code.is_none_or(|code| (200..600).contains(&code)));
    bounded(reply.to_string().len(), text.len(), 2, 32);
    let again = reply.clone().into_owned();
    assert_eq!(again, reply);
    if let Some((status, end)) = EnhancedStatus::read(&text) {
        assert!(text.is_char_boundary(end));
        assert_eq!(EnhancedStatus::read(&status.to_string()).map(|(read, _)| read), Some(status));
    }
    if let Ok(address) = EmailAddress::parse(&text) {
        assert_eq!(EmailAddress::parse(&address.to_string()).as_ref(), Ok(&address));
    }
    if let Ok(domain) = Domain::parse(&text) {
        assert_eq!(Domain::parse(&domain.to_string()).as_ref(), Ok(&domain));
    }
    if let Some(time) = Timestamp::parse(&text) {
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }
    let _ = StatusPattern::parse(&text);
    let _: Result<Cause, _> = text.parse();
}

fn party_lies_in(party: &Party<'_>, text: &str) {
    for word in [party.host.as_deref(), party.helo.as_deref()].into_iter().flatten() {
        assert!(lies_in(word, text));
    }
}

/// A reply with words around it.
pub fn locate(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = locate_reply(&text);
    assert_eq!(found, locate_reply(&text));
    assert!(lies_in(found.before, &text) && lies_in(found.after, &text));
    assert!(found.before.len() + found.after.len() <= text.len());
    party_lies_in(&found.refusal.refused_by, &text);
    party_lies_in(&found.refusal.client, &text);
    let lines: usize = found.refusal.reply.lines.iter().map(|line| line.len()).sum();
    assert!(lines <= text.len());
    assert!(found.refusal.reply.lines.iter().all(|line| lies_in(line, &text)));
}

const HOSTS: [&str; 6] =
    ["", "gmail-smtp-in.l.google.com", "mta5.am0.yahoodns.net", "example-com.mail.protection.outlook.com", ".", "x..y"];

const STAGES: [Option<Stage>; 4] = [None, Some(Stage::Connect), Some(Stage::Rcpt), Some(Stage::Body)];

/// What a refusal means. The first byte says where it was said.
pub fn diagnose(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let mut refusal = locate_reply(&text).refusal;
    let host = HOSTS[usize::from(first) % HOSTS.len()];
    if !host.is_empty() {
        refusal.refused_by.host = Some(Cow::Borrowed(host));
    }
    refusal.stage = refusal.stage.or(STAGES[usize::from(first >> 4) % STAGES.len()]);
    judge(&refusal);
}

/// Diagnoses a refusal twice and holds what is said to what was read.
pub fn judge(refusal: &Refusal<'_>) {
    let engine = engine();
    let mut scratch = Scratch::default();
    let told = engine.diagnose(refusal, NOW, &mut scratch);
    assert!(!told.causes.is_empty() && told.causes.len() <= 64);
    assert!(told.causes.iter().all(|one| (0.0..=1.0).contains(&one.confidence)));
    let again = engine.diagnose(refusal, NOW, &mut scratch);
    assert_eq!(format!("{:?}", told.causes), format!("{:?}", again.causes), "the second time it says something else");
    assert_eq!(format!("{:?}", told.facts), format!("{:?}", again.facts));
    let given = refusal.reply.lines.iter().chain(refusal.further.iter().flat_map(|reply| &reply.lines));
    let given: usize = given.map(|line| line.len()).sum();
    let values = engine.values(&told, refusal);
    let names = [&refusal.sender, &refusal.recipient, &refusal.refused_by.host, &refusal.client.helo];
    let names: usize = names.into_iter().flatten().map(|name| name.len()).sum();
    let entry = engine.catalog().cause(told.first().cause);
    let summary = entry.summary.fill(&values);
    // A sentence names a fact a few times at the most.
    bounded(summary.len(), given + names, 8, 8 * 1024);
}
