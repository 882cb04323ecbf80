//! What haul placed and no pointer names any more: what of it is unchanged may go.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::cache::ObjectReader;
use crate::fs::{FileKind, Stamp, Time};
use crate::manifest::EntryKind;
use crate::ops::checkout::held::is_held;
use crate::ops::checkout::packed::{Among, Packed};
use crate::ops::checkout::survey::{Site, survey};
use crate::ops::checkout::wanted::{Target, packed_targets};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{Knowledge, Parent, TrackedState, Tracking, parse_tracked};

/// Files and folders of one tracked path that are to go.
pub(crate) struct Leaving {
    /// The tracked path: what is left empty below it goes as well.
    pub(super) top: RepoPath,
    /// Whether the tracked path itself goes, and folders above it that are left empty.
    pub(super) whole: bool,
    /// Files and links in order, with the stamps that were seen.
    pub(super) files: Vec<(RepoPath, Stamp)>,
    /// Links of ours that lead nowhere.
    pub(super) dangling: BTreeSet<RepoPath>,
    /// Folders that were placed as empty ones.
    pub(super) folders: Vec<RepoPath>,
}

impl Leaving {
    /// Says whether nothing goes.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.dangling.is_empty() && self.folders.is_empty()
    }

    /// Says whether the file or link at a path goes.
    pub(crate) fn takes(&self, path: &[u8]) -> bool {
        self.files.binary_search_by(|(file, _)| file.as_bytes().cmp(path)).is_ok()
    }

    /// Lets a folder go too, if it is empty by then.
    pub(crate) fn take_empty(&mut self, folder: RepoPath) {
        self.folders.push(folder);
    }
}

/// Which paths below a tracked one stay.
pub(super) struct Stay<'a> {
    /// Paths that the pointer names.
    pub(super) named: Named<'a>,
    /// Which part of the tracked path is looked at.
    pub(super) filter: &'a Filter,
}

/// Paths that are named.
pub(super) enum Named<'a> {
    /// These.
    These(&'a HashSet<&'a [u8]>),
    /// Those of a list in their order.
    In(Among<'a, Target>),
}

impl Stay<'_> {
    /// Says whether a path below `top` does not stay.
    fn lets_go(&mut self, top: &RepoPath, path: &[u8]) -> Result<bool, OpError> {
        let relative = path.get(top.as_bytes().len() + 1..).unwrap_or_default();
        let selected = path == top.as_bytes() || self.filter.matches(relative);
        Ok(selected
            && !match &mut self.named {
                Named::These(paths) => paths.contains(path),
                Named::In(list) => list.has(path)?,
            })
    }
}

/// What Git itself tracks where haul's data lies or lay, asked once and only if something is to go: such a
/// file is Git's to remove, even where its content is what haul placed.
pub(super) struct InGit {
    tops: Vec<Vec<u8>>,
    paths: OnceCell<BTreeSet<Vec<u8>>>,
}

impl InGit {
    /// Knows of these tracked paths and of what lies below them.
    pub(super) fn new(tops: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { tops: tops.into_iter().collect(), paths: OnceCell::new() }
    }

    /// Takes the files of Git out of what is to go.
    pub(super) fn spare(&self, repo: &Repo, leaving: &mut Leaving) -> Result<(), OpError> {
        if leaving.files.is_empty() && leaving.dangling.is_empty() {
            return Ok(());
        }
        let paths = if let Some(paths) = self.paths.get() {
            paths
        } else {
            let tops: Vec<&[u8]> = self.tops.iter().map(Vec::as_slice).collect();
            let entries = repo.git().tracked(&tops)?;
            self.paths.get_or_init(|| entries.into_iter().map(|entry| entry.path).collect())
        };
        leaving.files.retain(|(path, _)| !paths.contains(path.as_bytes()));
        leaving.dangling.retain(|path| !paths.contains(path.as_bytes()));
        Ok(())
    }
}

