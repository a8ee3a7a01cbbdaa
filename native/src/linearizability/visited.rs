//! What was looked at: by configuration, the smallest collections of pending operations with which it was reached.

use std::collections::hash_map::Entry;
use std::hash::Hash;

use super::used::{Map, Used};

/// Marks an entry of several collections; what is below it is their place in `several`.
const SEVERAL: u32 = 1 << 31;

pub struct Visited<K> {
    entries: Map<K, u32>,
    several: Vec<Vec<u32>>,
}

impl<K: Eq + Hash> Visited<K> {
    pub fn new() -> Self {
        Visited { entries: Map::default(), several: Vec::new() }
    }

    /// Whether the configuration was reached with no more than `used`.
    pub fn covers(&self, key: &K, used: u32, table: &Used) -> bool {
        match self.entries.get(key) {
            None => false,
            Some(&entry) if entry < SEVERAL => table.within(entry, used),
            Some(&entry) => self.several[(entry - SEVERAL) as usize].iter().any(|&few| table.within(few, used)),
        }
    }

    /// Remember that it was reached with `used`, and forget what that makes superfluous.
    pub fn remember(&mut self, key: K, used: u32, table: &Used) {
        match self.entries.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(used);
            }
            Entry::Occupied(mut found) => {
                let entry = *found.get();
                if entry >= SEVERAL {
                    let collections = &mut self.several[(entry - SEVERAL) as usize];
                    collections.retain(|&each| !table.within(used, each));
                    collections.push(used);
                } else if table.within(used, entry) {
                    found.insert(used);
                } else {
                    found.insert(SEVERAL + self.several.len() as u32);
                    self.several.push(vec![entry, used]);
                }
            }
        }
    }
}
