//! The operations that are open at a level: begun before its completion, and not completed before it.

use std::collections::BTreeMap;

use super::{Shard, NEVER};

/// Pending operations of one form, oldest first.
pub struct Pending {
    pub form: u32,
    pub operations: Vec<u32>,
    began: Vec<i64>,
}

/// Complete operations are known by their rank, which is their place in the order of completions.
pub struct Window {
    /// By rank: the place in the shard, the form, the end, and the slot that no other open operation has.
    pub operation: Vec<u32>,
    pub form: Vec<u32>,
    pub slot: Vec<u32>,
    until: Vec<i64>,
    /// How many slots there are.
    pub width: usize,
    pub pending: Vec<Pending>,
    /// Ranks in the order of their beginnings; those from `entering_from[level]` on enter at that level.
    entering: Vec<u32>,
    entering_from: Vec<u32>,
    level: usize,
    /// The ranks that are open, the one that completes first at the end.
    open: Vec<u32>,
}

impl Window {
    pub fn new(shard: &Shard) -> Self {
        let mut operation: Vec<u32> =
            (0..shard.form.len() as u32).filter(|&at| shard.ended[at as usize] != NEVER).collect();
        operation.sort_unstable_by_key(|&at| shard.ended[at as usize]);
        let until: Vec<i64> = operation.iter().map(|&at| shard.ended[at as usize]).collect();
        let mut entering: Vec<u32> = (0..operation.len() as u32).collect();
        entering.sort_unstable_by_key(|&rank| shard.began[operation[rank as usize] as usize]);
        let mut window = Window {
            form: operation.iter().map(|&at| shard.form[at as usize]).collect(),
            slot: vec![0; operation.len()],
            until,
            width: 0,
            pending: pending(shard),
            entering,
            entering_from: Vec::with_capacity(operation.len() + 1),
            level: 0,
            open: Vec::new(),
            operation,
        };
        window.lay_out(shard);
        if !window.operation.is_empty() {
            window.enter();
        }
        window
    }

    /// Find out who enters at which level, and give everybody a slot.
    fn lay_out(&mut self, shard: &Shard) {
        let mut free: Vec<u32> = Vec::new();
        let mut next = 0;
        for (level, &until) in self.until.iter().enumerate() {
            self.entering_from.push(next as u32);
            while let Some(&rank) = self.entering.get(next) {
                if shard.began[self.operation[rank as usize] as usize] > until {
                    break;
                }
                self.slot[rank as usize] = free.pop().unwrap_or_else(|| {
                    self.width += 1;
                    self.width as u32 - 1
                });
                next += 1;
            }
            free.push(self.slot[level]);
        }
        self.entering_from.push(next as u32);
    }

    /// How many completions there are.
    pub fn levels(&self) -> usize {
        self.operation.len()
    }

    /// Go to that level, forwards or backwards.
    pub fn seek(&mut self, level: usize) {
        while self.level < level {
            self.open.pop();
            self.level += 1;
            self.enter();
        }
        while self.level > level {
            let (from, to) = self.entering_at(self.level);
            for rank in &self.entering[from..to] {
                let at = self.open.iter().position(|each| each == rank).expect("who entered is open");
                self.open.remove(at);
            }
            self.level -= 1;
            self.open.push(self.level as u32);
        }
    }

    /// The open operation with that number, counted from the one that completes first.
    #[inline]
    pub fn open(&self, number: usize) -> Option<u32> {
        self.open.iter().rev().nth(number).copied()
    }

    /// How many complete operations are open.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many of the pending operations of one form began before the completion of the present level.
    pub fn available(&self, pending: &Pending) -> usize {
        let until = self.until[self.level];
        pending.began.partition_point(|&began| began < until)
    }

    fn enter(&mut self) {
        let (from, to) = self.entering_at(self.level);
        for &rank in &self.entering[from..to] {
            let at = self.open.partition_point(|&each| each > rank);
            self.open.insert(at, rank);
        }
    }

    fn entering_at(&self, level: usize) -> (usize, usize) {
        (self.entering_from[level] as usize, self.entering_from[level + 1] as usize)
    }
}

/// The pending operations by form, in the order in which the forms are met.
fn pending(shard: &Shard) -> Vec<Pending> {
    let mut found: Vec<Pending> = Vec::new();
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    for (at, &form) in shard.form.iter().enumerate() {
        if shard.ended[at] == NEVER {
            let number = *numbers.entry(form).or_insert_with(|| {
                found.push(Pending { form, operations: Vec::new(), began: Vec::new() });
                found.len() - 1
            });
            found[number].operations.push(at as u32);
            found[number].began.push(shard.began[at]);
        }
    }
    found
}
