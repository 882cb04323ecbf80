//! The two kinds of pack, which those who read packs and those who list them must agree on.

/// What a pack holds; the byte value is the one that pack headers and catalogue tables carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PackKind {
    /// Chunks of files.
    Data = 1,
    /// Nodes of trees, each with its placement.
    Nodes = 2,
}

impl PackKind {
    /// Reads the byte value; nothing for a kind that only a newer release knows.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Data),
            2 => Some(Self::Nodes),
            _ => None,
        }
    }

    /// Returns the byte value.
    pub fn byte(self) -> u8 {
        self as u8
    }

    /// Returns the largest size of a pack of this kind in bytes, header and footer included.
    pub fn max_size(self) -> u32 {
        match self {
            Self::Data => 64 << 20,
            Self::Nodes => 16 << 20,
        }
    }
}
