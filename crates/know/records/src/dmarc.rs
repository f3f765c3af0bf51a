//! DMARC policy records (RFC 9989 4.7, 4.8): reading, printing, the policy that applies. Never fails, looks nothing up.

use crate::fault::{Faults, Parsed, Span};
use crate::tags::{self, Tag, TagIds, pieces, take};
use crate::txt::{bounded, text};

const IDS: TagIds =
    TagIds { not_a_tag: "dmarc-not-a-tag", duplicate: "dmarc-duplicate-tag", not_ascii: "dmarc-not-ascii" };

/// Tags of RFC 7489 that RFC 9989 dropped; older receivers still read them.
const HISTORIC: [&str; 3] = ["pct", "rf", "ri"];

/// What to do with mail that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// Nothing.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// One level milder (RFC 9989 4.7, `t=y`).
    #[must_use]
    pub const fn one_level_down(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(word))
    }
}

/// How closely domains must agree, `adkim=` and `aspf=`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// `r`: the same organisational domain.
    #[default]
    Relaxed,
    /// `s`: the same domain.
    Strict,
}

/// Whether the domain is a public suffix, `psd=`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Psd {
    /// `y`: others register names below it.
    Yes,
    /// `n`: it is an organisational domain.
    No,
    /// `u`, the default: the tree walk finds out.
    #[default]
    Unknown,
}

/// Where a domain stands to the one whose record applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// It is that domain.
    Itself,
    /// Below it, and it exists.
    Subdomain,
    /// Below it, and it does not exist.
    NonExistent,
}

/// Where reports go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportUri {
    /// The URI without a size.
    pub uri: String,
    /// The obsolete size limit behind `!`, as written.
    pub size: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl ReportUri {
    /// The mail address of a `mailto:` URI, without its parameters.
    pub fn mail_address(&self) -> Option<&str> {
        let scheme = self.uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))?;
        let address = &self.uri[scheme.len()..];
        Some(address.split('?').next().unwrap_or(address)).filter(|address| {
            address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
        })
    }
}

/// A DMARC policy record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DmarcRecord {
    /// `p=`; none if it is absent or wrong.
    pub policy: Option<Policy>,
    /// `sp=`
    pub subdomain_policy: Option<Policy>,
    /// `np=`
    pub non_existent_policy: Option<Policy>,
    /// `t=y`
    pub testing: bool,
    /// `psd=`
    pub psd: Psd,
    /// `adkim=`
    pub dkim_alignment: Alignment,
    /// `aspf=`
    pub spf_alignment: Alignment,
    /// `rua=`
    pub aggregate_reports: Vec<ReportUri>,
    /// `ruf=`
    pub failure_reports: Vec<ReportUri>,
    /// `fo=`, the letters in order; empty for the default.
    pub failure_options: Vec<char>,
    /// `pct=`, `rf=`, `ri=`: read by older receivers only.
    pub historic: Vec<Tag>,
    /// Tags that are not known; ignored by receivers.
    pub others: Vec<Tag>,
    /// A policy tag was wrong or `p=` missing, so receivers act as if `p=none` stood there, or not at all.
    pub policy_void: bool,
}

impl DmarcRecord {
    /// Whether a TXT record is meant as DMARC: it starts with a `v` tag of this version (RFC 9989 4.10, step 2).
    pub fn is_dmarc(bytes: impl AsRef<[u8]>) -> bool {
        let mut faults = Faults::default();
        let bytes = bounded(bytes.as_ref());
        let first = bytes.split(|byte| *byte == b';').next().unwrap_or_default();
        let tags = tags::read(first, &IDS, &mut faults);
        tags.first().is_some_and(|tag| tag.name == "v" && tag.value == "DMARC1")
    }

