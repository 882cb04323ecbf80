//! Why a text is not a pointer.

use std::borrow::Cow;

use super::text::MAX_POINTER;
use crate::hint::Hint;

/// Why a text was refused as a pointer, or a pointer cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointerError {
    /// It does not start like a pointer at all: it is content.
    #[error("not a pointer: line 1 is not `haul` and a version")]
    NotAPointer,
    /// Larger than any pointer.
    #[error("not a pointer: {len} bytes, where {MAX_POINTER} is the most")]
    TooLong {
        /// How large it is, in bytes.
        len: usize,
    },
    /// It names a folder, and stands in place of a file.
    #[error("not a pointer of a file: it names a folder")]
    Folder,
    /// Git left both sides of a merge in it.
    #[error("not a pointer: line {line} is a conflict marker of Git")]
    Conflict {
        /// The first marker's line, counted from 1.
        line: usize,
    },
    /// Written by a release that knows more than this one.
    #[error("could not read the pointer: line {line}: {what}; a newer haul is needed")]
    Newer {
        /// Counted from 1.
        line: usize,
        /// What this build does not know.
        what: &'static str,
    },
    /// Not the one encoding of any pointer.
    #[error("could not read the pointer: line {line}: {reason}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with the line, or missing in front of it.
        reason: Cow<'static, str>,
    },
    /// The parts given do not make a pointer.
    #[error("could not write the pointer: {reason}")]
    Invalid {
        /// What contradicts what.
        reason: Cow<'static, str>,
    },
}

impl Hint for PointerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Conflict { .. } => {
                Some("resolve the conflict with git, then run `haul checkout`".to_owned())
            }
            Self::Newer { .. } => Some("install a newer haul".to_owned()),
            Self::Malformed { .. } | Self::Folder => Some(
                "restore the pointer with `git checkout`, or add the data again with `haul add`"
                    .to_owned(),
            ),
            Self::NotAPointer | Self::TooLong { .. } | Self::Invalid { .. } => None,
        }
    }
}
