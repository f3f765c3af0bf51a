//! The organisational domain by the DNS tree walk (RFC 9989 4.10). Pure: it says what to ask and decides over the answers.

use redeliver_model::Domain;

use crate::dmarc::Psd;

/// RFC 9989 4.10: from a name with more labels the walk jumps to one with so many, so that it asks at most eight times.
const LABELS_AFTER_JUMP: usize = 7;

/// A domain at which exactly one valid DMARC record was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcFound {
    /// The domain, without `_dmarc.`.
    pub domain: String,
    /// What its record says about it.
    pub psd: Psd,
}

/// The organisational domain and what settled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisational {
    /// The domain.
    pub domain: String,
    /// The rule.
    pub selected_by: SelectedBy,
}

/// The rules of RFC 9989 4.10.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SelectedBy {
    /// Its record has `psd=n`.
    PsdNo,
    /// The domain above it has `psd=y`.
    BelowPublicSuffix,
    /// Of the domains with a record it has the fewest labels.
    HighestRecord,
    /// There is no record anywhere: the domain itself.
    NoRecord,
}

/// The domains to ask at, in order, at most eight; put `_dmarc.` before each. Stop at the first record with `psd=y` or `psd=n`.
pub fn walk_order(domain: &Domain) -> Vec<String> {
    let labels: Vec<&str> = domain.as_str().split('.').collect();
    let mut order = vec![domain.as_str().to_owned()];
    // Steps 3 to 7: drop one label, or as many as leave seven.
    let first = if labels.len() > LABELS_AFTER_JUMP { labels.len() - LABELS_AFTER_JUMP } else { 1 };
    order.extend((first..labels.len()).map(|dropped| labels[dropped..].join(".")));
    order
}

/// Decides over what the walk from `domain` found, in any order (RFC 9989 4.10.2).
pub fn organisational_domain(domain: &Domain, found: &[DmarcFound]) -> Organisational {
    let order = walk_order(domain);
    let at = |name: &str| found.iter().find(|record| record.domain.eq_ignore_ascii_case(name));
    let mut highest = None;
    for (number, name) in order.iter().enumerate() {
        let Some(record) = at(name) else { continue };
        match record.psd {
            Psd::No => return Organisational { domain: name.clone(), selected_by: SelectedBy::PsdNo },
            Psd::Yes if number > 0 => {
                let domain = one_label_below(domain.as_str(), name);
                return Organisational { domain, selected_by: SelectedBy::BelowPublicSuffix };
            }
            // psd=y at the start stops the walk, and decides nothing but by rule 3.
            Psd::Yes => {
                return Organisational { domain: name.clone(), selected_by: SelectedBy::HighestRecord };
            }
            Psd::Unknown => highest = Some(name),
        }
    }
    match highest {
        Some(name) => Organisational { domain: name.clone(), selected_by: SelectedBy::HighestRecord },
        None => Organisational { domain: domain.as_str().to_owned(), selected_by: SelectedBy::NoRecord },
    }
}

/// The ancestor of `domain` with one label more than `parent`.
fn one_label_below(domain: &str, parent: &str) -> String {
    let rest = domain.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.')).unwrap_or_default();
    let label = rest.rsplit('.').next().unwrap_or_default();
    if label.is_empty() { domain.to_owned() } else { format!("{label}.{parent}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    #[test]
    fn a_long_name_is_walked_in_eight_questions() {
        assert_eq!(
            walk_order(&domain("a.b.c.d.e.f.g.h.i.j.mail.example.com")),
            [
                "a.b.c.d.e.f.g.h.i.j.mail.example.com",
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com"
            ]
        );
        assert_eq!(walk_order(&domain("1.2.3.4.5.6.example.com")).len(), 8);
        assert_eq!(walk_order(&domain("1.2.3.4.5.example.com")).len(), 7);
        assert_eq!(walk_order(&domain("com")), ["com"]);
        for labels in 1..40 {
            let name = vec!["a"; labels].join(".");
            assert!(walk_order(&domain(&name)).len() <= 8, "{name}");
        }
    }

    #[test]
    fn the_three_rules_and_their_order() {
        type Row = (&'static [(&'static str, Psd)], &'static str, SelectedBy);
        let table: &[Row] = &[
            (
                &[("mail.example.com", Psd::Unknown), ("example.com", Psd::Unknown)],
                "example.com",
                SelectedBy::HighestRecord,
            ),
            (&[("mail.example.com", Psd::No), ("example.com", Psd::Unknown)], "mail.example.com", SelectedBy::PsdNo),
            (&[("com", Psd::Yes)], "example.com", SelectedBy::BelowPublicSuffix),
            (&[("com", Psd::Yes), ("example.com", Psd::Unknown)], "example.com", SelectedBy::BelowPublicSuffix),
            (&[("example.com", Psd::Yes)], "mail.example.com", SelectedBy::BelowPublicSuffix),
            (&[("a.mail.example.com", Psd::Yes), ("com", Psd::Yes)], "a.mail.example.com", SelectedBy::HighestRecord),
            (&[("a.mail.example.com", Psd::Unknown)], "a.mail.example.com", SelectedBy::HighestRecord),
            (&[], "a.mail.example.com", SelectedBy::NoRecord),
            (&[("elsewhere.example", Psd::No)], "a.mail.example.com", SelectedBy::NoRecord),
        ];
        for (found, want, by) in table {
            let found: Vec<DmarcFound> =
                found.iter().map(|(name, psd)| DmarcFound { domain: (*name).to_owned(), psd: *psd }).collect();
            let got = organisational_domain(&domain("a.mail.example.com"), &found);
            assert_eq!((got.domain.as_str(), got.selected_by), (*want, *by), "{found:?}");
        }
    }

    #[test]
    fn below_a_public_suffix_of_a_jump_is_one_label() {
        let name = domain("a.b.c.d.e.f.g.h.example.com");
        let found = [DmarcFound { domain: "d.e.f.g.h.example.com".to_owned(), psd: Psd::Yes }];
        assert_eq!(organisational_domain(&name, &found).domain, "c.d.e.f.g.h.example.com");
    }
}
