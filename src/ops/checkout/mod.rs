//! `haul checkout`: worktree files as the pointers say, never over the user's unsaved work.

mod act;
mod held;
mod leavers;
mod look_alikes;
mod options;
mod orphans;
mod plan;
mod proven;
mod survey;
mod tidy;
mod wanted;

pub(crate) use act::place;
pub use act::{CheckoutReport, run};
pub use options::{Absent, CheckoutOptions};
pub(crate) use plan::plan_of;
pub use plan::{CheckoutPlan, plan};
pub(crate) use proven::spare_proven;
pub(crate) use wanted::{Target, chunks, targets};
