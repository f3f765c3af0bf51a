//! From files to the checked form. Reports every problem with its file and line; never stops at the first.

use std::collections::{BTreeMap, HashMap};

use redeliver_model::{Cause, Domain, PartialDate, Scope, StatusPattern, Subject};
use toml::Spanned;

use crate::completeness::is_check_name;
use crate::entries::{
    Also, Blocklist, Catalog, CauseEntry, CodeMeaning, CollidingCode, Form, Myth, Origin, Remedy, Rule, Setting, Site,
    SiteFact, Software, Text, Tier, Trailer,
};
use crate::generated;
use crate::problem::Problem;
use crate::sentence::Sentence;
use crate::source::{
    BlocklistFile, CauseFile, CodesFile, Content, RemedyFile, RuleFile, SiteFile, SoftwareFile, SourceFile, TierWord,
    TrailerFile,
};

/// Confidence that a bare code may claim at most: words beat codes.
const MOST_FOR_A_CODE: f32 = 0.75;

/// Lays `files` over `base`: the same id replaces, new ids are added.
pub fn compile(base: Catalog, files: Vec<SourceFile>, problems: &mut Vec<Problem>) -> Catalog {
    let mut build = Build { catalog: base, seen: HashMap::new(), problems };
    // Remedies first: causes and rules refer to them by id.
    let (first, rest): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| matches!(file.content, Content::Remedy(_)));
    let (causes, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|file| matches!(file.content, Content::Cause(_)));
    for file in first.iter().chain(&causes).chain(&rest) {
        build.file(file);
    }
    let mut catalog = build.catalog;
    for rule in generated::colliding_codes(&catalog) {
        put(&mut catalog.rules, rule, |rule| rule.id);
    }
    catalog
}

pub(crate) struct Build<'p> {
    pub(crate) catalog: Catalog,
    /// Ids seen in this folder, with the file that has them: the same id twice is a problem.
    seen: HashMap<String, String>,
    problems: &'p mut Vec<Problem>,
}

