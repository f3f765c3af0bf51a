//! The engine: a refusal in, its diagnosis out.

use redeliver_catalog::{Blocklist, Catalog, Origin, Parameter, Rule, Site, Software, Text, Tier, Values};
use redeliver_model::{Act, AddressIsBad, Cause, Fault, Refusal, Reply, Retry, Scope, Timestamp};

use crate::classifier::Classifier;
use crate::facts::Facts;
use crate::index::Index;
use crate::matching::{Circumstances, Scratch};
use crate::rank::{self, Hypothesis, Why};

/// Bytes of a notification by which its software is told.
const LONGEST_OPENING: usize = 400;

/// An address is called dead only when the cause is at least this sure.
const SURE_ENOUGH_TO_CALL_DEAD: f32 = 0.85;

/// Below this confidence nobody is told to stop or to send never again.
const SURE_ENOUGH_TO_STOP: f32 = 0.5;

/// From this confidence on, clear words are not compared with the other texts of a report.
const SURE_ENOUGH_TO_READ_NO_FURTHER: f32 = 0.75;

/// A second cause at least this likely deserves the check that decides.
const WORTH_SETTLING: f32 = 0.2;

/// Reads replies by the catalog.
#[derive(Debug)]
pub struct Engine {
    catalog: Catalog,
    index: Index,
    classifier: Classifier,
    /// MX suffixes and their sites, sorted by suffix.
    suffixes: Vec<(Text, u16)>,
}

/// What a refusal means, without having asked the world.
#[derive(Debug, Clone)]
pub struct Diagnosis<'c, 'r> {
    /// The words that it was read from: the refusal's reply, or one of its further texts that says more.
    pub said: &'r Reply<'r>,
    /// The causes, best first; never empty.
    pub causes: Vec<Hypothesis<'c>>,
    /// How far the no reaches.
    pub scope: Scope,
    /// When to send again.
    pub retry: Retry,
    /// Whether the address is dead.
    pub address_is_bad: AddressIsBad,
    /// Whether to act.
    pub act: Act,
    /// Whose fault it is, by default.
    pub fault: Fault,
    /// The checks that confirm, refute or decide.
    pub settled_by: Vec<Text>,
    /// The refusing operator, if it is known.
    pub site: Option<&'c Site>,
    /// The refusing software, if its words give it away.
    pub software: Option<&'c Software>,
    /// The list that is named, if the catalog knows it.
    pub list: Option<&'c Blocklist>,
    /// What the reply names.
    pub facts: Facts<'r>,
}

impl<'c> Diagnosis<'c, '_> {
    /// The likeliest cause.
    pub fn first(&self) -> &Hypothesis<'c> {
        &self.causes[0]
    }

    /// The rule behind the likeliest cause.
    pub fn rule(&self) -> Option<&'c Rule> {
        self.first().why.rule()
    }

    /// Whether another cause is likely enough that a check should decide.
    pub fn is_open(&self) -> bool {
        self.causes.get(1).is_some_and(|second| second.confidence >= WORTH_SETTLING)
    }
}

impl Engine {
    /// The engine of the built-in catalog; its index was compiled with the binary.
    pub fn builtin() -> Result<Self, redeliver_catalog::CatalogError> {
        static INDEX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/index.bin"));
        static WEIGHTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weights.bin"));
        let index = Index::unpack(INDEX).ok_or(redeliver_catalog::CatalogError::Damaged)?;
        let classifier = Classifier::learned(WEIGHTS).ok_or(redeliver_catalog::CatalogError::Damaged)?;
        Ok(Self::with(Catalog::builtin()?, index, classifier))
    }

    /// The engine of any catalog; compiles the index and learns the words now.
    pub fn new(catalog: Catalog) -> Self {
        let (index, classifier) = (Index::new(&catalog), Classifier::learn(&catalog));
        Self::with(catalog, index, classifier)
    }

    fn with(catalog: Catalog, index: Index, classifier: Classifier) -> Self {
        let mut suffixes: Vec<(Text, u16)> = Vec::new();
        for (number, site) in catalog.sites.iter().enumerate() {
            suffixes.extend(site.mx.iter().map(|suffix| (*suffix, number as u16)));
        }
        suffixes.sort_unstable();
        Self { catalog, index, classifier, suffixes }
    }

    /// The knowledge behind the engine.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The site of a host, by the longest suffix known.
    pub fn site_of_host(&self, host: &str) -> Option<&Site> {
        self.site_number(host).map(|number| &self.catalog.sites[usize::from(number)])
    }

