//! The hot loops of upheld, each behind one Python function that has a slow twin.

use pyo3::prelude::*;

mod bindings;
pub mod linearizability;

#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::bindings::{search_cells, search_model};
}
