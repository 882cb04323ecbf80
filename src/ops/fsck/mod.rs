//! `haul fsck`: reads what this machine and a remote hold, names what is damaged, and heals it.
//!
//! Looking changes nothing; only `--repair` does, and it never deletes.

mod finding;
mod heal;
mod local;
mod names;
mod options;
mod remote;
mod repair;
mod report;
mod resend;
mod run;
mod sources;
mod whole;
mod worktree;

pub use options::{Depth, FsckOptions, Repair, Sides};
pub use report::{FindingRow, FsckReport, NeedRow, State};
pub use run::run;
