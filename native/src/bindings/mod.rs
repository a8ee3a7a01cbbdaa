//! What Python sees.

pub mod causality;
pub mod linearizability;
