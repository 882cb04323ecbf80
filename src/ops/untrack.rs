//! `haul untrack`: the pointer, or the entry in a tracked folder, goes, the data stays.

use std::ffi::OsString;

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::inside::{is_followed, replace_pointer};
use crate::ops::status::{self, StatusOptions};
use crate::ops::track::{Rule, named_rules, release};
use crate::ops::tracked::{Named, by_folder, figures, forget, let_go, named, own_files, take_out};
use crate::path::{JsonPath, in_shell, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;

/// What to let go of.
#[derive(Clone, Debug, Default)]
pub struct UntrackOptions {
    /// Tracked paths, or paths inside tracked folders.
    pub paths: Vec<OsString>,
}

/// What would no longer be tracked.
#[derive(Serialize)]
pub struct UntrackPlan {
    /// The paths.
    pub paths: Vec<JsonPath>,
    /// Patterns of `.gitattributes`.
    pub patterns: Vec<JsonPath>,
    /// Files that they have.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
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
    repo.begin_changes(job)?;
    let (rules, words) = named_rules(repo, &options.paths)?;
    let patterns: Vec<JsonPath> = rules.iter().map(|rule| json_path(&rule.pattern)).collect();
    if words.is_empty() {
        let (paths, named) = (Vec::new(), Vec::new());
        return Ok(UntrackPlan { paths, patterns, files: 0, bytes: 0, named, rules });
    }
    let named = named(repo, &words, job)?;
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
    for outer in named.iter().filter_map(|item| item.inside.as_ref()) {
        if !is_followed(repo, outer.folder())? {
            let top = show(outer.path.as_bytes());
            return Err(OpError::refused(
                format!(
                    "nothing was changed: the files of `{top}` are not those of its pointer yet"
                ),
                format!("run `haul checkout {}` first", in_shell(outer.path.as_bytes())),
            ));
        }
    }
    let (files, bytes) = figures(&named);
    let paths = named.iter().map(|item| json_path(item.path.as_bytes())).collect();
    Ok(UntrackPlan { paths, patterns, files, bytes, named, rules })
}

/// Removes pointers and ignore lines, or entries of manifests, and stages that. Files that were links
/// into the cache, which may let go of them now, or share one with it, become files of their own first.
pub fn run(repo: &Repo, plan: UntrackPlan, job: &Job) -> Result<UntrackReport, OpError> {
    let _working = repo.lock_for_work()?;
    let released = release(repo, &plan.rules)?;
    own_files(repo, plan.named.iter().map(|item| &item.path), job)?;
    let (inside, whole): (Vec<&Named>, Vec<&Named>) =
        plan.named.iter().partition(|item| item.inside.is_some());
    let paths = |items: &[&Named]| items.iter().map(|item| item.path.clone()).collect::<Vec<_>>();
    let inside = paths(&inside);
    for paths in by_folder(&plan.named) {
        let kind = take_out(repo, &paths, job)?;
        let Some(outer) = paths.first() else { continue };
        // First, so that no later checkout takes the data for what the folder once had.
        forget(repo, &inside)?;
        replace_pointer(repo, outer.folder(), kind, job)?;
        let top = in_shell(outer.path.as_bytes());
        job.note(&format!(
            "`haul add {top}` would track it again, as it lies in there: list it in `.haulignore`"
        ));
    }
    if !whole.is_empty() {
        let_go(repo, &paths(&whole))?;
    }
    let released = released.iter().map(|path| json_path(path.as_bytes())).collect();
    Ok(UntrackReport { paths: plan.paths, patterns: plan.patterns, released })
}