impl Build<'_> {
    fn file(&mut self, file: &SourceFile) {
        match &file.content {
            Content::Cause(cause) => self.cause(file, cause),
            Content::Remedy(remedy) => self.remedy(file, remedy),
            Content::Blocklist(list) => self.list(file, list),
            Content::Site(site) => self.site(file, site),
            Content::Software(software) => self.software(file, software),
            Content::Phrases(phrases) => {
                self.rules(file, &phrases.rule, Origin::Phrases);
                self.trailers(file, &phrases.trailer);
            }
            Content::Codes(codes) => self.codes(file, codes),
            Content::Letter(letter) => self.letter(file, letter),
            Content::Report(report) => self.report(file, report),
            Content::Words(words) => self.words(file, words),
            Content::Wordings(wordings) => self.wordings(file, wordings),
        }
    }

    pub(crate) fn problem(&mut self, file: &SourceFile, at: usize, reason: impl Into<String>) {
        self.problems.push(file.problem(at, reason));
    }

    /// An id must be the file's name, well formed and unique among its kind.
    pub(crate) fn id(&mut self, file: &SourceFile, kind: &str, id: &str, at: usize) {
        if id != file.stem() {
            self.problem(file, at, format!("the id `{id}` is not the file's name"));
        }
        self.unique(file, kind, id, at);
    }

    pub(crate) fn unique(&mut self, file: &SourceFile, kind: &str, id: &str, at: usize) {
        if id.is_empty()
            || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'/'))
        {
            self.problem(file, at, format!("the id `{id}` is not of lower-case letters, digits and dashes"));
        }
        if let Some(other) = self.seen.insert(format!("{kind} {id}"), file.path.clone()) {
            self.problem(file, at, format!("the id `{id}` is already used in {other}"));
        }
    }

    pub(crate) fn sentence(&mut self, file: &SourceFile, text: &Spanned<String>) -> Sentence {
        if text.get_ref().trim().is_empty() {
            self.problem(file, text.span().start, "the text is empty");
        }
        Sentence::parse(keep(text.get_ref())).unwrap_or_else(|reason| {
            self.problem(file, text.span().start, reason);
            Sentence::default()
        })
    }

    fn checks(&mut self, file: &SourceFile, names: &[Spanned<String>]) -> Vec<Text> {
        for name in names.iter().filter(|name| !is_check_name(name.get_ref())) {
            self.problem(file, name.span().start, format!("`{}` is not the name of a check", name.get_ref()));
        }
        texts(names)
    }

    pub(crate) fn remedy_ids(&mut self, file: &SourceFile, ids: &[Spanned<String>]) -> Vec<u16> {
        let mut places = Vec::new();
        for id in ids {
            match self.catalog.remedies.iter().position(|remedy| remedy.id == id.get_ref()) {
                Some(place) => places.push(place as u16),
                None => self.problem(file, id.span().start, format!("there is no remedy `{}`", id.get_ref())),
            }
        }
        places
    }

    fn cause(&mut self, file: &SourceFile, source: &CauseFile) {
        let cause = *source.id.get_ref();
        self.id(file, "cause", cause.as_str(), source.id.span().start);
        if source.remedies.is_empty() {
            self.problem(file, source.id.span().start, format!("the cause `{cause}` has no remedy"));
        }
        let en = &source.en;
        let entry = CauseEntry {
            cause,
            subject: source.subject,
            scope: source.scope,
            fault: source.fault,
            act: source.act,
            retry: source.retry,
            address_is_bad: source.address_is_bad,
            about: source.about,
            reply: self.sentence(file, &source.reply),
            settled_by: self.checks(file, &source.settled_by),
            confirms: keep(&source.confirms),
            refutes: keep(&source.refutes),
            remedies: self.remedy_ids(file, &source.remedies),
            source: keep(&source.source),
            myths: source.myth.iter().map(|myth| Myth { says: keep(&myth.says), truth: keep(&myth.truth) }).collect(),
            title: self.sentence(file, &en.title),
            summary: self.sentence(file, &en.summary),
            actor: self.sentence(file, &en.actor),
            author: self.sentence(file, &en.author),
            hosted: self.sentence(file, &en.hosted),
            administrator: self.sentence(file, &en.administrator),
        };
        // Files come sorted by name; the table is in the order of the enum.
        let causes = &mut self.catalog.causes;
        match causes.iter().position(|known| known.cause >= cause) {
            Some(place) if causes[place].cause == cause => causes[place] = entry,
            Some(place) => causes.insert(place, entry),
            None => causes.push(entry),
        }
    }

    fn remedy(&mut self, file: &SourceFile, source: &RemedyFile) {
        self.id(file, "remedy", source.id.get_ref(), source.id.span().start);
        if source.en.steps.is_empty() {
            self.problem(file, source.id.span().start, "the remedy has no steps");
        }
        let proves = source.proves.as_ref().and_then(|check| self.checks(file, std::slice::from_ref(check)).pop());
        let entry = Remedy {
            id: keep(source.id.get_ref()),
            who: source.who,
            proves,
            channel: source.channel,
            subjects: source.subjects.clone(),
            list: source.list,
            source: keep(&source.source),
            title: self.sentence(file, &source.en.title),
            steps: source.en.steps.iter().map(|step| self.sentence(file, step)).collect(),
        };
        put(&mut self.catalog.remedies, entry, |remedy| remedy.id);
    }

    fn list(&mut self, file: &SourceFile, source: &BlocklistFile) {
        let zone = source.zone.get_ref();
        self.id(file, "list", zone, source.zone.span().start);
        if Domain::parse(zone).is_err() {
            self.problem(file, source.zone.span().start, format!("`{zone}` is not a domain name"));
        }
        let dead_since = source.dead_since.as_ref().and_then(|date| {
            let read = PartialDate::parse(date.get_ref());
            if read.is_none() {
                self.problem(file, date.span().start, "not a date: 2024, 2024-06 or 2024-06-05");
            }
            read
        });
        let pairs = |map: &BTreeMap<String, String>| map.iter().map(|(k, v)| (keep(k), keep(v))).collect();
        let entry = Blocklist {
            zone: keep(zone),
            name: keep(&source.name),
            lists: source.lists,
            status: source.status,
            dead_since,
            weight: source.weight,
            test_listed: source.test_listed.as_deref().map(keep),
            test_clean: source.test_clean.as_deref().map(keep),
            note: keep(&source.note),
            removal: source.removal.as_deref().map(keep),
            who_may_ask: keep(&source.who_may_ask),
            expires: source.expires.as_deref().map(keep),
            source: keep(&source.source),
            phrases: texts(&source.phrases),
            cause: source.cause.unwrap_or(Cause::Blocklisted),
            answers: pairs(&source.answers),
            non_answers: pairs(&source.non_answers),
        };
        let place = put(&mut self.catalog.lists, entry, |list| list.zone) as u16;
        self.named_list_rule(file, source, place);
        self.rules(file, &source.rule, Origin::List(place));
        self.trailers(file, &source.trailer);
    }

    /// Naming a list is evidence by itself: every list with phrases has a rule `<zone>/named`.
    fn named_list_rule(&mut self, file: &SourceFile, source: &BlocklistFile, place: u16) {
        for phrase in &source.phrases {
            let id = phrase.get_ref().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            self.unique(file, "phrase of a list", &id, phrase.span().start);
        }
        let list = &self.catalog.lists[usize::from(place)];
        if let Some(rule) = generated::named_list(list, place) {
            put(&mut self.catalog.rules, rule, |rule| rule.id);
        }
    }

    fn site(&mut self, file: &SourceFile, source: &SiteFile) {
        self.id(file, "site", source.id.get_ref(), source.id.span().start);
        for fact in &source.fact {
            if !matches!(fact.about.get_ref().as_str(), "limit" | "requirement" | "habit") {
                self.problem(file, fact.about.span().start, "`about` is limit, requirement or habit");
            }
        }
        for suffix in source.mx.iter().filter(|suffix| Domain::parse(suffix).is_err()) {
            self.problem(file, source.id.span().start, format!("mx: `{suffix}` is not a domain name"));
        }
        let forms = source.form.iter().map(|form| Form {
            name: keep(&form.name),
            url: keep(&form.url),
            causes: form.causes.clone(),
            who: keep(&form.who),
            give: keep(&form.give),
            takes: form.takes.as_deref().map(keep),
            source: keep(&form.source),
        });
        let facts = source.fact.iter().map(|fact| SiteFact {
            about: keep(fact.about.get_ref()),
            text: keep(&fact.text),
            source: keep(&fact.source),
            since: fact.since.as_deref().map(keep),
        });
        let entry = Site {
            id: keep(source.id.get_ref()),
            name: keep(&source.name),
            mx: source.mx.iter().map(|suffix| keep(suffix)).collect(),
            marks: texts(&source.marks),
            forms: forms.collect(),
            facts: facts.collect(),
        };
        let place = put(&mut self.catalog.sites, entry, |site| site.id) as u16;
        self.rules(file, &source.rule, Origin::Site(place));
        self.trailers(file, &source.trailer);
    }

    fn software(&mut self, file: &SourceFile, source: &SoftwareFile) {
        self.id(file, "software", source.id.get_ref(), source.id.span().start);
        let settings = source.setting.iter().map(|setting| Setting {
            cause: setting.cause,
            side: setting.side,
            text: keep(&setting.text),
            command: setting.command.as_deref().map(keep),
            source: keep(&setting.source),
        });
        let entry = Software {
            id: keep(source.id.get_ref()),
            name: keep(&source.name),
            marks: texts(&source.marks),
            settings: settings.collect(),
        };
        let place = put(&mut self.catalog.software, entry, |software| software.id) as u16;
        self.rules(file, &source.rule, Origin::Software(place));
        self.trailers(file, &source.trailer);
    }

    fn codes(&mut self, file: &SourceFile, source: &CodesFile) {
        self.rules(file, &source.rule, Origin::Codes);
        for code in &source.code {
            let Some(status) = StatusPattern::parse(code.status.get_ref()) else {
                self.problem(file, code.status.span().start, "not a status: x.7.30 or 5.7.30");
                continue;
            };
            let meanings = code.meanings.iter().map(|meaning| CodeMeaning {
                site: keep(meaning.site.get_ref()),
                cause: meaning.cause,
                source: keep(&meaning.source),
            });
            let entry = CollidingCode { status, meanings: meanings.collect() };
            put(&mut self.catalog.colliding, entry, |code| code.status);
        }
    }

    fn trailers(&mut self, file: &SourceFile, sources: &[TrailerFile]) {
        for source in sources {
            for phrase in source.any.iter().filter(|phrase| phrase.get_ref().trim().is_empty()) {
                self.problem(file, phrase.span().start, "the phrase is empty");
            }
            self.catalog.trailers.push(Trailer { any: texts(&source.any), source: keep(&source.source) });
        }
    }

    fn rules(&mut self, file: &SourceFile, sources: &[RuleFile], origin: Origin) {
        for source in sources {
            self.check_rule(file, source, origin);
            let id = format!("{}/{}", file.stem(), source.id.get_ref());
            self.unique(file, "rule", &id, source.id.span().start);
            let rule = self.rule(file, source, origin, keep(&id));
            put(&mut self.catalog.rules, rule, |rule| rule.id);
        }
    }

    /// What a rule must have, by where it stands.
    fn check_rule(&mut self, file: &SourceFile, source: &RuleFile, origin: Origin) {
        let at = source.id.span().start;
        let phrases = [&source.any, &source.all, &source.not];
        for phrase in phrases.into_iter().flatten().filter(|phrase| phrase.get_ref().trim().is_empty()) {
            self.problem(file, phrase.span().start, "the phrase is empty");
        }
        let confidence = *source.confidence.get_ref();
        if !(0.05..=0.99).contains(&confidence) {
            self.problem(file, source.confidence.span().start, "the confidence is not between 0.05 and 0.99");
        }
        if source.examples.is_empty() {
            self.problem(file, at, format!("the rule `{}` has no example", source.id.get_ref()));
        }
        let wordless = source.any.is_empty() && source.all.is_empty();
        if wordless && source.status.is_empty() && source.code.is_empty() && source.stage.is_empty() {
            self.problem(file, at, "the rule has no condition");
        }
        match origin {
            Origin::Codes if wordless && confidence > MOST_FOR_A_CODE => {
                self.problem(file, source.confidence.span().start, "a bare code may claim 0.75 at most");
            }
            Origin::Codes | Origin::List(_) | Origin::Named(_) => {}
            Origin::Site(_) | Origin::Software(_) if source.only_here => {}
            _ if wordless => {
                self.problem(
                    file,
                    at,
                    "a rule on a code alone must name its site: set only_here, or move it to codes/",
                );
            }
            _ => {}
        }
        if source.only_here && !matches!(origin, Origin::Site(_) | Origin::Software(_)) {
            self.problem(file, at, "only_here is for sites and software");
        }
        if source.tier.is_some() && !matches!(origin, Origin::Site(_) | Origin::Software(_)) {
            self.problem(file, at, "tier is for sites and software");
        }
    }

    fn rule(&mut self, file: &SourceFile, source: &RuleFile, origin: Origin, id: Text) -> Rule {
        let mut status = Vec::new();
        for pattern in &source.status {
            match StatusPattern::parse(pattern.get_ref()) {
                Some(read) => status.push(read),
                None => self.problem(file, pattern.span().start, "not a status: 5.7.1, or x.7.1 for any class"),
            }
        }
        for code in &source.code {
            let text = code.get_ref();
            if text.is_empty() || text.len() > 3 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                self.problem(file, code.span().start, "not a code, nor the start of one");
            }
        }
        let entry = self.catalog.causes.iter().find(|entry| entry.cause == source.cause);
        let (subject, scope) = entry.map_or((Subject::Message, Scope::Message), |entry| (entry.subject, entry.scope));
        Rule {
            id,
            origin,
            tier: tier(source, origin),
            cause: source.cause,
            subject: source.subject.unwrap_or(subject),
            scope: source.scope.unwrap_or(scope),
            confidence: *source.confidence.get_ref(),
            any: texts(&source.any),
            all: texts(&source.all),
            not: texts(&source.not),
            code: texts(&source.code),
            status,
            stage: source.stage.clone(),
            only_here: source.only_here,
            also: source.also.iter().map(|also| Also { cause: also.cause, confidence: also.confidence }).collect(),
            settled_by: self.checks(file, &source.settled_by),
            retry: source.retry,
            address_is_bad: source.address_is_bad,
            act: source.act,
            actor: source.actor.as_ref().map(|actor| self.sentence(file, actor)),
            fault: source.fault,
            remedies: self.remedy_ids(file, &source.remedies),
            meaning: self.sentence(file, &source.meaning),
            source: keep(&source.source),
            since: source.since.as_deref().map(keep),
            examples: texts(&source.examples),
            not_examples: source.not_examples.iter().map(|text| keep(text)).collect(),
        }
    }
}

