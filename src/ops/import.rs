//! `haul import`: data of another Git repository, tracked here, with a note of where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use serde::Serialize;

use crate::config::{has_secret, has_web_user, redact_git};
use crate::fs::{Dir, FileKind, Stamp};
use crate::git::POINTER_LIMIT;
use crate::ops::add::{self, AddOptions, check_filtered, check_name};
use crate::ops::checkout::remove_empty;
use crate::ops::error::OpError;
use crate::ops::foreign::{Foreign, Origin, Taken, split};
use crate::ops::get::last_name;
use crate::ops::listing::{Listing, Shape, of_folder, of_worktree, shape, whole_path, whole_paths};
use crate::ops::provenance::{FROM, FROM_COMMIT, FROM_PATH, FROM_REV, warn_of_part};
use crate::ops::requests::Requests;
use crate::ops::requests::ToFetch;
use crate::ops::select::resolve;
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Kept, Parent, What, is_excluded, load_tracked};

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
    let Goal { origin, path, is_part } = goal(repo, options)?;
    let foreign = look(repo, (&origin, &path), options, job)?;
    if is_part {
        warn_of_part(&path, &origin.url, job);
    }
    Ok(ImportPlanRow {
        path: json_path(path.as_bytes()),
        url: redact_git(&origin.url),
        commit: foreign.commit().to_string(),
        change: "added",
        fetch: foreign.to_fetch(&options.path, job)?,
    })
}

/// Where data is to come from and to go to.
struct Goal {
    origin: Origin,
    path: RepoPath,
    /// Whether it becomes a part of a tracked folder.
    is_part: bool,
}

/// Checks where data is to come from and to go to, as far as that can be told without what it is.
fn goal(repo: &Repo, options: &ImportOptions) -> Result<Goal, OpError> {
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
    check_name(&path, &tracked).map_err(elsewhere)?;
    check_filtered(repo, &[path.as_bytes()]).map_err(elsewhere)?;
    if !repo.git().is_tracked(&[path.as_bytes()])?.is_empty() {
        return Err(OpError::refused(
            format!("Git has `{shown}` itself"),
            "name another path, or take that one out of Git with `git rm --cached`",
        ));
    }
    let is_part = tracked.iter().any(|item| path.starts_with_dir(&item.path));
    Ok(Goal { origin, path, is_part })
}

/// Gives what `haul add` refuses a next step that is one here.
fn elsewhere(error: OpError) -> OpError {
    let OpError::Refused { what, .. } = error else { return error };
    OpError::refused(what, "name another path to import to")
}

/// Fetches the commit, and refuses what a `.haulignore` excludes here; a line may be about folders only.
fn look(
    repo: &Repo,
    (origin, path): (&Origin, &RepoPath),
    options: &ImportOptions,
    job: &Job,
) -> Result<Foreign, OpError> {
    let as_file = is_excluded(repo.door(), path, Some(FileKind::File))?;
    let as_folder = is_excluded(repo.door(), path, Some(FileKind::Directory))?;
    let excluded = || {
        OpError::refused(
            format!(
                "cannot track `{}`: a line of a `.haulignore` excludes it",
                show(path.as_bytes())
            ),
            "name another path, or take out that line",
        )
    };
    if as_file && as_folder {
        return Err(excluded());
    }
    let foreign = Foreign::fetch(repo.environment(), origin, &repo.layout().temp())?;
    if as_file != as_folder && foreign.is_folder(&options.path, job)? == as_folder {
        return Err(excluded());
    }
    Ok(foreign)
}

