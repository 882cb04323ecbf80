//! `haul import`: data of another Git repository, tracked here, with a note of where it came from.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::Serialize;

use crate::config::{has_secret, has_web_user, redact_git};
use crate::fs::{Dir, FileKind};
use crate::ops::add::{self, AddOptions};
use crate::ops::error::OpError;
use crate::ops::export::ExportReport;
use crate::ops::foreign::{Foreign, Origin, Taken, split};
use crate::ops::get::last_name;
use crate::ops::listing::{Listing, of_folder, of_worktree, whole_paths};
use crate::ops::requests::Requests;
use crate::ops::requests::ToFetch;
use crate::ops::select::resolve;
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Kept, Parent, is_excluded, load_tracked};

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
    /// `added`, `updated`, `followed` if only the revision that is followed is another, or `unchanged`.
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
    let (origin, path) = checked(repo, options, None)?;
    let foreign = Foreign::fetch(repo.environment(), &origin, &repo.layout().temp())?;
    Ok(ImportPlanRow {
        path: json_path(path.as_bytes()),
        url: redact_git(&origin.url),
        commit: foreign.commit().to_string(),
        change: "added",
        fetch: foreign.to_fetch(&options.path, job)?,
    })
}

/// Checks where data is to come from and to go to, and, once that is known, what it is.
fn checked(
    repo: &Repo,
    options: &ImportOptions,
    kind: Option<FileKind>,
) -> Result<(Origin, RepoPath), OpError> {
    repo.require_initialised()?;
    let origin = options.origin.from(repo.cwd());
    refuse_secrets(&origin)?;
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
    if is_excluded(repo.door(), &path, kind)? {
        return Err(OpError::refused(
            format!("cannot track `{shown}`: a line of a `.haulignore` excludes it"),
            "name another path, or take out that line",
        ));
    }
    Ok((origin, path))
}

/// Takes data of another repository in and tracks it here: what is pushed afterwards is a copy.
pub fn run(repo: &Repo, options: &ImportOptions, job: &Job) -> Result<ImportedRow, OpError> {
    let (origin, path) = checked(repo, options, None)?;
    let foreign = Foreign::fetch(repo.environment(), &origin, &repo.layout().temp())?;
    let taken = foreign.take(&options.path, job)?;
    // Others need not wait for the network; what they did meanwhile may stand in the way.
    repo.begin_changes(job)?;
    let file = taken.report.lone.is_some();
    checked(repo, options, Some(if file { FileKind::File } else { FileKind::Directory }))?;
    let new = listed(&taken, job)?;
    match of_worktree(repo, &path, &Kept::new(whole_paths(&path, &new)), job)? {
        None => place(repo, &path, &taken)?,
        // An import that did not end left it there.
        Some(there) if there == new => {}
        Some(_) => {
            let shown = show(path.as_bytes());
            return Err(OpError::refused(
                format!("`{shown}` is there already, and holds something else"),
                "name another path, or move that one away",
            ));
        }
    }
    let report = (taken.report, "added");
    track(repo, (&path, &new), (&foreign, &origin, &options.path), report, job)
}

/// The address gets into the pointer, which is committed.
fn refuse_secrets(origin: &Origin) -> Result<(), OpError> {
    let what = if has_secret(&origin.url) {
        "a password"
    } else if has_web_user(&origin.url) {
        "a user or a token"
    } else {
        return Ok(());
    };
    Err(OpError::refused(
        format!("`{}` holds {what}, which would be committed", redact_git(&origin.url)),
        "leave it out, and let a credential helper of Git give it",
    ))
}

/// Lists what was taken from elsewhere.
pub(crate) fn listed(taken: &Taken, job: &Job) -> Result<Listing, OpError> {
    of_folder(&taken.path, job)?
        .ok_or_else(|| OpError::Defect("what was taken is not there".to_owned()))
}

/// Gives what was taken its place, where there is nothing, or a link of ours that leads nowhere.
pub(crate) fn place(repo: &Repo, path: &RepoPath, taken: &Taken) -> Result<(), OpError> {
    let mut parent = Parent::default();
    let target = parent.make(repo.door(), path)?.unwrap_or(repo.door().root());
    target.remove_dead_link(path.file_name())?;
    let (folder, name) = split(&taken.path)?;
    Dir::open(folder)?.rename(&name, target, path.file_name())?;
    Ok(repo.door().root().sync()?)
}

/// Adds what lies at a path, all that was taken and nothing else, with the note of where it came from.
pub(crate) fn track(
    repo: &Repo,
    (path, new): (&RepoPath, &Listing),
    (foreign, origin, source): (&Foreign, &Origin, &str),
    (taken, change): (ExportReport, &'static str),
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
    // Rules of this repository, and of the other one, are not about what somebody tracks there.
    let kept = whole_paths(path, new);
    let plan = add::plan(repo, &AddOptions { paths, further, kept, update: false }, job)?;
    if plan.files != new.len() as u64 {
        return Err(OpError::refused(
            format!("`{}` was changed while it was taken in", show(path.as_bytes())),
            "run the same command again",
        ));
    }
    add::run(repo, plan, job)?;
    Ok(ImportedRow {
        path: json_path(path.as_bytes()),
        url: redact_git(&origin.url),
        commit,
        change,
        files: taken.files,
        bytes: taken.bytes,
        requests: taken.requests,
    })
}
