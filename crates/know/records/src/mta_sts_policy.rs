//! The policy file of MTA-STS (RFC 8461 3.2), and whether a mail server fits it (4.1). Never fails, fetches nothing.

use crate::fault::{Faults, Parsed, Span};
use crate::tags::trimmed;
use crate::txt::{bounded, text};

/// RFC 8461 3.2: about a year, the longest that senders keep a policy.
const LONGEST_AGE: u64 = 31_557_600;
/// A policy that is kept for less protects little (RFC 8461 3.2: weeks or greater are expected).
const SHORT_AGE: u64 = 86_400;

/// What senders do when TLS fails (RFC 8461 5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MtaStsMode {
    /// Do not deliver.
    Enforce,
    /// Deliver and report.
    Testing,
    /// There is no policy any more.
    #[default]
    None,
}

impl MtaStsMode {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

/// A policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MtaStsPolicy {
    /// `mode:`
    pub mode: MtaStsMode,
    /// `mx:`, each a name or `*.` and a name.
    pub mail_servers: Vec<String>,
    /// `max_age:` in seconds.
    pub max_age: u64,
    /// Fields that are not known: name and value.
    pub others: Vec<(String, String)>,
}

#[derive(Default)]
struct Seen {
    version: bool,
    mode: bool,
    max_age: bool,
}

impl MtaStsPolicy {
    /// Reads a policy file; at most 64 KiB are read, which is more than senders take.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Parsed<Self> {
        let bytes = bounded(bytes.as_ref());
        let mut faults = Faults::default();
        let mut policy = Self::default();
        let mut seen = Seen::default();
        let mut start = 0;
        for line in bytes.split(|byte| *byte == b'\n') {
            let span = trimmed(bytes, Span::new(start, start + line.len()));
            start += line.len() + 1;
            if span.start < span.end {
                policy.line(bytes, span, &mut seen, &mut faults);
            }
        }
        let all = Span::new(0, bytes.len());
        for (there, name) in [(seen.version, "version"), (seen.mode, "mode"), (seen.max_age, "max_age")] {
            if !there {
                faults.breaks("mta-sts-field-missing", all, format!("The policy has no valid `{name}:`."));
            }
        }
        if policy.mail_servers.is_empty() && policy.mode != MtaStsMode::None {
            faults.breaks("mta-sts-mx-missing", all, "The policy names no `mx:`, so no server can fit it.");
        }
        faults.finish(policy)
    }

    fn line(&mut self, bytes: &[u8], span: Span, seen: &mut Seen, faults: &mut Faults) {
        let Some(colon) = bytes[span.start..span.end].iter().position(|byte| *byte == b':') else {
            faults.breaks("mta-sts-bad-line", span, "The line is no `name: value`.");
            return;
        };
        let name = text(&bytes[span.start..span.start + colon]).trim().to_owned();
        let place = trimmed(bytes, Span::new(span.start + colon + 1, span.end));
        let value = text(&bytes[place.start..place.end]).into_owned();
        // RFC 8461 3.2: of a field that stands twice only the first counts, but for mx.
        let twice = match name.as_str() {
            "version" => seen.version,
            "mode" => seen.mode,
            "max_age" => seen.max_age,
            _ => false,
        };
        if twice {
            faults.untidy("mta-sts-duplicate-field", span, format!("`{name}:` stands twice; the first one counts."));
            return;
        }
        match name.as_str() {
            "version" if value == "STSv1" => seen.version = true,
            "version" => faults.breaks("mta-sts-bad-version", place, "The version must be `STSv1`."),
            "mode" => match [MtaStsMode::Enforce, MtaStsMode::Testing, MtaStsMode::None]
                .into_iter()
                .find(|mode| mode.as_str() == value)
            {
                Some(mode) => (seen.mode, self.mode) = (true, mode),
                None => {
                    faults.breaks("mta-sts-bad-mode", place, format!("`{value}` is none of enforce, testing, none."));
                }
            },
            "max_age" => self.age(&value, place, seen, faults),
            "mx" => self.mail_server(value, place, faults),
            _ => self.others.push((name, value)),
        }
    }

    fn age(&mut self, value: &str, place: Span, seen: &mut Seen, faults: &mut Faults) {
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        let Some(age) = value.parse().ok().filter(|age| digits && *age <= LONGEST_AGE) else {
            let sentence = format!("`max_age` must be a number of seconds up to {LONGEST_AGE}.");
            faults.breaks("mta-sts-bad-age", place, sentence);
            return;
        };
        (seen.max_age, self.max_age) = (true, age);
        if age < SHORT_AGE {
            let sentence = "The policy is kept for less than a day and protects little.";
            faults.untidy("mta-sts-short-age", place, sentence);
        }
    }

    fn mail_server(&mut self, value: String, place: Span, faults: &mut Faults) {
        let name = value.strip_prefix("*.").unwrap_or(&value);
        if redeliver_model::Domain::parse(name).is_err() || !name.is_ascii() || !name.contains('.') {
            faults.breaks("mta-sts-bad-mx", place, format!("`{value}` is no host name or `*.` and a domain."));
            return;
        }
        self.mail_servers.push(value);
    }

    /// Whether the policy allows this mail server.
    pub fn allows(&self, host: &str) -> bool {
        self.mail_servers.iter().any(|pattern| mx_pattern_matches(pattern, host))
    }
}

/// Whether a host fits a pattern: RFC 8461 4.1, `*.` stands for exactly one label.
pub fn mx_pattern_matches(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.trim_end_matches('.'), host.trim_end_matches('.'));
    match pattern.strip_prefix("*.") {
        Some(domain) => {
            host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain))
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

impl std::fmt::Display for MtaStsPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "version: STSv1\r\nmode: {}\r\n", self.mode.as_str())?;
        self.mail_servers.iter().try_for_each(|server| write!(f, "mx: {server}\r\n"))?;
        write!(f, "max_age: {}\r\n", self.max_age)?;
        self.others.iter().try_for_each(|(name, value)| write!(f, "{name}: {value}\r\n"))
    }
}
