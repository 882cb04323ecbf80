//! The bytes of one node.

use super::error::NodeError;
use super::{Child, Entry, InnerEntry, KeyOrder, Kind, MAX_ENTRIES, MAX_TOTAL};
use crate::hash::NodeId;
use crate::wire::{Reader, WireError};

/// Bytes before the entries of a node.
pub const HEADER_LEN: usize = 12;

/// Longest node in bytes, header included.
pub const MAX_NODE: usize = 4 << 20;

/// Highest level of a node; leaves are at level 0.
pub const MAX_LEVEL: u8 = 7;

const VERSION: u8 = 1;

/// One hashed piece of a recipe or a manifest; always well-formed for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node<E> {
    level: u8,
    body: Body<E>,
    size: u64,
    count: u64,
}

/// The entries of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<E> {
    /// Entries of a node at level 0.
    Leaf(Vec<E>),
    /// Child nodes, all one level below.
    Inner(Vec<InnerEntry>),
}

struct Header {
    kind: Kind,
    level: u8,
    n: usize,
    body_len: usize,
}

impl<E: Entry> Node<E> {
    /// Makes a leaf; refuses entries that break the rules, and more than a node holds.
    pub fn leaf(entries: Vec<E>) -> Result<Self, NodeError> {
        for (index, entry) in entries.iter().enumerate() {
            entry.check().map_err(|source| NodeError::Entry { index, source })?;
        }
        Self::checked(0, Body::Leaf(entries))
    }

    /// Reads a node from the front of `bytes`; also returns its length, behind which the
    /// placement starts. Limits are checked before anything is allocated.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), NodeError> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        if header.kind != E::KIND {
            return Err(NodeError::OtherKind { expected: E::KIND, found: header.kind });
        }
        let mut body = Reader::new(reader.take(header.body_len)?);
        let entries = if header.level == 0 {
            Body::Leaf(decode_all(header.n, || E::decode(&mut body))?)
        } else {
            Body::Inner(decode_all(header.n, || InnerEntry::decode::<E>(&mut body))?)
        };
        if !body.is_empty() {
            return Err(NodeError::LeftOver);
        }
        Ok((Self::checked(header.level, entries)?, HEADER_LEN + header.body_len))
    }

    /// Returns the one encoding of the node.
    pub fn encode(&self) -> Vec<u8> {
        encode_node(E::KIND, self.level, self.len(), |out| match &self.body {
            Body::Leaf(entries) => entries.iter().for_each(|e| e.encode(out)),
            Body::Inner(entries) => entries.iter().for_each(|e| e.encode(E::KIND, out)),
        })
    }

    /// Computes the id; costs an encoding.
    pub fn id(&self) -> NodeId {
        NodeId::of(&self.encode())
    }

    /// Returns the level: 0 for a leaf.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Returns the entries.
    pub fn body(&self) -> &Body<E> {
        &self.body
    }

    /// Takes the entries out.
    pub fn into_body(self) -> Body<E> {
        self.body
    }

    /// Returns the number of entries in the node itself.
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Leaf(entries) => entries.len(),
            Body::Inner(entries) => entries.len(),
        }
    }

    /// Says whether this is the root of an empty manifest.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the content bytes below.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the leaf entries below.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the last key below; empty if there is none.
    pub fn last_key(&self) -> &[u8] {
        match &self.body {
            Body::Leaf(entries) => entries.last().map(E::key),
            Body::Inner(entries) => entries.last().map(|e| e.key.as_slice()),
        }
        .unwrap_or_default()
    }

    /// Returns what hangs below, in order, leaving out inline entries; the order of the placement.
    pub fn children(&self) -> Vec<Child> {
        match &self.body {
            Body::Leaf(entries) => entries.iter().filter_map(E::child).collect(),
            Body::Inner(entries) => entries
                .iter()
                .map(|e| Child::Node { id: e.id, expectation: e.expectation(E::KIND, self.level) })
                .collect(),
        }
    }

    fn checked(level: u8, body: Body<E>) -> Result<Self, NodeError> {
        let mut totals = Totals::default();
        let mut order = KeyOrder::new();
        let keyed = E::KIND.has_keys();
        let n = match &body {
            Body::Leaf(entries) => {
                for entry in entries {
                    totals.add(E::KIND, entry.size(), 1)?;
                    if keyed {
                        order.push(entry.key())?;
                    }
                }
                entries.len()
            }
            Body::Inner(entries) => {
                for entry in entries {
                    totals.add(E::KIND, entry.size, entry.count)?;
                    if keyed {
                        order.push(&entry.key)?;
                    }
                }
                entries.len()
            }
        };
        check_len(E::KIND, level, u32::try_from(n).unwrap_or(u32::MAX))?;
        Ok(Self { level, body, size: totals.size, count: totals.count })
    }
}

