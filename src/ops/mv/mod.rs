//! `haul mv`: pointer, ignore line and data under another name, or entries of tracked folders, into, out
//! of and between them. Of content at most a file of one chunk is read or fetched.

mod across;
mod cut;
mod goal;
mod parts;
mod place;
mod plan;
mod run;
mod within;

pub use plan::{MvOptions, MvPlan, MvReport, plan};
pub use run::run;
