//! `haul remote`: which storage the packs go to, and what that storage can do.

mod index;
mod probe;
mod settings;
mod standing;
mod sync;

pub use index::{IndexReport, index};
pub(crate) use probe::look;
pub use probe::{Check, Outcome, TestReport, test};
pub use settings::{
    AddRemoteOptions, RemoteReport, RemoteRow, accept, accept_address, add, list, remove,
    set_default,
};
pub use sync::{SyncPlan, SyncReport, plan_sync, sync};
