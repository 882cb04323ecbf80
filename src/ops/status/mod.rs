//! `haul status`: tracked data against pointers, pointers against `HEAD`, and what was not pushed.

mod compare;
mod report;
mod run;

pub use report::{PointerRow, StatusEntry, StatusOptions, StatusReport};
pub(crate) use run::data;
pub use run::run;
