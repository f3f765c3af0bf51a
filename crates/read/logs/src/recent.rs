//! A bounded memory of what lines about the same message said before: queue id to sender, session to host.
//!
//! A ring of values, and an index of sets of eight that leads into it. The oldest value makes room for a new key, and one that is
//! used again when it is half way out is young again. Nothing grows; keys that crowd one set can only push each other out, so
//! nobody can make a look-up slow. Lines about a message mostly stand near each other, and so do their values in the ring.

/// What can be emptied for the next key, keeping its buffers.
pub(crate) trait Reset {
    /// Forgets everything.
    fn reset(&mut self);
}

/// Places in a set: eight tags with their places in the ring fill half a cache line. The index is what a look-up waits for, so it is
/// kept small enough for a core's second-level cache.
const WAYS: usize = 8;

/// The longest key: Postfix's long ids have up to 20 bytes, Exim's 23, UUIDs with a counter 44. Longer ones are not remembered.
const LONGEST_KEY: usize = 47;

#[derive(Clone, Copy, Default)]
struct Way {
    tag: u16,
    slot: u16,
}

struct Slot<V> {
    length: u8,
    key: [u8; LONGEST_KEY],
    value: V,
}

impl<V> Slot<V> {
    #[inline]
    fn has(&self, key: &[u8]) -> bool {
        self.key[..usize::from(self.length)] == *key
    }
}

/// A memory of a fixed number of keys.
pub(crate) struct Recent<V> {
    sets: Vec<[Way; WAYS]>,
    ring: Vec<Slot<V>>,
    most: usize,
    /// The slot that is filled next, once the ring is full.
    next: usize,
}

impl<V: Default + Reset> Recent<V> {
    /// A memory of `most` keys, a power of two of 8 to 65,536. Nothing is allocated before the first is kept.
    pub(crate) fn new(most: usize) -> Self {
        Self { sets: Vec::new(), ring: Vec::new(), most, next: 0 }
    }

    /// What is known of `key`.
    #[inline]
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&mut V> {
        let (set, tag) = self.place(key);
        let (way, slot) = self.find(set, tag, key)?;
        let slot = self.refresh(set, way, slot);
        self.ring.get_mut(slot).map(|slot| &mut slot.value)
    }

    /// What is known of `key`, or an empty value in the place of the oldest.
    pub(crate) fn get_or_add(&mut self, key: &[u8]) -> Option<&mut V> {
        if key.len() > LONGEST_KEY || key.is_empty() {
            return None;
        }
        if self.sets.is_empty() {
            // Twice the places, so that sets are seldom crowded.
            self.sets = vec![[Way::default(); WAYS]; (self.most * 2 / WAYS).next_power_of_two()];
        }
        let (set, tag) = self.place(key);
        let slot = if let Some((way, slot)) = self.find(set, tag, key) {
            self.refresh(set, way, slot)
        } else {
            let slot = self.take_slot();
            // A way whose slot belongs to another key by now is free; else the oldest goes.
            let way = (0..WAYS).max_by_key(|way| {
                let way = self.sets[set][*way];
                if way.tag == 0 { usize::MAX } else { self.age(way.slot as usize) }
            })?;
            self.sets[set][way] = Way { tag, slot: slot as u16 };
            let filled = &mut self.ring[slot];
            filled.length = key.len() as u8;
            filled.key[..key.len()].copy_from_slice(key);
            slot
        };
        self.ring.get_mut(slot).map(|slot| &mut slot.value)
    }

    /// How many slots were filled since this one.
    fn age(&self, slot: usize) -> usize {
        // While the ring grows, `next` is its end; a power of two as its full size saves the division.
        self.next.wrapping_sub(slot + 1) & (self.most - 1)
    }

    /// The oldest slot, emptied.
    fn take_slot(&mut self) -> usize {
        if self.ring.len() < self.most {
            self.ring.push(Slot { length: 0, key: [0; LONGEST_KEY], value: V::default() });
            self.next = self.ring.len() & (self.most - 1);
            return self.ring.len() - 1;
        }
        let slot = self.next;
        self.next = (self.next + 1) & (self.most - 1);
        self.ring[slot].value.reset();
        slot
    }

    /// Makes a slot young again that is half way out, by changing places with the oldest.
    #[inline]
    fn refresh(&mut self, set: usize, way: usize, slot: usize) -> usize {
        if self.ring.len() < self.most || self.age(slot) < self.most / 2 {
            return slot;
        }
        let young = self.take_slot();
        self.ring.swap(young, slot);
        self.ring[slot].length = 0;
        self.sets[set][way].slot = young as u16;
        young
    }

    #[inline]
    fn find(&self, set: usize, tag: u16, key: &[u8]) -> Option<(usize, usize)> {
        let ways = self.sets.get(set)?;
        (0..WAYS).find_map(|way| {
            let slot = ways[way].slot as usize;
            (ways[way].tag == tag && self.ring.get(slot).is_some_and(|slot| slot.has(key))).then_some((way, slot))
        })
    }

    /// The set and the tag (never 0) of a key.
    #[inline]
    fn place(&self, key: &[u8]) -> (usize, u16) {
        const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut hash = key.len() as u64;
        let mut pieces = key.chunks_exact(8);
        for piece in &mut pieces {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(piece);
            hash = (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(FACTOR);
            hash ^= hash >> 29;
        }
        for byte in pieces.remainder() {
            hash = hash.rotate_left(8) ^ u64::from(*byte);
        }
        hash = (hash ^ hash >> 32).wrapping_mul(FACTOR);
        ((hash >> 32) as usize & self.sets.len().wrapping_sub(1), hash as u16 | 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Reset for u64 {
        fn reset(&mut self) {
            *self = 0;
        }
    }

    #[test]
    fn a_key_that_is_used_is_kept_and_an_old_one_makes_room() {
        let mut recent: Recent<u64> = Recent::new(64);
        for number in 0..10_000_u64 {
            *recent.get_or_add(number.to_string().as_bytes()).unwrap() = number + 1;
            *recent.get_or_add(b"always").unwrap() += 1;
        }
        assert_eq!(recent.get(b"always"), Some(&mut 10_000));
        assert_eq!(recent.get(b"0"), None);
        assert_eq!(recent.get(b"9999"), Some(&mut 10_000));
        assert_eq!(recent.ring.len(), 64);
        assert_eq!(recent.get_or_add(&[b'x'; 60]), None, "no room for such keys");
    }

    #[test]
    fn a_value_never_comes_back_under_another_key() {
        let mut recent: Recent<u64> = Recent::new(8);
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let number = seed >> 59;
            let value = recent.get_or_add(&number.to_le_bytes()).unwrap();
            assert!(*value == 0 || *value == number + 1);
            *value = number + 1;
            let other = seed >> 58 & 31;
            let known = recent.get(&other.to_le_bytes());
            assert!(known.is_none_or(|value| *value == 0 || *value == other + 1));
        }
    }
}