/// Finds files that haul added or placed below `top` and that are not to stay, unchanged since.
///
/// The stat cache knows them; where it does not, `old`, what the pointer wanted that was placed last,
/// tells, and they are read.
pub(super) fn leaving(
    repo: &Repo,
    (top, old): (&RepoPath, &[Packed<Target>]),
    mut stay: Stay<'_>,
    began: Time,
    job: &Job,
) -> Result<Leaving, OpError> {
    let knowledge = &gone_knowledge(repo, top, &mut stay, began)?;
    let (folders, dangling) = (Vec::new(), BTreeSet::new());
    let mut out = Leaving { top: top.clone(), whole: false, files: Vec::new(), dangling, folders };
    let mut files: BTreeMap<RepoPath, Stamp> = BTreeMap::new();
    let mut parent = Parent::default();
    let mut stored: Vec<&[u8]> = knowledge.stored_paths().map(|(path, _)| path).collect();
    stored.sort_unstable();
    for path in stored {
        let path = RepoPath::new(path)?;
        let stamp = parent.stamp(repo.door(), &path)?;
        if stamp.is_none() && leads_nowhere(repo, (&mut parent, &path)) {
            out.dangling.insert(path);
        } else if let Some(stamp) = stamp
            && let Some(entry) = knowledge.recall(&path, &stamp)
            && is_held(repo, (entry.oid, stamp.size), entry.tree.map(|(_, root)| root))?
        {
            files.insert(path, stamp);
        }
    }
    let mut before = Vec::new();
    for window in old.iter().flat_map(Packed::windows) {
        for target in window? {
            if stay.lets_go(top, target.path.as_bytes())? && !files.contains_key(&target.path) {
                before.push(target);
            }
        }
    }
    for seen in survey(repo, before, knowledge, job)? {
        let Site::Here(stamp) = seen.site else {
            if leads_nowhere(repo, (&mut parent, &seen.target.path)) {
                out.dangling.insert(seen.target.path);
            }
            continue;
        };
        if !seen.is_right() {
            continue;
        }
        if seen.target.kind == EntryKind::EmptyDir && stamp.kind == FileKind::Directory {
            out.folders.push(seen.target.path);
        } else if is_held(repo, (seen.target.oid(), stamp.size), seen.target.tree().map(|t| t.1))? {
            files.insert(seen.target.path, stamp);
        }
    }
    out.files = files.into_iter().collect();
    Ok(out)
}

/// What the stat cache knows of paths that are not to stay.
fn gone_knowledge(
    repo: &Repo,
    top: &RepoPath,
    stay: &mut Stay<'_>,
    began: Time,
) -> Result<Knowledge, OpError> {
    let mut failed = None;
    let entries = repo.stat()?.under_where(top.as_bytes(), |path, _| {
        let gone = stay.lets_go(top, path);
        gone.unwrap_or_else(|e| {
            failed = Some(e);
            false
        })
    })?;
    failed.map_or(Ok(Knowledge::new(entries, began)), Err)
}

/// A link on the way hides what is behind.
fn leads_nowhere(repo: &Repo, (parent, path): (&mut Parent, &RepoPath)) -> bool {
    let dir = parent.of(repo.door(), path).ok().flatten();
    dir.is_some_and(|dir| dir.leads_nowhere(path.file_name()))
}

/// What `filter` chooses of what the pointer that was placed last wanted; nothing where that cannot be
/// told from here.
pub(super) fn placed_targets(
    repo: &Repo,
    (top, bytes): (&RepoPath, &[u8]),
    filter: Filter,
) -> Result<Option<Packed<Target>>, OpError> {
    let TrackedState::Sound(pointer, bytes) = parse_tracked(bytes.to_vec()) else {
        return Ok(None);
    };
    let (path, by) = (top.clone(), Tracking::Beside);
    let chosen = Chosen { path, by, pointer, bytes, filter };
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    packed_targets(&chosen, &mut reader)
}
