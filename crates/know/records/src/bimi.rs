//! BIMI assertion records at `selector._bimi.` (draft-brand-indicators-for-message-identification 4.3). Never fails.

use crate::fault::{Effect, Faults, Parsed, Span};
use crate::tags::{self, Tag, TagIds, take};
use crate::txt::bounded;

const IDS: TagIds =
    TagIds { not_a_tag: "bimi-not-a-tag", duplicate: "bimi-duplicate-tag", not_ascii: "bimi-not-ascii" };

/// Where the logo and its certificate are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BimiRecord {
    /// `l=`: the logo; empty if the domain wants none.
    pub location: String,
    /// `a=`: the certificate.
    pub authority: String,
    /// Extensions.
    pub others: Vec<Tag>,
}

impl BimiRecord {
    /// Whether the domain says that it wants no logo shown: both tags there and empty.
    pub fn declines(&self) -> bool {
        self.location.is_empty() && self.authority.is_empty()
    }

    /// Reads a record, its strings already joined.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let mut tags = tags::read(bytes, &IDS, &mut faults);
        tags::check_version(&mut tags, "BIMI1", "bimi-bad-version", &mut faults);
        let location = take(&mut tags, "l");
        let authority = take(&mut tags, "a");
        if location.is_none() {
            let sentence = "There is no `l=`; the tag is required, though it may be empty.";
            faults.breaks("bimi-location-missing", Span::new(0, bytes.len()), sentence);
        }
        check(location.as_ref(), Effect::BreaksRecord, "logo", &mut faults);
        check(authority.as_ref(), Effect::LosesPart, "certificate", &mut faults);
        if let Some(tag) = &location
            && tag.value.starts_with("https:")
            && !tag.value.to_ascii_lowercase().contains(".svg")
        {
            faults.untidy("bimi-not-svg", tag.value_span, "The logo should be an SVG file.");
        }
        let value = |tag: Option<Tag>| tag.map(|tag| tag.value).unwrap_or_default();
        faults.finish(Self { location: value(location), authority: value(authority), others: tags })
    }
}

/// The only transport allowed is HTTPS.
fn check(tag: Option<&Tag>, effect: Effect, what: &str, faults: &mut Faults) {
    let Some(tag) = tag.filter(|tag| !tag.value.is_empty()) else { return };
    let host = tag.value.get(..8).filter(|start| start.eq_ignore_ascii_case("https://"));
    if host.is_none() || tag.value.len() == 8 || tag.value.contains([' ', ',']) {
        let sentence = format!("The {what} must have one `https:` address, so it is not shown.");
        faults.add(effect, "bimi-not-https", tag.value_span, sentence);
    }
}

impl std::fmt::Display for BimiRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v=BIMI1; l={}; a={}", self.location, self.authority)?;
        self.others.iter().try_for_each(|tag| write!(f, "; {tag}"))
    }
}
