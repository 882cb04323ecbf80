//! `haul track`: which files Git is to hand to haul, by lines in `.gitattributes`.

mod attributes;
mod convert;
mod large;
mod list;
mod verb;

pub(crate) use attributes::{Rule, forget, pattern_of, rules};
pub use large::{LargeFile, LargeReport, large};
pub use list::{TrackList, list};
pub use verb::{TrackOptions, TrackReport, run};
