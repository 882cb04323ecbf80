//! `haul import`: data of another Git repository, tracked here, with a note of where it came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use crate::config::{has_secret, redact};
use crate::ops::add::{self, AddOptions};
use crate::ops::error::OpError;
use crate::ops::fetch::ToFetch;
use crate::ops::foreign::{Foreign, Origin, Taken, listing, put};
use crate::ops::get::last_name;
use crate::ops::requests::Requests;
use crate::ops::select::resolve;
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::load_tracked;

/// Keys of a pointer that say where its data came from; they go when other data is added.
pub(crate) const FROM: &str = "from";
pub(crate) const FROM_COMMIT: &str = "from-commit";
pub(crate) const FROM_PATH: &str = "from-path";
pub(crate) const FROM_REV: &str = "from-rev";

/// What to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// From where.
    pub origin: Origin,
    /// The path there.
    pub path: String,
    /// The path here, which is not there yet; the last name of the other if absent.
    pub to: Option<OsString>,
}

/// What was imported, or brought up to date.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedRow {
    /// The tracked path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The repository, without secrets.
    pub url: String,
    /// The commit that the data is of.
    pub commit: String,
    /// `added`, `updated` or `unchanged`.
    pub change: &'static str,
    /// Files of the path.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was asked of the other repository's remote.
    pub requests: Requests,
}

/// What would be imported, or brought up to date.
#[derive(Clone, Debug, Serialize)]
pub struct ImportPlanRow {
    /// The tracked path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The repository, without secrets.
    pub url: String,
    /// The commit that the data is of.
    pub commit: String,
    /// `added`, `updated` or `unchanged`.
    pub change: &'static str,
    /// What it takes.
    #[serde(flatten)]
    pub fetch: ToFetch,
}

/// Finds what an import would bring, and whether it may.
pub fn plan(repo: &Repo, options: &ImportOptions, job: &Job) -> Result<ImportPlanRow, OpError> {
    let (origin, path) = checked(repo, options)?;
    let foreign = Foreign::fetch(repo.environment(), &origin, &repo.layout().temp())?;
    Ok(ImportPlanRow {
        path: json_path(path.as_bytes()),
        url: redact(&origin.url),
        commit: foreign.commit().to_string(),
        change: "added",
        fetch: foreign.to_fetch(&options.path, job)?,
    })
}

/// Checks where data is to come from and to go to.
fn checked(repo: &Repo, options: &ImportOptions) -> Result<(Origin, RepoPath), OpError> {
    repo.require_initialised()?;
    repo.begin_changes()?;
    let origin = options.origin.from(repo.cwd());
    if has_secret(&origin.url) {
        return Err(OpError::refused(
            format!("`{}` holds a password, which would be committed", redact(&origin.url)),
            "leave it out, and let a credential helper of Git give it",
        ));
    }
    let name = options.to.clone().unwrap_or_else(|| last_name(&options.path).into());
    let path = resolve(repo, &name)?;
    let shown = show(path.as_bytes()).to_string();
    let tracked = load_tracked(repo.git(), repo.door())?.0;
    if tracked.iter().any(|item| item.path == path) {
        return Err(OpError::refused(
            format!("`{shown}` is tracked already"),
            "run `haul update` if it was imported, or name another path",
        ));
    }
    if !repo.git().is_tracked(&[path.as_bytes()])?.is_empty() {
        return Err(OpError::refused(
            format!("Git has `{shown}` itself"),
            "name another path, or take that one out of Git with `git rm --cached`",
        ));
    }
    Ok((origin, path))
}

/// Takes data of another repository in and tracks it here: what is pushed afterwards is a copy.
pub fn run(repo: &Repo, options: &ImportOptions, job: &Job) -> Result<ImportedRow, OpError> {
    let (origin, path) = checked(repo, options)?;
    let foreign = Foreign::fetch(repo.environment(), &origin, &repo.layout().temp())?;
    let taken = foreign.take(&options.path, job)?;
    let place = repo.git().root().join(path.to_os());
    match listing(&place, job)? {
        None => place_anew(&taken, &place)?,
        // An import that did not end left it there.
        there if there == listing(&taken.path, job)? => {}
        Some(_) => {
            let shown = show(path.as_bytes());
            return Err(OpError::refused(
                format!("`{shown}` is there already, and holds something else"),
                "name another path, or move that one away",
            ));
        }
    }
    track(repo, &path, (&foreign, &origin, &options.path), (taken, "added"), job)
}

fn place_anew(taken: &Taken, place: &Path) -> Result<(), OpError> {
    if let Some(folder) = place.parent() {
        crate::fs::make_folder(folder, true)?;
    }
    put(&taken.path, place)
}

/// Adds what lies at a path, with the note of where it came from.
pub(crate) fn track(
    repo: &Repo,
    path: &RepoPath,
    (foreign, origin, source): (&Foreign, &Origin, &str),
    (taken, change): (Taken, &'static str),
    job: &Job,
) -> Result<ImportedRow, OpError> {
    let commit = foreign.commit().to_string();
    let mut further = BTreeMap::new();
    for (key, value) in [
        (FROM, Some(origin.url.as_str())),
        (FROM_COMMIT, Some(commit.as_str())),
        (FROM_PATH, Some(source)),
        (FROM_REV, origin.rev.as_deref()),
    ] {
        if let Some(value) = value {
            further.insert(key.to_owned(), value.to_owned());
        }
    }
    let paths = vec![repo.git().root().join(path.to_os()).into_os_string()];
    let plan = add::plan(repo, &AddOptions { paths, further, ..AddOptions::default() }, job)?;
    add::run(repo, plan, job)?;
    Ok(ImportedRow {
        path: json_path(path.as_bytes()),
        url: redact(&origin.url),
        commit,
        change,
        files: taken.report.files,
        bytes: taken.report.bytes,
        requests: taken.report.requests,
    })
}
