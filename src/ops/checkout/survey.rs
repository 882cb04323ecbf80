//! What stands where a pointer wants something, and what it holds.

use crate::fs::{FileKind, Stamp};
use crate::manifest::EntryKind;
use crate::ops::checkout::wanted::Target;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::progress::{Job, Kind, Task};
use crate::repo::Repo;
use crate::worktree::{Content, Knowledge, Parent};

/// What stands at a path now.
#[derive(Clone, Debug)]
pub(super) enum Site {
    /// Nothing.
    Free,
    /// This.
    Here(Stamp),
    /// Nothing can: this path, a folder on the way to it, is none.
    Blocked(RepoPath),
}

/// A wanted path, what stands there, and what that holds if it can be read.
pub(super) struct Seen {
    pub(super) target: Target,
    pub(super) site: Site,
    pub(super) content: Option<Content>,
}

impl Seen {
    /// Says whether kind, content and mode are as wanted.
    pub(super) fn is_right(&self) -> bool {
        self.is(&self.target)
    }

    /// Says whether kind, content and mode are those of `other`.
    pub(super) fn is(&self, other: &Target) -> bool {
        let Site::Here(stamp) = &self.site else { return false };
        let wanted = other.kind;
        match (stamp.kind, self.content) {
            (FileKind::Directory, _) => wanted == EntryKind::EmptyDir,
            (FileKind::Symlink, Some(content)) => {
                wanted == EntryKind::Symlink && content.oid == other.oid()
            }
            (FileKind::File, Some(content)) => {
                let executable = wanted == EntryKind::Executable;
                matches!(wanted, EntryKind::File | EntryKind::Executable)
                    && content.oid == other.oid()
                    && stamp.is_executable() == executable
            }
            (FileKind::Special, _) | (FileKind::File | FileKind::Symlink, None) => false,
        }
    }
}

/// Looks at every target; reads only files that the stat cache cannot vouch for.
pub(super) fn survey(
    repo: &Repo,
    targets: Vec<Target>,
    knowledge: &Knowledge,
    job: &Job,
) -> Result<Vec<Seen>, OpError> {
    let task = job.begin(Kind::Scan, None);
    survey_more(repo, targets, knowledge, (&task, job))
}

/// As [`survey`], as a part of a task.
pub(super) fn survey_more(
    repo: &Repo,
    targets: Vec<Target>,
    knowledge: &Knowledge,
    (task, job): (&Task, &Job),
) -> Result<Vec<Seen>, OpError> {
    let sites = look(repo, &targets)?;
    let readable = |site: &Site| match site {
        Site::Here(s) if matches!(s.kind, FileKind::File | FileKind::Symlink) => Some(*s),
        Site::Here(_) | Site::Free | Site::Blocked(_) => None,
    };
    let files: Vec<(RepoPath, Stamp)> = targets
        .iter()
        .zip(&sites)
        .filter_map(|(target, site)| Some((target.path.clone(), readable(site)?)))
        .collect();
    let mut found = knowledge.identify(repo.door(), &files, task, job)?.into_iter();
    let pairs = targets.into_iter().zip(sites);
    Ok(pairs
        .map(|(target, site)| {
            let content = if readable(&site).is_some() { found.next() } else { None };
            Seen { target, site, content }
        })
        .collect())
}

/// What stands at each path now; folders are opened once for neighbours.
fn look(repo: &Repo, targets: &[Target]) -> Result<Vec<Site>, OpError> {
    let mut parent = Parent::default();
    let mut above: Option<(RepoPath, Site)> = None;
    let mut out = Vec::with_capacity(targets.len());
    for target in targets {
        if let Some(stamp) = parent.stamp(repo.door(), &target.path)? {
            out.push(Site::Here(stamp));
            continue;
        }
        let site = match (target.path.parent(), &above) {
            (None, _) => Site::Free,
            (Some(folder), Some((known, site))) if *known == folder => site.clone(),
            (Some(folder), _) => {
                let site = blocker(repo, &folder)?.map_or(Site::Free, Site::Blocked);
                above = Some((folder, site.clone()));
                site
            }
        };
        out.push(site);
    }
    Ok(out)
}

/// The first thing on the way down to a folder that is there and is no folder.
fn blocker(repo: &Repo, folder: &RepoPath) -> Result<Option<RepoPath>, OpError> {
    let way: Vec<RepoPath> =
        std::iter::successors(Some(folder.clone()), RepoPath::parent).collect();
    for path in way.into_iter().rev() {
        match repo.door().stamp(&path)? {
            None => return Ok(None),
            Some(stamp) if stamp.kind == FileKind::Directory => {}
            Some(_) => return Ok(Some(path)),
        }
    }
    Ok(None)
}
