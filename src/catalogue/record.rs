//! The records of the catalogue's tables.

use crate::hash::CatalogueId;
use crate::hash::ChunkId;
use crate::hash::Key;
use crate::hash::PackId;
use crate::hash::PackKind;
use crate::hash::RepoId;
use crate::wire::Reader;

use super::error::ObjectError;

/// The `source` of each LOC record in a push record.
pub const SOURCE_PUSH_RECORD: u32 = 0;
/// The `source` of a LOC record in a baseline.
pub const SOURCE_BASELINE: u32 = u32::MAX;
/// The `source` of a LOC record in a baseline that leads to a tree which needs a condemned pack: it may
/// be read, but no push may rely on it.
pub const SOURCE_CONDEMNED: u32 = u32::MAX - 1;

/// A record of fixed size with a place in its table's order.
pub(super) trait Record: Sized {
    /// The four letters of its section.
    const TAG: [u8; 4];
    /// Its size in bytes.
    const SIZE: u32;
    /// What tables are sorted by, strictly ascending.
    type Order: Ord;
    fn order(&self) -> Self::Order;
    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError>;
    fn write(&self, out: &mut Vec<u8>);
}

/// Where a root, or a node that gc moved, lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocRecord {
    /// The first bytes of its chunk or node id.
    pub key: Key,
    /// The pack.
    pub pack: PackId,
    /// Where the frame starts in the pack.
    pub offset: u32,
    /// The length of the frame in bytes.
    pub frame_len: u32,
    /// Where the object starts in the content of the frame.
    pub skip: u32,
    /// In a run the row of the push record in COVR; [`SOURCE_PUSH_RECORD`] in a push record,
    /// [`SOURCE_BASELINE`] or [`SOURCE_CONDEMNED`] in a baseline.
    pub source: u32,
}

impl Record for LocRecord {
    const TAG: [u8; 4] = *b"LOC ";
    const SIZE: u32 = 44;
    type Order = (Key, u32);

    fn order(&self) -> Self::Order {
        (self.key, self.source)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        Ok(Self {
            key: Key(reader.array()?),
            pack: PackId(reader.array()?),
            offset: reader.u32()?,
            frame_len: reader.u32()?,
            skip: reader.u32()?,
            source: reader.u32()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key.0);
        out.extend_from_slice(&self.pack.0);
        for field in [self.offset, self.frame_len, self.skip, self.source] {
            out.extend_from_slice(&field.to_le_bytes());
        }
    }
}

/// A pack that a push uploaded, or that gc found alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackRecord {
    /// The pack.
    pub pack: PackId,
    /// Its size in bytes.
    pub size: u32,
    /// How many frames it has.
    pub n_frames: u32,
    /// How many objects it has.
    pub n_objects: u32,
    /// What it holds.
    pub kind: PackKind,
}

impl Record for PackRecord {
    const TAG: [u8; 4] = *b"PACK";
    const SIZE: u32 = 32;
    type Order = PackId;

    fn order(&self) -> Self::Order {
        self.pack
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        let (pack, size) = (PackId(reader.array()?), reader.u32()?);
        let (n_frames, n_objects) = (reader.u32()?, reader.u32()?);
        let [kind, zeros @ ..] = reader.array::<4>()?;
        let kind = PackKind::from_byte(kind)
            .ok_or(ObjectError::Newer { what: "a pack of kind", value: kind.into() })?;
        if zeros != [0; 3] {
            return Err(ObjectError::Malformed("a field that must be zero is not"));
        }
        let counts = n_frames >= 1 && n_frames <= n_objects && n_objects <= 65_535;
        if !counts || size > kind.max_size() {
            return Err(ObjectError::Malformed("the figures of a pack are out of their limits"));
        }
        Ok(Self { pack, size, n_frames, n_objects, kind })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.pack.0);
        for field in [self.size, self.n_frames, self.n_objects] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        out.extend_from_slice(&[self.kind.byte(), 0, 0, 0]);
    }
}

/// A sample of the chunks: leads from a chunk that a client has to a pack that may hold more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HookRecord {
    /// The first bytes of the chunk id.
    pub chunk: [u8; 8],
    /// The row of its pack in the PACK table of the same object.
    pub pack_row: u32,
}

impl Record for HookRecord {
    const TAG: [u8; 4] = *b"HOOK";
    const SIZE: u32 = 12;
    type Order = ([u8; 8], u32);

    fn order(&self) -> Self::Order {
        (self.chunk, self.pack_row)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        Ok(Self { chunk: reader.array()?, pack_row: reader.u32()? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.chunk);
        out.extend_from_slice(&self.pack_row.to_le_bytes());
    }
}

/// A push record that a run contains or a baseline replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoverRecord {
    /// The push record.
    pub push_record: CatalogueId,
    /// When the store received it: milliseconds since 1970, by the store's clock.
    pub stored_ms: u64,
    /// The repository that pushed.
    pub repo: RepoId,
}

impl Record for CoverRecord {
    const TAG: [u8; 4] = *b"COVR";
    const SIZE: u32 = 32;
    type Order = CatalogueId;

    fn order(&self) -> Self::Order {
        self.push_record
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        Ok(Self {
            push_record: CatalogueId(reader.array()?),
            stored_ms: reader.u64()?,
            repo: RepoId(reader.array()?),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.push_record.0);
        out.extend_from_slice(&self.stored_ms.to_le_bytes());
        out.extend_from_slice(&self.repo.0);
    }
}

impl Record for PackId {
    const TAG: [u8; 4] = *b"VICT";
    const SIZE: u32 = 16;
    type Order = Self;

    fn order(&self) -> Self {
        *self
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ObjectError> {
        Ok(Self(reader.array()?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// Says whether a chunk belongs into HOOK by its id alone: one in 128 does.
///
/// The first chunk of each file of more than one belongs there as well.
pub fn is_hook(id: ChunkId) -> bool {
    id.0.first().is_some_and(|byte| byte.trailing_zeros() >= 7)
}
