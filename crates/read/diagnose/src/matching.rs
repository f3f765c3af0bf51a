//! Which rules of the catalog a text meets, and how strongly.

use redeliver_catalog::{Catalog, Origin, Rule, Tier};
use redeliver_model::{EnhancedStatus, Stage};

use crate::fold::Folded;
use crate::index::{Anchor, Index, Owner, Part};
use crate::phrase::WIDEST_GAP;

/// Wording below this confidence is weak: it competes with codes instead of beating them.
const WEAK: f32 = 0.6;

/// Most occurrences of one pattern that are looked at. In a reply a phrase stands once or twice; a text that repeats one for
/// pages would cost the square of its length.
const MOST_OCCURRENCES: u32 = 24;

/// Most bytes between two parts of a phrase: so many as the words of a gap may have.
const WIDEST_GAP_IN_BYTES: u32 = 40 * WIDEST_GAP as u32;

/// A rule that the text meets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its number in the catalog.
    pub rule: u32,
    /// Which kind of evidence it counts as here.
    pub tier: Tier,
    /// What it ranks by.
    pub score: f32,
    /// Where its phrase stands in the folded text.
    pub place: (u32, u32),
}

/// What is known beside the words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// The basic code.
    pub code: Option<u16>,
    /// The enhanced status.
    pub status: Option<EnhancedStatus>,
    /// The step of the dialogue.
    pub stage: Option<Stage>,
    /// The site of the refusing host, if the host is known.
    pub site: Option<u16>,
}

/// A phrase found in the text.
#[derive(Debug, Clone, Copy)]
struct Hit {
    phrase: u32,
    start: u32,
    end: u32,
    /// End of the first segment and start of the last; what lies between is a gap.
    first_end: u32,
    last_start: u32,
    hidden: bool,
    /// The strongest kind of evidence that it speaks for among the rules met.
    tier: Tier,
    is_trailer: bool,
}

/// A pattern found in the text.
#[derive(Debug, Clone, Copy)]
struct Occurrence {
    pattern: u32,
    start: u32,
    end: u32,
    /// The one before it of the same pattern, plus one; 0 for none.
    earlier: u32,
    /// How many of the same pattern were before it.
    number: u32,
    goes_on_left: bool,
    goes_on_right: bool,
    in_name: bool,
}

impl Hit {
    fn length(&self) -> u32 {
        self.end - self.start
    }
}

impl Occurrence {
    /// Whether it may stand for a segment: whole words, and not inside a name.
    fn fits(&self, part: Part) -> bool {
        (!self.goes_on_left || part.open_left)
            && (!self.goes_on_right || part.open_right)
            && (!self.in_name || part.named)
    }
}

/// What the scan has found out about one rule; valid only while `round` is the present one.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    round: u32,
    any: bool,
    /// The longest hit of its phrases.
    longest: u32,
    all: u32,
    not: bool,
    holds: bool,
}

/// Buffers that are used again for every text.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The folded text.
    pub folded: Folded,
    occurrences: Vec<Occurrence>,
    /// The last occurrence of each pattern, plus one, and the scan it belongs to.
    latest: Vec<(u32, u32)>,
    scan: u32,
    hits: Vec<Hit>,
    /// For each phrase the last round in which a hit of it counted for an `all`.
    counted: Vec<u32>,
    covers: Vec<Cover>,
    met: Vec<Met>,
    round: u32,
    touched: Vec<u32>,
    /// The rules met, best first.
    pub candidates: Vec<Candidate>,
    /// The site that the words give away.
    pub marked_site: Option<u16>,
    /// The software that the words give away.
    pub marked_software: Option<u16>,
}

const NONE: u32 = u32::MAX;

