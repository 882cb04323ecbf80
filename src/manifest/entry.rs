//! One path of a directory, as a leaf of its manifest names it.

use std::num::NonZeroU8;

use super::{Content, EntryKind, MAX_INLINE, MAX_TARGET, check_path};
use crate::hash::{ChunkId, NodeId, Oid};
use crate::node::{
    Child, Entry, EntryError, Expectation, Kind, MAX_CHUNK, MAX_TOTAL, put_key, take_key,
};
use crate::wire::{Reader, put_varint};

/// A path, what it is, and where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Path below the tracked directory: bytes, divided by `/`.
    pub path: Vec<u8>,
    /// What the path is.
    pub kind: EntryKind,
    /// Where the bytes are.
    pub content: Content,
}

impl FileEntry {
    fn check_content(&self) -> Result<(), EntryError> {
        let size = self.content.size();
        let rule = match (self.kind, &self.content) {
            (EntryKind::File | EntryKind::Executable, Content::Inline(bytes)) => {
                (bytes.len() > MAX_INLINE).then_some("a file of more than 48 bytes is not inline")
            }
            (EntryKind::File | EntryKind::Executable, _) if size <= MAX_INLINE as u64 => {
                Some("a file of at most 48 bytes is inline")
            }
            (EntryKind::File | EntryKind::Executable, Content::Chunk { .. }) => {
                (size > MAX_CHUNK).then_some("a chunk has 1 byte to 2 MiB")
            }
            (EntryKind::File | EntryKind::Executable, Content::Tree { .. }) => {
                (size > MAX_TOTAL).then_some("a file has less than 2^63 bytes")
            }
            (EntryKind::Symlink, Content::Inline(target)) => {
                (target.is_empty() || target.len() > MAX_TARGET || target.contains(&0))
                    .then_some("the target of a symlink has 1 to 4095 bytes and no zero byte")
            }
            (EntryKind::EmptyDir, Content::Inline(bytes)) => {
                (!bytes.is_empty()).then_some("an empty directory has no content")
            }
            (EntryKind::Symlink | EntryKind::EmptyDir, _) => {
                Some("a symlink or empty directory is inline")
            }
        };
        rule.map_or(Ok(()), |rule| Err(EntryError::Rule(rule)))
    }
}

impl Entry for FileEntry {
    const KIND: Kind = Kind::Manifest;

    fn key(&self) -> &[u8] {
        &self.path
    }

    fn split_input(&self) -> &[u8] {
        &self.path
    }

    fn size(&self) -> u64 {
        self.content.size()
    }

    fn child(&self) -> Option<Child> {
        match &self.content {
            Content::Inline(_) => None,
            Content::Chunk { oid, size } => {
                Some(Child::Chunk { id: ChunkId::from(*oid), size: *size })
            }
            Content::Tree { size, root, .. } => Some(Child::Node {
                id: *root,
                expectation: Expectation::root(Kind::Recipe).with_size(*size),
            }),
        }
    }

    fn check(&self) -> Result<(), EntryError> {
        check_path(&self.path)?;
        self.check_content()
    }

    fn check_key(key: &[u8]) -> Result<(), EntryError> {
        Ok(check_path(key)?)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_key(out, &self.path);
        out.push(self.content.form() * 16 + self.kind.code());
        put_varint(out, self.content.size());
        match &self.content {
            Content::Inline(bytes) => out.extend_from_slice(bytes),
            Content::Chunk { oid, .. } => out.extend_from_slice(oid.as_bytes()),
            Content::Tree { oid, profile_code, root, .. } => {
                out.extend_from_slice(oid.as_bytes());
                out.push(profile_code.get());
                out.extend_from_slice(root.as_bytes());
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, EntryError> {
        let path = take_key(reader)?;
        let code = reader.u8()?;
        let newer = EntryError::Newer { what: "entry type", found: code.into() };
        let kind = EntryKind::from_code(code % 16).ok_or(newer)?;
        let size = reader.varint()?;
        let content = match code / 16 {
            0 => {
                let len = usize::try_from(size).unwrap_or(usize::MAX);
                if len > MAX_TARGET {
                    return Err(EntryError::Rule("inline content has at most 4095 bytes"));
                }
                Content::Inline(reader.take(len)?.to_vec())
            }
            1 => Content::Chunk { oid: Oid(reader.array()?), size },
            2 => {
                let oid = Oid(reader.array()?);
                let profile_code = NonZeroU8::new(reader.u8()?)
                    .ok_or(EntryError::Rule("profile code 0 is not in use"))?;
                Content::Tree { oid, size, profile_code, root: NodeId(reader.array()?) }
            }
            _ => return Err(newer),
        };
        let entry = Self { path: path.to_vec(), kind, content };
        entry.check()?;
        Ok(entry)
    }
}
