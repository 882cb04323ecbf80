//! `haul untrack`: the pointer goes, the data stays.

use std::ffi::OsString;

use serde::Serialize;

use crate::fs::{FileKind, Stamp};
use crate::ops::error::OpError;
use crate::ops::status::{self, StatusOptions};
use crate::ops::track::{Rule, named_rules, release};
use crate::ops::tracked::{Named, let_go, named};
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Parent, look, make_own};

/// What to let go of.
#[derive(Clone, Debug, Default)]
pub struct UntrackOptions {
    /// Tracked paths.
    pub paths: Vec<OsString>,
}

/// What would no longer be tracked.
#[derive(Serialize)]
pub struct UntrackPlan {
    /// The tracked paths.
    pub paths: Vec<JsonPath>,
    /// Patterns of `.gitattributes`.
    pub patterns: Vec<JsonPath>,
    #[serde(skip)]
    named: Vec<Named>,
    #[serde(skip)]
    rules: Vec<Rule>,
}

/// What is no longer tracked.
#[derive(Clone, Debug, Serialize)]
pub struct UntrackReport {
    /// The paths; their data stands where it stood.
    pub paths: Vec<JsonPath>,
    /// Patterns of `.gitattributes`.
    pub patterns: Vec<JsonPath>,
    /// Files that these handed over, and for which Git holds pointers until they are added again.
    pub released: Vec<JsonPath>,
}

/// Refuses paths whose data is not all in the worktree: nothing would say what they held.
pub fn plan(repo: &Repo, options: &UntrackOptions, job: &Job) -> Result<UntrackPlan, OpError> {
    let (rules, words) = named_rules(repo, &options.paths)?;
    let patterns: Vec<JsonPath> = rules.iter().map(|rule| json_path(&rule.pattern)).collect();
    if words.is_empty() {
        return Ok(UntrackPlan { paths: Vec::new(), patterns, named: Vec::new(), rules });
    }
    let named = named(repo, &words)?;
    let status = status::run(repo, &StatusOptions { paths: words }, job)?;
    let lacks = |state: &str| matches!(state, "missing" | "unknown");
    if let Some(entry) = status.entries.iter().find(|entry| lacks(entry.state)) {
        let (path, top) = (&entry.path.path, &entry.pointer.path);
        return Err(OpError::refused(
            format!(
                "nothing was changed: `{}` is not in the worktree, and without a pointer nothing says \
                 what it held",
                show(path.as_bytes())
            ),
            format!(
                "run `haul pull {0}` first; `haul rm {0}` removes the pointer and what is there",
                show(top.as_bytes())
            ),
        ));
    }
    let paths = named.iter().map(|item| json_path(item.path.as_bytes())).collect();
    Ok(UntrackPlan { paths, patterns, named, rules })
}

/// Removes pointers and ignore lines and stages that. Files that were links into the cache, which may
/// let go of them now, become files of their own first.
pub fn run(repo: &Repo, plan: UntrackPlan, job: &Job) -> Result<UntrackReport, OpError> {
    let _working = repo.lock_for_work()?;
    let released = release(repo, &plan.rules)?;
    let mut copied = false;
    for item in &plan.named {
        copied |= own_files(repo, &item.path, job)?;
    }
    if copied {
        repo.door().root().sync()?;
    }
    let paths: Vec<_> = plan.named.iter().map(|item| &item.path).collect();
    if !paths.is_empty() {
        let_go(repo, &paths)?;
    }
    let released = released.iter().map(|path| json_path(path.as_bytes())).collect();
    Ok(UntrackReport { paths: plan.paths, patterns: plan.patterns, released })
}

fn own_files(repo: &Repo, top: &RepoPath, job: &Job) -> Result<bool, OpError> {
    let (mut parent, mut copied) = (Parent::default(), false);
    let is_folder = |stamp: Stamp| stamp.kind == FileKind::Directory;
    let paths: Vec<RepoPath> = if repo.door().stamp(top)?.is_some_and(is_folder) {
        look(repo.door(), top, job)?.found.into_iter().map(|found| found.path).collect()
    } else {
        vec![top.clone()]
    };
    for path in paths {
        let Some(dir) = parent.of(repo.door(), &path)? else { continue };
        let Some(stamp) = dir.stamp(path.file_name())? else { continue };
        let place = (dir, path.file_name());
        copied |= make_own(place, stamp.is_executable(), job)
            .map_err(|source| OpError::Place { path: path.as_bytes().to_vec(), source })?;
    }
    Ok(copied)
}
