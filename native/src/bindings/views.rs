//! Views, as Python sees them.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{are_below, bytes, check, table, Integers, Lanes};
use crate::views::{Layout, Searcher};

/// Pairs (int64, three for each), and the clash, if there is one.
type Answer<'py> = (Bound<'py, PyBytes>, Option<[i64; 3]>);

/// Saturates the views of readers, up to the first that has no order.
///
/// `reads` has two numbers for each (key, source), those of a row begin at `first_read`; `writes` two (row, key); `readers`
/// has the rows of all of them, each with where it begins and the key that it is about, or -1; `clocks` is None where the
/// model gives a row no more than its place in its session.
#[pyfunction]
#[pyo3(signature = (lanes, previous, clocks, reads, writes, readers))]
pub fn causal_views<'py>(
    py: Python<'py>,
    lanes: Lanes,
    previous: Integers,
    clocks: Option<PyBuffer<i32>>,
    reads: (Integers, Integers),
    writes: Integers,
    readers: (Integers, Integers, Integers),
) -> PyResult<Vec<Answer<'py>>> {
    let (chain, place, chains) = (lanes.0.to_vec(py)?, lanes.1.to_vec(py)?, lanes.2);
    let (rows, previous) = (chain.len(), previous.to_vec(py)?);
    let is_row_or_none = |row: i64| row == -1 || (0..rows as i64).contains(&row);
    check(place.len() == rows && previous.len() == rows && previous.iter().all(|&row| is_row_or_none(row)))?;
    check(are_below(chains, &chain) && are_below(i32::MAX as usize, &place))?;
    let clocks = clocks.map(|clocks| clocks.to_vec(py)).transpose()?;
    check(clocks.as_ref().is_none_or(|clocks| clocks.len() == rows * chains))?;
    let (table_of_reads, first_read) = (table::<2>(py, &reads.0)?, reads.1.to_vec(py)?);
    check(first_read.len() == rows + 1 && is_partition(&first_read, table_of_reads.len()))?;
    check(table_of_reads.iter().all(|&[key, source]| key >= 0 && is_row_or_none(source)))?;
    let writes = table::<2>(py, &writes)?;
    check(writes.iter().all(|&[row, key]| (0..rows as i64).contains(&row) && key >= 0))?;
    let keys = table_of_reads.iter().map(|read| read[0]).chain(writes.iter().map(|write| write[1]));
    let keys = keys.max().map_or(0, |key| key as usize + 1);
    check(keys <= table_of_reads.len() + writes.len())?;
    let (members, first, about) = (readers.0.to_vec(py)?, readers.1.to_vec(py)?, readers.2.to_vec(py)?);
    check(first.len() == about.len() + 1 && is_partition(&first, members.len()) && are_below(rows, &members))?;
    check(about.iter().all(|&key| (-1..keys as i64).contains(&key)))?;
    let found = py.detach(|| {
        let layout = Layout::new(clocks, chains, (chain, place, previous), (table_of_reads, first_read), &writes, keys);
        let mut searcher = Searcher::new(&layout);
        let mut found = Vec::new();
        for (bounds, &key) in first.windows(2).zip(&about) {
            let view = searcher.search(&members[bounds[0] as usize..bounds[1] as usize], key);
            let is_last = view.clash.is_some();
            found.push(view);
            if is_last {
                break;
            }
        }
        found
    });
    let told = |view: crate::views::View| {
        (bytes(py, view.pairs.into_iter().flatten().collect(), i64::to_ne_bytes), view.clash)
    };
    Ok(found.into_iter().map(told).collect())
}

/// Whether these are the places where the parts of so many begin, and the end.
fn is_partition(first: &[i64], count: usize) -> bool {
    first.first() == Some(&0)
        && first.last() == Some(&(count as i64))
        && first.windows(2).all(|bounds| bounds[0] <= bounds[1])
}
