//! The hot loops of upheld, each behind one Python function that has a slow twin.

use pyo3::prelude::*;

#[pymodule]
mod _core {}
