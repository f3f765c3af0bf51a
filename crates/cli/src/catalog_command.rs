//! `redeliver catalog`: looking into the knowledge, and testing additions to it.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::{Context, bail};
use redeliver_catalog::{Blocklist, Catalog, CatalogError, CauseEntry, Remedy, Rule, Site, Software};
use redeliver_diagnose::{Engine, self_test};
use redeliver_model::StatusPattern;
use redeliver_report::visible;

use crate::arguments::{self, CatalogCommand, Format, Kind, Knowledge};
use crate::exit::Exit;

/// Runs the command.
pub(crate) fn run(arguments: &arguments::Catalog) -> anyhow::Result<Exit> {
    match &arguments.command {
        CatalogCommand::List { kind, shape, knowledge } => list(&load(knowledge)?, *kind, shape.format()),
        CatalogCommand::Show { id, knowledge } => show(&load(knowledge)?, id),
        CatalogCommand::Test { folder } => test(folder.as_deref()),
    }
}

fn load(knowledge: &Knowledge) -> anyhow::Result<Catalog> {
    let catalog = Catalog::builtin()?;
    match &knowledge.overlay {
        None => Ok(catalog),
        Some(folder) => catalog.with_overlay(folder).with_context(|| format!("--catalog {}", folder.display())),
    }
}

