//! TLS reporting records at `_smtp._tls.` (RFC 8460 3). Never fails.

use crate::fault::{Faults, Parsed, Span};
use crate::tags::{self, Tag, TagIds, pieces, take};
use crate::txt::{bounded, text};

const IDS: TagIds =
    TagIds { not_a_tag: "tlsrpt-not-a-tag", duplicate: "tlsrpt-duplicate-tag", not_ascii: "tlsrpt-not-ascii" };

/// Where reports about TLS go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsRptRecord {
    /// `rua=`: `mailto:` or `https:` URIs.
    pub reports: Vec<String>,
    /// Extensions.
    pub others: Vec<Tag>,
}

impl TlsRptRecord {
    /// Whether a TXT record is meant as TLS-RPT: RFC 8460 3, others are discarded.
    pub fn is_tls_rpt(bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        bytes.starts_with(b"v=TLSRPTv1") && matches!(bytes.get(10), None | Some(b';' | b' ' | b'\t'))
    }

    /// Reads a record, its strings already joined.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let mut tags = tags::read(bytes, &IDS, &mut faults);
        tags::check_version(&mut tags, "TLSRPTv1", "tlsrpt-bad-version", &mut faults);
        let mut reports = Vec::new();
        match take(&mut tags, "rua") {
            None => {
                let sentence = "There is no `rua=`, so no report is sent.";
                faults.breaks("tlsrpt-bad", Span::new(0, bytes.len()), sentence);
            }
            Some(tag) => {
                for span in pieces(bytes, tag.value_span, b',') {
                    let uri = text(&bytes[span.start..span.end]).into_owned();
                    if is_report_uri(&uri) {
                        reports.push(uri);
                    } else {
                        let sentence = format!("`{uri}` is neither `mailto:` and an address nor an `https:` URI.");
                        faults.loses("tlsrpt-bad-uri", span, sentence);
                    }
                }
                if reports.is_empty() {
                    faults.breaks("tlsrpt-bad", tag.value_span, "`rua=` has no usable URI, so no report is sent.");
                }
            }
        }
        faults.finish(Self { reports, others: tags })
    }
}

/// RFC 8460 3: `mailto:` and `https:`; commas, exclamation marks and semicolons must be encoded.
fn is_report_uri(uri: &str) -> bool {
    let lower = uri.to_ascii_lowercase();
    let good = uri.chars().all(|c| c.is_ascii_graphic() && c != '!');
    let address = lower.strip_prefix("mailto:").is_some_and(|address| {
        let address = address.split('?').next().unwrap_or_default();
        address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
    });
    good && (address || lower.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()))
}

impl std::fmt::Display for TlsRptRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v=TLSRPTv1; rua={}", self.reports.join(","))?;
        self.others.iter().try_for_each(|tag| write!(f, "; {tag}"))
    }
}