/// Sums of sizes and counts, held to the limits of a tree.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) size: u64,
    pub(super) count: u64,
}

impl Totals {
    pub(super) fn add(&mut self, kind: Kind, size: u64, count: u64) -> Result<(), NodeError> {
        let within = |sum: Option<u64>, limit| sum.filter(|sum| *sum <= limit);
        self.size =
            within(self.size.checked_add(size), MAX_TOTAL).ok_or(NodeError::Total("sizes"))?;
        self.count = within(self.count.checked_add(count), kind.max_count())
            .ok_or(NodeError::Total("entries"))?;
        Ok(())
    }
}

fn decode_all<T>(
    n: usize,
    mut one: impl FnMut() -> Result<T, super::EntryError>,
) -> Result<Vec<T>, NodeError> {
    let mut out = Vec::with_capacity(n);
    for index in 0..n {
        out.push(one().map_err(|source| NodeError::Entry { index, source })?);
    }
    Ok(out)
}

fn check_len(kind: Kind, level: u8, n: u32) -> Result<usize, NodeError> {
    let empty_manifest = n == 0 && kind == Kind::Manifest && level == 0;
    usize::try_from(n)
        .ok()
        .filter(|n| empty_manifest || (1..=MAX_ENTRIES).contains(n))
        .ok_or(NodeError::Entries { found: n })
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, NodeError> {
        let [version, kind, level, zero] = reader.array()?;
        if version != VERSION {
            return Err(NodeError::Version { found: version });
        }
        let kind = Kind::from_code(kind).ok_or(NodeError::Kind { found: kind })?;
        if level > MAX_LEVEL {
            return Err(NodeError::Level { found: level.into() });
        }
        if zero != 0 {
            return Err(NodeError::Reserved);
        }
        let n = check_len(kind, level, reader.u32()?)?;
        let stated = reader.u32()?;
        let too_long = NodeError::Length { found: u64::from(stated) + HEADER_LEN as u64 };
        match usize::try_from(stated) {
            Ok(body_len) if body_len <= MAX_NODE - HEADER_LEN => {
                Ok(Self { kind, level, n, body_len })
            }
            _ => Err(too_long),
        }
    }
}

/// Reads only the header of a node and returns the length of the whole node, within the limits
/// and within `bytes`.
pub fn node_len(bytes: &[u8]) -> Result<usize, NodeError> {
    let mut reader = Reader::new(bytes);
    let len = HEADER_LEN + Header::read(&mut reader)?.body_len;
    if bytes.len() < len { Err(WireError::Truncated.into()) } else { Ok(len) }
}

/// Writes a header and lets `body` append the entries.
pub(super) fn encode_node(
    kind: Kind,
    level: u8,
    n: usize,
    body: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + n * 64);
    out.extend_from_slice(&[VERSION, kind.code(), level, 0]);
    out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(&mut out);
    // Entries are checked before they get here, and 384 of the longest make 3.15 MB.
    let body_len = u32::try_from(out.len().saturating_sub(HEADER_LEN)).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(8..HEADER_LEN) {
        field.copy_from_slice(&body_len.to_le_bytes());
    }
    out
}
