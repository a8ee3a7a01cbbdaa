//! The hot loops of upheld, each behind one Python function that has a slow twin.

use pyo3::prelude::*;

mod bindings;
pub mod causality;
pub mod linearizability;
pub mod views;

#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::bindings::causality::{causal_clocks, causal_conflicts, causal_order};
    #[pymodule_export]
    use crate::bindings::linearizability::{search_cells, search_model};
    #[pymodule_export]
    use crate::bindings::views::causal_views;
}
