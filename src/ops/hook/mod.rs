//! `haul hook`: what haul does when Git calls it.
//!
//! Before a commit and before a push it may refuse; afterwards data follows the pointers, and whatever
//! goes wrong is said and stops nothing.

mod filter;
mod follow;
mod handed;
mod pre_commit;
mod pre_push;
mod range;

pub use filter::lacks_filter;
pub use follow::{Followed, Lagging, Occasion, follow, lagging, place};
pub use pre_commit::{Finding, Findings, pre_commit};
pub use pre_push::{all_refs, pre_push};
pub use range::Moved;
