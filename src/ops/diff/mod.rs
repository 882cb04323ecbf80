//! `haul diff`: which files differ between two versions of the pointers, told from trees alone.

mod compare;
mod driver;
mod report;
mod run;
mod sides;

pub(crate) use compare::{Versions, differences};
pub use driver::{ListedFile, between, listing};
pub use report::{DiffEntry, DiffFigures, DiffReport, Difference};
pub use run::{DiffOptions, run};