impl Scratch {
    /// Finds the rules that the folded text meets.
    pub fn match_rules(&mut self, index: &Index, catalog: &Catalog, about: Circumstances) {
        self.met.resize(catalog.rules.len(), Met::default());
        self.candidates.clear();
        self.find_hits(index);
        self.find_marks(index);
        self.judge(index, catalog, about);
        if self.hide_covered(index, catalog) {
            self.candidates.clear();
            self.judge(index, catalog, about);
        }
        self.candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.rule.cmp(&b.rule)));
    }

    /// The software whose marks are in the folded text.
    pub fn find_software(&mut self, index: &Index) -> Option<u16> {
        self.find_hits(index);
        self.find_marks(index);
        self.marked_software
    }

    fn find_hits(&mut self, index: &Index) {
        let Self { folded, occurrences, latest, scan, hits, .. } = self;
        occurrences.clear();
        hits.clear();
        latest.resize(index.patterns(), (0, 0));
        *scan += 1;
        let text = &folded.bytes;
        let letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let mut add = |pattern: u32, start: usize, end: usize| {
            let latest = &mut latest[pattern as usize];
            let earlier = if latest.1 == *scan { latest.0 } else { 0 };
            let number = earlier.checked_sub(1).map_or(0, |earlier| occurrences[earlier as usize].number + 1);
            if number >= MOST_OCCURRENCES {
                return;
            }
            occurrences.push(Occurrence {
                pattern,
                start: start as u32,
                end: end as u32,
                earlier,
                number,
                goes_on_left: start > 0 && letter(start) && letter(start - 1),
                goes_on_right: letter(end) && letter(end - 1),
                in_name: folded.touches_name(start, end),
            });
            *latest = (occurrences.len() as u32, *scan);
        };
        index.words.scan(text, &mut add);
        index.automaton.scan(text, |pattern, end| add(pattern, end - index.length(pattern), end));
        if !text.is_ascii() {
            index.wide_automaton.scan(text, |pattern, end| add(pattern, end - index.length(pattern), end));
        }
        for occurrence in &*occurrences {
            for Anchor { phrase, place } in index.anchors(occurrence.pattern) {
                let parts = index.parts(*phrase);
                let place = *place as usize;
                if !occurrence.fits(parts[place]) {
                    continue;
                }
                let chain = Chain { text, occurrences, latest, scan: *scan };
                let Some(first) = chain.before(occurrence, &parts[..place]) else { continue };
                let Some(last) = chain.behind(occurrence, &parts[place + 1..]) else { continue };
                // `blacklist*` speaks for the whole word.
                let end = if parts[parts.len() - 1].open_right { word_end(text, last.end) } else { last.end };
                let first_end = if parts.len() == 1 { end } else { first.end };
                hits.push(Hit {
                    phrase: *phrase,
                    start: first.start,
                    end,
                    first_end,
                    last_start: last.start,
                    hidden: false,
                    tier: Tier::Code,
                    is_trailer: false,
                });
            }
        }
    }

    fn find_marks(&mut self, index: &Index) {
        self.marked_site = None;
        self.marked_software = None;
        for hit in &self.hits {
            for owner in index.owners(hit.phrase) {
                match owner {
                    Owner::Site(site) => self.marked_site = self.marked_site.or(Some(*site)),
                    Owner::Software(software) => self.marked_software = self.marked_software.or(Some(*software)),
                    _ => {}
                }
            }
        }
    }

    /// Goes through the hits and adds every rule whose conditions are met.
    fn judge(&mut self, index: &Index, catalog: &Catalog, about: Circumstances) {
        self.round += 1;
        self.touched.clear();
        self.counted.resize(index.phrases(), 0);
        for (number, hit) in self.hits.iter().enumerate() {
            // Of several hits of one phrase, the first that is not hidden counts.
            let counted = &mut self.counted[hit.phrase as usize];
            let is_first = !hit.hidden && *counted != self.round;
            if is_first {
                *counted = self.round;
            }
            for owner in index.owners(hit.phrase) {
                let (Owner::Any(rule) | Owner::All(rule) | Owner::Not(rule)) = owner else { continue };
                let met = &mut self.met[*rule as usize];
                if met.round != self.round {
                    *met = Met { round: self.round, any: false, longest: NONE, all: 0, not: false, holds: false };
                    self.touched.push(*rule);
                }
                match owner {
                    Owner::Not(_) => met.not = true,
                    Owner::Any(_) if !hit.hidden => met.any = true,
                    Owner::All(_) if !hit.hidden => met.all += u32::from(is_first),
                    _ => continue,
                }
                if !matches!(owner, Owner::Not(_))
                    && (met.longest == NONE || self.hits[met.longest as usize].length() < hit.length())
                {
                    met.longest = number as u32;
                }
            }
        }
        let site = about.site.or(self.marked_site);
        for number in &self.touched {
            let met = self.met[*number as usize];
            let rule = &catalog.rules[*number as usize];
            let any = rule.any.is_empty() || met.any;
            if !any
                || met.not
                || met.all < index.needed[*number as usize]
                || !fits(rule, about, site, self.marked_software)
            {
                continue;
            }
            if rule.any.is_empty() && rule.all.is_empty() {
                continue; // only a `not` phrase was touched; such rules are reached by their code
            }
            let place = self.hits.get(met.longest as usize).map_or((0, 0), |hit| (hit.start, hit.end));
            self.met[*number as usize].holds = true;
            self.candidates.push(candidate(*number, rule, place, self.folded.bytes.len(), about.site));
        }
        let by_status = about.status.into_iter().flat_map(|status| index.status_rules(status.subject, status.detail));
        for number in by_status.chain(index.bare_rules(about.code)) {
            let rule = &catalog.rules[number as usize];
            let met = self.met[number as usize];
            let negated = met.round == self.round && met.not;
            if !negated && fits(rule, about, site, self.marked_software) {
                self.candidates.push(candidate(number, rule, (0, 0), self.folded.bytes.len(), about.site));
            }
        }
    }

    /// Hides every hit that lies inside a longer one of a rule that is met, or inside a trailer.
    fn hide_covered(&mut self, index: &Index, catalog: &Catalog) -> bool {
        let mut covers = std::mem::take(&mut self.covers);
        covers.clear();
        let mut longest = 0;
        for hit in &mut self.hits {
            (hit.tier, hit.is_trailer) = weight(&self.met, index, catalog, hit);
            if hit.tier == Tier::Code && !hit.is_trailer {
                continue;
            }
            longest = longest.max(hit.first_end - hit.start).max(hit.end - hit.last_start);
            longest = longest.max(if hit.is_trailer { hit.length() } else { 0 });
            for (start, end) in [(hit.start, hit.first_end), (hit.last_start, hit.end)] {
                covers.push(Cover { start, end, of: *hit });
            }
        }
        covers.sort_unstable_by_key(|cover| cover.start);
        let mut any = false;
        for hit in self.hits.iter_mut().filter(|hit| !hit.is_trailer) {
            let before = covers.partition_point(|cover| cover.start <= hit.start);
            let near = covers[..before].iter().rev().take_while(|cover| cover.start + longest >= hit.end);
            if near.into_iter().any(|cover| cover.hides(hit)) {
                hit.hidden = true;
                any = true;
            }
        }
        self.covers = covers;
        any
    }
}

