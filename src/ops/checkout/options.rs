//! What a checkout is asked for.

use crate::cache::Link;
use crate::ops::select::Select;

/// What to check out.
#[derive(Clone, Debug, Default)]
pub struct CheckoutOptions {
    /// Which pointers, and which part of each.
    pub select: Select,
    /// Put changed files aside instead of refusing.
    pub force: bool,
    /// What becomes of files that were placed before and are not there now.
    pub absent: Absent,
    /// How files share bytes with the cache, if not as the settings say; files that are right
    /// otherwise are placed again for it.
    pub link: Option<Link>,
}

/// What to do about files that haul placed last and that are not in the worktree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Absent {
    /// Place them.
    #[default]
    Place,
    /// Leave them out: nobody asked for them, or somebody removed them.
    Leave,
}