    /// Reads a record, its strings already joined.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let mut tags = tags::read(bytes, &IDS, &mut faults);
        let second = tags.get(1).map(|tag| tag.name.clone());
        let version = tags::check_version(&mut tags, "DMARC1", "dmarc-bad-version", &mut faults);
        if !version {
            spot_wrong_start(bytes, &mut faults);
        }
        let aggregate = take(&mut tags, "rua");
        let aggregate_reports = uris(aggregate.as_ref(), bytes, "rua", &mut faults);
        let reports = aggregate_reports.iter().any(|uri| is_uri(&uri.uri));
        let mut policy = PolicyReader { reports, void: false, faults: &mut faults };
        let p = take(&mut tags, "p");
        let missing = p.is_none();
        let record_policy = policy.read(p);
        let subdomain_policy = policy.read(take(&mut tags, "sp"));
        let non_existent_policy = policy.read(take(&mut tags, "np"));
        let mut policy_void = policy.void;
        if missing {
            policy_void = true;
            // Of a record that is ignored as a whole this would say nothing new.
            if version {
                policy_missing(reports, bytes, &mut faults);
            }
        } else if version && second.as_deref() != Some("p") {
            // RFC 7489 6.4 wanted p= second; RFC 9989 4.8 does not.
            let sentence = "`p=` does not stand right behind `v=`; some older receivers want it there.";
            faults.untidy("dmarc-p-not-second", Span::new(0, bytes.len()), sentence);
        }
        let failure = take(&mut tags, "ruf");
        let failure_reports = uris(failure.as_ref(), bytes, "ruf", &mut faults);
        let record = Self {
            policy: record_policy,
            subdomain_policy,
            non_existent_policy,
            testing: choice(take(&mut tags, "t"), &[("y", true), ("n", false)], &mut faults),
            psd: choice(take(&mut tags, "psd"), &[("u", Psd::Unknown), ("y", Psd::Yes), ("n", Psd::No)], &mut faults),
            dkim_alignment: alignment(take(&mut tags, "adkim"), &mut faults),
            spf_alignment: alignment(take(&mut tags, "aspf"), &mut faults),
            aggregate_reports,
            failure_options: failure_options(take(&mut tags, "fo"), failure.is_some(), &mut faults),
            failure_reports,
            historic: historic(&mut tags, &mut faults),
            others: tags,
            policy_void,
        };
        for tag in &record.others {
            faults.untidy("dmarc-unknown-tag", tag.span, format!("The tag `{}` is unknown and ignored.", tag.name));
        }
        faults.finish(record)
    }

    /// The policy for a domain at that level, `t=y` applied; none where receivers apply no DMARC (RFC 9989 4.10.1).
    pub fn applied_policy(&self, level: Level) -> Option<Policy> {
        if self.policy_void {
            let reports = self.aggregate_reports.iter().any(|uri| is_uri(&uri.uri));
            return reports.then_some(Policy::None);
        }
        let below = self.subdomain_policy.or(self.policy);
        let policy = match level {
            Level::Itself => self.policy,
            Level::Subdomain => below,
            Level::NonExistent => self.non_existent_policy.or(below),
        };
        policy.map(|policy| if self.testing { policy.one_level_down() } else { policy })
    }
}

/// Names what a record that is not taken as DMARC looks like.
fn spot_wrong_start(bytes: &[u8], faults: &mut Faults) {
    let lower = text(bytes).to_ascii_lowercase();
    if lower.starts_with('"') || lower.starts_with('\\') {
        faults.untidy("dmarc-quotes", Span::new(0, 1), "The record begins with a quote or a backslash of a zone file.");
    }
}

fn policy_missing(reports: bool, bytes: &[u8], faults: &mut Faults) {
    let span = Span::new(0, bytes.len());
    if reports {
        faults.loses("dmarc-p-missing", span, "There is no `p=`, so it counts as `p=none`.");
    } else {
        // RFC 9989 4.10.1: without p= and without a valid rua=, no DMARC processing.
        let sentence = "There is neither `p=` nor a valid `rua=`, so receivers apply no DMARC.";
        faults.breaks("dmarc-p-missing", span, sentence);
    }
}

struct PolicyReader<'a> {
    reports: bool,
    void: bool,
    faults: &'a mut Faults,
}

impl PolicyReader<'_> {
    fn read(&mut self, tag: Option<Tag>) -> Option<Policy> {
        let tag = tag?;
        let policy = Policy::read(&tag.value);
        if policy.is_none() {
            self.void = true;
            let lacks_semicolon = tag.value.contains(['=', ' ', ',']);
            let hint = if lacks_semicolon { " A semicolon must stand between tags." } else { "" };
            let start = format!("`{}={}` is none of none, quarantine, reject;", tag.name, tag.value);
            // RFC 9989 4.10.1: as p=none if there is a valid rua=, else no DMARC processing.
            if self.reports {
                let sentence = format!("{start} the whole record counts as `p=none`.{hint}");
                self.faults.loses("dmarc-bad-policy", tag.value_span, sentence);
            } else {
                let sentence = format!("{start} without a valid `rua=` receivers apply no DMARC.{hint}");
                self.faults.breaks("dmarc-bad-policy", tag.value_span, sentence);
            }
        }
        policy
    }
}

fn alignment(tag: Option<Tag>, faults: &mut Faults) -> Alignment {
    choice(tag, &[("r", Alignment::Relaxed), ("s", Alignment::Strict)], faults)
}

/// The meaning of a word. RFC 9989 4.8: a wrong value counts as the default.
fn choice<T: Copy + Default>(tag: Option<Tag>, words: &[(&str, T)], faults: &mut Faults) -> T {
    let Some(tag) = tag else { return T::default() };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&tag.value));
    if found.is_none() {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let sentence = format!("`{tag}` is none of {}; the default counts.", words.join(", "));
        faults.loses("dmarc-bad-value", tag.value_span, sentence);
    }
    found.map(|(_, meaning)| *meaning).unwrap_or_default()
}