/// One row: kind, id, what it is.
type Row = (&'static str, String, String);

fn rows(catalog: &Catalog, kind: Option<Kind>) -> Vec<Row> {
    let wanted = |own: Kind| kind.is_none_or(|kind| kind == own);
    let mut rows: Vec<Row> = Vec::new();
    let values = redeliver_catalog::Values::new(&catalog.words);
    if wanted(Kind::Causes) {
        rows.extend(
            catalog
                .causes
                .iter()
                .map(|entry| ("cause", entry.cause.to_string(), entry.title.fill(&values).into_owned())),
        );
    }
    if wanted(Kind::Remedies) {
        rows.extend(
            catalog
                .remedies
                .iter()
                .map(|remedy| ("remedy", remedy.id.to_owned(), remedy.title.fill(&values).into_owned())),
        );
    }
    if wanted(Kind::Lists) {
        rows.extend(
            catalog
                .lists
                .iter()
                .map(|list| ("list", list.zone.to_owned(), format!("{} ({})", list.name, word(list.status)))),
        );
    }
    if wanted(Kind::Sites) {
        rows.extend(catalog.sites.iter().map(|site| ("site", site.id.to_owned(), site.name.to_owned())));
    }
    if wanted(Kind::Software) {
        rows.extend(
            catalog.software.iter().map(|software| ("software", software.id.to_owned(), software.name.to_owned())),
        );
    }
    if wanted(Kind::Codes) {
        rows.extend(catalog.colliding.iter().map(|code| {
            let meanings: Vec<String> =
                code.meanings.iter().map(|meaning| format!("{}: {}", meaning.site, meaning.cause)).collect();
            ("code", code.status.to_string(), meanings.join(", "))
        }));
    }
    if wanted(Kind::Rules) {
        rows.extend(
            catalog
                .rules
                .iter()
                .map(|rule| ("rule", rule.id.to_owned(), format!("{} {:.2}", rule.cause, rule.confidence))),
        );
    }
    rows
}

/// The catalog's own word for a value.
fn word(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}

fn list(catalog: &Catalog, kind: Option<Kind>, format: Format) -> anyhow::Result<Exit> {
    let rows = rows(catalog, kind);
    let mut out = io::stdout().lock();
    match format {
        Format::Json | Format::Jsonl => {
            let objects: Vec<String> = rows
                .iter()
                .map(|(kind, id, what)| redeliver_report::json_row(&[("kind", kind), ("id", id), ("what", what)]))
                .collect();
            if format == Format::Json {
                writeln!(out, "[\n{}\n]", objects.join(",\n"))?;
            } else {
                objects.iter().try_for_each(|object| writeln!(out, "{object}"))?;
            }
        }
        Format::Text => {
            let width = rows.iter().map(|(_, id, _)| id.len()).max().unwrap_or(0).min(44);
            rows.iter()
                .try_for_each(|(kind, id, what)| writeln!(out, "{kind:9} {:width$}  {}", visible(id), visible(what)))?;
        }
        Format::Csv | Format::Markdown => {
            let names = ["kind", "id", "what"];
            let rows = rows.iter().map(|(kind, id, what)| vec![*kind, id.as_str(), what.as_str()]);
            if format == Format::Csv {
                out.write_all(&redeliver_report::csv_rows(&names, rows)?)?;
            } else {
                out.write_all(redeliver_report::markdown_rows(&names, rows).as_bytes())?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn show(catalog: &Catalog, id: &str) -> anyhow::Result<Exit> {
    let id = id.trim().trim_end_matches('.').to_lowercase();
    let id = id.as_str();
    let mut pages = Vec::new();
    pages.extend(catalog.causes.iter().filter(|entry| entry.cause.as_str() == id).map(|entry| cause(catalog, entry)));
    pages.extend(catalog.remedy(id).map(|entry| remedy(catalog, entry)));
    pages.extend(catalog.list(id).map(blocklist));
    pages.extend(catalog.site(id).map(|entry| site(catalog, entry)));
    pages.extend(catalog.software(id).map(|entry| software(catalog, entry)));
    pages.extend(catalog.rule(id).map(|entry| rule(catalog, entry)));
    if let Some(status) = StatusPattern::parse(id) {
        pages.extend(code(catalog, status));
    }
    if pages.is_empty() {
        bail!("there is no `{id}` in the catalog; `redeliver catalog list` shows what there is");
    }
    io::stdout().lock().write_all(pages.join("\n").as_bytes())?;
    Ok(Exit::Fine)
}

struct Page(String);

impl Page {
    fn new(title: &str) -> Self {
        Self(format!("{title}\n"))
    }

    fn fact(&mut self, label: &str, fact: impl std::fmt::Display) {
        let fact = fact.to_string();
        if !fact.is_empty() {
            let _ = writeln!(self.0, "  {:14} {}", visible(label), visible(&fact));
        }
    }
}

fn cause(catalog: &Catalog, entry: &CauseEntry) -> String {
    let values = redeliver_catalog::Values::new(&catalog.words);
    let mut page = Page::new(&format!("cause {}: {}", entry.cause, entry.title.fill(&values)));
    page.fact("means", entry.summary.fill(&values));
    page.fact("subject", entry.subject);
    page.fact("scope", entry.scope);
    page.fact("fault", entry.fault);
    page.fact("who can act", entry.actor.fill(&values));
    page.fact("act", entry.act);
    page.fact("send again", entry.retry);
    page.fact("address bad", entry.address_is_bad);
    page.fact("we would say", entry.reply.fill(&values));
    page.fact("settled by", entry.settled_by.join(", "));
    page.fact("confirmed", entry.confirms);
    page.fact("refuted", entry.refutes);
    page.fact("author", entry.author.fill(&values));
    page.fact("hosted user", entry.hosted.fill(&values));
    page.fact("administrator", entry.administrator.fill(&values));
    for place in &entry.remedies {
        let remedy = &catalog.remedies[usize::from(*place)];
        page.fact("remedy", format!("{}: {}", remedy.id, remedy.title.fill(&values)));
    }
    for myth in &entry.myths {
        page.fact("wrong", myth.says);
        page.fact("true", myth.truth);
    }
    page.fact("rules", catalog.rules.iter().filter(|rule| rule.cause == entry.cause).count());
    page.fact("source", entry.source);
    page.0
}

fn remedy(catalog: &Catalog, entry: &Remedy) -> String {
    let values = redeliver_catalog::Values::new(&catalog.words);
    let mut page = Page::new(&format!("remedy {}: {}", entry.id, entry.title.fill(&values)));
    page.fact("who", entry.who.as_str());
    page.fact("channel", entry.channel.as_str());
    page.fact("proved by", entry.proves.unwrap_or_default());
    for (number, step) in entry.steps.iter().enumerate() {
        page.fact(&format!("step {}", number + 1), step.fill(&values));
    }
    page.fact("source", entry.source);
    page.0
}

fn blocklist(entry: &Blocklist) -> String {
    let mut page = Page::new(&format!("list {}: {}", entry.zone, entry.name));
    page.fact("status", word(entry.status));
    page.fact("dead since", entry.dead_since.map(|date| date.to_string()).unwrap_or_default());
    page.fact("lists", word(entry.lists));
    page.fact("weight", word(entry.weight));
    page.fact("cause", entry.cause);
    page.fact("means", entry.note);
    page.fact("who may ask", entry.who_may_ask);
    page.fact("removal", entry.removal.unwrap_or_default());
    page.fact("expires", entry.expires.unwrap_or_default());
    page.fact(
        "test points",
        [entry.test_listed, entry.test_clean].into_iter().flatten().collect::<Vec<_>>().join(" listed, "),
    );
    for (answer, meaning) in &entry.answers {
        page.fact(answer, meaning);
    }
    for (answer, meaning) in &entry.non_answers {
        page.fact(answer, format!("not a listing: {meaning}"));
    }
    page.fact("named by", entry.phrases.join(", "));
    page.fact("source", entry.source);
    page.0
}

fn site(catalog: &Catalog, entry: &Site) -> String {
    let mut page = Page::new(&format!("site {}: {}", entry.id, entry.name));
    page.fact("mx", entry.mx.join(", "));
    for form in &entry.forms {
        page.fact("ask at", format!("{}: {} ({}; give {})", form.name, form.url, form.who, form.give));
    }
    for fact in &entry.facts {
        page.fact(fact.about, format!("{} [{}]", fact.text, fact.source));
    }
    rules_of(&mut page, catalog, entry.id);
    page.0
}

fn software(catalog: &Catalog, entry: &Software) -> String {
    let mut page = Page::new(&format!("software {}: {}", entry.id, entry.name));
    for setting in &entry.settings {
        page.fact(setting.cause.as_str(), format!("({}) {}", word(setting.side), setting.text));
        page.fact("", setting.command.unwrap_or_default());
    }
    rules_of(&mut page, catalog, entry.id);
    page.0
}

fn rules_of(page: &mut Page, catalog: &Catalog, id: &str) {
    for rule in catalog.rules.iter().filter(|rule| rule.id.split_once('/').is_some_and(|(file, _)| file == id)) {
        page.fact("rule", format!("{} → {} {:.2}", rule.id, rule.cause, rule.confidence));
    }
}

fn rule(catalog: &Catalog, entry: &Rule) -> String {
    let values = redeliver_catalog::Values::new(&catalog.words);
    let mut page = Page::new(&format!("rule {}", entry.id));
    page.fact("cause", format!("{} {:.2}, as {}", entry.cause, entry.confidence, word(entry.tier)));
    for also in &entry.also {
        page.fact("or", format!("{} {:.2}", also.cause, also.confidence));
    }
    page.fact("means", entry.meaning.fill(&values));
    for (label, phrases) in
        [("any of", &entry.any), ("all of", &entry.all), ("none of", &entry.not), ("code", &entry.code)]
    {
        page.fact(label, phrases.join(" | "));
    }
    page.fact("status", entry.status.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    page.fact("only here", if entry.only_here { "yes" } else { "" });
    entry.examples.iter().for_each(|example| page.fact("example", example));
    entry.not_examples.iter().for_each(|example| page.fact("not", example));
    page.fact("source", entry.source);
    page.fact("since", entry.since.unwrap_or_default());
    page.0
}

fn code(catalog: &Catalog, status: StatusPattern) -> Option<String> {
    let same = |other: &StatusPattern| other.subject == status.subject && other.detail == status.detail;
    let mut page = Page::new(&format!("code {status}"));
    for code in catalog.colliding.iter().filter(|code| same(&code.status)) {
        for meaning in &code.meanings {
            page.fact(meaning.site, format!("{} [{}]", meaning.cause, meaning.source));
        }
    }
    for rule in catalog.rules.iter().filter(|rule| rule.status.iter().any(same)) {
        page.fact("rule", format!("{} → {} {:.2}", rule.id, rule.cause, rule.confidence));
    }
    (page.0.lines().count() > 1).then_some(page.0)
}

fn test(folder: Option<&std::path::Path>) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        anyhow::bail!("{}: there is no such folder", folder.display());
    }
    let catalog = Catalog::builtin()?;
    let catalog = match folder.map(|folder| catalog.clone().with_overlay(folder)) {
        None => catalog,
        Some(Ok(merged)) => merged,
        Some(Err(CatalogError::Overlay(problems))) => {
            problems.iter().try_for_each(|problem| writeln!(out, "{}", visible(&problem.to_string())))?;
            writeln!(out, "{} problems", problems.len())?;
            return Ok(Exit::Findings);
        }
        Some(Err(error)) => return Err(error.into()),
    };
    let engine = Engine::new(catalog);
    let failures = self_test(&engine);
    failures.iter().try_for_each(|failure| writeln!(out, "{}", visible(&failure.to_string())))?;
    let catalog = engine.catalog();
    let examples: usize = catalog.rules.iter().map(|rule| rule.examples.len() + rule.not_examples.len()).sum();
    writeln!(
        out,
        "{} causes, {} remedies, {} lists, {} sites, {} kinds of software, {} rules; {examples} examples, {} wrong",
        catalog.causes.len(),
        catalog.remedies.len(),
        catalog.lists.len(),
        catalog.sites.len(),
        catalog.software.len(),
        catalog.rules.len(),
        failures.len()
    )?;
    Ok(if failures.is_empty() { Exit::Fine } else { Exit::Findings })
}
