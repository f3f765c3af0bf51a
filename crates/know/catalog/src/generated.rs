//! Rules that follow from other entries: a list is named, a colliding code is said at a site that is known.

use redeliver_model::{Cause, Scope, StatusPattern, Subject};

use crate::compile::keep;
use crate::entries::{Blocklist, Catalog, CauseEntry, Lists, Origin, Rule, Text, Tier};
use crate::sentence::Sentence;

/// A named list is nearly always the reason; "listed nowhere, see zen.example" is rare.
const NAMED: f32 = 0.93;

/// A code at the site that documents it, without words that say more.
const CODE_AT_ITS_SITE: f32 = 0.7;

/// `<zone>/named`: the list is named. None for a list that no reply names.
pub fn named_list(list: &Blocklist, place: u16) -> Option<Rule> {
    if list.phrases.is_empty() {
        return None;
    }
    let zone = list.zone;
    let subject = if list.lists == Lists::Domain { Subject::SenderDomain } else { Subject::Ip };
    let mut rule = bare(&format!("{zone}/named"), list.cause, list.source);
    rule.origin = Origin::Named(place);
    rule.tier = Tier::List;
    (rule.subject, rule.scope) = (subject, Scope::List);
    rule.confidence = NAMED;
    rule.any.clone_from(&list.phrases);
    rule.settled_by = vec![keep(&format!("blocklist:{zone}"))];
    rule.meaning = sentence(&format!("The reply names {}.", list.name));
    rule.examples = vec![keep(&format!("554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using {zone}"))];
    Some(rule)
}

/// `colliding/<code>-<site>`: what the site means by the code, unless a rule of the site says so already.
pub fn colliding_codes(catalog: &Catalog) -> Vec<Rule> {
    let mut rules = Vec::new();
    for code in &catalog.colliding {
        for meaning in &code.meanings {
            let Some(place) = catalog.sites.iter().position(|site| site.id == meaning.site) else { continue };
            let Some(entry) = catalog.causes.iter().find(|entry| entry.cause == meaning.cause) else { continue };
            let site = &catalog.sites[place];
            let own = Origin::Site(place as u16);
            let wordless = |rule: &Rule| rule.origin == own && rule.any.is_empty() && rule.all.is_empty();
            let same =
                |status: &StatusPattern| (status.subject, status.detail) == (code.status.subject, code.status.detail);
            let said = |rule: &Rule| wordless(rule) && rule.cause == meaning.cause && rule.status.iter().any(same);
            let Some(mx) = site.mx.first().filter(|_| !catalog.rules.iter().any(said)) else { continue };
            let mut rule = bare(&format!("colliding/{}-{}", code.status, site.id), meaning.cause, meaning.source);
            rule.origin = own;
            rule.tier = Tier::Site;
            (rule.subject, rule.scope) = place_of(entry);
            rule.confidence = CODE_AT_ITS_SITE;
            rule.status = vec![code.status];
            rule.only_here = true;
            rule.meaning = sentence(&format!("{} uses this code so; elsewhere it means something else.", site.name));
            let class = code.status.class.unwrap_or(5);
            let status = code.status.to_string().replacen('x', &class.to_string(), 1);
            rule.examples = vec![keep(&format!("mx.{mx}: {class}50 {status} <bob@example.net>"))];
            rules.push(rule);
        }
    }
    rules
}

fn place_of(entry: &CauseEntry) -> (Subject, Scope) {
    (entry.subject, entry.scope)
}

/// A text of ours as a sentence; names may hold braces, which are no parameters.
fn sentence(text: &str) -> Sentence {
    Sentence::parse(keep(&text.replace(['{', '}'], ""))).unwrap_or_default()
}

/// A rule with an id, a cause and a source, and nothing else yet.
fn bare(id: &str, cause: Cause, source: Text) -> Rule {
    Rule {
        id: keep(id),
        origin: Origin::Codes,
        tier: Tier::Code,
        cause,
        subject: Subject::Message,
        scope: Scope::Message,
        confidence: 0.0,
        any: Vec::new(),
        all: Vec::new(),
        not: Vec::new(),
        code: Vec::new(),
        status: Vec::new(),
        stage: Vec::new(),
        only_here: false,
        also: Vec::new(),
        settled_by: Vec::new(),
        retry: None,
        address_is_bad: None,
        act: None,
        actor: None,
        fault: None,
        remedies: Vec::new(),
        meaning: Sentence::default(),
        source,
        since: None,
        examples: Vec::new(),
        not_examples: Vec::new(),
    }
}
