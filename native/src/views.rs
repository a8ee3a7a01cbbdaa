//! The order that the reads of one session impose on its view: saturation with clocks that only grow.
//!
//! `checkers/causality/views_search.py` is the definition, step for step; here are its hot loops.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// A history by chain, by key and by reader. Numbers of rows, reads and keys are from 0, -1 stands for none.
pub struct Layout {
    /// What the model gives each row, `chains` numbers for each; None where that is its place in its session alone.
    pub clocks: Option<Vec<i32>>,
    pub chains: usize,
    pub chain: Vec<i64>,
    pub place: Vec<i64>,
    /// What the session of each row did before it.
    pub previous: Vec<i64>,
    /// Reads (key, source), and where those of each row begin.
    pub reads: Vec<[i64; 2]>,
    pub first_read: Vec<i64>,
    /// Writers of keys (key, chain, place, row), sorted.
    writers: Vec<[i64; 4]>,
    /// For each key, where the writers of each chain begin, and the end of the last.
    groups: Vec<Vec<usize>>,
}

/// A write that comes before another in a view, since the read comes after both and returned that.
pub type Pair = [i64; 3];

/// What was found out about a view: pairs, and why it has no order, if it has none.
pub struct View {
    pub pairs: Vec<Pair>,
    pub clash: Option<Pair>,
}

impl Layout {
    #[allow(clippy::too_many_arguments)] // the columns of a table
    pub fn new(
        clocks: Option<Vec<i32>>,
        chains: usize,
        (chain, place, previous): (Vec<i64>, Vec<i64>, Vec<i64>),
        (reads, first_read): (Vec<[i64; 2]>, Vec<i64>),
        writes: &[[i64; 2]],
        keys: usize,
    ) -> Self {
        let lane = |&[row, key]: &[i64; 2]| [key, chain[row as usize], place[row as usize], row];
        let mut writers: Vec<[i64; 4]> = writes.iter().map(lane).collect();
        writers.sort_unstable();
        let mut groups = vec![Vec::new(); keys];
        for (at, &[key, its_chain, _, _]) in writers.iter().enumerate() {
            let starts: &mut Vec<usize> = &mut groups[key as usize];
            if at == 0 || writers[at - 1][0] != key || writers[at - 1][1] != its_chain {
                starts.push(at);
            }
        }
        for (key, starts) in groups.iter_mut().enumerate() {
            starts.push(writers.partition_point(|writer| writer[0] <= key as i64));
        }
        Self { clocks, chains, chain, place, previous, reads, first_read, writers, groups }
    }

    fn rows(&self) -> usize {
        self.chain.len()
    }

    fn chain(&self, row: i64) -> usize {
        self.chain[row as usize] as usize
    }

    fn place(&self, row: i64) -> i32 {
        self.place[row as usize] as i32
    }

    fn reads(&self, row: i64) -> std::ops::Range<usize> {
        self.first_read[row as usize] as usize..self.first_read[row as usize + 1] as usize
    }

    fn given(&self, row: i64) -> Vec<i32> {
        if let Some(clocks) = &self.clocks {
            return clocks[row as usize * self.chains..(row as usize + 1) * self.chains].to_vec();
        }
        let mut clock = vec![0; self.chains];
        for each in [self.previous[row as usize], row] {
            if each >= 0 {
                clock[self.chain(each)] = self.place(each) + 1;
            }
        }
        clock
    }

    fn holds(&self, clock: &[i32], row: i64) -> bool {
        clock[self.chain(row)] > self.place(row)
    }
}

/// Searches views one after the other.
pub struct Searcher<'a> {
    layout: &'a Layout,
    /// The place of each row among the reader's, or -1.
    number: Vec<i32>,
}

