//! `haul check-ignore`: which paths Git leaves to haul, and by which pointer.

use std::ffi::OsString;

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::ops::checkout::targets;
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::ops::select::resolve;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::{Tracked, TrackedState, Tracking, is_excluded, load_tracked};

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
    /// Whether a `.haulignore` excludes it: then no `haul add` takes it in.
    pub excluded: bool,
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

/// Says whether a tracked folder is known to have a path; no remote is asked.
fn has(repo: &Repo, item: &Tracked, path: &RepoPath) -> bool {
    let TrackedState::Sound(pointer, bytes) = &item.state else { return false };
    let Some(rest) = path.relative_to(&item.path) else { return false };
    let filter = Filter::Some(vec![Choice::Under(rest.as_bytes().to_vec())]);
    let (pointer, bytes) = (pointer.clone(), bytes.clone());
    let chosen = Chosen { path: item.path.clone(), by: Tracking::Beside, pointer, bytes, filter };
    let reader = repo.index().and_then(|index| ObjectReader::new(repo.layout(), index));
    let found = reader.ok().and_then(|mut reader| targets(&chosen, &mut reader).ok().flatten());
    found.is_some_and(|found| !found.is_empty())
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
        let excluded = is_excluded(repo.door(), path, None)?;
        let pointer = match pointer {
            Some(item) if excluded && item.path != *path => {
                Some(item).filter(|item| has(repo, item, path))
            }
            other => other,
        };
        Ok(CheckIgnoreRow {
            path: json_path(path.as_bytes()),
            pointer: pointer.map(|item| json_path(item.path.as_bytes())),
            excluded: excluded && pointer.is_none(),
            ignored: ignored.contains(path.as_bytes()),
        })
    };
    let paths = paths.iter().map(row).collect::<Result<Vec<CheckIgnoreRow>, OpError>>()?;
    let any = paths.iter().any(|row| row.pointer.is_some());
    Ok(CheckIgnoreReport { paths, any })
}
