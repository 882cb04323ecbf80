//! From contents to recipes, manifests and pointers.

use std::collections::HashMap;
use std::num::NonZeroU8;

use crate::cache::{CacheError, Known, NodeSink, StatEntry};
use crate::chunk::Profile;
use crate::hash::{NodeId, Oid};
use crate::intake::{IntakeError, Stored, Taken};
use crate::manifest::{Content as EntryContent, EntryKind, FileEntry};
use crate::node::{BuildError, Builder};
use crate::ops::add::find::Target;
use crate::ops::add::run::{AddedTarget, Content};
use crate::ops::error::OpError;
use crate::ops::provenance::lost_note;
use crate::path::{RepoPath, json_path, show};
use crate::pointer::{Pointer, PointerKind, Root};
use crate::recipe;
use crate::worktree::What;

/// A target whose trees are written: its pointer, and what the stat cache is to learn.
pub(super) struct Built {
    pub(super) path: RepoPath,
    /// The pointer's bytes.
    pub(super) pointer: Vec<u8>,
    /// Whether the pointer differs from the one that stood there.
    pub(super) change: &'static str,
    /// What was asked for: the path itself, or paths inside it.
    pub(super) rows: Vec<AddedTarget>,
    /// Whether the worktree has all of the path, as far as is known.
    pub(super) followed: bool,
    /// Where it was imported from, if the new pointer has no note of that any more.
    pub(super) lost: Option<String>,
    pub(super) stats: Stats,
}

/// What the stat cache is to learn of files.
pub(super) type Stats = Vec<(Vec<u8>, Option<StatEntry>)>;

/// The identity of one file's content as entries and pointers name it.
struct Identity {
    oid: Oid,
    size: u64,
    tree: Option<(Profile, NodeId)>,
    inline: Option<Vec<u8>>,
    entry: Option<StatEntry>,
    executable: bool,
}

/// Writes the trees of one target and makes its pointer.
pub(super) fn build(
    target: &Target,
    contents: &HashMap<Vec<u8>, Content>,
    sink: &mut NodeSink,
) -> Result<Built, OpError> {
    let mut stats = Vec::new();
    let content = if target.is_dir {
        directory(target, contents, sink, &mut stats)?
    } else {
        file(target, contents, sink, &mut stats)?
    };
    let (size, files, id) = match &content {
        PointerKind::File { oid, size, .. } => (*size, 1, oid.to_string()),
        PointerKind::Dir { files, root, size } => (*size, *files, root.to_string()),
    };
    let old = target.old.as_ref();
    let new = match old {
        Some((old, _)) => Pointer::with_new_content(old, content),
        None => Pointer::new(content),
    };
    let mut pointer =
        new.map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    for (key, value) in &target.further {
        pointer = pointer.with_extra(key, value).map_err(|e| {
            let (key, path) = (show(key.as_bytes()), show(target.path.as_bytes()));
            let what = format!("`{key}` cannot be noted in the pointer of `{path}`: {e}");
            OpError::refused(what, "name it with fewer letters, and none that nobody can see")
        })?;
    }
    let lost = old.and_then(|(old, _)| lost_note(old, &pointer));
    let pointer = pointer.to_bytes();
    let change = match old {
        None => "added",
        Some((_, bytes)) if *bytes == pointer => "unchanged",
        Some(_) => "updated",
    };
    let kind = if target.is_dir { "dir" } else { "file" };
    let path = json_path(target.path.as_bytes());
    let rows = vec![AddedTarget { path, kind, files, size, id, change }];
    let path = target.path.clone();
    Ok(Built { path, pointer, change, rows, followed: true, lost, stats })
}

fn file(
    target: &Target,
    contents: &HashMap<Vec<u8>, Content>,
    sink: &mut NodeSink,
    stats: &mut Stats,
) -> Result<PointerKind, OpError> {
    let identity = identity(&target.path, contents, sink)?;
    stats.push((target.path.as_bytes().to_vec(), identity.entry));
    Ok(identity.into_kind())
}

/// Writes the tree of a file that was taken in; returns what its pointer says.
pub(super) fn kind_of(taken: &Taken, sink: &mut NodeSink) -> Result<PointerKind, OpError> {
    Ok(Identity { executable: false, ..identity_of(taken, sink)? }.into_kind())
}

impl Identity {
    fn into_kind(self) -> PointerKind {
        let root = self.tree.map(|(profile, id)| Root { profile: profile.name().to_owned(), id });
        let Self { oid, size, executable, .. } = self;
        PointerKind::File { oid, size, root, executable }
    }
}

