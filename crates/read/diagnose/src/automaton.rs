//! An Aho-Corasick automaton in a double array: finds every pattern in one pass over a text.
//!
//! Built when the binary is built (or when an overlay is loaded) and stored as plain numbers, so that start-up only
//! copies them. Aho and Corasick 1975; the double array after Aoe 1989.

use std::collections::{BTreeMap, VecDeque};

use crate::packed::{Row, Unpacker, pack};

const ROOT: u32 = 0;
/// Marks the last pattern of an output list.
const LAST: u32 = 1 << 31;

/// One state: where its children start, whose child it is, where to go on a miss, what it has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    base: u32,
    /// Parent plus one; 0 for a free place.
    check: u32,
    fail: u32,
    /// Index into `found` plus one; 0 for nothing.
    output: u32,
}

impl Row for State {
    const NUMBERS: usize = 4;

    fn write(&self, out: &mut Vec<u32>) {
        out.extend([self.base, self.check, self.fail, self.output]);
    }

    fn read(numbers: &[u32]) -> Self {
        Self { base: numbers[0], check: numbers[1], fail: numbers[2], output: numbers[3] }
    }
}

/// The patterns, ready to search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Automaton {
    states: Vec<State>,
    /// Class of each byte value; bytes of no pattern share class 0.
    classes: Vec<u32>,
    found: Vec<u32>,
}

/// A trie node while building.
#[derive(Default)]
struct Node {
    children: BTreeMap<u32, u32>,
    patterns: Vec<u32>,
    fail: u32,
}

impl Automaton {
    /// Builds the automaton for patterns with their numbers. Empty patterns are never found.
    pub fn new(patterns: &[(u32, &[u8])]) -> Self {
        let classes = classes(patterns);
        let width = classes.iter().copied().max().unwrap_or(0) as usize + 1;
        let mut nodes = trie(patterns, &classes);
        let order = link_failures(&mut nodes);
        let places = place(&nodes, &order, width);
        let highest = places.iter().map(|(own, base)| (*own).max(*base)).max().unwrap_or(0) as usize;
        let mut states = vec![State::default(); highest + width + 1];
        let mut found = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            let (own, base) = places[number];
            let state = &mut states[own as usize];
            state.base = base;
            state.fail = places[node.fail as usize].0;
            if let Some((last, others)) = node.patterns.split_last() {
                state.output = found.len() as u32 + 1;
                found.extend(others);
                found.push(last | LAST);
            }
            for child in node.children.values() {
                states[places[*child as usize].0 as usize].check = own + 1;
            }
        }
        Self { states, classes, found }
    }

    /// Adds the automaton to packed bytes.
    pub fn pack(&self, out: &mut Vec<u8>) {
        pack(&self.states, out);
        pack(&self.classes, out);
        pack(&self.found, out);
    }

    /// Takes the automaton off packed bytes.
    pub fn unpack(packed: &mut Unpacker<'_>) -> Option<Self> {
        Some(Self { states: packed.table()?, classes: packed.table()?, found: packed.table()? })
    }

    /// Calls `hit(pattern, end)` for every occurrence, in the order of ends.
    pub fn scan(&self, text: &[u8], mut hit: impl FnMut(u32, usize)) {
        if self.states.is_empty() {
            return;
        }
        let mut state = ROOT;
        for (at, byte) in text.iter().enumerate() {
            let class = self.classes[*byte as usize];
            state = self.step(state, class);
            let mut output = self.states[state as usize].output as usize;
            while output > 0 {
                let pattern = self.found[output - 1];
                hit(pattern & !LAST, at + 1);
                output = if pattern & LAST == 0 { output + 1 } else { 0 };
            }
        }
    }

    #[inline]
    fn step(&self, mut state: u32, class: u32) -> u32 {
        if class == 0 {
            return ROOT;
        }
        loop {
            let here = self.states[state as usize];
            let next = here.base + class;
            if self.states[next as usize].check == state + 1 {
                return next;
            }
            if state == ROOT {
                return ROOT;
            }
            state = here.fail;
        }
    }
}

/// Numbers the byte values that occur, from 1.
fn classes(patterns: &[(u32, &[u8])]) -> Vec<u32> {
    let mut classes = vec![0; 256];
    for byte in patterns.iter().flat_map(|(_, pattern)| *pattern) {
        classes[*byte as usize] = 1;
    }
    let mut next = 0;
    for class in &mut classes {
        if *class > 0 {
            next += 1;
            *class = next;
        }
    }
    classes
}

