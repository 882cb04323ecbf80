//! Merging pointers: what both sides did to a tracked path, down to the files of a folder.
//!
//! Only trees are needed for that; no content is read or fetched. A path that both sides changed
//! stays as ours has it and is named; pointers are never marked as text.

mod driver;
mod pointers;
mod side;
mod trees;
mod verb;

pub use driver::drive;
pub use pointers::Clash;
pub use side::{Side, SideReport, take_side};
pub use verb::{MergePlan, MergeReport, MergeRow, plan, run};
