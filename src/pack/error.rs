//! Why a frame or a pack was refused.

use std::io;

use crate::hash::ChunkId;
use crate::hash::Digest;
use crate::hash::PackId;
use crate::hint::Hint;
use crate::wire::WireError;

/// Why the content of a frame cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A newer release wrote it, in a way that this build does not know.
    #[error(
        "the frame is coded with codec {codec}, which this build cannot read; a newer haul is needed"
    )]
    Newer {
        /// The codec byte of the frame.
        codec: u8,
    },
    /// The frame is a delta to other chunks, and was read as if it were not.
    #[error("the frame is a delta to other chunks, which were not given")]
    NeedsBase,
    /// The bytes break a rule of the format; they are damaged or were made to harm.
    #[error("the frame is damaged: {0}")]
    Malformed(&'static str),
    /// The content is not what its name says.
    #[error("the frame is damaged: its content hashes to {actual}, not to {expected}")]
    WrongId {
        /// The chunk or node id that was asked for.
        expected: Digest,
        /// What the bytes hash to.
        actual: Digest,
    },
}

impl From<WireError> for FrameError {
    fn from(_: WireError) -> Self {
        Self::Malformed("it ends too early")
    }
}

/// Why the header or the footer of a pack was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A newer release wrote it.
    #[error("the pack has {what} {value}, which this build cannot read; a newer haul is needed")]
    Newer {
        /// The field that is not known: `pack version`, `pack kind` or `pack flags`.
        what: &'static str,
        /// Its value.
        value: u32,
    },
    /// The bytes break a rule of the format; they are damaged or were made to harm.
    #[error("the pack is damaged: {0}")]
    Malformed(&'static str),
}

impl From<WireError> for PackError {
    fn from(_: WireError) -> Self {
        Self::Malformed("it ends too early")
    }
}

/// Why a whole pack did not pass the check of every byte.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header or the footer is wrong.
    #[error("pack {id} cannot be used")]
    Pack {
        /// The name under which the pack was found.
        id: PackId,
        /// What is wrong.
        source: PackError,
    },
    /// One frame is wrong; the others may be whole.
    #[error("frame {number} of pack {id}, at byte {offset}, cannot be used")]
    Frame {
        /// The name under which the pack was found.
        id: PackId,
        /// The number of the frame, from 0.
        number: usize,
        /// Where the frame starts in the pack.
        offset: u32,
        /// What is wrong.
        source: FrameError,
    },
    /// The bytes are not those that the name stands for, though each object in them is whole.
    #[error("pack {id} is damaged: its bytes hash to {actual}")]
    Name {
        /// The name under which the pack was found.
        id: PackId,
        /// The name that its bytes have.
        actual: PackId,
    },
    /// Everything that can be told without the chunks that others are a delta to is right.
    #[error(
        "pack {id} is what its name says, but {} of its chunks could not be decoded: the chunks that \
         they are a delta to were not given",
        chunks.len()
    )]
    NoBase {
        /// The name of the pack.
        id: PackId,
        /// The chunks that are not proved.
        chunks: Vec<ChunkId>,
    },
    /// The bytes could not be read.
    #[error("could not read pack {id}")]
    Read {
        /// The name under which the pack was found.
        id: PackId,
        /// What the reader answered.
        source: io::Error,
    },
}

/// Why something cannot be put into a frame: a defect of the caller, who must keep the limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not make a frame of {objects} objects and {raw} bytes: {reason}")]
pub struct EncodeError {
    pub(super) objects: usize,
    pub(super) raw: usize,
    pub(super) reason: &'static str,
}

const UPGRADE: &str = "install a newer release of haul";
const AGAIN: &str =
    "run `haul fsck` to see what is affected, and `haul fsck --repair` where the data is";

impl Hint for FrameError {
    fn hint(&self) -> Option<String> {
        Some(if let Self::Newer { .. } = self { UPGRADE } else { AGAIN }.into())
    }
}

impl Hint for PackError {
    fn hint(&self) -> Option<String> {
        Some(if let Self::Newer { .. } = self { UPGRADE } else { AGAIN }.into())
    }
}

impl Hint for VerifyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Pack { source, .. } => source.hint(),
            Self::Frame { source, .. } => source.hint(),
            Self::Name { .. } => Some(AGAIN.into()),
            Self::NoBase { .. } => Some("run `haul fetch` for what the pack belongs to".into()),
            Self::Read { .. } => None,
        }
    }
}