/// A stretch of text that hides what lies in it: the first or the last segment of a hit.
#[derive(Debug, Clone, Copy)]
struct Cover {
    start: u32,
    end: u32,
    of: Hit,
}

impl Cover {
    fn hides(&self, hit: &Hit) -> bool {
        let of = &self.of;
        let equal = of.is_trailer && of.start == hit.start && of.end == hit.end;
        let inside = self.start <= hit.start && hit.end <= self.end && self.end - self.start > hit.length();
        equal || (inside && of.phrase != hit.phrase && (of.is_trailer || of.tier >= hit.tier))
    }
}

/// The strongest kind of evidence that a hit speaks for among the rules met, and whether it is a trailer.
fn weight(met: &[Met], index: &Index, catalog: &Catalog, hit: &Hit) -> (Tier, bool) {
    let mut tier = Tier::Code;
    let mut trailer = false;
    for owner in index.owners(hit.phrase) {
        match owner {
            Owner::Any(rule) | Owner::All(rule) if met[*rule as usize].holds => {
                tier = tier.max(catalog.rules[*rule as usize].tier);
            }
            Owner::Trailer => trailer = true,
            _ => {}
        }
    }
    (tier, trailer)
}

/// The end of the word that goes on at `at`.
fn word_end(text: &[u8], at: u32) -> u32 {
    at + text[at as usize..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count() as u32
}

/// Finds the other segments of a phrase around one of them.
struct Chain<'s> {
    text: &'s [u8],
    occurrences: &'s [Occurrence],
    latest: &'s [(u32, u32)],
    scan: u32,
}

