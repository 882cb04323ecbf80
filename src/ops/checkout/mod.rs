//! `haul checkout`: worktree files as the pointers say, never over the user's unsaved work.

mod act;
mod held;
mod leavers;
mod look_alikes;
mod orphans;
mod plan;
mod survey;
mod tidy;
mod wanted;

pub(crate) use act::place;
pub use act::{CheckoutReport, run};
pub use plan::{CheckoutOptions, CheckoutPlan, plan};
pub(crate) use wanted::{Target, targets};
