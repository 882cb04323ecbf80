//! What a diff tells.

use std::collections::HashMap;

use serde::Serialize;

use crate::hash::Oid;
use crate::manifest::{Change, Content, EntryKind, FileEntry};
use crate::ops::requests::Requests;
use crate::path::{JsonPath, json_path};
use crate::transfer::Novelty;

/// A file that differs.
#[derive(Clone, Debug, Serialize)]
pub struct DiffEntry {
    /// The path; of a renamed file the new one.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `added`, `copied`, `removed`, `modified` or `renamed`.
    pub change: &'static str,
    /// The old path of a renamed file; of a copied one, a path of the old side with that content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<JsonPath>,
    /// `file`, `executable`, `symlink` or `empty-folder`; of a removed one, what it was.
    pub kind: &'static str,
    /// What a modified path was, if it was another kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_kind: Option<&'static str>,
    /// Its bytes before; nothing if it was not there.
    pub old_bytes: Option<u64>,
    /// Its bytes now; nothing if it is gone.
    pub bytes: Option<u64>,
    /// The tracked path that it belongs to.
    pub pointer: JsonPath,
}

/// The files by which versions differ, and their figures.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Difference {
    /// The files that differ, in the order of their paths.
    pub entries: Vec<DiffEntry>,
    /// Their figures.
    #[serde(flatten)]
    pub figures: DiffFigures,
}

/// How much differs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DiffFigures {
    /// How many were added with content of their own, as far as this machine knows.
    pub added: u64,
    /// How many were added with the content of another file of the old side.
    pub copied: u64,
    /// How many were removed.
    pub removed: u64,
    /// How many have other content, or are another kind of file.
    pub modified: u64,
    /// How many moved with their content.
    pub renamed: u64,
    /// Bytes of the files that differ, as they are on the new side.
    pub bytes: u64,
    /// Those of them that neither a file of the old side has which differs, nor, where it is the content
    /// of whole files, any other file of the old side of which this machine knows.
    pub new_bytes: u64,
    /// The rest of them.
    pub reused_bytes: u64,
    /// What the new bytes take in packs, which is what somebody with the old side has to receive;
    /// nothing where this machine does not know it.
    pub receive_bytes: Option<u64>,
}

/// How two versions differ.
#[derive(Clone, Debug, Serialize)]
pub struct DiffReport {
    /// The old side: a revision; empty if `HEAD` has no commit yet.
    pub old: String,
    /// The new side: a revision; empty for the pointers in the worktree.
    pub new: String,
    /// What differs.
    #[serde(flatten)]
    pub difference: Difference,
    /// The remote that trees came from; empty if all were here.
    pub remote: String,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// A change of a file with its whole path, and the tracked path that it belongs to.
pub(super) struct Found {
    pub(super) change: Change,
    pub(super) pointer: JsonPath,
    /// Where the old side has the content of a file that was added.
    pub(super) origin: Option<Vec<u8>>,
}

/// Puts figures to files that differ.
pub(super) fn difference(found: Vec<Found>, novelty: Novelty) -> Difference {
    // What lies in the tree itself is in no chunk.
    let inline = |item: &Found| match &item.change {
        Change::Added(entry) | Change::Modified { new: entry, .. } => match &entry.content {
            Content::Inline(bytes) => bytes.len() as u64,
            Content::Chunk { .. } | Content::Tree { .. } => 0,
        },
        Change::Removed(_) => 0,
    };
    let small: u64 = found.iter().map(inline).sum();
    let entries = entries(found);
    let count = |word| entries.iter().filter(|entry| entry.change == word).count() as u64;
    let bytes = entries.iter().filter_map(|entry| entry.bytes).fold(0, u64::saturating_add);
    let new_bytes = novelty.new_bytes.saturating_add(small).min(bytes);
    let figures = DiffFigures {
        added: count("added"),
        copied: count("copied"),
        removed: count("removed"),
        modified: count("modified"),
        renamed: count("renamed"),
        bytes,
        new_bytes,
        reused_bytes: bytes - new_bytes,
        receive_bytes: novelty.stored_bytes,
    };
    Difference { entries, figures }
}

/// Turns changes into entries: what was removed in one place and added in another was renamed, and what
/// the old side has elsewhere was copied.
pub(super) fn entries(found: Vec<Found>) -> Vec<DiffEntry> {
    let mut homeless: HashMap<(Oid, EntryKind), Vec<FileEntry>> = HashMap::new();
    for Found { change, .. } in &found {
        if let Change::Removed(entry) = change
            && moves(entry)
        {
            let key = (entry.content.oid(), entry.kind);
            homeless.entry(key).or_default().push(entry.clone());
        }
    }
    let mut sources: HashMap<Vec<u8>, FileEntry> = HashMap::new();
    for Found { change, .. } in &found {
        let Change::Added(entry) = change else { continue };
        let Some(olds) = homeless.get_mut(&(entry.content.oid(), entry.kind)) else { continue };
        // One of the same name is the likelier origin.
        let same = olds.iter().position(|old| name(&old.path) == name(&entry.path));
        if !olds.is_empty() {
            sources.insert(entry.path.clone(), olds.remove(same.unwrap_or(0)));
        }
    }
    let gone: std::collections::HashSet<Vec<u8>> =
        sources.values().map(|old| old.path.clone()).collect();
    let mut entries: Vec<(Vec<u8>, DiffEntry)> = Vec::with_capacity(found.len());
    for Found { change, pointer, origin } in found {
        let path = change.path().to_vec();
        let (word, old, new) = match change {
            Change::Removed(entry) if gone.contains(&entry.path) => continue,
            Change::Removed(old) => ("removed", Some(old), None),
            Change::Modified { old, new } => ("modified", Some(old), Some(new)),
            Change::Added(new) => match sources.remove(&new.path) {
                Some(old) => ("renamed", Some(old), Some(new)),
                None if origin.is_some() => ("copied", None, Some(new)),
                None => ("added", None, Some(new)),
            },
        };
        let from = match word {
            "renamed" => old.as_ref().map(|old| json_path(&old.path)),
            _ => origin.filter(|_| word == "copied").map(|origin| json_path(&origin)),
        };
        let entry = entry(word, (old.as_ref(), new.as_ref()), pointer);
        entries.push((path, DiffEntry { from, ..entry }));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Content so small that it says nothing of where it came from stays where it is.
fn moves(entry: &FileEntry) -> bool {
    match &entry.content {
        Content::Inline(_) => false,
        Content::Chunk { .. } | Content::Tree { .. } => true,
    }
}

fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn entry(
    change: &'static str,
    (old, new): (Option<&FileEntry>, Option<&FileEntry>),
    pointer: JsonPath,
) -> DiffEntry {
    let now = new.or(old);
    let path = now.map_or(&[][..], |entry| &entry.path);
    let kind = now.map_or(EntryKind::File, |entry| entry.kind);
    let old_kind = old.map(|old| old.kind).filter(|old| *old != kind).map(EntryKind::word);
    DiffEntry {
        path: json_path(path),
        change,
        from: None,
        kind: kind.word(),
        old_kind,
        old_bytes: old.map(|entry| entry.content.size()),
        bytes: new.map(|entry| entry.content.size()),
        pointer,
    }
}
