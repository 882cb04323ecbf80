//! `haul gc`: removes from a remote what no repository needs any more, in two steps with a while
//! between them.

mod act;
mod plan;
mod report;
mod repositories;
mod roots;
mod undo;

pub use act::run;
pub use plan::{GcOptions, GcPlan, Repack, plan};
pub use report::{GcReport, GcState, IncompleteRow, PackRow, RemovedFigures, RepoRow};
pub use undo::{UndoReport, undo};
