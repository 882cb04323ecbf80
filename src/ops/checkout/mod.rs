//! `haul checkout`: worktree files as the pointers say, never over the user's unsaved work.

mod act;
mod held;
mod leavers;
mod look_alikes;
mod orphans;
mod plan;
mod proven;
mod survey;
mod tidy;
mod wanted;

pub use act::{CheckoutReport, run};
pub(crate) use act::{place, write_anew};
pub(crate) use plan::plan_of;
pub use plan::{CheckoutOptions, CheckoutPlan, plan};
pub(crate) use proven::spare_proven;
pub(crate) use wanted::{Target, chunks, file_content, targets, tree_error};
