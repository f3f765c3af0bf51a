//! Findings for a person: worst first, the good ones folded into one line, each open down to the raw answers with `verbose`.

use std::fmt::Write;

use redeliver_model::{AtSite, CheckResult, Fact, Facts, Finding, Severity};

use crate::escape::visible;
use crate::page::{Style, wrap};

/// Columns of the mark in front of a finding.
const MARK: usize = 10;
/// Values longer than this are cut unless everything is shown; keys and policies are often longer than a screen.
const LONGEST_VALUE: usize = 2_000;
/// How deep facts are shown; ours have four levels.
const DEEPEST: usize = 8;
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[33m";
const GREEN: &str = "\u{1b}[32m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// The findings of one target, in the order given.
pub fn findings(target: &str, all: &[Finding], style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.painted(BOLD, &visible(target));
    page.painted("", &headline(all));
    for finding in all.iter().filter(|finding| finding.is_wrong()) {
        page.finding(finding);
    }
    let unknown: Vec<&Finding> = all.iter().filter(|finding| finding.result == CheckResult::CouldNotAsk).collect();
    if style.verbose {
        for finding in &unknown {
            page.finding(finding);
        }
    } else {
        page.folded_unknown(&unknown);
    }
    let passed: Vec<&Finding> = all.iter().filter(|finding| finding.result == CheckResult::Pass).collect();
    if style.verbose {
        for finding in &passed {
            page.finding(finding);
        }
    } else {
        page.folded_passed(&passed);
    }
    page.text
}

/// One line that says how it stands.
fn headline(all: &[Finding]) -> String {
    let refuses =
        all.iter().filter(|finding| finding.is_wrong() && finding.severity == Some(Severity::Refuses)).count();
    let others = all.iter().filter(|finding| finding.is_wrong()).count() - refuses;
    let unknown = all.iter().filter(|finding| finding.result == CheckResult::CouldNotAsk);
    let (lists, unknown): (Vec<&Finding>, Vec<&Finding>) = unknown.partition(|finding| is_list(finding));
    let unknown = unknown.len();
    let mut parts = vec![match refuses {
        0 if unknown + lists.len() > 0 => "Nothing found that makes receivers refuse".to_owned(),
        0 => "Nothing makes receivers refuse".to_owned(),
        1 => "1 finding makes receivers refuse".to_owned(),
        many => format!("{many} findings make receivers refuse"),
    }];
    if others > 0 {
        parts.push(format!("{others} of less weight"));
    }
    if unknown > 0 {
        parts.push(format!("{unknown} could not be asked"));
    }
    if !lists.is_empty() {
        parts.push(format!("{} lists did not answer", lists.len()));
    }
    format!("{}.", parts.join("; "))
}

fn is_list(finding: &Finding) -> bool {
    finding.check.starts_with("blocklist:")
}

/// So many unknown things are told one by one; more of them have one reason, as a rule, and are named together.
const FEW: usize = 4;
/// So many lists are named of those that did not answer.
const MOST_LISTS: usize = 8;

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn painted(&mut self, paint: &str, line: &str) {
        let _ = if self.style.colour && !paint.is_empty() {
            writeln!(self.text, "{paint}{line}{RESET}")
        } else {
            writeln!(self.text, "{line}")
        };
    }

    fn item(&mut self, paint: &str, mark: &str, text: &str) {
        let width = self.style.width.saturating_sub(MARK + 2);
        for (number, line) in wrap(&visible(text), width).into_iter().enumerate() {
            let mark = if number == 0 { mark } else { "" };
            let _ = if self.style.colour {
                writeln!(self.text, "  {paint}{mark:MARK$}{RESET}{line}")
            } else {
                writeln!(self.text, "  {mark:MARK$}{line}")
            };
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let (paint, mark) = match (finding.result, finding.severity) {
            (CheckResult::Pass, _) => (GREEN, "good"),
            (CheckResult::CouldNotAsk, _) => (DIM, "unknown"),
            (_, Some(Severity::Refuses)) => (RED, "refuses"),
            (_, Some(Severity::Weakens)) => (YELLOW, "weakens"),
            (_, _) => (DIM, "untidy"),
        };
        self.item(paint, mark, &finding.summary);
        self.sites(&finding.sites);
        if self.style.verbose {
            let cause = finding.cause.map(|cause| format!(", cause {cause}")).unwrap_or_default();
            let line = format!("[{} {}{cause}]", finding.check, finding.id);
            self.item(DIM, "", &line);
            self.facts(&finding.facts, 0);
        }
    }

    /// Sites with the same words stand on one line.
    fn sites(&mut self, sites: &[AtSite]) {
        let mut rest = sites;
        while let Some(first) = rest.first() {
            let same = |site: &&AtSite| (site.severity, site.when) == (first.severity, first.when);
            let group: Vec<&str> = rest.iter().take_while(same).map(|site| site.site).collect();
            rest = &rest[group.len()..];
            let line = format!("At {} this {} ({}).", group.join(", "), first.severity, first.when);
            self.item(DIM, "", &line);
        }
    }

    fn facts(&mut self, facts: &Facts, depth: usize) {
        for (name, fact) in facts.iter() {
            self.fact(name, fact, depth);
        }
    }

    fn fact(&mut self, name: &str, fact: &Fact, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match fact {
            Fact::Nothing => {}
            Fact::Flag(flag) => self.value(name, if *flag { "yes" } else { "no" }, depth),
            Fact::Number(number) => self.value(name, &number.to_string(), depth),
            Fact::Text(text) => self.value(name, text, depth),
            Fact::List(list) => {
                if list.is_empty() {
                    return;
                }
                self.value(name, "", depth);
                for fact in list {
                    if let Fact::Group(facts) = fact {
                        self.value("-", "", depth + 1);
                        self.facts(facts, depth + 2);
                    } else {
                        self.fact("-", fact, depth + 1);
                    }
                }
            }
            Fact::Group(facts) => {
                self.value(name, "", depth);
                self.facts(facts, depth + 1);
            }
        }
    }

    /// A raw value on one line, however long: it may be copied.
    fn value(&mut self, name: &str, value: &str, depth: usize) {
        let indent = MARK + 2 + depth * 2;
        let colon = if name == "-" { "" } else { ":" };
        let value: String = visible(value).chars().take(LONGEST_VALUE).collect();
        let line = format!("{:indent$}{}{colon} {value}", "", visible(name));
        self.painted(DIM, line.trim_end());
    }

    fn folded_unknown(&mut self, unknown: &[&Finding]) {
        let (lists, others): (Vec<&Finding>, Vec<&Finding>) = unknown.iter().partition(|finding| is_list(finding));
        let (told, folded) = others.split_at(if others.len() > FEW { 1 } else { others.len() });
        for finding in told {
            self.finding(finding);
        }
        if !folded.is_empty() {
            let line = format!("Not known either: {} (-v shows why).", names(folded).join(", "));
            self.item(DIM, "unknown", &line);
        }
        if !lists.is_empty() {
            let names: Vec<&str> = lists.iter().filter_map(|finding| finding.facts.text("name")).collect();
            let (shown, more) = names.split_at(names.len().min(MOST_LISTS));
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            let shown = shown.join(", ");
            let line = format!("{} lists did not answer us or cannot be believed: {shown}{more}.", lists.len());
            self.item(DIM, "unknown", &line);
        }
    }

    fn folded_passed(&mut self, passed: &[&Finding]) {
        if passed.is_empty() {
            return;
        }
        let (lists, others): (Vec<&Finding>, Vec<&Finding>) = passed.iter().partition(|finding| is_list(finding));
        let mut checks = names(&others);
        let lists = match lists.len() {
            0 => None,
            1 => Some("1 blocklist".to_owned()),
            many => Some(format!("{many} blocklists")),
        };
        checks.extend(lists.as_deref());
        self.item(GREEN, "good", &format!("{} (-v shows all).", checks.join(", ")));
    }
}

/// The names of checks, each once.
fn names<'a>(findings: &[&'a Finding]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for finding in findings {
        if !names.contains(&&*finding.check) {
            names.push(&finding.check);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(verbose: bool) -> Style {
        Style { width: 100, colour: false, verbose }
    }

    #[test]
    fn the_good_is_folded_and_opens() {
        let all = [
            Finding::fail("spf", "spf-missing", Severity::Refuses, "example.org has no SPF record.")
                .fact("asked", vec![Fact::from(Facts::new().with("question", "example.org TXT"))]),
            Finding::could_not_ask("blocklist:list.example", "list-sick", "no").fact("name", "A list"),
            Finding::pass("dkim", "dkim-key-good", "The key is good."),
        ];
        let folded = findings("example.org", &all, style(false));
        assert!(folded.contains("1 finding makes receivers refuse; 1 lists did not answer."), "{folded}");
        assert!(folded.contains("  refuses   example.org has no SPF record."), "{folded}");
        assert!(!folded.contains("The key is good.") && folded.contains("dkim (-v shows all)"), "{folded}");
        let open = findings("example.org", &all, style(true));
        assert!(open.contains("question: example.org TXT") && open.contains("The key is good."), "{open}");
    }

    #[test]
    fn nothing_from_outside_draws_on_the_screen() {
        let hostile = "\u{1b}[2J\u{202e}";
        let all = [Finding::fail("spf", "x", Severity::Refuses, hostile).fact("record", hostile)];
        for verbose in [false, true] {
            let text = findings(hostile, &all, style(verbose));
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        }
    }
}
