//! What a whole catalog must have, whatever files it was put together from.

use redeliver_model::{Cause, Domain, ReportKind};

use crate::entries::{Catalog, Channel};
use crate::problem::Problem;
use crate::texts::{BY_US, FORWARDED};

/// The names of checks that `settled_by` and `proves` may use; `blocklist:<zone>` comes on top.
const CHECKS: [&str; 23] = [
    "authentication",
    "blocklist",
    "dane",
    "dkim",
    "dmarc",
    "egress",
    "helo",
    "history",
    "lint",
    "mta-sts",
    "other-receivers",
    "own-logs",
    "recipient-domain",
    "recipient-mx",
    "resend-without-links",
    "reverse-dns",
    "sender-domain",
    "service-events",
    "smtp-size",
    "spf",
    "submission",
    "tls",
    "transcript",
];

/// Whether a check of that name is foreseen.
pub fn is_check_name(name: &str) -> bool {
    CHECKS.contains(&name) || name.strip_prefix("blocklist:").is_some_and(|zone| Domain::parse(zone).is_ok())
}

/// What a whole catalog must have, however it was put together.
pub fn check_complete(catalog: &Catalog, problems: &mut Vec<Problem>) {
    let missing = |reason: String| Problem { file: "causes".to_owned(), line: 0, reason };
    for cause in Cause::ALL {
        if catalog.causes.get(*cause as usize).is_none_or(|entry| entry.cause != *cause) {
            problems.push(missing(format!("the cause `{cause}` has no file")));
        }
        if !catalog.wordings.iter().any(|(known, _)| known == cause) {
            problems.push(missing(format!("the cause `{cause}` has no file in wordings/")));
        }
        if !catalog.rules.iter().any(|rule| rule.cause == *cause) {
            problems.push(missing(format!("no rule leads to the cause `{cause}`: it has no example")));
        }
    }
    let refusals = [ReportKind::Refusal, ReportKind::Delayed];
    let kinds = ReportKind::ALL.iter().filter(|kind| !refusals.contains(kind)).map(|kind| kind.as_str());
    for id in kinds.chain([FORWARDED, BY_US]) {
        if !catalog.reports.iter().any(|report| report.id == id) {
            problems.push(Problem { file: "reports".to_owned(), line: 0, reason: format!("there is no `{id}`") });
        }
    }
    for channel in Channel::ALL {
        if channel != Channel::Nobody && !catalog.letters.iter().any(|letter| letter.channel == channel) {
            let reason = format!("there is no letter for the channel `{}`", channel.as_str());
            problems.push(Problem { file: "letters".to_owned(), line: 0, reason });
        }
    }
    for code in &catalog.colliding {
        for meaning in &code.meanings {
            if meaning.site != "iana" && !catalog.sites.iter().any(|site| site.id == meaning.site) {
                let reason = format!("{}: there is no site `{}`", code.status, meaning.site);
                problems.push(Problem { file: "codes/colliding.toml".to_owned(), line: 0, reason });
            }
        }
    }
}
