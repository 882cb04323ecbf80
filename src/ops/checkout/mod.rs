//! `haul checkout`: worktree files as the pointers say, never over the user's unsaved work.

mod act;
mod back;
mod form;
mod gone;
mod held;
mod in_place;
mod judge;
mod lagging;
mod leavers;
mod look_alikes;
mod needed;
mod options;
mod orphans;
mod past;
mod plan;
mod proven;
mod room;
mod survey;
mod tidy;
mod wanted;
mod write;

pub use act::{CheckoutReport, run};
pub(crate) use act::{Notes, place};
pub use back::{check_back, take_back};
pub(crate) use gone::remove_data;
pub(crate) use in_place::{is_unfilled, unset};
pub(crate) use lagging::LastPlaced;
pub(crate) use needed::{AtHand, needed_chunks};
pub use options::{CheckoutOptions, Manner};
pub(crate) use orphans::begun_key;
pub(crate) use plan::plan_of;
pub use plan::{CheckoutPlan, plan};
pub(crate) use proven::spare_proven;
pub(crate) use tidy::{move_data, put_aside, remove_empty, rename_data};
pub(crate) use wanted::{Target, chunks, file_content, targets, tree_error};
pub(crate) use write::write_anew;
