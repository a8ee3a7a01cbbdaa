//! Causal pasts as clocks, and the writes that reads passed over.
//!
//! Rows are numbered from 0. They lie in chains, one after the other, as the operations of a session do; the past of a row
//! is then, in each chain, a prefix, and a clock says how long the prefix is.

use std::collections::VecDeque;

/// Rows, and edges from one to another; the numbers of rows are below `rows`.
pub struct Graph {
    pub rows: usize,
    pub before: Vec<i64>,
    pub after: Vec<i64>,
}

impl Graph {
    /// The rows in an order that goes along all edges: what is ready first comes first, at the start by number. Rows on
    /// cycles, and behind them, are left out. O(rows + edges).
    pub fn order(&self) -> Vec<i64> {
        let (starts, edges) = by_row(self.rows, &self.before);
        let mut missing = vec![0u32; self.rows];
        for &row in &self.after {
            missing[row as usize] += 1;
        }
        let mut ready: VecDeque<usize> = (0..self.rows).filter(|&row| missing[row] == 0).collect();
        let mut order = Vec::with_capacity(self.rows);
        while let Some(row) = ready.pop_front() {
            order.push(row as i64);
            for &edge in &edges[starts[row]..starts[row + 1]] {
                let later = self.after[edge] as usize;
                missing[later] -= 1;
                if missing[later] == 0 {
                    ready.push_back(later);
                }
            }
        }
        order
    }

    /// How many rows of each chain are in the past of each row, itself included. O((rows + edges) * chains).
    ///
    /// `order` has all rows, along the edges; edges lead from each row of a chain to the next one.
    pub fn clocks(&self, chains: &Chains, order: &[i64]) -> Vec<i32> {
        let width = chains.count;
        let (starts, edges) = by_row(self.rows, &self.after);
        let mut clocks = vec![0i32; self.rows * width];
        for row in order.iter().map(|&row| row as usize) {
            clocks[row * width + chains.chain[row] as usize] = chains.place[row] as i32 + 1;
            for &edge in &edges[starts[row]..starts[row + 1]] {
                let earlier = self.before[edge] as usize * width;
                for chain in 0..width {
                    clocks[row * width + chain] = clocks[row * width + chain].max(clocks[earlier + chain]);
                }
            }
        }
        clocks
    }
}

/// The numbers of the edges of each row, by one of their ends: those of a row begin at its start.
fn by_row(rows: usize, ends: &[i64]) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0usize; rows + 1];
    for &row in ends {
        starts[row as usize + 1] += 1;
    }
    for row in 0..rows {
        starts[row + 1] += starts[row];
    }
    let mut next = starts.clone();
    let mut edges = vec![0usize; ends.len()];
    for (edge, &row) in ends.iter().enumerate() {
        edges[next[row as usize]] = edge;
        next[row as usize] += 1;
    }
    (starts, edges)
}

/// The chain of each row, and its place there, from 0.
pub struct Chains {
    pub chain: Vec<i64>,
    pub place: Vec<i64>,
    pub count: usize,
}

/// For each read the last write of its key in its past, in each chain, unless it is what was read, or in the past of that.
///
/// `reads` are (row, key, the row of the write that was read, or -1), `writes` are (row, key). The answer has the number of
/// the read and the row of the write, by read and then by chain. O(writes * log writes + reads * chains * log writes).
pub fn conflicts(reads: &[[i64; 3]], writes: &[[i64; 2]], chains: &Chains, clocks: &[i32]) -> (Vec<i64>, Vec<i64>) {
    let width = chains.count;
    let in_chain = |&[row, key]: &[i64; 2]| (key, chains.chain[row as usize], chains.place[row as usize], row);
    let mut sorted: Vec<(i64, i64, i64, i64)> = writes.iter().map(in_chain).collect();
    sorted.sort_unstable();
    let places: Vec<i32> = sorted.iter().map(|&(_, _, place, _)| place as i32).collect();
    let groups = groups(&sorted);
    let by_key = first_of_each(&groups);
    let (mut read, mut overwriter) = (Vec::new(), Vec::new());
    for (number, &[row, key, source]) in reads.iter().enumerate() {
        let Ok(at) = by_key.binary_search_by_key(&key, |&(key, _)| key) else { continue };
        let end = by_key.get(at + 1).map_or(groups.len(), |&(_, first)| first);
        let (row, own) = (row as usize, chains.chain[row as usize] as usize);
        let clock = &clocks[row * width..(row + 1) * width];
        let seen_by_source = usize::try_from(source).ok().map(|source| &clocks[source * width..(source + 1) * width]);
        for group in &groups[by_key[at].1..end] {
            let limit = clock[group.chain] - i32::from(group.chain == own); // a row is no cause of itself
            let seen = places[group.begin..group.end].partition_point(|&place| place < limit);
            if seen == 0 {
                continue;
            }
            let last = group.begin + seen - 1;
            if seen_by_source.is_none_or(|clock| clock[group.chain] <= places[last]) {
                read.push(number as i64);
                overwriter.push(sorted[last].3);
            }
        }
    }
    (read, overwriter)
}

/// The writes of one key by one chain, as a range of the sorted writes.
struct Group {
    key: i64,
    chain: usize,
    begin: usize,
    end: usize,
}

fn groups(sorted: &[(i64, i64, i64, i64)]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, &(key, chain, _, _)) in sorted.iter().enumerate() {
        match groups.last_mut() {
            Some(last) if last.key == key && last.chain == chain as usize => last.end = at + 1,
            _ => groups.push(Group { key, chain: chain as usize, begin: at, end: at + 1 }),
        }
    }
    groups
}

/// Every key, with the number of its first group.
fn first_of_each(groups: &[Group]) -> Vec<(i64, usize)> {
    let is_first = |&at: &usize| at == 0 || groups[at - 1].key != groups[at].key;
    (0..groups.len()).filter(is_first).map(|at| (groups[at].key, at)).collect()
}