impl<'a> Searcher<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        Self { layout, number: vec![-1; layout.rows()] }
    }

    /// Saturates the view of one reader, whose rows these are, of one key or (-1) of all.
    pub fn search(&mut self, reader: &[i64], key: i64) -> View {
        for (at, &row) in reader.iter().enumerate() {
            self.number[row as usize] = at as i32;
        }
        let mut search = Search {
            layout: self.layout,
            number: &self.number,
            reader,
            key,
            own: vec![0; reader.len() * self.layout.chains],
            done: 0,
            heads: (0..self.layout.chains).map(|_| Heads::default()).collect(),
            pairs: Vec::new(),
            returned: HashMap::new(),
            dirty: BinaryHeap::new(),
            is_dirty: vec![false; reader.len()],
        };
        let clash = search.run();
        let pairs = search.pairs;
        for &row in reader {
            self.number[row as usize] = -1;
        }
        View { pairs, clash }
    }
}

/// The writes of a chain that others were found to come before: their places, and the clocks of all that precedes.
#[derive(Default)]
struct Heads {
    places: Vec<i32>,
    clocks: Vec<Vec<i32>>,
}

struct Search<'a> {
    layout: &'a Layout,
    number: &'a [i32],
    reader: &'a [i64],
    key: i64,
    own: Vec<i32>,
    done: usize,
    heads: Vec<Heads>,
    pairs: Vec<Pair>,
    returned: HashMap<i64, i64>,
    dirty: BinaryHeap<Reverse<usize>>,
    is_dirty: Vec<bool>,
}

