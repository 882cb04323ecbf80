//! What Git calls to show how a pointer changed. Nothing is fetched for that.

use crate::cache::ObjectReader;
use crate::manifest::EntryKind;
use crate::ops::checkout::targets;
use crate::ops::chosen::Chosen;
use crate::ops::diff::compare::{Versions, local_difference};
use crate::ops::diff::report::DiffReport;
use crate::ops::error::OpError;
use crate::ops::requests::Requests;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::Tracking;

/// Files of a folder that are listed at most.
const LISTED: u64 = 100_000;

/// How long another command is waited for that has the index.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// A file of a tracked folder.
#[derive(Clone, Debug)]
pub struct ListedFile {
    /// The path in the folder.
    pub path: JsonPath,
    /// Bytes.
    pub size: u64,
    /// The hash of its bytes.
    pub oid: String,
    /// Whether it may be run.
    pub executable: bool,
}

/// Compares two versions of the pointer at a path in Git, of which an empty one is none; nothing if what
/// is on this machine does not tell.
pub fn between(
    repo: &Repo,
    path: &[u8],
    (old, new): (&[u8], &[u8]),
    job: &Job,
) -> Result<Option<DiffReport>, OpError> {
    let parse = |bytes: &[u8]| {
        if bytes.is_empty() { Ok(None) } else { Pointer::parse(bytes).map(Some) }
    };
    let (Ok(old), Ok(new)) = (parse(old), parse(new)) else { return Ok(None) };
    if !repo.index_within(PATIENCE)? {
        return Ok(None);
    }
    let (_, path) = Tracking::of(path)?;
    let versions = Versions { group: 0, path, old, new, filter: Filter::All };
    let Some(difference) = local_difference(repo, versions, job)? else { return Ok(None) };
    let (old, new, remote) = Default::default();
    Ok(Some(DiffReport { old, new, difference, remote, requests: Requests::default() }))
}

/// Lists the files of a tracked folder; nothing if these are bytes of another kind, are too many, or not
/// known on this machine.
pub fn listing(repo: &Repo, bytes: &[u8]) -> Result<Option<Vec<ListedFile>>, OpError> {
    let Ok(pointer) = Pointer::parse(bytes) else { return Ok(None) };
    let few = matches!(pointer.kind(), PointerKind::Dir { files, .. } if *files <= LISTED);
    if !few || !repo.index_within(PATIENCE)? {
        return Ok(None);
    }
    // Where the folder lies does not matter; some name has to stand above its paths.
    let top = RepoPath::new(b"folder")?;
    let (by, filter, bytes) = (Tracking::Beside, Filter::All, bytes.to_vec());
    let chosen = Chosen { path: top.clone(), by, pointer, bytes, filter };
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let Some(found) = targets(&chosen, &mut reader)? else { return Ok(None) };
    let row = |target: &crate::ops::checkout::Target| {
        Some(ListedFile {
            path: json_path(target.path.relative_to(&top)?.as_bytes()),
            size: target.content.size(),
            oid: target.oid().to_string(),
            executable: target.kind == EntryKind::Executable,
        })
    };
    Ok(Some(found.iter().filter_map(row).collect()))
}
