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
    /// Which files are as the pointers say afterwards.
    pub manner: Manner,
    /// How files share bytes with the cache, if not as the settings say; files that are right
    /// otherwise are placed again for it.
    pub link: Option<Link>,
}

/// Which files of the selected pointers are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// All: what the user removed comes back, and what the user changed is in the way.
    #[default]
    Exact,
    /// Those that the pointers changed since data was placed by them: nobody asked for the others, and
    /// what the user removed or changed of them stays so.
    Follow,
}
