//! Which pointer content has, as it would be taken in, without taking it in.

use std::convert::Infallible;
use std::io::{self, Read};

use crate::chunk::{Profile, Windows, cut};
use crate::hash::{ChunkId, Oid};
use crate::intake::{FormerVersion, Inlining, Source};
use crate::ops::error::OpError;
use crate::pointer::{Pointer, PointerKind, Root};
use crate::recipe::{Builder, ChunkEntry, Shape};

/// How the content of a path is cut: as its previous version was, so that the same content gets the
/// same pointer.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) profile: Profile,
    /// The oid of a previous version that was one chunk.
    pub(super) whole: Option<Oid>,
    pub(super) former: Option<FormerVersion>,
}

impl Rule {
    /// Goes on from the previous pointer of a path, if it has one.
    pub(super) fn after(old: Option<&Pointer>, default: Profile) -> Self {
        let fresh = Self { profile: default, whole: None, former: None };
        match old.map(Pointer::kind) {
            Some(PointerKind::File { oid, root: None, .. }) => Self { whole: Some(*oid), ..fresh },
            Some(PointerKind::File { size, root: Some(root), .. }) => {
                // What this haul cannot cut alike is cut anew.
                let Some(profile) = Profile::by_name(&root.profile) else { return fresh };
                let (root, size) = (root.id, *size);
                let former = FormerVersion::Stored { root, size, profile, path: None };
                Self { profile, whole: None, former: Some(former) }
            }
            Some(PointerKind::Dir { .. }) | None => fresh,
        }
    }

    /// Returns a file as intake takes it.
    pub(super) fn source(&self, name: impl Into<Vec<u8>>, size: u64) -> Source {
        let path = name.into();
        let Self { profile, whole, former } = self.clone();
        Source { path, at: None, size, profile, whole, inlining: Inlining::Never, former }
    }

    /// Tells what content that lies in memory is.
    pub(super) fn kind_of(&self, bytes: &[u8]) -> Result<PointerKind, OpError> {
        let oid = Oid::of(bytes);
        if self.whole == Some(oid) {
            return Ok(of_shape(oid, bytes.len() as u64, None, self.profile));
        }
        let mut builder = Builder::new(|_| Ok::<(), Infallible>(()));
        let mut rest = bytes;
        for len in cut(self.profile, bytes) {
            let (chunk, tail) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = tail;
            builder.push(entry(chunk)).map_err(unbuilt)?;
        }
        let shape = builder.finish().map_err(unbuilt)?;
        Ok(of_shape(oid, bytes.len() as u64, Some(&shape), self.profile))
    }

    /// Tells what content of any length is; holds a few blocks of it at a time.
    pub(super) fn kind_of_stream(&self, reader: impl Read) -> Result<PointerKind, OpError> {
        let mut hasher = blake3::Hasher::new();
        let mut builder = Builder::new(|_| Ok::<(), Infallible>(()));
        let mut windows = Windows::new(self.profile, reader);
        while let Some(block) = windows.next().map_err(unread)? {
            hasher.update(&block.bytes);
            for range in &block.chunks {
                let chunk = block.bytes.get(range.clone()).unwrap_or_default();
                builder.push(entry(chunk)).map_err(unbuilt)?;
            }
            windows.recycle(block.bytes);
        }
        let shape = builder.finish().map_err(unbuilt)?;
        let oid = Oid(*hasher.finalize().as_bytes());
        Ok(of_shape(oid, hasher.count(), Some(&shape), self.profile))
    }
}

fn entry(chunk: &[u8]) -> ChunkEntry {
    ChunkEntry { id: ChunkId::of(chunk), size: chunk.len() as u64 }
}

fn of_shape(oid: Oid, size: u64, shape: Option<&Shape>, profile: Profile) -> PointerKind {
    let root = shape.and_then(Shape::root);
    let root = root.map(|id| Root { profile: profile.name().to_owned(), id });
    PointerKind::File { oid, size, root, executable: false }
}

fn unbuilt(error: impl std::fmt::Display) -> OpError {
    OpError::Defect(format!("a recipe could not be built: {error}"))
}

/// What Git was sending broke off.
pub(super) fn unread(source: io::Error) -> OpError {
    crate::git::ChannelError::Io(source).into()
}

/// Makes the pointer of new content, which keeps what the old one says besides.
pub(super) fn pointer_of(old: Option<&Pointer>, kind: PointerKind) -> Result<Vec<u8>, OpError> {
    let new = match old {
        Some(old) => Pointer::with_new_content(old, kind),
        None => Pointer::new(kind),
    };
    let new = new.map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    Ok(new.to_bytes())
}
