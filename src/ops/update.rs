//! `haul update`: imported data as it is now where it came from.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use crate::config::redact_git;
use crate::fs::Dir;
use crate::ops::checkout::{Leaving, removable, remove_leaving};
use crate::ops::chosen::{Chosen, chosen_or_warned};
use crate::ops::error::OpError;
use crate::ops::foreign::{Foreign, Origin, Taken};
use crate::ops::import::{
    FROM, FROM_COMMIT, FROM_PATH, FROM_REV, ImportPlanRow, ImportedRow, listed, place, track,
};
use crate::ops::inside::{Folder, is_followed};
use crate::ops::listing::{
    FOLDER, Listing, Standing, of_pointer, of_worktree_before, whole_path, whole_paths,
};
use crate::ops::requests::Requests;
use crate::ops::requests::ToFetch;
use crate::ops::select::Select;
use crate::path::{RepoPath, json_path, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{Door, Kept, Parent, WorktreeError, is_excluded};

/// What to bring up to date.
#[derive(Clone, Debug, Default)]
pub struct UpdateOptions {
    /// Imported paths; all of them if empty.
    pub paths: Vec<OsString>,
    /// Another revision of their origins, which is followed from now on.
    pub rev: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
    /// Most bytes of content to receive for one import.
    pub max_bytes: Option<u64>,
}

/// What was brought up to date.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateReport {
    /// Imported paths, in order.
    pub paths: Vec<ImportedRow>,
}

/// What would be brought up to date.
#[derive(Clone, Debug, Serialize)]
pub struct UpdatePlan {
    /// Imported paths, in order.
    pub paths: Vec<ImportPlanRow>,
}

/// Finds what an update would bring.
pub fn plan(repo: &Repo, options: &UpdateOptions, job: &Job) -> Result<UpdatePlan, OpError> {
    let look = |item: Chosen, (origin, path): (Origin, String)| {
        let foreign = Foreign::fetch(repo.environment(), &origin, &repo.layout().temp())?;
        let same = is_same(&item, &foreign, &path)?;
        let fetch = if same { ToFetch::default() } else { foreign.to_fetch(&path, job)? };
        Ok(ImportPlanRow {
            path: json_path(item.path.as_bytes()),
            url: redact_git(&origin.url),
            commit: foreign.commit().to_string(),
            change: if same { "unchanged" } else { "updated" },
            fetch,
        })
    };
    Ok(UpdatePlan { paths: each(repo, options, look, job)? })
}

/// Brings imports up to date, one after the other. Data that was changed here is not replaced.
pub fn run(repo: &Repo, options: &UpdateOptions, job: &Job) -> Result<UpdateReport, OpError> {
    let bring =
        |item: Chosen, (origin, path): (Origin, String)| update(repo, &item, (&origin, &path), job);
    Ok(UpdateReport { paths: each(repo, options, bring, job)? })
}

/// Does something for each import that is meant.
fn each<T>(
    repo: &Repo,
    options: &UpdateOptions,
    mut work: impl FnMut(Chosen, (Origin, String)) -> Result<T, OpError>,
    job: &Job,
) -> Result<Vec<T>, OpError> {
    repo.require_initialised()?;
    repo.begin_changes(job)?;
    let select = Select { paths: options.paths.clone(), ..Select::default() };
    let mut out = Vec::new();
    for item in chosen_or_warned(repo, &select, job)? {
        match imported(&item.pointer) {
            Some((origin, path)) => {
                let rev = options.rev.clone().or(origin.rev);
                let origin =
                    Origin { rev, jobs: options.jobs, max_bytes: options.max_bytes, ..origin };
                out.push(work(item, (origin, path))?);
            }
            None if options.paths.is_empty() => {}
            None => {
                let path = show(item.path.as_bytes()).to_string();
                return Err(OpError::refused(
                    format!("`{path}` was not imported, or was changed since"),
                    "name paths that `haul import` brought",
                ));
            }
        }
    }
    Ok(out)
}

/// Says whether the other repository has what is here already.
fn is_same(item: &Chosen, foreign: &Foreign, path: &str) -> Result<bool, OpError> {
    let commit = foreign.commit().to_string();
    Ok(item.pointer.extra().get(FROM_COMMIT) == Some(&commit)
        || foreign.pointer(path)?.is_some_and(|there| there.kind() == item.pointer.kind()))
}

/// Reads where data came from, and its path there.
fn imported(pointer: &Pointer) -> Option<(Origin, String)> {
    let key = |name: &str| pointer.extra().get(name).cloned();
    let origin = Origin { url: key(FROM)?, rev: key(FROM_REV), ..Origin::default() };
    Some((origin, key(FROM_PATH)?))
}

