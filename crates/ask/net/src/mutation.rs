//! Broken forms of good input, the same ones every time, for tests of what must never panic.

/// `count` forms of `good`: octets changed, dropped, doubled, cut off.
pub(crate) fn mutated(good: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    // Xorshift: not random, only unordered.
    let mut below = move |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % limit.max(1)
    };
    (0..count).map(move |_| {
        let mut octets = good.to_vec();
        for _ in 0..=below(4) {
            let at = below(octets.len());
            match below(5) {
                0 => octets.truncate(at),
                1 if !octets.is_empty() => drop(octets.remove(at)),
                2 => octets.insert(at, u8::try_from(below(256)).unwrap_or(0)),
                _ if !octets.is_empty() => octets[at] = u8::try_from(below(256)).unwrap_or(0),
                _ => {}
            }
        }
        octets
    })
}