/// RFC 9989 4.8, `dmarc-fo`: one of 0 and 1, d and s, each at most once, joined by colons.
fn failure_options(tag: Option<Tag>, has_ruf: bool, faults: &mut Faults) -> Vec<char> {
    let Some(tag) = tag else { return Vec::new() };
    let mut options = Vec::new();
    for word in tag.value.split(':').map(str::trim) {
        let mut letters = word.chars();
        let known = letters.next().map(|letter| letter.to_ascii_lowercase()).filter(|letter| "01ds".contains(*letter));
        match (known, letters.next()) {
            (Some(letter), None) if !options.contains(&letter) => options.push(letter),
            _ => {
                faults.loses("dmarc-bad-value", tag.value_span, format!("`{word}` in `fo=` is wrong or stands twice."));
            }
        }
    }
    if !has_ruf {
        faults.untidy("dmarc-fo-without-ruf", tag.span, "`fo=` is ignored without `ruf=`.");
    }
    options
}

fn historic(tags: &mut Vec<Tag>, faults: &mut Faults) -> Vec<Tag> {
    let found: Vec<Tag> = HISTORIC.iter().filter_map(|name| take(tags, name)).collect();
    for tag in &found {
        let sentence = match tag.name.as_str() {
            "pct" => "`pct=` is historic since RFC 9989; `t=y` took its place for testing.",
            "rf" => "`rf=` is historic since RFC 9989; there is one report format.",
            _ => "`ri=` is historic since RFC 9989; reports are daily.",
        };
        faults.untidy("dmarc-historic-tag", tag.span, sentence);
    }
    found
}

/// A generic check for a URI (RFC 3986 3): a scheme, a colon, something behind it, no commas or blanks.
fn is_uri(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
            && rest.chars().all(|c| c.is_ascii_graphic() && c != '!')
    })
}

/// Reads `rua=` or `ruf=`.
fn uris(tag: Option<&Tag>, bytes: &[u8], name: &str, faults: &mut Faults) -> Vec<ReportUri> {
    let Some(tag) = tag else { return Vec::new() };
    let mut uris = Vec::new();
    for span in pieces(bytes, tag.value_span, b',') {
        let piece = text(&bytes[span.start..span.end]).into_owned();
        let (uri, size) = match piece.split_once('!') {
            Some((uri, size)) => (uri.to_owned(), Some(size.to_owned())),
            None => (piece, None),
        };
        let uri = ReportUri { uri, size, span };
        check_uri(&uri, name, faults);
        if !uri.uri.is_empty() {
            uris.push(uri);
        }
    }
    uris
}

fn check_uri(uri: &ReportUri, name: &str, faults: &mut Faults) {
    if uri.size.is_some() {
        let sentence = format!("The size limit behind `!` in `{name}=` is obsolete and ignored.");
        faults.untidy("dmarc-obsolete-size", uri.span, sentence);
    }
    if uri.uri.is_empty() {
        faults.loses("dmarc-bad-uri", uri.span, format!("`{name}=` has an empty entry."));
    } else if uri.mail_address().is_none() {
        let mailto = uri.uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let (id, sentence) = if !mailto && uri.uri.contains('@') {
            ("dmarc-rua-no-mailto", format!("`{}` in `{name}=` lacks `mailto:`, so no report is sent to it.", uri.uri))
        } else if mailto || !is_uri(&uri.uri) {
            ("dmarc-bad-uri", format!("`{}` in `{name}=` is no mail address, so no report is sent to it.", uri.uri))
        } else {
            ("dmarc-other-scheme", format!("`{}` in `{name}=`: receivers need only send to `mailto:`.", uri.uri))
        };
        faults.loses(id, uri.span, sentence);
    }
}

fn write_uris(f: &mut std::fmt::Formatter<'_>, name: &str, uris: &[ReportUri]) -> std::fmt::Result {
    for (number, uri) in uris.iter().enumerate() {
        f.write_str(if number == 0 { "; " } else { "," })?;
        if number == 0 {
            write!(f, "{name}=")?;
        }
        f.write_str(&uri.uri)?;
        if let Some(size) = &uri.size {
            write!(f, "!{size}")?;
        }
    }
    Ok(())
}

impl std::fmt::Display for DmarcRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("v=DMARC1")?;
        let policies = [("p", self.policy), ("sp", self.subdomain_policy), ("np", self.non_existent_policy)];
        for (name, policy) in policies {
            if let Some(policy) = policy {
                write!(f, "; {name}={}", policy.as_str())?;
            }
        }
        if self.testing {
            f.write_str("; t=y")?;
        }
        match self.psd {
            Psd::Yes => f.write_str("; psd=y")?,
            Psd::No => f.write_str("; psd=n")?,
            Psd::Unknown => {}
        }
        if self.dkim_alignment == Alignment::Strict {
            f.write_str("; adkim=s")?;
        }
        if self.spf_alignment == Alignment::Strict {
            f.write_str("; aspf=s")?;
        }
        write_uris(f, "rua", &self.aggregate_reports)?;
        write_uris(f, "ruf", &self.failure_reports)?;
        for (number, option) in self.failure_options.iter().enumerate() {
            write!(f, "{}{option}", if number == 0 { "; fo=" } else { ":" })?;
        }
        self.historic.iter().chain(&self.others).try_for_each(|tag| write!(f, "; {tag}"))
    }
}