fn update(
    repo: &Repo,
    item: &Chosen,
    (origin, path): (&Origin, &str),
    job: &Job,
) -> Result<ImportedRow, OpError> {
    let foreign = Foreign::fetch(repo.environment(), origin, &repo.layout().temp())?;
    let commit = foreign.commit().to_string();
    if is_same(item, &foreign, path)? {
        let follows = item.pointer.extra().get(FROM_REV) == origin.rev.as_ref();
        if !follows {
            follow(repo, item, origin, &commit)?;
        }
        return Ok(ImportedRow {
            path: json_path(item.path.as_bytes()),
            url: redact_git(&origin.url),
            commit,
            change: if follows { "unchanged" } else { "followed" },
            files: 0,
            bytes: 0,
            requests: Requests::default(),
        });
    }
    let taken = foreign.take(path, job)?;
    let new = listed(&taken, job)?;
    replace(repo, item, (&taken, &new), job)?;
    let report = (taken.report, "updated");
    track(repo, (&item.path, &new), (&foreign, origin, path), report, job)
}

/// Notes another revision in the pointer of data that is the same there.
fn follow(repo: &Repo, item: &Chosen, origin: &Origin, commit: &str) -> Result<(), OpError> {
    let _working = repo.lock_for_work()?;
    let rev = origin.rev.as_deref().unwrap_or_default();
    let noted = item.pointer.clone().with_extra(FROM_COMMIT, commit);
    let noted = noted.and_then(|pointer| pointer.with_extra(FROM_REV, rev)).map_err(|e| {
        let (path, rev) = (show(item.path.as_bytes()), show(rev.as_bytes()));
        OpError::refused(format!("cannot note `{rev}` for `{path}`: {e}"), "name another revision")
    })?;
    let folder = Folder { path: &item.path, pointer: &item.pointer };
    let followed = is_followed(repo, folder)?;
    let (own, bytes) = (item.path.pointer_path()?, noted.to_bytes());
    repo.door().write_durably(&own, &bytes)?;
    if followed {
        repo.stat()?.save([], [(item.path.as_bytes(), Some(bytes.as_slice()))])?;
    }
    Ok(repo.git().stage(&[own.as_bytes()])?)
}

/// Puts what was taken in the place of what lies here. All of that is what the pointer says, or, after an
/// update that did not end, what was taken. What is refused is refused before anything goes, by the rules that
/// will hold afterwards: those that lie here may be gone half-way.
fn replace(
    repo: &Repo,
    item: &Chosen,
    (taken, new): (&Taken, &Listing),
    job: &Job,
) -> Result<(), OpError> {
    let top = &item.path;
    if repo.door().stamp(top)?.is_none() {
        return place(repo, top, taken);
    }
    let old = of_pointer(repo, top, &item.pointer, job)?;
    let both = [&old, new].into_iter().flat_map(|listing| whole_paths(top, listing));
    let kept = Kept::new(both);
    let coming = if new.contains_key(&None) { None } else { Some(Dir::open(&taken.path)?) };
    let before = of_worktree_before(repo, top, (&kept, coming.as_ref()), job)?;
    let Some(before) = before else { return place(repo, top, taken) };
    let Standing { listing: here, dangling, .. } = &before;
    if here == new && dangling.is_empty() {
        return Ok(());
    }
    let leaving = checked(repo, item, &before, (&old, new), job)?;
    let mut parent = Parent::default();
    for path in dangling {
        if let Some(dir) = parent.of(repo.door(), path)? {
            dir.remove_dead_link(path.file_name())?;
        }
    }
    drop(parent);
    remove_leaving(repo, &leaving)?;
    if repo.door().stamp(top)?.is_none() {
        return place(repo, top, taken);
    }
    // What is excluded here stays, so nothing can take the place of the whole.
    for key in new.keys().filter(|key| here.get(*key) != new.get(*key)) {
        match key {
            Some(rest) => put_part(repo, top, (&taken.path, rest), new)?,
            None => place(repo, top, taken)?,
        }
    }
    Ok(repo.door().root().sync()?)
}

