//! `haul diff`: which files differ between two versions of the pointers, told from trees alone.

mod report;
mod run;
mod sides;

pub use report::{DiffEntry, DiffReport};
pub use run::{DiffOptions, run};
