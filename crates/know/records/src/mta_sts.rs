//! The TXT record of MTA-STS at `_mta-sts.` (RFC 8461 3.1). The policy itself is in `mta_sts_policy`. Never fails.

use crate::fault::{Faults, Parsed, Span};
use crate::tags::{self, Tag, TagIds, take};
use crate::txt::bounded;

/// RFC 8461 3.1: `id` has 1 to 32 letters and digits.
const LONGEST_ID: usize = 32;

const IDS: TagIds =
    TagIds { not_a_tag: "mta-sts-not-a-tag", duplicate: "mta-sts-duplicate-tag", not_ascii: "mta-sts-not-ascii" };

/// The record that says that there is a policy, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MtaStsRecord {
    /// Changes whenever the policy changes.
    pub id: String,
    /// Extensions.
    pub others: Vec<Tag>,
}

impl MtaStsRecord {
    /// Whether a TXT record is meant as MTA-STS: RFC 8461 3.1, others are discarded.
    pub fn is_mta_sts(bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        bytes.starts_with(b"v=STSv1") && matches!(bytes.get(7), None | Some(b';' | b' ' | b'\t'))
    }

    /// Reads a record, its strings already joined.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let mut tags = tags::read(bytes, &IDS, &mut faults);
        tags::check_version(&mut tags, "STSv1", "mta-sts-bad-version", &mut faults);
        let id = take(&mut tags, "id");
        match &id {
            None => {
                let sentence = "There is no `id=`, so senders see no policy.";
                faults.breaks("mta-sts-id-missing", Span::new(0, bytes.len()), sentence);
            }
            Some(tag)
                if tag.value.is_empty()
                    || tag.value.len() > LONGEST_ID
                    || !tag.value.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                let sentence = format!("`id={}` must be 1 to {LONGEST_ID} letters and digits.", tag.value);
                faults.breaks("mta-sts-bad-id", tag.value_span, sentence);
            }
            Some(_) => {}
        }
        faults.finish(Self { id: id.map(|tag| tag.value).unwrap_or_default(), others: tags })
    }
}

impl std::fmt::Display for MtaStsRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v=STSv1; id={};", self.id)?;
        self.others.iter().try_for_each(|tag| write!(f, " {tag};"))
    }
}