/// Refuses what cannot be replaced, and finds what is to go. Nothing is changed.
fn checked(
    repo: &Repo,
    item: &Chosen,
    before: &Standing,
    (old, new): (&Listing, &Listing),
    job: &Job,
) -> Result<Leaving, OpError> {
    let (top, here) = (&item.path, &before.listing);
    refuse_changed(repo, top, here, (old, new))?;
    refuse_in_the_way(top, &before.excluded, new)?;
    let tracked = |path: &[u8]| {
        let rest = path.get(top.as_bytes().len() + 1..).map(<[u8]>::to_vec);
        old.contains_key(&rest) || new.contains_key(&rest)
    };
    let stray = before.dangling.iter().map(RepoPath::as_bytes).find(|path| !tracked(path));
    if let Some(path) = stray.map(<[u8]>::to_vec) {
        return Err(WorktreeError::Dangling { path }.into());
    }
    let same = here.iter().filter(|(key, is)| new.get(*key) == Some(*is));
    let same: Vec<Vec<u8>> = same.map(|(key, _)| whole_path(top, key.as_deref())).collect();
    let same: HashSet<&[u8]> = same.iter().map(Vec::as_slice).collect();
    let mut leaving = removable(repo, (top, &item.bytes), &Filter::All, &same, job)?;
    leaving.take_empty(top.clone());
    for (key, (kind, _)) in here {
        let whole = whole_path(top, key.as_deref());
        if same.contains(&*whole) || leaving.takes(&whole) {
            continue;
        }
        if *kind != FOLDER {
            return Err(OpError::refused(
                format!("`{}` is neither in the cache nor known to be on the remote", show(&whole)),
                "run `haul push`, then the same command again",
            ));
        }
        leaving.take_empty(RepoPath::new(whole)?);
    }
    Ok(leaving)
}

/// Refuses to replace what is neither what the pointer says nor what was taken. Folders that an update which
/// did not end has emptied are no change.
fn refuse_changed(
    repo: &Repo,
    top: &RepoPath,
    here: &Listing,
    (old, new): (&Listing, &Listing),
) -> Result<(), OpError> {
    let emptied = |key: &Option<Vec<u8>>, is: &(&str, _)| {
        is.0 == FOLDER && [old, new].into_iter().any(|listing| holds(listing, key.as_deref()))
    };
    let other =
        |key: &_, is: &_| old.get(key) != Some(is) && new.get(key) != Some(is) && !emptied(key, is);
    let Some((key, _)) = here.iter().find(|(key, is)| other(*key, *is)) else { return Ok(()) };
    let (shown, inside) = (show(top.as_bytes()), whole_path(top, key.as_deref()));
    let away = "move that file away, then run the same command again";
    let unknown = !old.contains_key(key) && !new.contains_key(key);
    if unknown && is_excluded(repo.door(), &RepoPath::new(&inside)?, None)? {
        return Err(OpError::refused(
            format!(
                "a `.haulignore` excludes `{}`, and none of the new version of `{shown}` does",
                show(&inside)
            ),
            away,
        ));
    }
    let next = if new.contains_key(key) && !old.contains_key(key) {
        away
    } else {
        "run `haul add` on it to keep it as your own, or `haul checkout --force` to put it aside"
    };
    Err(OpError::refused(
        format!("`{shown}` was changed here: `{}` is not what was imported", show(&inside)),
        next,
    ))
}

/// Says whether a listing has something below a path.
fn holds(listing: &Listing, key: Option<&[u8]>) -> bool {
    let Some(key) = key else { return true };
    let below = [key, b"/"].concat();
    let mut after = listing.range(Some(below.clone())..);
    after.next().is_some_and(|(next, _)| next.as_ref().is_some_and(|n| n.starts_with(&below)))
}

/// Refuses a file that would take the place of a folder in which something excluded stays.
fn refuse_in_the_way(top: &RepoPath, excluded: &[Vec<u8>], new: &Listing) -> Result<(), OpError> {
    for path in excluded {
        let rest = path.get(top.as_bytes().len() + 1..).unwrap_or_default();
        let slashes = rest.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let above = slashes.filter_map(|(at, _)| rest.get(..at)).map(|key| Some(key.to_vec()));
        let file = |key: &Option<Vec<u8>>| new.get(key).is_some_and(|is| is.0 != FOLDER);
        if let Some(key) = std::iter::once(None).chain(above).find(file) {
            return Err(OpError::refused(
                format!(
                    "`{}` is a file now, and what `.haulignore` excludes lies in its place: `{}`",
                    show(&whole_path(top, key.as_deref())),
                    show(path)
                ),
                "move that away, then run the same command again",
            ));
        }
    }
    Ok(())
}

/// Moves one file, link or empty folder of what was taken into a folder that is there.
fn put_part(
    repo: &Repo,
    top: &RepoPath,
    (taken, rest): (&Path, &[u8]),
    new: &Listing,
) -> Result<(), OpError> {
    let to = RepoPath::new([top.as_bytes(), b"/", rest].concat())?;
    if new.get(&Some(rest.to_vec())).is_some_and(|(kind, _)| *kind == FOLDER) {
        repo.door().root().descend_or_make(to.as_bytes())?;
        return Ok(());
    }
    let from = RepoPath::new(rest)?;
    let (source, mut parent) = (Door::open(taken)?, Parent::default());
    let mut source_parent = Parent::default();
    let source = source_parent.of(&source, &from)?.unwrap_or(source.root());
    let target = parent.make(repo.door(), &to)?.unwrap_or(repo.door().root());
    Ok(source.rename(from.file_name(), target, to.file_name())?)
}
