//! `haul rm`: the pointer and the data go; earlier commits still name the content.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use crate::ops::checkout::remove_data;
use crate::ops::error::OpError;
use crate::ops::status::{self, StatusOptions};
use crate::ops::tracked::{Named, let_go, named};
use crate::path::{JsonPath, RepoPath, in_shell, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::Parent;

/// What to remove.
#[derive(Clone, Debug, Default)]
pub struct RmOptions {
    /// Tracked paths.
    pub paths: Vec<OsString>,
    /// Also what was changed or is in no commit; it is put aside.
    pub force: bool,
}

/// What would go.
#[derive(Serialize)]
pub struct RmPlan {
    /// The tracked paths.
    pub paths: Vec<JsonPath>,
    /// Files that were changed and not added: without `force` nothing is done.
    pub unsaved: Vec<JsonPath>,
    /// Tracked paths whose pointer is in no commit as it is: without `force` nothing is done.
    pub uncommitted: Vec<JsonPath>,
    #[serde(skip)]
    named: Vec<Named>,
    #[serde(skip)]
    force: bool,
}

/// What went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RmReport {
    /// The tracked paths.
    pub paths: Vec<JsonPath>,
    /// Files removed from the worktree.
    pub removed: u64,
    /// The folder where data was put that nothing else holds.
    pub aside: Option<String>,
}

/// Finds what would go, and what of it is nowhere else.
pub fn plan(repo: &Repo, options: &RmOptions, job: &Job) -> Result<RmPlan, OpError> {
    let named = named(repo, &options.paths)?;
    let status = status::run(repo, &StatusOptions { paths: options.paths.clone() }, job)?;
    let away = |state: &str| matches!(state, "missing" | "pointer-missing");
    let unsaved = status.entries.iter().filter(|entry| !away(entry.state));
    let unsaved: Vec<JsonPath> = unsaved.map(|entry| entry.path.clone()).collect();
    let uncommitted = status.pointers.iter().filter(|row| row.against_head != "same");
    let uncommitted: Vec<JsonPath> = uncommitted.map(|row| row.path.clone()).collect();
    let paths = named.iter().map(|item| json_path(item.path.as_bytes())).collect();
    Ok(RmPlan { paths, unsaved, uncommitted, named, force: options.force })
}

/// Removes data, then pointers and ignore lines, and stages that. Content stays on the remote, and in
/// the cache as long as it is not evicted.
pub fn run(repo: &Repo, plan: RmPlan, job: &Job) -> Result<RmReport, OpError> {
    let _working = repo.lock_for_work()?;
    refuse(&plan)?;
    let mut report = RmReport { paths: plan.paths, ..RmReport::default() };
    let aside = repo.layout().aside().join(repo.door().now()?.0.to_string());
    for item in &plan.named {
        job.check()?;
        // What no commit names would be nowhere to be found, though the cache has it.
        let safe =
            plan.unsaved.is_empty() && !plan.uncommitted.contains(&json_path(item.path.as_bytes()));
        if let Some(pointer) = item.pointer.as_ref().filter(|_| safe) {
            report.removed += remove_data(repo, &item.path, pointer, job)?;
        }
        if repo.door().stamp(&item.path)?.is_some() {
            if !plan.force {
                return Err(kept(&item.path));
            }
            put_aside(repo, &item.path, &aside)?;
            report.aside = Some(aside.display().to_string());
        }
    }
    if let Some(folder) = &report.aside {
        job.note(&format!("data that nothing else holds was put aside in `{folder}`"));
    }
    let paths: Vec<&RepoPath> = plan.named.iter().map(|item| &item.path).collect();
    let_go(repo, &paths)?;
    Ok(report)
}

fn refuse(plan: &RmPlan) -> Result<(), OpError> {
    if plan.force {
        return Ok(());
    }
    if let Some(path) = plan.unsaved.first() {
        return Err(OpError::refused(
            format!(
                "nothing was removed: `{}` has changes that were not added",
                show(path.path.as_bytes())
            ),
            "run `haul add` to keep the changes, or repeat with `--force` to put the data aside",
        ));
    }
    match plan.uncommitted.first() {
        None => Ok(()),
        Some(path) => Err(OpError::refused(
            format!(
                "nothing was removed: what `{}` holds now is in no commit",
                show(path.path.as_bytes())
            ),
            "run `git commit` first, `haul untrack` to keep the data, or repeat with `--force`",
        )),
    }
}

fn kept(path: &RepoPath) -> OpError {
    let (shown, path) = (show(path.as_bytes()), in_shell(path.as_bytes()));
    OpError::refused(
        format!("`{shown}` holds data that is neither in the cache nor known to be on the remote"),
        format!(
            "run `haul add {path}` and `haul push` to have it kept, or repeat with `--force` to put it \
             aside"
        ),
    )
}

/// Moves what stands at a path, as a whole, into a folder of the state.
fn put_aside(repo: &Repo, path: &RepoPath, folder: &Path) -> Result<(), OpError> {
    let mut parent = Parent::default();
    if let Some(dir) = parent.of(repo.door(), path)? {
        dir.move_out(path.file_name(), &folder.join(path.to_os()))?;
    }
    Ok(())
}
