//! The user's files: finding them, comparing them with pointers, placing them. Knows no remote.

mod ahead;
mod build;
mod door;
mod error;
mod ignore;
mod known;
mod own;
mod place;
mod pointers;
mod scan;
mod share;
mod wildcards;

pub(crate) use ahead::{Arriving, Built, build_ahead, place_built};
pub(crate) use build::{LARGE, MakeReader};
pub use door::{Door, Parent};
pub use error::WorktreeError;
pub use ignore::{Kept, RulesBelow, is_excluded};
pub use known::{Content, Knowledge, vouches};
pub(crate) use own::{make_own, own_links, put_aside};
pub use place::{PlaceError, Recipe};
pub(crate) use place::{
    StillAsSeen, Wanted, Whole, place_file, place_folder, place_link, place_standing,
};
pub use pointers::{
    RefusedPointer, Tracked, TrackedState, Tracking, in_place, load_in_place, load_tracked,
    parse_tracked, tracked_by,
};
pub use scan::{Found, Scan, What, look, look_ahead};
pub(crate) use share::{Sharing, place_whole};
