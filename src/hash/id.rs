//! Identities: newtypes over fixed bytes, each computed in one way only (`docs/format/README.md`).

use std::fmt;
use std::str::FromStr;

/// A BLAKE3-256 hash of anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// Why a text is not an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} lower-case hexadecimal digits")]
pub struct ParseIdError {
    /// How many digits the identity has.
    pub expected: usize,
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}

fn read_hex<const N: usize>(text: &str) -> Result<[u8; N], ParseIdError> {
    let wrong = ParseIdError { expected: 2 * N };
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(wrong),
    };
    let mut out = [0; N];
    let pairs = text.as_bytes().as_chunks::<2>();
    if pairs.0.len() != N || !pairs.1.is_empty() {
        return Err(wrong);
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs.0) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(out)
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Returns the raw bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        identity!(@text $name, $len);
    };
    (@text $name:ident, $len:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                read_hex(text).map(Self)
            }
        }
    };
}

identity!(@text Digest, 32);
identity!(
    /// Identity of a whole file: BLAKE3-256 of its bytes, what `b3sum` prints.
    Oid, 32
);
identity!(
    /// Identity of a chunk: BLAKE3-256 of its bytes, so a one-chunk file has the same id and oid.
    ChunkId, 32
);
identity!(
    /// Identity of a tree node: BLAKE3 derive-key hash of the node bytes.
    NodeId, 32
);
identity!(
    /// Name of a pack: the first 16 bytes of the BLAKE3 of all its bytes.
    PackId, 16
);
identity!(
    /// Name of a catalogue object: the first 8 bytes of the BLAKE3 of all its bytes.
    CatalogueId, 8
);
identity!(
    /// The first 12 bytes of a chunk or node id: a hint for look-up, never proof.
    Key, 12
);
identity!(
    /// Identity of a remote, drawn at random when its `format` object is written.
    RemoteId, 16
);
identity!(
    /// Identity of a Git repository that shares a remote.
    RepoId, 16
);

impl Digest {
    /// Hashes `bytes` with plain BLAKE3.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl Oid {
    /// The identity of the empty file.
    pub const EMPTY: Self = Self([
        0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d, 0xea, 0x36, 0xdc, 0xc9,
        0x49, 0x9b, 0xcb, 0x25, 0xc9, 0xad, 0xc1, 0x12, 0xb7, 0xcc, 0x9a, 0x93, 0xca, 0xe4, 0x1f,
        0x32, 0x62,
    ]);

    /// Hashes a whole file held in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Digest::of(bytes).0)
    }
}

impl ChunkId {
    /// Hashes the bytes of a chunk.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Digest::of(bytes).0)
    }

    /// Returns the look-up key.
    pub fn key(&self) -> Key {
        Key::first_of(&self.0)
    }
}

impl From<Oid> for ChunkId {
    /// The chunk of a file that has exactly one.
    fn from(oid: Oid) -> Self {
        Self(oid.0)
    }
}

impl NodeId {
    /// Hashes the bytes of a node, without its placement.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::derive_key("haul node v1", bytes))
    }

    /// Returns the look-up key.
    pub fn key(&self) -> Key {
        Key::first_of(&self.0)
    }
}

impl Key {
    fn first_of(id: &[u8; 32]) -> Self {
        let mut out = [0; 12];
        out.copy_from_slice(id.first_chunk::<12>().unwrap_or(&[0; 12]));
        Self(out)
    }
}

impl PackId {
    /// Takes the name of a pack from the hash of all its bytes.
    pub fn from_digest(hash: Digest) -> Self {
        Self(*hash.0.first_chunk::<16>().unwrap_or(&[0; 16]))
    }
}

impl CatalogueId {
    /// Takes the name of a catalogue object from the hash of all its bytes.
    pub fn from_digest(hash: Digest) -> Self {
        Self(*hash.0.first_chunk::<8>().unwrap_or(&[0; 8]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_lower_case_hex_of_the_exact_length() {
        let text = Oid::EMPTY.to_string();
        assert_eq!(text.parse::<Oid>(), Ok(Oid::EMPTY));
        assert!(text.to_uppercase().parse::<Oid>().is_err());
        assert!(text[1..].parse::<Oid>().is_err());
        assert!(format!("{text}0").parse::<Oid>().is_err());
        assert_eq!(Oid::of(b""), Oid::EMPTY);
    }
}
