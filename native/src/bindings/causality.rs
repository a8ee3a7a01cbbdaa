//! Causal pasts and conflicts, as Python sees them; arrays go in as buffers of int64 and come back as bytes.

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{are_below, bytes, check, table, Integers, Lanes};
use crate::causality::{conflicts, Chains, Graph};

/// How many rows there are, and where edges begin and end.
type Edges = (usize, Integers, Integers);

/// The rows along all edges (int64), without those on cycles and behind them.
#[pyfunction]
pub fn causal_order<'py>(py: Python<'py>, edges: Edges) -> PyResult<Bound<'py, PyBytes>> {
    let graph = graph(py, &edges)?;
    Ok(bytes(py, py.detach(|| graph.order()), i64::to_ne_bytes))
}

/// How many rows of each chain are in the past of each row, itself included (int32, row by row).
#[pyfunction]
pub fn causal_clocks<'py>(
    py: Python<'py>,
    edges: Edges,
    lanes: Lanes,
    order: Integers,
) -> PyResult<Bound<'py, PyBytes>> {
    let (graph, order) = (graph(py, &edges)?, order.to_vec(py)?);
    let chains = chains(py, &lanes, graph.rows)?;
    check(are_below(graph.rows, &order))?;
    Ok(bytes(py, py.detach(|| graph.clocks(&chains, &order)), i32::to_ne_bytes))
}

/// The reads that passed over a write, by number, and the rows of these writes (int64 both). `reads` has three numbers for
/// each, `writes` two.
#[pyfunction]
pub fn causal_conflicts<'py>(
    py: Python<'py>,
    reads: Integers,
    writes: Integers,
    lanes: Lanes,
    clocks: PyBuffer<i32>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let clocks = clocks.to_vec(py)?;
    let rows = lanes.0.item_count();
    let chains = chains(py, &lanes, rows)?;
    check(clocks.len() == rows * chains.count)?;
    let (reads, writes) = (table::<3>(py, &reads)?, table::<2>(py, &writes)?);
    let is_row = |row: i64| (0..rows as i64).contains(&row);
    check(reads.iter().all(|&[row, _, source]| is_row(row) && (source == -1 || is_row(source))))?;
    check(writes.iter().all(|&[row, _]| is_row(row)))?;
    let (read, overwriter) = py.detach(|| conflicts(&reads, &writes, &chains, &clocks));
    Ok((bytes(py, read, i64::to_ne_bytes), bytes(py, overwriter, i64::to_ne_bytes)))
}

fn graph(py: Python<'_>, (rows, before, after): &Edges) -> PyResult<Graph> {
    let graph = Graph { rows: *rows, before: before.to_vec(py)?, after: after.to_vec(py)? };
    check(graph.before.len() == graph.after.len())?;
    check(are_below(*rows, &graph.before) && are_below(*rows, &graph.after))?;
    Ok(graph)
}

fn chains(py: Python<'_>, (chain, place, count): &Lanes, rows: usize) -> PyResult<Chains> {
    let chains = Chains { chain: chain.to_vec(py)?, place: place.to_vec(py)?, count: *count };
    check(chains.chain.len() == rows && chains.place.len() == rows)?;
    check(are_below(*count, &chains.chain) && are_below(rows.min(i32::MAX as usize), &chains.place))?;
    Ok(chains)
}
