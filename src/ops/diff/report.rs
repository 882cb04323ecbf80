//! What a diff tells.

use std::collections::HashMap;

use serde::Serialize;

use crate::hash::Oid;
use crate::manifest::{Change, Content, EntryKind, FileEntry};
use crate::ops::requests::Requests;
use crate::path::{JsonPath, json_path};

/// A file that differs.
#[derive(Clone, Debug, Serialize)]
pub struct DiffEntry {
    /// The path; of a renamed file the new one.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `added`, `removed`, `modified` or `renamed`.
    pub change: &'static str,
    /// The old path of a renamed file.
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

/// How two versions differ.
#[derive(Clone, Debug, Serialize)]
pub struct DiffReport {
    /// The old side: a revision; empty if `HEAD` has no commit yet.
    pub old: String,
    /// The new side: a revision; empty for the pointers in the worktree.
    pub new: String,
    /// The files that differ, in the order of their paths.
    pub entries: Vec<DiffEntry>,
    /// How many were added.
    pub added: u64,
    /// How many were removed.
    pub removed: u64,
    /// How many have other content, or are another kind of file.
    pub modified: u64,
    /// How many moved with their content.
    pub renamed: u64,
    /// Bytes of the files that differ, as they are on the new side.
    pub bytes: u64,
    /// Those of them that no file of the old side has which differs.
    pub new_bytes: u64,
    /// The rest of them.
    pub reused_bytes: u64,
    /// What the new bytes take in packs, which is what somebody with the old side has to receive;
    /// nothing where this machine does not know it.
    pub receive_bytes: Option<u64>,
    /// The remote that trees came from; empty if all were here.
    pub remote: String,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// A change of a file with its whole path, and the tracked path that it belongs to.
pub(super) struct Found {
    pub(super) change: Change,
    pub(super) pointer: JsonPath,
}

/// Returns the word for a kind of entry.
pub(crate) fn kind_word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Executable => "executable",
        EntryKind::Symlink => "symlink",
        EntryKind::EmptyDir => "empty-folder",
    }
}

/// Turns changes into entries: what was removed in one place and added in another was renamed.
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
    for Found { change, pointer } in found {
        let path = change.path().to_vec();
        let (word, old, new) = match change {
            Change::Removed(entry) if gone.contains(&entry.path) => continue,
            Change::Removed(old) => ("removed", Some(old), None),
            Change::Modified { old, new } => ("modified", Some(old), Some(new)),
            Change::Added(new) => match sources.remove(&new.path) {
                Some(old) => ("renamed", Some(old), Some(new)),
                None => ("added", None, Some(new)),
            },
        };
        entries.push((path, entry(word, (old.as_ref(), new.as_ref()), pointer)));
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
    let from = old.filter(|_| change == "renamed").map(|old| json_path(&old.path));
    let old_kind = old.map(|old| old.kind).filter(|old| *old != kind).map(kind_word);
    DiffEntry {
        path: json_path(path),
        change,
        from,
        kind: kind_word(kind),
        old_kind,
        old_bytes: old.map(|entry| entry.content.size()),
        bytes: new.map(|entry| entry.content.size()),
        pointer,
    }
}