fn trie(patterns: &[(u32, &[u8])], classes: &[u32]) -> Vec<Node> {
    let mut nodes = vec![Node::default()];
    for (number, pattern) in patterns.iter().filter(|(_, pattern)| !pattern.is_empty()) {
        let mut node = 0;
        for byte in *pattern {
            let class = classes[*byte as usize];
            let fresh = nodes.len() as u32;
            let child = *nodes[node].children.entry(class).or_insert(fresh);
            if child == fresh {
                nodes.push(Node::default());
            }
            node = child as usize;
        }
        nodes[node].patterns.push(*number);
    }
    nodes
}

/// Sets the failure links, joins the outputs along them, and returns the nodes in breadth-first order.
fn link_failures(nodes: &mut [Node]) -> Vec<u32> {
    let mut order = vec![0];
    let mut queue = VecDeque::from([0u32]);
    while let Some(parent) = queue.pop_front() {
        let children: Vec<(u32, u32)> =
            nodes[parent as usize].children.iter().map(|(class, child)| (*class, *child)).collect();
        for (class, child) in children {
            let mut fail = 0;
            if parent != 0 {
                let mut back = nodes[parent as usize].fail;
                loop {
                    if let Some(next) = nodes[back as usize].children.get(&class) {
                        fail = *next;
                        break;
                    }
                    if back == 0 {
                        break;
                    }
                    back = nodes[back as usize].fail;
                }
            }
            nodes[child as usize].fail = fail;
            let inherited = nodes[fail as usize].patterns.clone();
            nodes[child as usize].patterns.extend(inherited);
            order.push(child);
            queue.push_back(child);
        }
    }
    order
}

/// Finds a place and a base for every node: own place, base of the children.
fn place(nodes: &[Node], order: &[u32], width: usize) -> Vec<(u32, u32)> {
    let mut places = vec![(0, 0); nodes.len()];
    let mut used = vec![false; width + 1];
    used[0] = true;
    let mut first_free = 1;
    for number in order {
        let node = &nodes[*number as usize];
        let Some(lowest) = node.children.keys().next().map(|class| *class as usize) else { continue };
        while used.get(first_free) == Some(&true) {
            first_free += 1;
        }
        let mut base = first_free.saturating_sub(lowest);
        loop {
            if used.len() < base + width + 1 {
                used.resize(base + width + 1, false);
            }
            // A base is nobody else's place to start from: children are told apart by `check`, so bases may be shared.
            if node.children.keys().all(|class| !used[base + *class as usize]) {
                break;
            }
            base += 1;
        }
        places[*number as usize].1 = base as u32;
        for (class, child) in &node.children {
            let own = base + *class as usize;
            used[own] = true;
            places[*child as usize].0 = own as u32;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(patterns: &[&str], text: &str) -> Vec<(u32, usize)> {
        let patterns: Vec<(u32, &[u8])> =
            patterns.iter().enumerate().map(|(number, text)| (number as u32, text.as_bytes())).collect();
        let mut hits = Vec::new();
        Automaton::new(&patterns).scan(text.as_bytes(), |pattern, end| hits.push((pattern, end)));
        hits.sort_unstable();
        hits
    }

    #[test]
    fn finds_overlapping_patterns() {
        assert_eq!(find(&["he", "she", "his", "hers"], "ushers"), [(0, 4), (1, 4), (3, 6)]);
        assert_eq!(find(&["a", "aa", ""], "aaa"), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)]);
        assert_eq!(find(&[], "anything"), []);
        assert_eq!(find(&["spam"], "ha\u{ff}m spam"), [(0, 10)]);
    }

    #[test]
    fn agrees_with_a_plain_search() {
        let patterns = ["user unknown", "unknown user", "user", "known", "no such user", "o s", "r", "quota"];
        let text = "no such user unknown user r quotas unknown user unknown";
        let mut plain = Vec::new();
        for (number, pattern) in patterns.iter().enumerate() {
            plain.extend(text.match_indices(pattern).map(|(at, _)| (number as u32, at + pattern.len())));
        }
        plain.sort_unstable();
        assert_eq!(find(&patterns, text), plain.into_iter().collect::<Vec<_>>());
    }
}
