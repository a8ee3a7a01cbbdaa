//! Collections of pending operations that took effect, as numbers; and the hash that small keys want.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash map for keys made of integers that nobody chooses to do harm.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Multiplies and rotates, word by word (the scheme of FxHash).
#[derive(Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// Nothing was used.
pub const NONE_USED: u32 = 0;

/// How often each form is in a collection, sorted by form.
type Counts = Vec<(u32, u32)>;

/// Collections of forms, each under a number of its own.
pub struct Used {
    collections: Vec<Counts>,
    numbers: Map<Counts, u32>,
    extended: Map<(u32, u32), u32>,
}

impl Used {
    pub fn new() -> Self {
        let numbers = Map::from_iter([(Vec::new(), NONE_USED)]);
        Used { collections: vec![Vec::new()], numbers, extended: Map::default() }
    }

    /// How often the form is in the collection.
    pub fn count(&self, used: u32, form: u32) -> usize {
        let counts = &self.collections[used as usize];
        counts.binary_search_by_key(&form, |&(each, _)| each).map_or(0, |at| counts[at].1 as usize)
    }

    /// The collection with one more of that form.
    pub fn with(&mut self, used: u32, form: u32) -> u32 {
        if let Some(&known) = self.extended.get(&(used, form)) {
            return known;
        }
        let mut counts = self.collections[used as usize].clone();
        match counts.binary_search_by_key(&form, |&(each, _)| each) {
            Ok(at) => counts[at].1 += 1,
            Err(at) => counts.insert(at, (form, 1)),
        }
        let number = *self.numbers.entry(counts).or_insert_with_key(|counts| {
            self.collections.push(counts.clone());
            self.collections.len() as u32 - 1
        });
        self.extended.insert((used, form), number);
        number
    }

    /// Whether `few` holds no form more often than `many` does.
    pub fn within(&self, few: u32, many: u32) -> bool {
        if few == NONE_USED || few == many {
            return true;
        }
        let mut rest = self.collections[many as usize].iter();
        let found = &self.collections[few as usize];
        found.iter().all(|&(form, times)| {
            rest.by_ref().find(|each| each.0 >= form).is_some_and(|&(same, more)| same == form && times <= more)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_within_another_that_holds_each_form_as_often() {
        let mut used = Used::new();
        let one = used.with(NONE_USED, 5);
        let other = used.with(NONE_USED, 3);
        let both = used.with(one, 3);
        assert_eq!(both, used.with(other, 5));
        let twice = used.with(both, 5);
        let more = used.with(twice, 9);
        assert!(
            used.within(one, both) && used.within(other, both) && used.within(both, twice) && used.within(one, more)
        );
        assert!(!used.within(one, other) && !used.within(twice, both) && !used.within(more, twice));
        assert_eq!((used.count(twice, 5), used.count(twice, 3), used.count(one, 3)), (2, 1, 0));
    }
}