impl<'s> Chain<'s> {
    /// The occurrences of a pattern, last first.
    fn of(&self, pattern: u32) -> impl Iterator<Item = &'s Occurrence> {
        let latest = self.latest[pattern as usize];
        let mut next = if latest.1 == self.scan { latest.0 } else { 0 };
        let occurrences = self.occurrences;
        std::iter::from_fn(move || {
            let occurrence = occurrences.get(next.checked_sub(1)? as usize)?;
            next = occurrence.earlier;
            Some(occurrence)
        })
    }

    fn gap_is_narrow(&self, left: &Occurrence, right: &Occurrence) -> bool {
        left.end <= right.start && right.start - left.end <= WIDEST_GAP_IN_BYTES && {
            let gap = &self.text[left.end as usize..right.start as usize];
            gap.split(|byte| *byte == b' ').count() <= WIDEST_GAP + 2
        }
    }

    /// Walks left through `parts` from `right`, taking the nearest each time; the first segment, or `right` itself.
    fn before(&self, right: &'s Occurrence, parts: &[Part]) -> Option<&'s Occurrence> {
        parts.iter().rev().try_fold(right, |right, part| {
            self.of(part.pattern).find(|left| left.fits(*part) && self.gap_is_narrow(left, right))
        })
    }

    /// Walks right through `parts` from `left`, taking the nearest each time; the last segment, or `left` itself.
    fn behind(&self, left: &'s Occurrence, parts: &[Part]) -> Option<&'s Occurrence> {
        parts.iter().try_fold(left, |left, part| {
            self.of(part.pattern)
                .filter(|right| right.fits(*part) && self.gap_is_narrow(left, right))
                .min_by_key(|right| right.start)
        })
    }
}

/// Whether the conditions beside the words are met.
fn fits(rule: &Rule, about: Circumstances, site: Option<u16>, software: Option<u16>) -> bool {
    let here = match rule.origin {
        Origin::Site(own) => site == Some(own),
        Origin::Software(own) => software == Some(own),
        _ => true,
    };
    (!rule.only_here || here)
        && (rule.code.is_empty() || about.code.is_some_and(|code| rule.code.iter().any(|start| starts(code, start))))
        && (rule.status.is_empty()
            || about.status.is_some_and(|status| rule.status.iter().any(|pattern| pattern.matches(status))))
        && (rule.stage.is_empty() || about.stage.is_some_and(|stage| rule.stage.contains(&stage)))
}

/// Whether the digits of `code` begin with `start`.
fn starts(code: u16, start: &str) -> bool {
    let divisor = match start.len() {
        1 => 100,
        2 => 10,
        _ => 1,
    };
    start.parse() == Ok(code / divisor)
}

fn candidate(number: u32, rule: &Rule, place: (u32, u32), length: usize, site: Option<u16>) -> Candidate {
    let elsewhere = matches!(rule.origin, Origin::Site(own) if site.is_some_and(|site| site != own));
    let tier = match rule.tier {
        Tier::Site if elsewhere => Tier::Words,
        tier => tier,
    };
    let tier = if rule.confidence < WEAK && matches!(tier, Tier::Words | Tier::Site) { Tier::Status } else { tier };
    let kind = match tier {
        Tier::Code => 0.0,
        Tier::Status => 10.0,
        Tier::Words => 20.0,
        Tier::Site => 30.0,
        Tier::List => 40.0,
        Tier::Tag => 50.0,
    };
    let words = (place.1 - place.0).min(48) as f32 / 48.0;
    let early = if place.1 == 0 { 0.0 } else { 0.2 * (1.0 - place.0 as f32 / length.max(1) as f32) };
    let wordless = if place.1 == 0 && tier == Tier::Site { -0.5 } else { 0.0 };
    // Of two wordings, the one known from a software's own source says more than the general one.
    let known = if matches!(rule.origin, Origin::Software(_)) { 0.5 } else { 0.0 };
    let score = kind + rule.confidence * 4.0 + words + early + wordless + known;
    Candidate { rule: number, tier, score, place }
}
