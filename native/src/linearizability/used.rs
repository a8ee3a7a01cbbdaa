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

/// Sorted collections of forms, each under a number of its own.
pub struct Used {
    collections: Vec<Vec<u32>>,
    numbers: Map<Vec<u32>, u32>,
    extended: Map<(u32, u32), u32>,
}

impl Used {
    pub fn new() -> Self {
        let numbers = Map::from_iter([(Vec::new(), NONE_USED)]);
        Used { collections: vec![Vec::new()], numbers, extended: Map::default() }
    }

    /// How often the form is in the collection.
    pub fn count(&self, used: u32, form: u32) -> usize {
        self.collections[used as usize].iter().filter(|&&each| each == form).count()
    }

    /// The collection with one more of that form.
    pub fn with(&mut self, used: u32, form: u32) -> u32 {
        if let Some(&known) = self.extended.get(&(used, form)) {
            return known;
        }
        let mut collection = self.collections[used as usize].clone();
        let at = collection.partition_point(|&each| each < form);
        collection.insert(at, form);
        let number = *self.numbers.entry(collection).or_insert_with_key(|collection| {
            self.collections.push(collection.clone());
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
        self.collections[few as usize].iter().all(|form| rest.by_ref().any(|each| each == form))
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
        assert!(used.within(one, both) && used.within(other, both) && used.within(both, twice));
        assert!(!used.within(one, other) && !used.within(twice, both));
        assert_eq!((used.count(twice, 5), used.count(twice, 3), used.count(one, 3)), (2, 1, 0));
    }
}
