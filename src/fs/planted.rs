//! Bugs that are planted on purpose, so that a campaign can prove that it would find them.
//!
//! Compiled with the feature `planted-bugs` only; elsewhere [`is`] is constant and the bugs are gone.

/// The names of the bugs that can be planted, one word list for the program and its campaigns.
pub const NAMES: &[&str] = &[
    "no-fsync",
    "rename-before-sync",
    "publish-before-upload",
    "symlink-followed",
    "only-first-part-checked",
    "hash-check-off",
    "size-cap-off",
    "pointer-before-content",
    "short-write-believed",
    "write-error-swallowed",
    "stamp-not-compared",
    "empty-list-believed",
    "dedup-hit-unconfirmed",
    "gc-without-reread",
    "pointers-read-early",
    "size-tells-all",
];

#[cfg(feature = "planted-bugs")]
mod sown {
    use std::sync::OnceLock;

    static SOWN: OnceLock<String> = OnceLock::new();

    /// Plants the bug of this name for the life of the process.
    pub fn plant(name: &str) {
        drop(SOWN.set(name.to_owned()));
    }

    /// Says whether a bug is planted.
    pub fn is(name: &str) -> bool {
        SOWN.get().is_some_and(|sown| sown == name)
    }
}

#[cfg(not(feature = "planted-bugs"))]
mod sown {
    /// Does nothing in this build.
    pub fn plant(_: &str) {}

    /// Says no in this build.
    #[inline]
    pub const fn is(_: &str) -> bool {
        false
    }
}

pub use sown::{is, plant};
