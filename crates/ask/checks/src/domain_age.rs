//! Check `domain-age`: when a domain was registered, by RDAP (RFC 9083). Only where it is allowed: the registry learns what is
//! asked about.

use redeliver_model::{Cause, Finding, Severity, Timestamp};
use redeliver_net::http::{FetchError, Fetched, Get, Http};
use redeliver_records::registrable_domain;

/// The name of the check.
const DOMAIN_AGE: &str = "domain-age";
/// A service that redirects to the registry of the domain (RFC 9224 says where registries are).
const DIRECTORY: &str = "https://rdap.org/domain/";
/// An answer about a domain is some tens of KiB.
const LONGEST_ANSWER: usize = 512 * 1024;
/// Registries answer in a second or two.
const PATIENCE: u64 = 8_000;
/// Younger than so many days, a domain is distrusted by many receivers, whatever it sends.
const YOUNG: i64 = 30;

/// What was gathered.
#[derive(Debug)]
pub(crate) struct AgeEvidence {
    domain: String,
    fetched: Result<Fetched, FetchError>,
}

/// Asks the registry.
pub(crate) async fn gather(http: &dyn Http, domain: &str) -> Option<AgeEvidence> {
    let domain = registrable_domain(domain)?;
    let get = Get { longest: LONGEST_ANSWER, patience: PATIENCE, ..Get::new(format!("{DIRECTORY}{domain}")) };
    Some(AgeEvidence { domain, fetched: http.get(&get).await })
}

/// Judges.
pub(crate) fn judge(evidence: &AgeEvidence, now: Timestamp) -> Finding {
    let domain = &evidence.domain;
    let unknown = |why: &str| {
        Finding::could_not_ask(
            DOMAIN_AGE,
            "domain-age-unknown",
            format!("When {domain} was registered is not known: {why}."),
        )
    };
    let fetched = match &evidence.fetched {
        Err(error) => return unknown(&error.to_string()),
        Ok(fetched) if fetched.status != 200 => {
            return unknown(&format!("the registry answers {}", fetched.status));
        }
        Ok(fetched) => fetched,
    };
    let Some((text, registered)) = registered(&fetched.body) else { return unknown("the registry does not say") };
    let days = (now.0 - registered.0) / 86_400;
    let finding = if days < YOUNG {
        let summary = format!("{domain} was registered {days} days ago; many receivers distrust a domain that young.");
        Finding::warn(DOMAIN_AGE, "domain-young", Severity::Weakens, summary).because(Cause::PoorReputation)
    } else {
        Finding::pass(DOMAIN_AGE, "domain-old-enough", format!("{domain} was registered on {registered}."))
    };
    finding.fact("registered", text).fact("url", fetched.url.clone())
}

/// RFC 9083 4.5: the event `registration`.
fn registered(body: &[u8]) -> Option<(String, Timestamp)> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let event = answer["events"].as_array()?.iter().find(|event| event["eventAction"] == "registration")?;
    let text = event["eventDate"].as_str()?;
    Some((text.to_owned(), Timestamp::parse(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use redeliver_net::http::FakeWeb;

    #[tokio::test]
    async fn a_young_domain_is_told_and_an_unknown_one_is_not_called_young() {
        let web = FakeWeb {
            pages: &[
                (
                    "https://rdap.org/domain/young.example",
                    200,
                    r#"{"events":[{"eventAction":"registration","eventDate":"2026-11-10T00:00:00Z"}]}"#,
                ),
                (
                    "https://rdap.org/domain/old.example",
                    200,
                    r#"{"events":[{"eventAction":"expiration","eventDate":"2027-01-01T00:00:00Z"},{"eventAction":"registration","eventDate":"2001-02-03T04:05:06Z"}]}"#,
                ),
                ("https://rdap.org/domain/silent.example", 200, "{}"),
                ("https://rdap.org/domain/gone.example", 404, ""),
            ],
            ..FakeWeb::default()
        };
        let now = Timestamp::from_date(2026, 11, 21);
        for (domain, id) in [
            ("mail.young.example", "domain-young"),
            ("old.example", "domain-old-enough"),
            ("silent.example", "domain-age-unknown"),
            ("gone.example", "domain-age-unknown"),
            ("never.example", "domain-age-unknown"),
        ] {
            let evidence = gather(&web, domain).await.unwrap();
            assert_eq!(judge(&evidence, now).id, id, "{domain}");
        }
    }
}
