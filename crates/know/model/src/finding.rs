//! The answer to a question asked of the world: result, how much it matters, and the raw facts behind it. Values only.

use std::borrow::Cow;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::cause::Cause;
use crate::vocabulary::{CheckResult, Severity};

/// A raw fact: what was asked, read or heard. Texts are from outside: escape them where they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// Asked for, and not there.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// Several.
    List(Vec<Fact>),
    /// Several, each with a name.
    Group(Facts),
}

/// Facts with their names, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(Vec<(Cow<'static, str>, Fact)>);

impl Facts {
    /// No facts yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same with one more; a name that is there already keeps its place and gets the new value.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, fact: impl Into<Fact>) -> Self {
        self.add(name, fact);
        self
    }

    /// Adds a fact, or gives the one of that name a new value.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, fact: impl Into<Fact>) {
        let (name, fact) = (name.into(), fact.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = fact,
            None => self.0.push((name, fact)),
        }
    }

    /// The fact of that name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, fact)| fact)
    }

    /// The text of that name, if it is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Fact::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// All facts in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, fact)| (name.as_ref(), fact))
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, fact) in &self.0 {
            map.serialize_entry(name, fact)?;
        }
        map.end()
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Fact {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Fact {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Fact {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Facts> for Fact {
    fn from(facts: Facts) -> Self {
        Self::Group(facts)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Fact {
    fn from(several: Vec<T>) -> Self {
        Self::List(several.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for Fact {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::Nothing, Into::into)
    }
}

/// Where a finding matters more or less than in general.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtSite {
    /// The site's id in the catalog.
    pub site: &'static str,
    /// How much it matters there.
    pub severity: Severity,
    /// For whom: "senders of 5,000 messages a day or more".
    pub when: &'static str,
    /// Where that is written.
    pub source: &'static str,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a domain, an IP, a file.
    pub target: String,
    /// The check, by the names that `settled_by` uses: `spf`, `blocklist:zen.spamhaus.org`.
    pub check: Cow<'static, str>,
    /// A stable name in kebab-case.
    pub id: Cow<'static, str>,
    /// What came out.
    pub result: CheckResult,
    /// How much it matters; of a warn or a fail only.
    pub severity: Option<Severity>,
    /// The cause of refusals that it can be; none if it refuses nobody.
    pub cause: Option<Cause>,
    /// One plain sentence. It may quote the world: escape it where it is shown.
    pub summary: String,
    /// What it rests on.
    pub facts: Facts,
    /// Where it matters more or less.
    pub sites: Vec<AtSite>,
}

impl Finding {
    fn new(check: Cow<'static, str>, id: Cow<'static, str>, result: CheckResult, summary: String) -> Self {
        let (target, facts, sites) = (String::new(), Facts::new(), Vec::new());
        Self { target, check, id, result, severity: None, cause: None, summary, facts, sites }
    }

    /// All is well.
    pub fn pass(
        check: impl Into<Cow<'static, str>>,
        id: impl Into<Cow<'static, str>>,
        summary: impl Into<String>,
    ) -> Self {
        Self::new(check.into(), id.into(), CheckResult::Pass, summary.into())
    }

    /// Something is less than good.
    pub fn warn(
        check: impl Into<Cow<'static, str>>,
        id: impl Into<Cow<'static, str>>,
        severity: Severity,
        summary: impl Into<String>,
    ) -> Self {
        Self { severity: Some(severity), ..Self::new(check.into(), id.into(), CheckResult::Warn, summary.into()) }
    }

    /// Something is wrong.
    pub fn fail(
        check: impl Into<Cow<'static, str>>,
        id: impl Into<Cow<'static, str>>,
        severity: Severity,
        summary: impl Into<String>,
    ) -> Self {
        Self { severity: Some(severity), ..Self::new(check.into(), id.into(), CheckResult::Fail, summary.into()) }
    }

    /// Nobody knows: time-out, failure, refusal to answer, or nothing to ask with.
    pub fn could_not_ask(
        check: impl Into<Cow<'static, str>>,
        id: impl Into<Cow<'static, str>>,
        summary: impl Into<String>,
    ) -> Self {
        Self::new(check.into(), id.into(), CheckResult::CouldNotAsk, summary.into())
    }

    /// The same with the cause of refusals that it can be.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The same with one more fact.
    #[must_use]
    pub fn fact(mut self, name: impl Into<Cow<'static, str>>, fact: impl Into<Fact>) -> Self {
        self.facts.add(name, fact);
        self
    }

    /// The same with the sites where it matters more or less.
    #[must_use]
    pub fn at(mut self, sites: impl IntoIterator<Item = AtSite>) -> Self {
        self.sites.extend(sites);
        self
    }

    /// Whether something is wrong or less than good.
    pub const fn is_wrong(&self) -> bool {
        matches!(self.result, CheckResult::Fail | CheckResult::Warn)
    }

    /// Whether it says that receivers refuse mail.
    pub fn refuses(&self) -> bool {
        self.result == CheckResult::Fail && self.severity == Some(Severity::Refuses)
    }

    /// The place in a list that begins with the worst; equal places keep their order.
    pub fn rank(&self) -> (u8, u8) {
        let severity = self.severity.map_or(0, |severity| severity as u8);
        match self.result {
            CheckResult::Fail => (severity, 0),
            CheckResult::Warn => (severity, 1),
            CheckResult::CouldNotAsk => (8, 0),
            CheckResult::Pass => (9, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_stands_first_and_the_unknown_before_the_good() {
        let mut list = [
            Finding::pass("spf", "a", ""),
            Finding::could_not_ask("spf", "b", ""),
            Finding::warn("spf", "c", Severity::Untidy, ""),
            Finding::fail("spf", "d", Severity::Weakens, ""),
            Finding::warn("spf", "e", Severity::Refuses, ""),
            Finding::fail("spf", "f", Severity::Refuses, ""),
        ];
        list.sort_by_key(Finding::rank);
        assert_eq!(list.map(|finding| finding.id.into_owned()).join(""), "fedcba");
    }

    #[test]
    fn a_fact_given_twice_is_there_once() {
        let facts = Facts::new().with("a", 1_u32).with("b", "x").with("a", vec!["y"]);
        assert_eq!(facts.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(facts.get("a"), Some(&Fact::List(vec![Fact::Text("y".into())])));
        assert_eq!((facts.text("b"), facts.text("a")), (Some("x"), None));
    }
}
