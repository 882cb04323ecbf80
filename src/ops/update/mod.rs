//! `haul update`: imported data as it is now where it came from. What is there is taken first, while others
//! may work here; only then is anything replaced, and each import is judged by itself.

mod replace;
mod report;
mod verb;

pub use report::{FailedImport, UpdatePlan, UpdateReport};
pub use verb::{Accept, UpdateOptions, plan, run};
