//! The search for a linearization. Its definition is its twin in Python (`checkers/linearizability/search.py`), which
//! says why each rule is sound; this one looks at the same configurations in the same order, with small integers.

mod bits;
mod cells;
mod memo;
mod parallel;
mod search;
mod used;
mod visited;
mod window;

pub use cells::{Cells, Deed, Form, Table, ANY};
pub use memo::Memo;
pub use parallel::search_all;
pub use search::search;

/// Where a pending operation ends.
pub const NEVER: i64 = i64::MAX;

/// The operations of one object, in the order in which they began.
pub struct Shard {
    /// The code of each operation's form; operations of one form are interchangeable.
    pub form: Vec<u32>,
    /// Their places in real-time order; no two places of beginnings and ends are the same.
    pub began: Vec<i64>,
    /// Likewise; `NEVER` where pending.
    pub ended: Vec<i64>,
    /// How many configurations may be looked at.
    pub steps_max: u64,
}

/// What an object does, by the codes of states and forms.
pub trait Model {
    /// What may go wrong in it.
    type Fault;

    /// Append to `after` every state in which an operation of this form can leave that state, none twice.
    fn step(&mut self, state: u32, form: u32, after: &mut Vec<u32>) -> Result<(), Self::Fault>;
}

/// What came of a search.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// A linearization, as places of operations in the shard; None where there is none, or none was found.
    pub order: Option<Vec<u32>>,
    /// How many configurations were looked at.
    pub steps: u64,
    /// None where there is an order; else the operation whose completion no configuration could pass.
    pub stuck: Option<u32>,
    /// Whether everything was looked at.
    pub decided: bool,
    /// The states in which configurations were stuck there; none where there is an order.
    pub ends: Vec<u32>,
}
