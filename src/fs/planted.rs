//! Planted bugs: a campaign that does not find them proves nothing.
//!
//! Compiled in with the feature `planted-bugs` only; elsewhere [`is`] is always false.

/// A safeguard that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// `hash-check-off`: chunks and nodes are not compared with their ids.
    HashCheckOff,
    /// `size-cap-off`: sizes that a frame declares are not compared with their limits.
    SizeCapOff,
}

#[cfg(feature = "planted-bugs")]
mod planting {
    use std::sync::OnceLock;

    use super::Bug;

    static PLANTED: OnceLock<Bug> = OnceLock::new();

    /// Plants the bug of that name in this process; says whether there is one.
    pub fn plant(name: &str) -> bool {
        let bug = match name {
            "hash-check-off" => Bug::HashCheckOff,
            "size-cap-off" => Bug::SizeCapOff,
            _ => return false,
        };
        PLANTED.set(bug).is_ok()
    }

    /// Says whether this bug was planted.
    pub fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(&bug)
    }
}

#[cfg(not(feature = "planted-bugs"))]
mod planting {
    /// Plants nothing in this build.
    pub fn plant(_: &str) -> bool {
        false
    }

    /// Is never so in this build.
    #[inline]
    pub fn is(_: super::Bug) -> bool {
        false
    }
}

pub use planting::{is, plant};
