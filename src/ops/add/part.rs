//! Paths inside tracked folders: their entries go into the manifest, and nothing else of the folder is
//! looked at.

use std::collections::BTreeMap;

use crate::manifest::FileEntry;
use crate::ops::add::build::{Built, entries};
use crate::ops::add::find::Target;
use crate::ops::add::run::AddedTarget;
use crate::ops::error::OpError;
use crate::ops::inside::{Change, Folder, change, is_followed, look};
use crate::ops::provenance::lost_note;
use crate::path::{RepoPath, json_path};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;

/// What stands at a path inside a tracked folder.
pub(super) struct Part<'t> {
    target: &'t Target,
    /// The path below the folder.
    rest: Vec<u8>,
    entries: Vec<FileEntry>,
}

/// Makes the entries of a target inside a tracked folder, whose recipes are written.
pub(super) fn part(target: &Target) -> Result<Part<'_>, OpError> {
    let entries: Result<_, _> = entries(target).collect();
    Ok(Part { target, rest: target.rest(), entries: entries? })
}

impl Part<'_> {
    pub(super) fn size(&self) -> u64 {
        self.entries.iter().map(|entry| entry.content.size()).fold(0, u64::saturating_add)
    }
}

/// Puts parts, whose content is stored, into the manifests of their folders. The nodes are durable
/// then, and no pointer names them yet.
pub(super) fn join(repo: &Repo, parts: Vec<Part<'_>>, job: &Job) -> Result<Vec<Built>, OpError> {
    let mut folders: BTreeMap<RepoPath, Vec<Part<'_>>> = BTreeMap::new();
    for part in parts {
        folders.entry(part.target.top().clone()).or_default().push(part);
    }
    folders.into_iter().map(|(path, parts)| one_folder(repo, path, &parts, job)).collect()
}

fn one_folder(
    repo: &Repo,
    path: RepoPath,
    parts: &[Part<'_>],
    job: &Job,
) -> Result<Built, OpError> {
    let old = parts.first().and_then(|part| part.target.old.as_ref());
    let lost = || OpError::Defect("a tracked folder has no pointer".to_owned());
    let (old, bytes) = old.ok_or_else(lost)?;
    let folder = Folder { path: &path, pointer: old };
    let rests: Vec<Vec<u8>> = parts.iter().map(|part| part.rest.clone()).collect();
    let before = look(repo, folder, &rests, job)?.entries;
    let puts: Vec<FileEntry> = parts.iter().flat_map(|part| part.entries.clone()).collect();
    let kind = change(repo, folder, Change { paths: &rests, puts: &puts, visited: &[] }, job)?;
    let id = match &kind {
        PointerKind::Dir { root, .. } => root.to_string(),
        PointerKind::File { .. } => return Err(lost()),
    };
    let pointer = Pointer::with_new_content(old, kind)
        .map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    let lost = lost_note(old, &pointer);
    let pointer = pointer.to_bytes();
    let change = if pointer == *bytes { "unchanged" } else { "updated" };
    let rows = parts.iter().map(|part| row(part, &before, &id)).collect();
    let followed = is_followed(repo, folder)?;
    Ok(Built { path, pointer, change, rows, followed, lost })
}

fn row(part: &Part<'_>, before: &[FileEntry], root: &str) -> AddedTarget {
    let below = |entry: &&FileEntry| {
        let rest = entry.path.strip_prefix(part.rest.as_slice());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    let before: Vec<&FileEntry> = before.iter().filter(below).collect();
    let change = if before.is_empty() {
        "added"
    } else if before.iter().copied().eq(&part.entries) {
        "unchanged"
    } else {
        "updated"
    };
    let is_dir = part.target.is_dir;
    let oid = part.entries.first().filter(|_| !is_dir).map(|entry| entry.content.oid());
    AddedTarget {
        path: json_path(part.target.path.as_bytes()),
        kind: if is_dir { "dir" } else { "file" },
        files: part.entries.len() as u64,
        size: part.size(),
        id: oid.map_or_else(|| root.to_owned(), |oid| oid.to_string()),
        change,
    }
}
