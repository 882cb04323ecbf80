//! Tracked paths whose pointer is gone: renamed with `git mv`, removed, or of another commit.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::cache::ObjectReader;
use crate::fs::Time;
use crate::ops::checkout::leavers::{InGit, Leaving, Named, Stay, leaving, placed_targets};
use crate::ops::checkout::survey::{Seen, Site, survey};
use crate::ops::checkout::wanted::{Target, targets};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{Knowledge, Parent, load_in_place, load_tracked};

/// What becomes of data whose pointer is gone.
pub(super) enum Orphan {
    /// The same pointer stands under another name: the data follows it.
    Moved {
        from: RepoPath,
        to: RepoPath,
        /// What is to stand there and was not there to be moved.
        absent: Vec<Target>,
        /// Files that move.
        present: u64,
    },
    /// No pointer names it, or not all of it can follow: what is unchanged since haul placed it goes.
    Gone { leaving: Leaving, heir: Option<RepoPath> },
}

/// The pointers that haul added or placed last, and those that a run which did not end was placing.
#[derive(Default)]
pub(super) struct PlacedPointers {
    pub(super) last: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) begun: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Where neither is known, though something stands there: what Git says was committed. The stat
    /// cache may have been deleted.
    pub(super) committed: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

/// Most versions of a pointer that are asked of Git.
const VERSIONS: usize = 16;

/// What marks the pointer of a begun run in the stat cache; no path has this byte.
const BEGUN: u8 = 0;

/// Returns the key under which a begun run keeps the pointer of a tracked path.
pub(crate) fn begun_key(path: &[u8]) -> Vec<u8> {
    [path, &[BEGUN]].concat()
}

impl PlacedPointers {
    /// Reads both from the stat cache.
    pub(super) fn load(repo: &Repo) -> Result<Self, OpError> {
        let mut out = Self::default();
        for (mut path, bytes) in repo.stat()?.pointers()? {
            if path.last() == Some(&BEGUN) {
                path.pop();
                out.begun.insert(path, bytes);
            } else {
                out.last.insert(path, bytes);
            }
        }
        Ok(out)
    }

    /// Asks Git for versions of the pointers that the stat cache does not know.
    pub(super) fn ask_git(&mut self, repo: &Repo, chosen: &[&Chosen]) -> Result<(), OpError> {
        let mut pointers = Vec::new();
        for item in chosen {
            let path = item.path.as_bytes();
            let unknown = !self.last.contains_key(path) && !self.begun.contains_key(path);
            if unknown && repo.door().stamp(&item.path)?.is_some() {
                pointers.push((path, item.path.pointer_path()?));
            }
        }
        if pointers.is_empty() {
            return Ok(());
        }
        let keys: Vec<&[u8]> = pointers.iter().map(|(_, pointer)| pointer.as_bytes()).collect();
        let found = repo.git().known_pointers(&keys, VERSIONS)?;
        let paths = pointers.iter().map(|(path, _)| path.to_vec());
        self.committed.extend(paths.zip(found));
        Ok(())
    }
}

