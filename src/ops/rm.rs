//! `haul rm`: the pointer, or the entry in a tracked folder, and the data go; earlier commits still name the content.

use std::ffi::OsString;

use serde::Serialize;

use crate::fs::FileKind;
use crate::ops::checkout::{put_aside, remove_data};
use crate::ops::chosen::at_head;
use crate::ops::error::OpError;
use crate::ops::inside::{Folder, look, replace_pointer};
use crate::ops::status::{self, StatusOptions};
use crate::ops::tracked::{Named, Outer, by_folder, figures, let_go, named, take_out};
use crate::path::{JsonPath, RepoPath, in_shell, json_path, show};
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::{Found, Kept, What, look as look_below};

/// What to remove.
#[derive(Clone, Debug, Default)]
pub struct RmOptions {
    /// Tracked paths, or paths inside tracked folders.
    pub paths: Vec<OsString>,
    /// Also what was changed or is in no commit; it is put aside.
    pub force: bool,
}

/// What would go.
#[derive(Serialize)]
pub struct RmPlan {
    /// The paths.
    pub paths: Vec<JsonPath>,
    /// Files that they have, as their pointers say.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Files that were changed and not added: without `force` nothing is done.
    pub unsaved: Vec<JsonPath>,
    /// Paths of which `HEAD` does not say what they hold: without `force` nothing is done.
    pub uncommitted: Vec<JsonPath>,
    #[serde(skip)]
    named: Vec<Named>,
    #[serde(skip)]
    force: bool,
}

/// What went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RmReport {
    /// The paths.
    pub paths: Vec<JsonPath>,
    /// Files removed from the worktree.
    pub removed: u64,
    /// The folder where data was put that nothing else holds.
    pub aside: Option<String>,
}

/// Finds what would go, and what of it is nowhere else.
pub fn plan(repo: &Repo, options: &RmOptions, job: &Job) -> Result<RmPlan, OpError> {
    repo.begin_changes(job)?;
    let named = named(repo, &options.paths, job)?;
    let status = status::run(repo, &StatusOptions { paths: options.paths.clone() }, job)?;
    let away = |state: &str| matches!(state, "missing" | "pointer-missing");
    let unsaved = status.entries.iter().filter(|entry| !away(entry.state));
    let unsaved: Vec<JsonPath> = unsaved.map(|entry| entry.path.clone()).collect();
    let uncommitted = uncommitted(repo, &named, job)?;
    let (files, bytes) = figures(&named);
    let paths = named.iter().map(|item| json_path(item.path.as_bytes())).collect();
    Ok(RmPlan { paths, files, bytes, unsaved, uncommitted, named, force: options.force })
}

/// Finds the paths of which `HEAD` says something else, or nothing.
fn uncommitted(repo: &Repo, named: &[Named], job: &Job) -> Result<Vec<JsonPath>, OpError> {
    let head = at_head(repo)?;
    let mut out = Vec::new();
    for item in named {
        let top = item.inside.as_ref().map_or(&item.path, |outer| &outer.path);
        let committed = head.iter().find(|(path, _)| path == top);
        let committed = committed.and_then(|(_, item)| item.as_ref().ok());
        let same = match (committed, &item.pointer, &item.inside) {
            (None, pointer, _) => pointer.is_none(),
            (Some(_), None, _) => true,
            (Some(committed), Some(bytes), _) if committed.bytes == *bytes => true,
            (Some(_), Some(_), None) => false,
            (Some(committed), Some(_), Some(outer)) => {
                let folder = Folder { path: top, pointer: &committed.pointer };
                let is_dir = matches!(committed.pointer.kind(), PointerKind::Dir { .. });
                let paths = std::slice::from_ref(&outer.rest);
                is_dir && look(repo, folder, paths, job)?.entries == outer.entries
            }
        };
        if !same {
            out.push(json_path(item.path.as_bytes()));
        }
    }
    Ok(out)
}

/// Removes data, then pointers and ignore lines, or entries of manifests, and stages that. Content
/// stays on the remote, and in the cache as long as it is not evicted.
pub fn run(repo: &Repo, plan: RmPlan, job: &Job) -> Result<RmReport, OpError> {
    let _working = repo.lock_for_work()?;
    refuse(&plan)?;
    let folders = by_folder(&plan.named);
    let kinds: Vec<PointerKind> =
        folders.iter().map(|paths| take_out(repo, paths, job)).collect::<Result<_, OpError>>()?;
    let mut report = RmReport { paths: plan.paths, ..RmReport::default() };
    let aside = repo.layout().aside().join(repo.door().now()?.0.to_string());
    for item in &plan.named {
        job.check()?;
        // What no commit names would be nowhere to be found, though the cache has it.
        let safe =
            plan.unsaved.is_empty() && !plan.uncommitted.contains(&json_path(item.path.as_bytes()));
        if let Some(pointer) = item.pointer.as_ref().filter(|_| safe) {
            let (top, filter) = match &item.inside {
                None => (&item.path, Filter::All),
                Some(Outer { path, rest, .. }) => {
                    (path, Filter::Some(vec![Choice::Under(rest.clone())]))
                }
            };
            report.removed += remove_data(repo, (top, pointer), &filter, job)?;
        }
        if repo.door().stamp(&item.path)?.is_some() && !only_excluded(repo, &item.path, job)? {
            if !plan.force {
                return Err(kept(&item.path));
            }
            put_aside(repo, &item.path, &aside, job)?;
            report.aside = Some(aside.display().to_string());
        }
    }
    if let Some(folder) = &report.aside {
        job.note(&format!("data that nothing else holds was put aside in `{folder}`"));
    }
    for (paths, kind) in folders.iter().zip(kinds) {
        let Some(outer) = paths.first() else { continue };
        replace_pointer(repo, outer.folder(), kind, job)?;
    }
    let whole = plan.named.iter().filter(|item| item.inside.is_none());
    let whole: Vec<RepoPath> = whole.map(|item| item.path.clone()).collect();
    let_go(repo, &whole)?;
    Ok(report)
}

/// Says whether a folder holds nothing but what `.haulignore` files exclude: that was never haul's.
fn only_excluded(repo: &Repo, path: &RepoPath, job: &Job) -> Result<bool, OpError> {
    if repo.door().stamp(path)?.is_none_or(|stamp| stamp.kind != FileKind::Directory) {
        return Ok(false);
    }
    let left = look_below(repo.door(), path, &Kept::default(), job)?;
    let folder = |found: &Found| found.what == What::EmptyFolder;
    let others = !left.refused.is_empty() || !left.dangling.is_empty();
    Ok(!left.excluded.is_empty() && !others && left.found.iter().all(folder))
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