fn directory(
    target: &Target,
    contents: &HashMap<Vec<u8>, Content>,
    sink: &mut NodeSink,
    stats: &mut Stats,
) -> Result<PointerKind, OpError> {
    let entries = entries(target, contents, sink, stats)?;
    let mut builder = Builder::new(|node| sink.put(&node));
    for entry in entries {
        builder.push(entry).map_err(|e| unbuilt(e, "manifest"))?;
    }
    let built = builder.finish().map_err(|e| unbuilt(e, "manifest"))?;
    Ok(PointerKind::Dir { files: built.count, root: built.root, size: built.size })
}

/// Makes the entries of all that was found, with paths relative to the tracked folder.
pub(super) fn entries(
    target: &Target,
    contents: &HashMap<Vec<u8>, Content>,
    sink: &mut NodeSink,
    stats: &mut Stats,
) -> Result<Vec<FileEntry>, OpError> {
    let mut entries = Vec::with_capacity(target.found.len());
    for found in &target.found {
        let Some(relative) = found.path.relative_to(target.top()) else { continue };
        let path = relative.as_bytes().to_vec();
        let (kind, content) = match &found.what {
            What::Symlink(to) => (EntryKind::Symlink, EntryContent::Inline(to.clone())),
            What::EmptyFolder => (EntryKind::EmptyDir, EntryContent::Inline(Vec::new())),
            What::File(_) => {
                let identity = identity(&found.path, contents, sink)?;
                stats.push((found.path.as_bytes().to_vec(), identity.entry));
                let kind =
                    if identity.executable { EntryKind::Executable } else { EntryKind::File };
                (kind, entry_content(identity))
            }
        };
        entries.push(FileEntry { path, kind, content });
    }
    Ok(entries)
}

/// A tree that could not be built: the sink's own error, or a defect.
fn unbuilt(error: BuildError<CacheError>, what: &str) -> IntakeError {
    match error {
        BuildError::Sink(e) => e.into(),
        BuildError::Entries(e) => IntakeError::Defect(format!("a {what} could not be built: {e}")),
    }
}

fn entry_content(identity: Identity) -> EntryContent {
    let (oid, size) = (identity.oid, identity.size);
    match (identity.inline, identity.tree) {
        (Some(bytes), _) => EntryContent::Inline(bytes),
        (None, None) => EntryContent::Chunk { oid, size },
        (None, Some((profile, root))) => EntryContent::Tree {
            oid,
            size,
            profile_code: NonZeroU8::new(profile.code()).unwrap_or(NonZeroU8::MIN),
            root,
        },
    }
}

fn identity(
    path: &RepoPath,
    contents: &HashMap<Vec<u8>, Content>,
    sink: &mut NodeSink,
) -> Result<Identity, OpError> {
    match contents.get(path.as_bytes()) {
        Some(Content::Remembered(entry)) => Ok(remembered(entry, entry)),
        Some(Content::Touched(both)) => Ok(remembered(&both.0, &both.1)),
        Some(Content::Taken(taken)) => Ok(identity_of(taken, sink)?),
        None => Err(OpError::Defect("a file was neither remembered nor read".into())),
    }
}

/// What the stat cache knows of a file, and is to know.
fn remembered(entry: &StatEntry, lasting: &StatEntry) -> Identity {
    Identity {
        oid: entry.oid,
        size: entry.stamp.size,
        tree: entry.tree.and_then(|(code, root)| Some((Profile::by_code(code)?, root))),
        inline: None,
        entry: Some(*lasting),
        executable: entry.stamp.is_executable(),
    }
}

fn identity_of(taken: &Taken, sink: &mut NodeSink) -> Result<Identity, IntakeError> {
    let (tree, inline) = match &taken.stored {
        Stored::Bytes(bytes) => (None, Some(bytes.clone())),
        Stored::Chunk { .. } => (None, None),
        Stored::Chunks { profile, chunks, .. } => {
            let mut builder = recipe::Builder::new(|node| sink.put(&node));
            for chunk in chunks {
                builder.push(*chunk).map_err(|e| unbuilt(e, "recipe"))?;
            }
            let shape = builder.finish().map_err(|e| unbuilt(e, "recipe"))?;
            (shape.root().map(|root| (*profile, root)), None)
        }
    };
    let entry = taken.settled.then_some(StatEntry {
        stamp: taken.stamp,
        oid: taken.oid,
        tree: tree.map(|(profile, root)| (profile.code(), root)),
        known: Known::Stored,
    });
    let (oid, size) = (taken.oid, taken.stored.size());
    Ok(Identity { oid, size, tree, inline, entry, executable: taken.stamp.is_executable() })
}
