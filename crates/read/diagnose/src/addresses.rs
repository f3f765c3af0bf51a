//! Which addresses are dead, judged when all refusals are known.
//!
//! One "unknown user" is believed, unless a whole domain turns unknown at once: then its routing or its directory is
//! broken, and a list cleaned by it would lose good addresses.

use std::collections::{BTreeMap, HashMap};

use redeliver_model::{AddressIsBad, AddressVerdict, Cause, Timestamp};

/// Fewest addresses of a domain that make a crowd. Two colleagues leave at once; three are a coincidence worth a doubt.
const CROWD: usize = 3;

/// Within this time they must have turned unknown, in seconds.
const AT_ONCE: i64 = 24 * 3600;

/// Of a large domain's refused addresses, this share must be unknown within [`AT_ONCE`] ...
const SHARE_OF_A_LARGE_DOMAIN: f64 = 0.8;

/// ... and that many of them: large providers see dead addresses every day.
const CROWD_OF_A_LARGE_DOMAIN: usize = 50;

/// Domains with more refused addresses than this are large.
const LARGE_DOMAIN: usize = 40;

/// All addresses that were refused.
#[derive(Debug, Default)]
pub struct Addresses {
    known: BTreeMap<String, AddressVerdict>,
}

impl Addresses {
    /// Adds a refusal of `address`: what it says of the address, and in which words.
    pub fn add(&mut self, address: &str, dead: AddressIsBad, cause: Cause, why: &str, time: Option<Timestamp>) {
        let key = match address.rsplit_once('@') {
            Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
            None => address.to_owned(),
        };
        let seen = time.map(|time| (time, time));
        match self.known.get_mut(&key) {
            None => {
                let verdict =
                    AddressVerdict { address: key.clone(), dead, why: why.to_owned(), cause, refusals: 1, seen };
                self.known.insert(key, verdict);
            }
            Some(known) => {
                known.refusals += 1;
                known.seen = match (known.seen, time) {
                    (Some((first, last)), Some(time)) => Some((first.min(time), last.max(time))),
                    (seen, _) => seen.or(known.seen),
                };
                if badness(dead) > badness(known.dead) {
                    (known.dead, known.cause) = (dead, cause);
                    why.clone_into(&mut known.why);
                }
            }
        }
    }

    /// The verdict on each, sorted by address.
    pub fn judge(self) -> Vec<AddressVerdict> {
        let mut domains: HashMap<String, Domain> = HashMap::new();
        for known in self.known.values() {
            let domain = domains.entry(domain_of(&known.address).to_owned()).or_default();
            domain.addresses += 1;
            if known.dead == AddressIsBad::Yes {
                domain.dead += 1;
                domain.times.extend(known.seen.map(|(first, _)| first));
            }
        }
        let mut verdicts: Vec<AddressVerdict> = self.known.into_values().collect();
        for known in &mut verdicts {
            let name = domain_of(&known.address);
            if let Some(domain) =
                domains.get(name).filter(|domain| known.dead == AddressIsBad::Yes && domain.fell_at_once())
            {
                known.why = format!(
                    "{} of {} addresses of {name} turned unknown at once: ask its postmaster before you delete them ({})",
                    domain.dead, domain.addresses, known.why
                );
                known.dead = AddressIsBad::Unproven;
            }
        }
        verdicts
    }
}

/// The refused addresses of one domain.
#[derive(Default)]
struct Domain {
    addresses: usize,
    dead: usize,
    times: Vec<Timestamp>,
}

impl Domain {
    fn fell_at_once(&self) -> bool {
        let spread = match (self.times.iter().min(), self.times.iter().max()) {
            (Some(first), Some(last)) => last.0 - first.0,
            _ => 0,
        };
        if self.addresses > LARGE_DOMAIN {
            let share = self.dead as f64 / self.addresses as f64;
            return self.dead >= CROWD_OF_A_LARGE_DOMAIN && share >= SHARE_OF_A_LARGE_DOMAIN && spread <= AT_ONCE;
        }
        self.dead >= CROWD && self.dead == self.addresses && spread <= AT_ONCE
    }
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn badness(dead: AddressIsBad) -> u8 {
    match dead {
        AddressIsBad::No => 0,
        AddressIsBad::Unproven => 1,
        AddressIsBad::Yes => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(refusals: &[(&str, AddressIsBad, i64)]) -> Vec<(String, AddressIsBad)> {
        let mut addresses = Addresses::default();
        for (address, dead, time) in refusals {
            addresses.add(address, *dead, Cause::RecipientUnknown, "no such user", Some(Timestamp(*time)));
        }
        addresses.judge().into_iter().map(|known| (known.address, known.dead)).collect()
    }

    #[test]
    fn one_unknown_user_is_believed() {
        let told = judge(&[("a@EXAMPLE.net", AddressIsBad::Yes, 0), ("b@example.net", AddressIsBad::No, 0)]);
        assert_eq!(told, [("a@example.net".into(), AddressIsBad::Yes), ("b@example.net".into(), AddressIsBad::No)]);
    }

    #[test]
    fn a_whole_domain_at_once_is_not() {
        let all = [
            ("a@example.net", AddressIsBad::Yes, 0),
            ("b@example.net", AddressIsBad::Yes, 60),
            ("c@example.net", AddressIsBad::Yes, 90),
        ];
        assert!(judge(&all).iter().all(|(_, dead)| *dead == AddressIsBad::Unproven));
        // One of them over weeks, or one that is refused otherwise, and the crowd is none.
        let slow = [all[0], all[1], ("c@example.net", AddressIsBad::Yes, 30 * 86_400)];
        assert!(judge(&slow).iter().all(|(_, dead)| *dead == AddressIsBad::Yes));
        let mixed = [all[0], all[1], all[2], ("d@example.net", AddressIsBad::No, 0)];
        assert_eq!(judge(&mixed).iter().filter(|(_, dead)| *dead == AddressIsBad::Yes).count(), 3);
    }

    #[test]
    fn a_large_provider_has_dead_addresses_every_day() {
        let some: Vec<String> = (0..60).map(|number| format!("u{number}@example.com")).collect();
        let told = |dead: usize| {
            let refusals: Vec<_> = some
                .iter()
                .enumerate()
                .map(|(number, address)| {
                    (address.as_str(), if number < dead { AddressIsBad::Yes } else { AddressIsBad::No }, 0)
                })
                .collect();
            judge(&refusals).iter().filter(|(_, dead)| *dead == AddressIsBad::Yes).count()
        };
        assert_eq!((told(30), told(55)), (30, 0));
    }
}
