//! `haul push`: everything that the commits being pushed name goes to the remote, before Git's refs
//! move.

mod preview;
mod verb;

pub use preview::{PushPreview, preview};
pub use verb::{PushOptions, PushPlan, PushReport, plan, plan_all, run, run_all};
pub(crate) use verb::{earlier, plan_brought, reported};
