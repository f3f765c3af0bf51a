//! Which addresses are dead, judged when all refusals are known.
//!
//! One "unknown user" is believed, unless a whole domain turns unknown at once: then its routing or its directory is
//! broken, and a list cleaned by it would lose good addresses.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::hash::BuildHasher;

use redeliver_model::{AddressIsBad, AddressTally, AddressVerdict, Cause, Keyed, KeyedMap, Timestamp};

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

/// All addresses that were refused. Kept small: a day's log may name a million.
#[derive(Debug, Default)]
pub struct Addresses {
    /// By the hash of the address, which has a secret key: nobody can make two fall together.
    known: KeyedMap<u64, Known>,
    hasher: Keyed,
    /// The addresses, end to end.
    texts: String,
    /// The reasons, each kept once.
    whys: Vec<String>,
    numbers: KeyedMap<String, u16>,
}

/// The number of a reason.
#[derive(Debug, Clone, Copy)]
pub struct Reason(u16);

/// What is known of one address.
#[derive(Debug, Clone, Copy)]
struct Known {
    start: usize,
    length: u32,
    dead: AddressIsBad,
    cause: Cause,
    why: Reason,
    refusals: u32,
    seen: Option<(Timestamp, Timestamp)>,
}

impl Addresses {
    /// Adds a refusal of `address`: what it says of the address, and why.
    pub fn add(&mut self, address: &str, dead: AddressIsBad, cause: Cause, why: Reason, time: Option<Timestamp>) {
        let seen = time.map(|time| (time, time));
        let lower = address.rsplit_once('@').filter(|(_, domain)| domain.bytes().any(|byte| byte.is_ascii_uppercase()));
        let folded = lower.map(|(local, domain)| format!("{local}@{}", domain.to_lowercase()));
        let key = folded.as_deref().unwrap_or(address);
        let known = match self.known.entry(self.hasher.hash_one(key)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let (start, length) = (self.texts.len(), key.len() as u32);
                self.texts.push_str(key);
                free.insert(Known { start, length, dead, cause, why, refusals: 1, seen });
                return;
            }
        };
        known.refusals = known.refusals.saturating_add(1);
        known.seen = match (known.seen, time) {
            (Some((first, last)), Some(time)) => Some((first.min(time), last.max(time))),
            (old, _) => old.or(seen),
        };
        // Of two that say the same of the address, the cause decides, so that the order of the inputs does not.
        if (badness(dead), Reverse(cause as u8)) > (badness(known.dead), Reverse(known.cause as u8)) {
            (known.dead, known.cause, known.why) = (dead, cause, why);
        }
    }

    /// The number of a reason, for [`Addresses::add`]; beyond what a catalog can hold, the first one.
    pub fn reason(&mut self, why: &str) -> Reason {
        if let Some(number) = self.numbers.get(why) {
            return Reason(*number);
        }
        let Ok(number) = u16::try_from(self.whys.len()) else { return Reason(0) };
        self.whys.push(why.to_owned());
        self.numbers.insert(why.to_owned(), number);
        Reason(number)
    }

    fn text(&self, known: &Known) -> &str {
        self.texts.get(known.start..known.start + known.length as usize).unwrap_or_default()
    }

    /// The verdict on each, sorted by address.
    pub fn judge(self) -> Vec<AddressVerdict> {
        let domains = self.domains();
        let verdict = |address: &str, known: &Known| {
            let why = self.whys.get(usize::from(known.why.0)).cloned().unwrap_or_default();
            let (dead, why) = match crowd(&domains, address, known) {
                None => (known.dead, why),
                Some(domain) => {
                    let words = format!(
                        "{} of {} addresses of {} turned unknown at once: ask its postmaster before you delete them ({why})",
                        domain.dead,
                        domain.addresses,
                        domain_of(address)
                    );
                    (AddressIsBad::Unproven, words)
                }
            };
            let refusals = u64::from(known.refusals);
            AddressVerdict { address: address.to_string(), dead, why, cause: known.cause, refusals, seen: known.seen }
        };
        let mut verdicts: Vec<AddressVerdict> =
            self.known.values().map(|known| verdict(self.text(known), known)).collect();
        verdicts.sort_by(|a, b| a.address.cmp(&b.address));
        verdicts
    }

    /// How many are dead, unproven and fine, without the table of them.
    pub fn tally(&self) -> AddressTally {
        let mut tally = AddressTally::default();
        for known in self.known.values() {
            match known.dead {
                AddressIsBad::Yes => tally.dead += 1,
                AddressIsBad::No => tally.fine += 1,
                AddressIsBad::Unproven => tally.unproven += 1,
            }
        }
        for domain in self.domains().values().filter(|domain| domain.fell_at_once()) {
            tally.dead -= domain.dead as u64;
            tally.unproven += domain.dead as u64;
        }
        tally
    }

    fn domains(&self) -> KeyedMap<&str, Domain> {
        let mut domains: KeyedMap<&str, Domain> = KeyedMap::default();
        for known in self.known.values() {
            let domain = domains.entry(domain_of(self.text(known))).or_default();
            domain.addresses += 1;
            if known.dead == AddressIsBad::Yes {
                domain.dead += 1;
                domain.seen = match (domain.seen, known.seen) {
                    (Some((first, last)), Some((time, _))) => Some((first.min(time), last.max(time))),
                    (old, new) => old.or(new.map(|(time, _)| (time, time))),
                };
            }
        }
        domains
    }
}

/// The domain of a dead address, if all of it fell at once.
fn crowd<'d>(domains: &'d KeyedMap<&str, Domain>, address: &str, known: &Known) -> Option<&'d Domain> {
    domains.get(domain_of(address)).filter(|domain| known.dead == AddressIsBad::Yes && domain.fell_at_once())
}

/// The refused addresses of one domain.
#[derive(Default)]
struct Domain {
    addresses: usize,
    dead: usize,
    seen: Option<(Timestamp, Timestamp)>,
}

impl Domain {
    fn fell_at_once(&self) -> bool {
        let spread = self.seen.map_or(0, |(first, last)| last.0 - first.0);
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
            let why = addresses.reason("no such user");
            addresses.add(address, *dead, Cause::RecipientUnknown, why, Some(Timestamp(*time)));
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
