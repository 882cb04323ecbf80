//! One version of a path in a merge, written to a file of its own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::manifest::EntryKind;
use crate::ops::checkout::{Target, targets, write_anew};
use crate::ops::chosen::{Chosen, unsound};
use crate::ops::error::OpError;
use crate::ops::fetch::bring_content;
use crate::ops::merge::verb::{Versions, of_head, unmerged};
use crate::ops::select::resolve;
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::{Door, Tracking};

/// A version in a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What both were made from.
    Base,
    /// What is merged into.
    Ours,
    /// What is merged.
    Theirs,
}

impl Side {
    fn whose(self) -> &'static str {
        match self {
            Self::Base => "the common version",
            Self::Ours => "our side",
            Self::Theirs => "their side",
        }
    }
}

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct SideReport {
    /// The path in the merge.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The file that was written.
    pub to: String,
    /// Its bytes.
    pub bytes: u64,
}

/// Writes the content that `path` has on a side of the merge under way, or of the merge that `HEAD` is,
/// to the file `to`, which must not be there; what is not on this machine is fetched.
pub fn take_side(
    repo: &Repo,
    side: Side,
    (path, to): (&OsStr, &Path),
    job: &Job,
) -> Result<SideReport, OpError> {
    let path = resolve(repo, path)?;
    let shown = show(path.as_bytes()).to_string();
    let to = repo.cwd().join(to);
    if to.symlink_metadata().is_ok() {
        return Err(OpError::refused(
            format!("`{}` is there already and would be overwritten", to.display()),
            "choose another name for `--to`",
        ));
    }
    let none = || {
        OpError::refused(
            format!(
                "`{shown}` is in no merge: its pointer is neither unmerged, nor differs \
                 between the two sides of `HEAD`"
            ),
            "`haul checkout --rev REV PATH` places an earlier version",
        )
    };
    let (top, versions) = find(repo, &path)?.ok_or_else(none)?;
    let bytes = match side {
        Side::Base => versions.base,
        Side::Ours => versions.ours,
        Side::Theirs => versions.theirs,
    };
    let gone = || {
        OpError::refused(
            format!("{} has no file `{shown}`", side.whose()),
            "name a file, and a side that has it",
        )
    };
    let bytes = bytes.ok_or_else(gone)?;
    let pointer = Pointer::parse(&bytes).map_err(|e| unsound(&top, Tracking::Beside, &e))?;
    let filter = path
        .relative_to(&top)
        .map_or(Filter::All, |rest| Filter::Some(vec![Choice::Under(rest.as_bytes().to_vec())]));
    let chosen = Chosen { path: top, by: Tracking::Beside, pointer, bytes, filter };
    bring_content(repo, vec![chosen.wanted()], job)?;
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let all = targets(&chosen, &mut reader)?.unwrap_or_default();
    let is_it = |target: &&Target| target.path == path && target.kind != EntryKind::EmptyDir;
    let target = all.iter().find(is_it).ok_or_else(gone)?;
    let bytes = target.content.size();
    let no_name = || OpError::refused("`--to` names no file", "name the file to write");
    let name = RepoPath::new(to.file_name().ok_or_else(no_name)?.as_bytes())?;
    let door = Door::open(to.parent().unwrap_or(Path::new(".")))?;
    let written = write_anew(repo, &door, vec![Target { path: name, ..target.clone() }], job)?;
    if !written.missing.is_empty() {
        return Err(OpError::refused(
            format!("content of `{shown}` went from the cache again"),
            "run the same command again",
        ));
    }
    Ok(SideReport { path: json_path(path.as_bytes()), to: to.display().to_string(), bytes })
}

/// Finds the tracked path that a path is, or lies in, and its versions.
fn find(repo: &Repo, path: &RepoPath) -> Result<Option<(RepoPath, Versions)>, OpError> {
    for merge in [unmerged, of_head] {
        let mut all = merge(repo)?;
        let mut above = std::iter::successors(Some(path.clone()), RepoPath::parent);
        if let Some(found) = above.find_map(|above| all.remove_entry(&above)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