/// Takes data of another repository in and tracks it here: what is pushed afterwards is a copy.
pub fn run(repo: &Repo, options: &ImportOptions, job: &Job) -> Result<ImportedRow, OpError> {
    let Goal { origin, path, is_part } = goal(repo, options)?;
    let (above, near) = nearest(repo, &path)?;
    let foreign = look(repo, (&origin, &path), options, job)?;
    if is_part {
        warn_of_part(&path, &origin.url, job);
    }
    let taken = foreign.take(&options.path, &near, job)?;
    let new = listed(&taken, job)?;
    // Others need not wait for the network; what they did meanwhile may stand in the way.
    repo.begin_changes(job)?;
    goal(repo, options)?;
    let placed = match of_worktree(repo, &path, &Kept::new(whole_paths(&path, &new)), job)? {
        None => {
            let placed = shape(&taken.path, job)?;
            place(repo, &path, &taken)?;
            Some(placed)
        }
        // An import that did not end left it there.
        Some(there) if there == new => None,
        Some(_) => {
            let shown = show(path.as_bytes());
            return Err(OpError::refused(
                format!("`{shown}` is there already, and holds something else"),
                "name another path, or move that one away",
            ));
        }
    };
    let before = pointers(repo, &path);
    let tracked = track(repo, (&path, &new), (&taken, &origin, &options.path), "added", job);
    if let (Err(_), Some(placed)) = (&tracked, placed)
        && pointers(repo, &path) == before
    {
        // Nobody tracks it. The error that matters is the first.
        drop(take_back(repo, (&path, above.as_ref()), &placed));
    }
    tracked
}

/// Reads the pointers that a path, or a folder that it lies in, can be tracked by.
fn pointers(repo: &Repo, path: &RepoPath) -> Vec<Option<Vec<u8>>> {
    let above = std::iter::successors(Some(path.clone()), RepoPath::parent);
    let read = |path: RepoPath| {
        repo.door().read_small(&path.pointer_path().ok()?, POINTER_LIMIT).ok().flatten()
    };
    above.map(read).collect()
}

/// Removes from the worktree what was placed there and is as it was, and folders made for it below one that
/// was there. What somebody else wrote there stays. It is short, and is not asked whether to stop.
fn take_back(
    repo: &Repo,
    (top, above): (&RepoPath, Option<&RepoPath>),
    placed: &Shape,
) -> Result<(), OpError> {
    let (mut parent, mut folders) = (Parent::default(), BTreeSet::new());
    for (rest, what) in placed {
        let path = RepoPath::new(whole_path(top, rest.as_deref()))?;
        let Some(dir) = parent.of(repo.door(), &path)? else { continue };
        let Some(now) = dir.stamp(path.file_name())? else { continue };
        let same = match what {
            // The rename has touched the inode of what it named.
            What::File(seen) if rest.is_none() => Stamp { ctime: seen.ctime, ..now } == *seen,
            What::File(seen) => now == *seen,
            What::Symlink(to) => {
                now.kind == FileKind::Symlink && dir.read_link(path.file_name())? == *to
            }
            What::EmptyFolder => false,
        };
        if same {
            dir.remove_file(path.file_name())?;
        }
        folders.extend(path.parent());
        if *what == What::EmptyFolder {
            folders.insert(path);
        }
    }
    drop(parent);
    let made = |folder: &RepoPath| above.is_none_or(|above| folder.starts_with_dir(above));
    remove_empty(repo, folders, made)
}

/// Opens the folder nearest to a path that is there, and names it unless it is the root: on its file system
/// the path will lie.
pub(crate) fn nearest(repo: &Repo, path: &RepoPath) -> Result<(Option<RepoPath>, Dir), OpError> {
    let mut folder = path.parent();
    loop {
        let own = folder.as_ref().map_or(&b""[..], RepoPath::as_bytes);
        match repo.door().root().descend(own) {
            Ok(dir) => return Ok((folder, dir)),
            Err(e) if folder.is_some() && (e.is_missing() || e.is_no_folder()) => {}
            Err(e) => return Err(e.into()),
        }
        folder = folder.and_then(|folder| folder.parent());
    }
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
    (taken, origin, source): (&Taken, &Origin, &str),
    change: &'static str,
    job: &Job,
) -> Result<ImportedRow, OpError> {
    let commit = taken.commit.to_string();
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
        files: taken.report.files,
        bytes: taken.report.bytes,
        requests: taken.report.requests,
    })
}
