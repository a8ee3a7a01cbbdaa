//! Sets of slots: one word where at most 64 operations are open at once, more words where there are more.

use std::hash::Hash;

/// A set of small numbers.
pub trait Bits: Clone + Eq + Hash {
    /// The empty set, for numbers below `width`.
    fn empty(width: usize) -> Self;
    fn has(&self, slot: usize) -> bool;
    fn insert(&mut self, slot: usize);
    fn remove(&mut self, slot: usize);
}

impl<const N: usize> Bits for [u64; N] {
    fn empty(width: usize) -> Self {
        assert!(width <= 64 * N, "{width} slots in {N} words");
        [0; N]
    }

    #[inline]
    fn has(&self, slot: usize) -> bool {
        self[slot / 64] >> (slot % 64) & 1 == 1
    }

    #[inline]
    fn insert(&mut self, slot: usize) {
        self[slot / 64] |= 1 << (slot % 64);
    }

    #[inline]
    fn remove(&mut self, slot: usize) {
        self[slot / 64] &= !(1 << (slot % 64));
    }
}

impl Bits for Box<[u64]> {
    fn empty(width: usize) -> Self {
        vec![0; width.div_ceil(64)].into()
    }

    fn has(&self, slot: usize) -> bool {
        self[slot / 64] >> (slot % 64) & 1 == 1
    }

    fn insert(&mut self, slot: usize) {
        self[slot / 64] |= 1 << (slot % 64);
    }

    fn remove(&mut self, slot: usize) {
        self[slot / 64] &= !(1 << (slot % 64));
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    fn keeps_what_it_is_given<B: Bits>(width: usize) {
        let mut set = B::empty(width);
        set.insert(0);
        set.insert(width - 1);
        assert!(set.has(0) && set.has(width - 1) && !set.has(1));
        set.remove(width - 1);
        assert!(set.has(0) && !set.has(width - 1));
    }

    #[test]
    fn sets_of_every_width_keep_what_they_are_given() {
        keeps_what_it_is_given::<[u64; 1]>(64);
        keeps_what_it_is_given::<[u64; 4]>(256);
        keeps_what_it_is_given::<Box<[u64]>>(1000);
    }
}