    fn site_number(&self, host: &str) -> Option<u16> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut rest = host.as_str();
        loop {
            if let Ok(found) = self.suffixes.binary_search_by(|(suffix, _)| (*suffix).cmp(rest)) {
                return Some(self.suffixes[found].1);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// The software whose words these are, by its marks.
    pub fn software_of(&self, words: &str, scratch: &mut Scratch) -> Option<&Software> {
        // A notification names its software at once.
        scratch.folded.fold(&words[..words.floor_char_boundary(words.len().min(LONGEST_OPENING))]);
        scratch.find_software(&self.index).map(|number| &self.catalog.software[usize::from(number)])
    }

    /// Reads a refusal as of `now`, or as of its own time if that is known. Where its reply leaves doubt, its further
    /// texts are read too, and the one that says most counts.
    pub fn diagnose<'c, 'r>(
        &'c self,
        refusal: &'r Refusal<'r>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Diagnosis<'c, 'r> {
        let mut best = self.diagnose_reply(refusal, &refusal.reply, now, scratch);
        for reply in &refusal.further {
            if !leaves_doubt(best.first()) {
                break;
            }
            let other = self.diagnose_reply(refusal, reply, now, scratch);
            if says_more(other.first(), best.first()) {
                best = other;
            }
        }
        if best.said.lines.is_empty() {
            // Nothing was understood; then these are the words to show.
            best.said = refusal.further.first().unwrap_or(best.said);
        }
        best
    }

    fn diagnose_reply<'c, 'r>(
        &'c self,
        refusal: &'r Refusal<'r>,
        reply: &'r Reply<'r>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Diagnosis<'c, 'r> {
        scratch.folded.clear();
        for line in &reply.lines {
            scratch.folded.add(line);
        }
        let site = refusal.refused_by.host.as_deref().and_then(|host| self.site_number(host));
        let about = Circumstances { code: reply.code, status: reply.enhanced, stage: refusal.stage, site };
        scratch.match_rules(&self.index, &self.catalog, about);
        let mut causes = rank::rank(&self.catalog, &scratch.candidates, refusal.time.unwrap_or(now));
        let has_code = reply.code.is_some() || reply.enhanced.is_some();
        if let Some(guess) = self.classifier.guess(&scratch.folded, has_code) {
            rank::hear_all_words(&self.catalog, &mut causes, &guess);
        }
        if causes.is_empty() {
            causes.push(rank::nothing());
        }
        let site = site.or(scratch.marked_site).or(site_of_rule(&causes));
        let site = site.map(|number| &self.catalog.sites[usize::from(number)]);
        let software = self.software(&causes, scratch);
        self.conclude((refusal, reply), causes, scratch, (site, software))
    }

    /// The software whose mark was found, or whose rule the first cause comes from.
    fn software(&self, causes: &[Hypothesis<'_>], scratch: &Scratch) -> Option<&Software> {
        let of_rule = causes.first().and_then(|first| first.why.rule()).and_then(|rule| match rule.origin {
            Origin::Software(number) => Some(number),
            _ => None,
        });
        of_rule.or(scratch.marked_software).map(|number| &self.catalog.software[usize::from(number)])
    }

    fn conclude<'c, 'r>(
        &'c self,
        (refusal, reply): (&'r Refusal<'r>, &'r Reply<'r>),
        causes: Vec<Hypothesis<'c>>,
        scratch: &Scratch,
        (site, software): (Option<&'c Site>, Option<&'c Software>),
    ) -> Diagnosis<'c, 'r> {
        let first = causes[0];
        let entry = self.catalog.cause(first.cause);
        // A rule's own words hold only for the cause that it states.
        let rule = first.why.rule().filter(|rule| matches!(first.why, Why::Rule(_)) && rule.cause == first.cause);
        let class = reply.class();
        let list = self.named_list(&scratch.candidates);
        let blocklisted = list.is_none() && matches!(first.cause, Cause::Blocklisted | Cause::DynamicIp);
        let mut act = rule.and_then(|rule| rule.act).unwrap_or(entry.act);
        let mut retry = rule.and_then(|rule| rule.retry).unwrap_or(entry.retry);
        let mut address_is_bad = rule.and_then(|rule| rule.address_is_bad).unwrap_or(entry.address_is_bad);
        if first.confidence < SURE_ENOUGH_TO_STOP {
            act = if act == Act::Stop { Act::Ask } else { act };
            retry = if retry == Retry::Never { Retry::AfterChange } else { retry };
        }
        if class == Some(4) {
            // RFC 5321 4.2.1: 4yz means that the same command may work later.
            act = if act == Act::Stop { Act::Wait } else { act };
            retry = if retry == Retry::Never { Retry::AfterTime } else { retry };
        }
        if address_is_bad == AddressIsBad::Yes && (class == Some(4) || first.confidence < SURE_ENOUGH_TO_CALL_DEAD) {
            address_is_bad = AddressIsBad::Unproven;
        }
        Diagnosis {
            scope: rule.map_or(entry.scope, |rule| rule.scope),
            retry,
            address_is_bad,
            act,
            fault: rule.and_then(|rule| rule.fault).unwrap_or(entry.fault),
            settled_by: self.settled_by(&causes, rule),
            site,
            software,
            list,
            said: reply,
            facts: Facts::read(refusal, reply, &scratch.folded, first.subject, blocklisted),
            causes,
        }
    }

    /// The list behind the strongest evidence that names one.
    fn named_list(&self, candidates: &[crate::matching::Candidate]) -> Option<&Blocklist> {
        candidates.iter().find_map(|candidate| match self.catalog.rules[candidate.rule as usize].origin {
            Origin::Named(number) | Origin::List(number) if candidate.tier == Tier::List => {
                Some(&self.catalog.lists[usize::from(number)])
            }
            _ => None,
        })
    }

    fn settled_by(&self, causes: &[Hypothesis<'_>], rule: Option<&Rule>) -> Vec<Text> {
        let own = rule.map_or(&[][..], |rule| &rule.settled_by);
        let of_cause = |cause: Cause| self.catalog.cause(cause).settled_by.as_slice();
        let mut checks: Vec<Text> = if own.is_empty() { of_cause(causes[0].cause) } else { own }.to_vec();
        for other in causes[1..].iter().filter(|other| other.confidence >= WORTH_SETTLING) {
            if let Some(check) = of_cause(other.cause).first().filter(|check| !checks.contains(check)) {
                checks.push(check);
            }
        }
        checks
    }

    /// What is known of a case, for the catalog's sentences.
    pub fn values<'v>(&'v self, diagnosis: &'v Diagnosis<'_, '_>, refusal: &'v Refusal<'_>) -> Values<'v> {
        let facts = &diagnosis.facts;
        let mut values = Values::new(&self.catalog.words);
        values.set(Parameter::Host, refusal.refused_by.host.as_deref());
        values.set(Parameter::Site, diagnosis.site.map(|site| site.name));
        values.set(Parameter::Ip, facts.ip);
        values.set(Parameter::List, diagnosis.list.map(|list| list.name).or(facts.list));
        values.set(Parameter::ListUrl, diagnosis.list.and_then(|list| list.removal));
        values.set(Parameter::WhoMayAsk, diagnosis.list.map(|list| list.who_may_ask));
        values.set(Parameter::Sender, facts.sender);
        values.set(Parameter::SenderDomain, facts.sender.and_then(domain_of));
        values.set(Parameter::Recipient, facts.recipient);
        values.set(Parameter::RecipientDomain, facts.recipient.and_then(domain_of));
        values.set(Parameter::Helo, refusal.client.helo.as_deref());
        values.set(Parameter::Url, facts.url);
        values.set(Parameter::Wait, facts.wait);
        let form = diagnosis
            .site
            .and_then(|site| site.forms.iter().find(|form| form.causes.contains(&diagnosis.first().cause)));
        values.set(Parameter::FormUrl, form.map(|form| form.url));
        values
    }
}

/// Whether further texts of the same report may say more: a guess, a bare code, or that a server gave up, which is never
/// the reason itself.
fn leaves_doubt(first: &Hypothesis<'_>) -> bool {
    first.confidence < SURE_ENOUGH_TO_READ_NO_FURTHER
        || !first.is_said_in_words()
        || matches!(first.cause, Cause::Expired | Cause::Unknown | Cause::Policy)
}

/// Whether another text says more than the best so far.
fn says_more(other: &Hypothesis<'_>, best: &Hypothesis<'_>) -> bool {
    if !other.is_said_in_words() || other.confidence < 0.5 || other.cause == Cause::Unknown {
        return false;
    }
    if other.cause == Cause::Expired {
        return best.cause == Cause::Unknown;
    }
    !best.is_said_in_words()
        || matches!(best.cause, Cause::Expired | Cause::Unknown)
        || other.confidence > best.confidence + 0.1
}

/// The site whose own rule or tag the first cause comes from.
fn site_of_rule(causes: &[Hypothesis<'_>]) -> Option<u16> {
    match causes.first()?.why {
        Why::Rule(rule) if rule.tier >= Tier::Site => match rule.origin {
            Origin::Site(number) => Some(number),
            _ => None,
        },
        _ => None,
    }
}

/// What stands behind the last `@`.
fn domain_of(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}
