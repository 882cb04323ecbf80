//! `haul check-ignore`: which paths Git leaves to haul, and by which pointer.

use std::ffi::OsString;

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::select::resolve;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::repo::Repo;
use crate::worktree::load_tracked;

/// What to ask about.
#[derive(Clone, Debug, Default)]
pub struct CheckIgnoreOptions {
    /// Paths; whether they exist does not matter.
    pub paths: Vec<OsString>,
}

/// A path that was asked about.
#[derive(Clone, Debug, Serialize)]
pub struct CheckIgnoreRow {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The tracked path that it is, or that it lies in; nothing if haul does not track it.
    pub pointer: Option<JsonPath>,
    /// Whether Git's ignore rules exclude it. What is tracked and not ignored, `git add` would put into
    /// Git.
    pub ignored: bool,
}

/// The answers.
#[derive(Clone, Debug, Serialize)]
pub struct CheckIgnoreReport {
    /// One for each path, in the order that they were asked.
    pub paths: Vec<CheckIgnoreRow>,
    /// Whether haul tracks any of them.
    pub any: bool,
}

/// Looks paths up among what is tracked, and among Git's ignore rules.
pub fn run(repo: &Repo, options: &CheckIgnoreOptions) -> Result<CheckIgnoreReport, OpError> {
    let paths: Result<Vec<RepoPath>, OpError> =
        options.paths.iter().map(|word| resolve(repo, word)).collect();
    let paths = paths?;
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let keys: Vec<&[u8]> = paths.iter().map(RepoPath::as_bytes).collect();
    let ignored = repo.git().ignored(&keys)?;
    let row = |path: &RepoPath| {
        let holds = |top: &RepoPath| path == top || path.starts_with_dir(top);
        let pointer = tracked.iter().find(|item| holds(&item.path));
        CheckIgnoreRow {
            path: json_path(path.as_bytes()),
            pointer: pointer.map(|item| json_path(item.path.as_bytes())),
            ignored: ignored.contains(path.as_bytes()),
        }
    };
    let paths: Vec<CheckIgnoreRow> = paths.iter().map(row).collect();
    let any = paths.iter().any(|row| row.pointer.is_some());
    Ok(CheckIgnoreReport { paths, any })
}
