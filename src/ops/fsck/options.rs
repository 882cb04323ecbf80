//! What an fsck is to look at, and how closely.

use crate::hash::PackId;

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct FsckOptions {
    /// Which sides.
    pub sides: Sides,
    /// How closely.
    pub depth: Depth,
    /// The remote; the default one if absent.
    pub remote: Option<String>,
    /// Whether to heal.
    pub repair: Repair,
    /// Packs that are read at once, and transfers.
    pub jobs: Option<usize>,
}

/// Which sides to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    /// This machine, and a remote if one is set up.
    #[default]
    Both,
    /// This machine only.
    Local,
    /// A remote only.
    Remote,
}

impl Sides {
    pub(super) fn here(self) -> bool {
        matches!(self, Self::Both | Self::Local)
    }

    pub(super) fn there(self) -> bool {
        matches!(self, Self::Both | Self::Remote)
    }
}

/// How closely to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Names, sizes and tables: no content is read.
    Quick,
    /// As quick, and all bytes of this many of a hundred packs, others in each run.
    Sample(u8),
    /// All bytes.
    #[default]
    Full,
}

/// What to do about damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repair {
    /// Say what is damaged.
    #[default]
    No,
    /// Put it aside, and bring good content from where there is some.
    Yes,
}

/// Chooses the packs that are read whole.
#[derive(Clone, Copy)]
pub(super) struct Sampler {
    depth: Depth,
    salt: u64,
}

impl Sampler {
    /// Draws a sample of its own in each run.
    pub(super) fn new(depth: Depth) -> Self {
        let mut salt = [0; 8];
        // Without random bytes it is the same sample each time, which is as good as any.
        if getrandom::fill(&mut salt).is_err() {
            salt = [0; 8];
        }
        Self { depth, salt: u64::from_le_bytes(salt) }
    }

    pub(super) fn takes(&self, pack: PackId) -> bool {
        match self.depth {
            Depth::Quick => false,
            Depth::Full => true,
            Depth::Sample(percent) => {
                let first = pack.0.first_chunk::<8>().copied().unwrap_or_default();
                let mixed =
                    (u64::from_le_bytes(first) ^ self.salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                (mixed >> 32) % 100 < u64::from(percent)
            }
        }
    }
}
