//! Hash tables for texts from outside: fast, and with a secret key, so that nobody can write texts that fall together.
//!
//! The standard tables are as safe and several times slower on short keys. The key comes from the system's randomness (through the
//! standard library), not from addresses and the clock as foldhash's own does. No order and no hash is ever shown, for somebody who
//! saw many could work out the key.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};

/// A table with a secret key.
pub type KeyedMap<K, V> = HashMap<K, V, Keyed>;

/// A set with a secret key.
pub type KeyedSet<K> = HashSet<K, Keyed>;

/// Makes hashers with the process's secret key, and one of its own.
#[derive(Debug, Clone)]
pub struct Keyed(SeedableRandomState);

static SHARED: OnceLock<SharedSeed> = OnceLock::new();

impl Default for Keyed {
    fn default() -> Self {
        let secret = || RandomState::new().hash_one(());
        Self(SeedableRandomState::with_seed(secret(), SHARED.get_or_init(|| SharedSeed::from_u64(secret()))))
    }
}

impl BuildHasher for Keyed {
    type Hasher = FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tables_with_the_same_hashes() {
        let (one, other) = (Keyed::default(), Keyed::default());
        let texts: Vec<String> = (0..100).map(|number| format!("user{number}@example.org")).collect();
        assert!(texts.iter().all(|text| one.hash_one(text) == one.clone().hash_one(text)));
        assert!(texts.iter().all(|text| one.hash_one(text) != other.hash_one(text)));
    }
}
