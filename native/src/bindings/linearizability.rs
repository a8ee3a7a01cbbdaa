//! The search for linearizations, as Python sees it.

use std::sync::Arc;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::linearizability::{search, search_all, Cells, Deed, Form, Found, Memo, Shard, Table};

/// The forms, beginnings and ends of a shard's operations, and how many configurations may be looked at.
type Columns = (PyBuffer<i64>, PyBuffer<i64>, PyBuffer<i64>, u64);
/// A linearization (an int32 array, as bytes) or None; steps; the operation that is stuck, or None; whether decided; the
/// states in which configurations were stuck.
type Answer<'py> = (Option<Bound<'py, PyBytes>>, u64, Option<u32>, bool, Vec<u32>);

/// Searches every shard of an object that is made of cells, in parallel, without the interpreter.
///
/// `forms` are (deed, first operand, second operand, answer, optional) with deed 0 to read, 1 to write, 2 to compare and
/// set, 3 to append, 4 to do what is impossible; values are numbers, of which 0 is null, 1 is false and 2 is true. `cell` is what a cell holds at first
/// and what an absent one reads as. `texts` has the string of every value that is one, where something is appended.
#[pyfunction]
pub fn search_cells<'py>(
    py: Python<'py>,
    shards: Vec<Columns>,
    pure: Vec<bool>,
    forms: Vec<(u8, u32, u32, u32, bool)>,
    cell: (u32, u32),
    texts: Vec<Option<String>>,
) -> PyResult<Vec<Answer<'py>>> {
    let shards = shards.iter().map(|columns| shard(py, columns)).collect::<PyResult<Vec<_>>>()?;
    let forms = forms.into_iter().map(form).collect::<PyResult<Vec<_>>>()?;
    let table = Arc::new(Table::new(forms, cell.1, texts));
    let interrupted = || Python::attach(|py| py.check_signals());
    let found = py.detach(|| search_all(&shards, &pure, cell.0, || Cells::new(table.clone()), interrupted))?;
    Ok(found.into_iter().map(|each| answer(py, each)).collect())
}

/// Searches every shard of any other object, from any of the states `starts`; `step` gives the states that may follow, and
/// is asked once per question.
#[pyfunction]
pub fn search_model<'py>(
    py: Python<'py>,
    shards: Vec<Columns>,
    pure: Vec<bool>,
    starts: Vec<u32>,
    step: Py<PyAny>,
) -> PyResult<Vec<Answer<'py>>> {
    let shards = shards.iter().map(|columns| shard(py, columns)).collect::<PyResult<Vec<_>>>()?;
    let mut model =
        Memo::new(|state, form| Python::attach(|py| step.call1(py, (state, form))?.extract::<Vec<u32>>(py)));
    let mut interrupted = || Python::attach(|py| py.check_signals());
    let mut found_in = |shard| search(shard, &pure, &mut model, &starts, &mut interrupted);
    let found: PyResult<Vec<Found>> = py.detach(|| shards.iter().map(&mut found_in).collect());
    Ok(found?.into_iter().map(|each| answer(py, each)).collect())
}

fn shard(py: Python<'_>, (form, began, ended, steps_max): &Columns) -> PyResult<Shard> {
    let form = form.to_vec(py)?.into_iter().map(|code| code as u32).collect();
    Ok(Shard { form, began: began.to_vec(py)?, ended: ended.to_vec(py)?, steps_max: *steps_max })
}

fn form((deed, first, second, answer, optional): (u8, u32, u32, u32, bool)) -> PyResult<Form> {
    let deed = match deed {
        0 => Deed::Read,
        1 => Deed::Write { value: first },
        2 => Deed::Cas { old: first, new: second },
        3 => Deed::Append { value: first },
        4 => Deed::Impossible,
        _ => return Err(PyValueError::new_err(format!("a cell knows no deed {deed}"))),
    };
    Ok(Form { deed, answer, optional })
}

fn answer(py: Python<'_>, found: Found) -> Answer<'_> {
    let order = found.order.map(|order| {
        let bytes: Vec<u8> = order.into_iter().flat_map(u32::to_ne_bytes).collect();
        PyBytes::new(py, &bytes)
    });
    (order, found.steps, found.stuck, found.decided, found.ends)
}
