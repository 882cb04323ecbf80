//! Files in, packs and identities out: reads each file once, cuts it, hashes chunks and file, and
//! writes the chunks that are new into packs. Knows no pointers, no Git and no remote.
//!
//! Small files are read whole by workers that each do everything; of a large file all cores read, cut and
//! hash a block while they hash and compress the chunks of the one before, and one thread writes. Memory is
//! bounded by 8 MiB per worker, two blocks of 8 MiB, the queue, and 32 MiB of buffers for frames.

mod base;
mod blocks;
mod claims;
mod deltas;
mod error;
mod frames;
mod large;
mod shared;
mod small;
mod spares;
mod survey;
mod take;

pub use error::IntakeError;
pub use survey::compare;
pub use take::{Exceptions, Figures, Intake, Landed, take};

use crate::chunk::Profile;
use crate::fs::Stamp;
use crate::hash::{NodeId, Oid};
use crate::recipe::ChunkEntry;

/// Files up to this many bytes are read whole, before all larger ones.
pub const SMALL: u64 = 8 << 20;

/// Whether content of a few bytes becomes a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inlining {
    /// Content of at most 48 bytes is handed back: a manifest entry holds it.
    Allowed,
    /// Every file but the empty one has a chunk: a pointer holds no content.
    Never,
}

/// An earlier version of a file, or another file that is like it: where bases may be found.
#[derive(Clone, Debug)]
pub enum FormerVersion {
    /// Content that was stored before. With neither its recipe nor such a file on this machine it
    /// serves for nothing.
    Stored {
        /// The recipe.
        root: NodeId,
        /// Bytes of the file.
        size: u64,
        /// The rule that cut it.
        profile: Profile,
        /// Path relative to the worktree root of a file that has these bytes unless somebody
        /// changed it.
        path: Option<Vec<u8>>,
    },
    /// The source with this number, one of more than [`SMALL`] bytes that comes before in the list;
    /// it serves for such a file only: small files are taken side by side, so that none is finished
    /// when another begins.
    Source(usize),
}

/// A file to take in.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path relative to the worktree root.
    pub path: Vec<u8>,
    /// Where it begins in a file that holds several, which nobody changes meanwhile; then it has at
    /// most [`SMALL`] bytes. Without it, it is the whole file.
    pub at: Option<u64>,
    /// Size in bytes when it was found; of a whole file only a hint for planning.
    pub size: u64,
    /// The rule to cut it by.
    pub profile: Profile,
    /// The oid of the path's previous version if that was one chunk: the same bytes stay one chunk,
    /// whatever the rule.
    pub whole: Option<Oid>,
    /// Whether its content may be handed back instead of stored.
    pub inlining: Inlining,
    /// What its chunks may be stored as a delta to.
    pub former: Option<FormerVersion>,
}

/// What became of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The bytes themselves: an empty file, or a few bytes that a manifest entry holds.
    Bytes(Vec<u8>),
    /// One chunk, whose id is the file's oid.
    Chunk {
        /// Size in bytes.
        size: u64,
    },
    /// Several chunks, in order.
    Chunks {
        /// Size in bytes.
        size: u64,
        /// The rule that cut them.
        profile: Profile,
        /// Identity and length of each.
        chunks: Vec<ChunkEntry>,
    },
}

/// A file that was taken in: what was hashed is what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The file's identity.
    pub oid: Oid,
    /// What became of its bytes.
    pub stored: Stored,
    /// The file's stamp, the same before and after it was read.
    pub stamp: Stamp,
    /// Whether the stamp would show a later change; if not, it must not be trusted.
    pub settled: bool,
}