/// The kind of evidence that a rule is (DESIGN "order of evidence").
fn tier(source: &RuleFile, origin: Origin) -> Tier {
    let wordless = source.any.is_empty() && source.all.is_empty();
    match origin {
        Origin::List(_) | Origin::Named(_) => Tier::List,
        Origin::Site(_) | Origin::Software(_) if matches!(source.tier, Some(TierWord::Tag)) => Tier::Tag,
        Origin::Site(_) => Tier::Site,
        Origin::Codes | Origin::Software(_) | Origin::Phrases if !wordless => Tier::Words,
        _ if !source.status.is_empty() => Tier::Status,
        _ => Tier::Code,
    }
}

/// Replaces the entry with the same key, or adds it; the place of it.
pub(crate) fn put<T, K: PartialEq>(entries: &mut Vec<T>, entry: T, key: impl Fn(&T) -> K) -> usize {
    let place = entries.iter().position(|known| key(known) == key(&entry));
    if let Some(place) = place {
        entries[place] = entry;
        place
    } else {
        entries.push(entry);
        entries.len() - 1
    }
}

/// Keeps a text for the life of the process: a catalog is loaded once, and everything borrows from it.
pub fn keep(text: &str) -> Text {
    Box::leak(text.to_owned().into_boxed_str())
}

pub(crate) fn texts(spanned: &[Spanned<String>]) -> Vec<Text> {
    spanned.iter().map(|text| keep(text.get_ref())).collect()
}
