//! `haul track`: which files Git is to hand to haul, by lines in `.gitattributes`.

mod attributes;
mod convert;
mod large;
mod list;
mod plan;
mod release;
mod stand_in;
mod verb;

pub(crate) use attributes::Rule;
pub use large::{LargeFile, LargeReport, large};
pub use list::{TrackList, list};
pub use plan::{TrackPlan, plan};
pub(crate) use release::{named_rules, release};
pub use verb::{TrackOptions, TrackReport, run};
