//! What Python sees: arrays go in as buffers and come back as bytes.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pub mod causality;
pub mod linearizability;
pub mod views;

type Integers = PyBuffer<i64>;
/// The chain of each row, its place there, and how many chains there are.
type Lanes = (Integers, Integers, usize);

fn table<const N: usize>(py: Python<'_>, numbers: &Integers) -> PyResult<Vec<[i64; N]>> {
    let numbers = numbers.to_vec(py)?;
    check(numbers.len() % N == 0)?;
    Ok(numbers.chunks_exact(N).map(|row| std::array::from_fn(|at| row[at])).collect())
}

fn are_below(limit: usize, numbers: &[i64]) -> bool {
    numbers.iter().all(|number| (0..limit as i64).contains(number))
}

fn check(fits: bool) -> PyResult<()> {
    if fits {
        return Ok(());
    }
    Err(PyValueError::new_err("the arrays do not fit together"))
}

fn bytes<T, const N: usize>(py: Python<'_>, numbers: Vec<T>, told: impl Fn(T) -> [u8; N]) -> Bound<'_, PyBytes> {
    let raw: Vec<u8> = numbers.into_iter().flat_map(told).collect();
    PyBytes::new(py, &raw)
}
