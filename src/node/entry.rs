//! What a node holds: leaf entries of either kind, and the inner entries that name child nodes.

use std::fmt;

use super::{Child, EntryError, Expectation, Role};
use crate::hash::NodeId;
use crate::wire::{Reader, put_varint};

/// Longest key in bytes.
pub const MAX_KEY: usize = 4096;

/// Longest chunk in bytes; no profile comes near it.
pub const MAX_CHUNK: u64 = 2 << 20;

/// Shortest chunk of any profile that is not the last of its file, in bytes.
pub const MIN_CHUNK: u64 = 4 << 10;

/// Largest sum of sizes below a node: the largest number a pointer can state.
pub const MAX_TOTAL: u64 = u64::MAX >> 1;

/// Which of the two trees a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The ordered chunks of one file; entries have no key.
    Recipe,
    /// The sorted paths of a directory; the path is the key.
    Manifest,
}

impl Kind {
    /// Returns the byte that stands for the kind in a node.
    pub fn code(self) -> u8 {
        match self {
            Self::Recipe => 1,
            Self::Manifest => 2,
        }
    }

    /// Finds the kind of a byte; nothing if it is reserved.
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Recipe),
            2 => Some(Self::Manifest),
            _ => None,
        }
    }

    /// Says whether entries carry keys in strictly rising order.
    pub fn has_keys(self) -> bool {
        matches!(self, Self::Manifest)
    }

    /// Returns the largest number of leaf entries below a root.
    pub fn max_count(self) -> u64 {
        match self {
            Self::Recipe => MAX_TOTAL,
            Self::Manifest => 1 << 32,
        }
    }

    /// Returns the largest number of leaf entries below a root of `size` content bytes: a few nodes
    /// that name each other again and again must not stand for a list without end.
    pub fn max_count_of(self, size: u64) -> u64 {
        match self {
            Self::Recipe => size / MIN_CHUNK + 1,
            Self::Manifest => self.max_count(),
        }
    }

    /// Returns the smallest number of leaf entries below a root.
    pub fn min_count(self) -> u64 {
        match self {
            Self::Recipe => 2,
            Self::Manifest => 0,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recipe => "recipe",
            Self::Manifest => "manifest",
        })
    }
}

/// A leaf entry: one chunk of a recipe or one path of a manifest. Each counts as one.
pub trait Entry: Clone + fmt::Debug + Eq {
    /// The tree whose leaves hold this entry.
    const KIND: Kind;

    /// Returns the key that orders entries; empty for a kind without keys.
    fn key(&self) -> &[u8];

    /// Returns the bytes that decide where nodes are cut: the key, or the id where there is none.
    fn split_input(&self) -> &[u8];

    /// Returns the content bytes that the entry stands for.
    fn size(&self) -> u64;

    /// Returns what has to be fetched to have the content; nothing if it is inline.
    fn child(&self) -> Option<Child>;

    /// Checks the rules that an entry must keep for itself, so that one content has one encoding.
    fn check(&self) -> Result<(), EntryError>;

    /// Checks a key alone, as inner nodes repeat it.
    fn check_key(key: &[u8]) -> Result<(), EntryError>;

    /// Appends the one encoding of the entry.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads one entry and checks it; accepts the one encoding only.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, EntryError>;
}

/// What an inner node says of one child node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerEntry {
    /// The last key below the child; empty for a kind without keys.
    pub key: Vec<u8>,
    /// The child.
    pub id: NodeId,
    /// Content bytes below the child.
    pub size: u64,
    /// Leaf entries below the child; at least one.
    pub count: u64,
}

impl InnerEntry {
    /// Returns the bytes that decide where nodes of this kind are cut.
    pub fn split_input(&self, kind: Kind) -> &[u8] {
        match kind {
            Kind::Recipe => self.id.as_bytes(),
            Kind::Manifest => &self.key,
        }
    }

    /// Returns what the child, one level below a node at `level`, must turn out to be.
    pub fn expectation(&self, kind: Kind, level: u8) -> Expectation {
        Expectation {
            kind,
            role: Role::Below(level.saturating_sub(1)),
            size: Some(self.size),
            count: Some(self.count),
            last_key: kind.has_keys().then(|| self.key.clone()),
        }
    }

    pub(super) fn encode(&self, kind: Kind, out: &mut Vec<u8>) {
        if kind.has_keys() {
            put_key(out, &self.key);
        }
        out.extend_from_slice(self.id.as_bytes());
        put_varint(out, self.size);
        put_varint(out, self.count);
    }

    pub(super) fn decode<E: Entry>(reader: &mut Reader<'_>) -> Result<Self, EntryError> {
        let key = if E::KIND.has_keys() {
            let key = take_key(reader)?;
            E::check_key(key)?;
            key.to_vec()
        } else {
            Vec::new()
        };
        let id = NodeId(reader.array()?);
        let (size, count) = (reader.varint()?, reader.varint()?);
        if count == 0 {
            return Err(EntryError::Rule("a child node must hold at least one entry"));
        }
        if E::KIND == Kind::Recipe && size < count {
            return Err(EntryError::Rule("a chunk has at least one byte"));
        }
        Ok(Self { key, id, size, count })
    }
}

/// Appends a key with its length.
pub(crate) fn put_key(out: &mut Vec<u8>, key: &[u8]) {
    put_varint(out, key.len() as u64);
    out.extend_from_slice(key);
}

/// Takes a key of 1 to 4096 bytes.
pub(crate) fn take_key<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], EntryError> {
    let len = usize::try_from(reader.varint()?).unwrap_or(usize::MAX);
    if len == 0 || len > MAX_KEY {
        return Err(EntryError::Rule("a key has 1 to 4096 bytes"));
    }
    Ok(reader.take(len)?)
}
