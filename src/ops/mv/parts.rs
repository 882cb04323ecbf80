//! What a moved path is: entries of a manifest, or a pointer of its own, one made from the other.

use std::num::NonZeroU8;

use crate::cache::{ObjectReader, PackSink, record_written};
use crate::chunk::Profile;
use crate::hash::{ChunkId, NodeId, Oid, PackKind};
use crate::manifest::{Content, EntryKind, FileEntry, MAX_INLINE};
use crate::node::{BuiltNode, build};
use crate::ops::checkout::file_content;
use crate::ops::error::OpError;
use crate::ops::inside::{Folder, Present, look};
use crate::ops::tracked::Outer;
use crate::pack::{Codecs, encode_data_frame};
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerKind, Root};
use crate::progress::Job;
use crate::repo::Repo;

/// Returns where a path lies in a tracked folder.
pub(super) fn at(folder: &RepoPath, path: &RepoPath) -> Result<Vec<u8>, OpError> {
    let rest = path.relative_to(folder).map(|rest| rest.as_bytes().to_vec());
    rest.ok_or_else(|| OpError::Defect("a path left its folder".to_owned()))
}

/// Returns entries at or below `old` as they are called at or below `new`.
pub(super) fn below(entries: &[FileEntry], old: &[u8], new: &[u8]) -> Vec<FileEntry> {
    let named = |entry: &FileEntry| {
        let rest = entry.path.get(old.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        let parts = [new, rest].into_iter().filter(|part| !part.is_empty());
        FileEntry { path: parts.collect::<Vec<_>>().join(&b'/'), ..entry.clone() }
    };
    entries.iter().map(named).collect()
}

/// Says whether entries have the names, kinds and contents of others.
pub(super) fn are_same(some: &[FileEntry], others: &[FileEntry]) -> bool {
    let same = |(one, other): (&FileEntry, &FileEntry)| {
        one.path == other.path && one.kind == other.kind && one.content.oid() == other.content.oid()
    };
    some.len() == others.len() && some.iter().zip(others).all(same)
}

/// A pointer that a part of a tracked folder gets, with what it needs and is not stored yet.
pub(super) struct Own {
    pub(super) pointer: Pointer,
    pub(super) nodes: Vec<BuiltNode>,
    /// Content that lay in the manifest itself.
    pub(super) chunk: Option<Vec<u8>>,
}

/// Makes the pointer of a part of a tracked folder.
pub(super) fn own_pointer(outer: &Outer, path: &RepoPath) -> Result<Own, OpError> {
    let single = outer.entries.first().filter(|entry| entry.path == outer.rest);
    let (kind, nodes, chunk) = match single {
        Some(entry) if entry.kind != EntryKind::EmptyDir => {
            let chunk = match &entry.content {
                Content::Inline(bytes) if !bytes.is_empty() => Some(bytes.clone()),
                Content::Inline(_) | Content::Chunk { .. } | Content::Tree { .. } => None,
            };
            (of_file(entry, path)?, Vec::new(), chunk)
        }
        // Of an empty folder nothing is left but its name.
        empty => {
            let entries = if empty.is_some() { &[] } else { outer.entries.as_slice() };
            let built = build(below(entries, &outer.rest, b"")).map_err(|e| {
                OpError::Defect(format!("a part of a manifest makes no manifest: {e}"))
            })?;
            let (files, size) = (built.summary.count, built.summary.size);
            (PointerKind::Dir { files, root: built.summary.root, size }, built.nodes, None)
        }
    };
    let pointer = Pointer::new(kind)
        .map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    Ok(Own { pointer, nodes, chunk })
}

fn of_file(entry: &FileEntry, path: &RepoPath) -> Result<PointerKind, OpError> {
    let executable = match entry.kind {
        EntryKind::File => false,
        EntryKind::Executable => true,
        EntryKind::Symlink | EntryKind::EmptyDir => {
            let path = show(path.as_bytes());
            return Err(OpError::refused(
                format!("`{path}` is a symlink, and those are tracked in folders only"),
                "take it out with `haul untrack`; Git can track it",
            ));
        }
    };
    let root = match &entry.content {
        Content::Inline(_) | Content::Chunk { .. } => None,
        Content::Tree { profile_code, root, .. } => {
            let profile = Profile::by_code(profile_code.get()).ok_or_else(|| newer(path))?;
            Some(Root { profile: profile.name().to_owned(), id: *root })
        }
    };
    let (oid, size) = (entry.content.oid(), entry.content.size());
    Ok(PointerKind::File { oid, size, root, executable })
}

fn newer(path: &RepoPath) -> OpError {
    let path = show(path.as_bytes());
    OpError::refused(
        format!("`{path}` is cut by a rule that this haul does not know"),
        "install a newer haul and run the command again",
    )
}

/// What a tracked path is as a part of a folder: entries with paths below it, an empty one for itself.
pub(super) struct Part {
    pub(super) entries: Vec<FileEntry>,
    /// The nodes that say where the content of these lies.
    pub(super) visited: Vec<NodeId>,
}

/// Finds the entries of a tracked path; nodes that are not here are fetched for this.
pub(super) fn entries_of(repo: &Repo, folder: Folder<'_>, job: &Job) -> Result<Part, OpError> {
    let kind = folder.pointer.kind();
    let one = |kind, content| {
        let entries = vec![FileEntry { path: Vec::new(), kind, content }];
        Part { entries, visited: Vec::new() }
    };
    match kind {
        PointerKind::Dir { files: 0, .. } => {
            Ok(one(EntryKind::EmptyDir, Content::Inline(Vec::new())))
        }
        PointerKind::Dir { .. } => {
            let Present { entries, visited, .. } = look(repo, folder, &[Vec::new()], job)?;
            Ok(Part { entries, visited })
        }
        PointerKind::File { .. } => {
            let (kind, content) = file_content(kind)
                .ok_or_else(|| OpError::Defect("a file has no content".to_owned()))?;
            if let Content::Tree { profile_code, .. } = &content
                && *profile_code == NonZeroU8::MAX
            {
                return Err(newer(folder.path));
            }
            Ok(one(kind, content))
        }
    }
}

/// Puts content of a few bytes into its entry, where manifests have it. It is on this machine.
pub(super) fn inlined(repo: &Repo, entries: &mut [FileEntry]) -> Result<(), OpError> {
    for entry in entries {
        let Content::Chunk { oid, size } = &entry.content else { continue };
        if usize::try_from(*size).is_ok_and(|size| size <= MAX_INLINE) {
            let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
            let bytes = reader.chunk(ChunkId::from(*oid))?;
            let bytes = bytes.ok_or_else(|| OpError::Defect("a chunk vanished".to_owned()))?;
            entry.content = Content::Inline(bytes.to_vec());
        }
    }
    Ok(())
}

/// Stores content that lay in a manifest: a pointer names a chunk.
pub(super) fn store(repo: &Repo, bytes: &[u8]) -> Result<(), OpError> {
    let id = ChunkId::from(Oid::of(bytes));
    let frame = encode_data_frame(&mut Codecs::new(), &[(id, bytes)])
        .map_err(|e| OpError::Defect(format!("content could not be packed: {e}")))?;
    let mut sink = PackSink::new(repo.layout(), PackKind::Data);
    sink.push(&frame)?;
    Ok(record_written(repo.index()?, &sink.finish()?)?)
}