/// Finds paths that haul added or placed and that no pointer names now.
///
/// If only some paths were `chosen`, only those that move to one of them.
pub(super) fn orphans(
    repo: &Repo,
    (chosen, all): (&[&Chosen], bool),
    placed: &PlacedPointers,
    began: Time,
    job: &Job,
) -> Result<Vec<Orphan>, OpError> {
    let beside = load_tracked(repo.git(), repo.door())?.0;
    let all_tracked = beside.into_iter().chain(load_in_place(repo.git())?.0);
    let tracked: BTreeSet<RepoPath> = all_tracked.map(|item| item.path).collect();
    let in_git = InGit::new(placed.last.keys().cloned());
    let mut taken: BTreeSet<RepoPath> = BTreeSet::new();
    let mut out = Vec::new();
    for (path, bytes) in &placed.last {
        job.check()?;
        let from = RepoPath::new(path)?;
        if tracked.contains(&from) {
            continue;
        }
        let heir = chosen.iter().find(|item| {
            item.bytes == *bytes
                && matches!(item.filter, Filter::All)
                && !placed.last.contains_key(item.path.as_bytes())
                && !taken.contains(&item.path)
        });
        if let Some(item) = heir {
            taken.insert(item.path.clone());
            let knowledge = Knowledge::new(repo.stat()?.under(from.as_bytes())?, began);
            if let Some(moved) = moved(repo, &from, item, &knowledge, job)? {
                out.push(moved);
                continue;
            }
        }
        if all {
            let named = HashSet::new();
            let stay = Stay { named: Named::These(&named), filter: &Filter::All };
            let old = placed_targets(repo, (&from, bytes), Filter::All)?;
            let mut leaving = leaving(repo, (&from, old.as_slice()), stay, began, job)?;
            leaving.whole = true;
            // Another pointer may have taken over a part, or the whole.
            let kept = |path: &RepoPath| {
                std::iter::successors(Some(path.clone()), RepoPath::parent)
                    .any(|above| tracked.contains(&above))
            };
            leaving.files.retain(|(path, _)| !kept(path));
            leaving.folders.retain(|path| !kept(path));
            leaving.dangling.retain(|path| !kept(path));
            in_git.spare(repo, &mut leaving)?;
            out.push(Orphan::Gone { leaving, heir: heir.map(|item| item.path.clone()) });
        }
    }
    Ok(out)
}

/// Data moves as a whole, only if nothing in it was changed and nothing stands in its new place.
fn moved(
    repo: &Repo,
    from: &RepoPath,
    item: &Chosen,
    knowledge: &Knowledge,
    job: &Job,
) -> Result<Option<Orphan>, OpError> {
    let to = &item.path;
    let nested = to.starts_with_dir(from) || from.starts_with_dir(to);
    if nested || repo.door().stamp(from)?.is_none() || repo.door().stamp(to)?.is_some() {
        return Ok(None);
    }
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let Some(wanted) = targets(item, &mut reader)? else {
        return moved_by_stamps(repo, (from, to), knowledge);
    };
    let old: Result<Vec<Target>, OpError> = wanted
        .iter()
        .map(|target| {
            let rest = target.path.as_bytes().get(to.as_bytes().len()..).unwrap_or_default();
            let path = RepoPath::new([from.as_bytes(), rest].concat())?;
            Ok(Target { path, ..target.clone() })
        })
        .collect();
    let seen = survey(repo, old?, knowledge, job)?;
    let free = |seen: &Seen| matches!(seen.site, Site::Free);
    if !seen.iter().all(|s| free(s) || s.is_right()) {
        return Ok(None);
    }
    let present = seen.iter().filter(|s| !free(s)).count() as u64;
    let pairs = wanted.into_iter().zip(&seen);
    let absent = pairs.filter(|(_, seen)| free(seen)).map(|(target, _)| target).collect();
    Ok(Some(Orphan::Moved { from: from.clone(), to: to.clone(), absent, present }))
}

/// Without the tree at hand, the stat cache alone must vouch for all that it knows.
fn moved_by_stamps(
    repo: &Repo,
    (from, to): (&RepoPath, &RepoPath),
    knowledge: &Knowledge,
) -> Result<Option<Orphan>, OpError> {
    let mut parent = Parent::default();
    let mut present = 0;
    for (path, _) in knowledge.stored_paths() {
        let path = RepoPath::new(path)?;
        match parent.stamp(repo.door(), &path)? {
            Some(stamp) if knowledge.recall(&path, &stamp).is_some() => present += 1,
            Some(_) => return Ok(None),
            None => {}
        }
    }
    let (from, to) = (from.clone(), to.clone());
    Ok((present > 0).then(|| Orphan::Moved { from, to, absent: Vec::new(), present }))
}