impl Search<'_> {
    fn run(&mut self) -> Option<Pair> {
        for at in 0..self.reader.len() {
            if let Some(clash) = self.advance(at) {
                return Some(clash);
            }
            self.soil(at);
            while let Some(Reverse(again)) = self.dirty.pop() {
                self.is_dirty[again] = false;
                if let Some(clash) = self.check(again) {
                    return Some(clash);
                }
            }
        }
        None
    }

    fn own(&self, at: usize) -> &[i32] {
        &self.own[at * self.layout.chains..(at + 1) * self.layout.chains]
    }

    fn clock(&self, row: i64) -> Vec<i32> {
        match usize::try_from(self.number[row as usize]) {
            Ok(at) if at < self.done => self.own(at).to_vec(),
            _ => self.joined(self.layout.given(row)),
        }
    }

    /// With what comes before the heads in it.
    fn joined(&self, mut clock: Vec<i32>) -> Vec<i32> {
        let counts = clock.clone();
        for (heads, &count) in self.heads.iter().zip(&counts) {
            let last = from_the_end(heads.places.len(), |at| heads.places[at] >= count);
            if last > 0 {
                raise(&mut clock, &heads.clocks[last - 1]);
            }
        }
        clock
    }

    fn reads(&self, row: i64) -> impl Iterator<Item = (i64, i64, i64)> + use<'_> {
        let all =
            self.layout.reads(row).map(|read| (read as i64, self.layout.reads[read][0], self.layout.reads[read][1]));
        all.filter(|&(_, key, _)| self.key < 0 || key == self.key)
    }

    /// The next transaction of the reader: after the last one, and after the writes that it read.
    fn advance(&mut self, at: usize) -> Option<Pair> {
        let row = self.reader[at];
        let mut mine = if at > 0 { self.own(at - 1).to_vec() } else { vec![0; self.layout.chains] };
        for (read, _, source) in self.reads(row) {
            if source >= 0 {
                let clock = self.clock(source);
                if self.layout.holds(&clock, row) {
                    return Some([row, source, read]);
                }
                raise(&mut mine, &clock);
            }
        }
        raise(&mut mine, &self.joined(self.layout.given(row)));
        let chains = self.layout.chains;
        self.own[at * chains..(at + 1) * chains].copy_from_slice(&mine);
        self.done = at + 1;
        None
    }

    /// Each write that comes before a read comes before the one that the read returned.
    fn check(&mut self, at: usize) -> Option<Pair> {
        let row = self.reader[at];
        let mut counts = self.own(at).to_vec();
        counts[self.layout.chain(row)] = self.layout.place(row);
        let reads: Vec<(i64, i64, i64)> = self.reads(row).collect();
        for (read, key, source) in reads {
            let mut known = (source >= 0).then(|| self.clock(source));
            for before in self.candidates(key, &counts) {
                if before == source || known.as_ref().is_some_and(|clock| self.layout.holds(clock, before)) {
                    continue;
                }
                let clock = self.clock(before);
                let Some(known) = known.as_mut().filter(|_| !self.layout.holds(&clock, source)) else {
                    return Some([before, source, read]);
                };
                raise(known, &clock);
                let raised = known.clone();
                self.add([before, source, read], &raised);
            }
            self.returned.insert(key, source);
        }
        None
    }

    /// The last writers of a key in each chain, and first of all what the last read returned: it often settles the rest.
    fn candidates(&self, key: i64, counts: &[i32]) -> Vec<i64> {
        let latest = self.returned.get(&key).copied().filter(|&row| row >= 0);
        let mut found: Vec<i64> =
            latest.filter(|&row| self.layout.place(row) < counts[self.layout.chain(row)]).into_iter().collect();
        for bounds in self.layout.groups[key as usize].windows(2) {
            let writers = &self.layout.writers[bounds[0]..bounds[1]];
            let count = i64::from(counts[writers[0][1] as usize]);
            let last = writers.partition_point(|writer| writer[2] < count);
            if last > 0 {
                found.push(writers[last - 1][3]);
            }
        }
        found
    }

    /// Raise the clock of the later write to this one, and those of all that it comes before.
    fn add(&mut self, pair: Pair, clock: &[i32]) {
        self.pairs.push(pair);
        let (chain, place) = (self.layout.chain(pair[1]), self.layout.place(pair[1]));
        let heads = &mut self.heads[chain];
        let slot = from_the_end(heads.places.len(), |at| heads.places[at] >= place);
        if heads.places.get(slot) == Some(&place) {
            heads.clocks[slot] = clock.to_vec();
        } else {
            heads.places.insert(slot, place);
            heads.clocks.insert(slot, clock.to_vec());
        }
        for (other, heads) in self.heads.iter_mut().enumerate() {
            if heads.clocks.last().is_none_or(|last| last[chain] <= place) {
                continue;
            }
            let first = from_the_end(heads.clocks.len(), |at| heads.clocks[at][chain] > place);
            for each in first..heads.clocks.len() {
                let is_it = other == chain && each == slot;
                if !raise(&mut heads.clocks[each], clock) && !is_it {
                    break; // and so do the later ones of the chain: clocks grow along it
                }
            }
        }
        let chains = self.layout.chains;
        let low = from_the_end(self.done, |at| self.own[at * chains + chain] > place);
        for at in low..self.done {
            if !raise(&mut self.own[at * chains..(at + 1) * chains], clock) {
                break;
            }
            self.soil(at);
        }
    }

    /// Have the reads of a transaction checked.
    fn soil(&mut self, at: usize) {
        if !self.is_dirty[at] {
            self.is_dirty[at] = true;
            self.dirty.push(Reverse(at));
        }
    }
}

/// Where what is after begins, among so many of which the last ones may be: what is asked for mostly lies near the end.
fn from_the_end(count: usize, is_after: impl Fn(usize) -> bool) -> usize {
    let (mut high, mut step) = (count, 1);
    loop {
        let mut low = high.saturating_sub(step);
        if high == 0 || !is_after(low) {
            while low + 1 < high {
                let middle = usize::midpoint(low, high);
                if is_after(middle) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            return high;
        }
        (high, step) = (low, 2 * step);
    }
}

/// Raises a clock to another one; whether that changed it.
fn raise(clock: &mut [i32], other: &[i32]) -> bool {
    let mut is_raised = false;
    for (mine, &theirs) in clock.iter_mut().zip(other) {
        if *mine < theirs {
            *mine = theirs;
            is_raised = true;
        }
    }
    is_raised
}
