//! Replacing what an import was by what it is to be, file by file.

use std::collections::HashSet;
use std::path::Path;

use crate::fs::Dir;
use crate::ops::checkout::{Leaving, removable, remove_leaving};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::ops::foreign::Taken;
use crate::ops::import::place;
use crate::ops::listing::{
    FOLDER, Listing, Standing, of_pointer, of_worktree_before, whole_path, whole_paths,
};
use crate::path::{RepoPath, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{Door, Kept, Parent, WorktreeError, is_excluded};

/// Puts what was taken in the place of what lies here. All of that is what the pointer says, or, after an
/// update that did not end, what was taken. What is refused is refused before anything goes, by the rules that
/// will hold afterwards: those that lie here may be gone half-way.
pub(super) fn replace(
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
    // What was not imported no checkout knows.
    let next = if old.contains_key(key) {
        "run `haul add` on it to keep it as your own, or `haul checkout --force` to put it aside"
    } else {
        away
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
