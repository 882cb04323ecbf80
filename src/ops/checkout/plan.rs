//! What a checkout would do: compared by stamps, read only where the stat cache cannot tell.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;

use crate::cache::{Known, ObjectReader, StatEntry};
use crate::fs::{FileKind, Stamp, Time};
use crate::manifest::EntryKind;
use crate::ops::checkout::orphans::{Orphan, orphans};
use crate::ops::checkout::wanted::{Target, targets};
use crate::ops::error::OpError;
use crate::ops::select::{Chosen, Select, chosen};
use crate::path::{JsonPath, RepoPath, json_path};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::worktree::{Content, Knowledge, Parent};

/// What to check out.
#[derive(Clone, Debug, Default)]
pub struct CheckoutOptions {
    /// Which pointers, and which part of each.
    pub select: Select,
    /// Put changed files aside instead of refusing.
    pub force: bool,
}

/// What a checkout would do.
#[derive(Serialize)]
pub struct CheckoutPlan {
    /// Files to write.
    pub write: u64,
    /// Files to remove: gone from the pointers, and unchanged since haul placed them.
    pub remove: u64,
    /// Tracked paths to rename.
    pub r#move: u64,
    /// Files that are as they should be.
    pub keep: u64,
    /// Bytes to write.
    pub bytes: u64,
    /// Files that were changed and not added: without `force` nothing is done.
    pub refused: Vec<JsonPath>,
    /// Tracked paths whose tree is not on this machine.
    pub missing: Vec<JsonPath>,
    #[serde(skip)]
    pub(super) work: Work,
}

/// The steps behind a plan.
pub(super) struct Work {
    pub(super) began: Time,
    pub(super) force: bool,
    pub(super) orphans: Vec<Orphan>,
    pub(super) writes: Vec<Write>,
    /// Paths to remove, with the stamp that was seen.
    pub(super) removals: Vec<(RepoPath, Stamp)>,
    /// What the stat cache is to learn about files that stay.
    pub(super) learned: Vec<(Vec<u8>, StatEntry)>,
    /// The pointers that hold afterwards.
    pub(super) pointers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A file to write, and what was seen in its place.
pub(super) struct Write {
    pub(super) target: Target,
    pub(super) seen: Option<Stamp>,
    /// The user's own content stands there: put it aside first.
    pub(super) unsaved: bool,
}

/// Compares the worktree with the selected pointers.
pub fn plan(repo: &Repo, options: &CheckoutOptions, job: &Job) -> Result<CheckoutPlan, OpError> {
    let _scanning = job.begin(Kind::Scan, None);
    let began = repo.door().now()?;
    let chosen = chosen(repo, &options.select)?;
    let whole = options.select.paths.is_empty() && options.select.rev.is_none();
    let mut plan = CheckoutPlan {
        write: 0,
        remove: 0,
        r#move: 0,
        keep: 0,
        bytes: 0,
        refused: Vec::new(),
        missing: Vec::new(),
        work: Work {
            began,
            force: options.force,
            orphans: if whole { orphans(repo, &chosen, job)? } else { Vec::new() },
            writes: Vec::new(),
            removals: Vec::new(),
            learned: Vec::new(),
            pointers: Vec::new(),
        },
    };
    for orphan in &plan.work.orphans {
        match orphan {
            Orphan::Moved { .. } => plan.r#move += 1,
            Orphan::Gone { files, .. } => plan.remove += files.len() as u64,
        }
    }
    for item in &chosen {
        job.check()?;
        compare(repo, item, &mut plan, job)?;
    }
    Ok(plan)
}

fn compare(repo: &Repo, item: &Chosen, plan: &mut CheckoutPlan, job: &Job) -> Result<(), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let Some(targets) = targets(item, &mut reader)? else {
        plan.missing.push(json_path(item.path.as_bytes()));
        return Ok(());
    };
    // A renamed pointer's data still lies, and is remembered, under its old path.
    let from = plan.work.orphans.iter().find_map(|orphan| match orphan {
        Orphan::Moved { from, to, .. } if *to == item.path => Some(from.clone()),
        Orphan::Moved { .. } | Orphan::Gone { .. } => None,
    });
    let keep = targets.len() as u64;
    plan.work.pointers.push((item.path.as_bytes().to_vec(), item.bytes.clone()));
    if from.is_some() {
        plan.keep += keep;
        return Ok(());
    }
    let knowledge = Knowledge::new(repo.stat()?.under(item.path.as_bytes())?, plan.work.began);
    removals(repo, item, &targets, &knowledge, &mut plan.work)?;
    plan.remove += plan.work.removals.len() as u64;
    let seen = look(repo, &targets)?;
    let known = contents(repo, &targets, &seen, &knowledge, job)?;
    for ((target, stamp), content) in targets.into_iter().zip(seen).zip(known) {
        let verdict = judge(repo, &target, stamp, content.as_ref(), &plan.work)?;
        match verdict {
            Verdict::Right => {
                plan.keep += 1;
                if let Some(content) = content {
                    let content = Content { known: Known::Stored, ..content };
                    let entry = knowledge.entry(&content);
                    let entry = entry.map(|e| StatEntry { tree: target.tree(), ..e });
                    plan.work.learned.extend(entry.map(|e| (target.path.as_bytes().to_vec(), e)));
                }
            }
            Verdict::Replace | Verdict::Unsaved => {
                let unsaved = matches!(verdict, Verdict::Unsaved);
                if unsaved {
                    plan.refused.push(json_path(target.path.as_bytes()));
                }
                plan.write += 1;
                plan.bytes += target.content.size();
                plan.work.writes.push(Write { target, seen: stamp, unsaved });
            }
        }
    }
    Ok(())
}

/// What stands at each path now; folders are opened once for neighbours.
fn look(repo: &Repo, targets: &[Target]) -> Result<Vec<Option<Stamp>>, OpError> {
    let mut parent = Parent::default();
    let mut out = Vec::with_capacity(targets.len());
    for target in targets {
        out.push(match parent.of(repo.door(), &target.path)? {
            Some(dir) => dir.stamp(target.path.file_name())?,
            None => None,
        });
    }
    Ok(out)
}

/// The content of each file or link that is there.
fn contents(
    repo: &Repo,
    targets: &[Target],
    seen: &[Option<Stamp>],
    knowledge: &Knowledge,
    job: &Job,
) -> Result<Vec<Option<Content>>, OpError> {
    let files: Vec<(RepoPath, Stamp)> = targets
        .iter()
        .zip(seen)
        .filter_map(|(target, stamp)| {
            let stamp = (*stamp)?;
            let readable = matches!(stamp.kind, FileKind::File | FileKind::Symlink);
            readable.then(|| (target.path.clone(), stamp))
        })
        .collect();
    let task = job.begin(Kind::Scan, None);
    let mut found = knowledge.identify(repo.door(), &files, &task, job)?.into_iter();
    Ok(seen
        .iter()
        .map(|stamp| match stamp {
            Some(s) if matches!(s.kind, FileKind::File | FileKind::Symlink) => found.next(),
            Some(_) | None => None,
        })
        .collect())
}

enum Verdict {
    Right,
    Replace,
    Unsaved,
}

fn judge(
    repo: &Repo,
    target: &Target,
    stamp: Option<Stamp>,
    content: Option<&Content>,
    work: &Work,
) -> Result<Verdict, OpError> {
    let Some(stamp) = stamp else { return Ok(Verdict::Replace) };
    let wanted = match target.kind {
        EntryKind::File | EntryKind::Executable => FileKind::File,
        EntryKind::Symlink => FileKind::Symlink,
        EntryKind::EmptyDir => FileKind::Directory,
    };
    match (stamp.kind, content) {
        (FileKind::Directory, _) if wanted == FileKind::Directory => Ok(Verdict::Right),
        (FileKind::Directory, _) => {
            // A folder of files that are all to be removed makes room; any other is the user's.
            let below = |path: &RepoPath| path.starts_with_dir(&target.path);
            let going = work.removals.iter().any(|(path, _)| below(path));
            Ok(if going || is_empty_folder(repo, &target.path)? {
                Verdict::Replace
            } else {
                Verdict::Unsaved
            })
        }
        (kind @ (FileKind::File | FileKind::Symlink), Some(content)) => {
            let executable = target.kind == EntryKind::Executable;
            let mode = kind == FileKind::Symlink || stamp.is_executable() == executable;
            let same = content.oid == target.oid();
            if kind == wanted && same && mode {
                return Ok(Verdict::Right);
            }
            let safe = same || content.known == Known::Stored || kept(repo, &target.path, content)?;
            Ok(if safe { Verdict::Replace } else { Verdict::Unsaved })
        }
        (FileKind::Special, _) | (FileKind::File | FileKind::Symlink, None) => Ok(Verdict::Unsaved),
    }
}

fn is_empty_folder(repo: &Repo, path: &RepoPath) -> Result<bool, OpError> {
    Ok(repo.door().root().descend(path.as_bytes())?.entries()?.is_empty())
}

/// Says whether content that the stat cache does not vouch for is held all the same: a file of one
/// chunk that the index knows. A larger one counts as unsaved.
fn kept(repo: &Repo, _path: &RepoPath, content: &Content) -> Result<bool, OpError> {
    let is_file = content.stamp.kind == FileKind::File;
    Ok(is_file && repo.index()?.reader()?.find_held(&content.oid.0).is_some())
}

/// Files that haul placed and that the pointer no longer names, unchanged since.
fn removals(
    repo: &Repo,
    item: &Chosen,
    targets: &[Target],
    knowledge: &Knowledge,
    work: &mut Work,
) -> Result<(), OpError> {
    let named: HashSet<&[u8]> = targets.iter().map(|t| t.path.as_bytes()).collect();
    let mut gone: BTreeSet<RepoPath> = BTreeSet::new();
    for (path, _) in knowledge.stored_paths() {
        let relative = path.get(item.path.as_bytes().len() + 1..).unwrap_or_default();
        let selected = path == item.path.as_bytes() || item.filter.matches(relative);
        if selected && !named.contains(path) {
            gone.insert(RepoPath::new(path)?);
        }
    }
    let mut parent = Parent::default();
    for path in gone {
        let Some(dir) = parent.of(repo.door(), &path)? else { continue };
        let Some(stamp) = dir.stamp(path.file_name())? else { continue };
        if knowledge.recall(&path, &stamp).is_some() {
            work.removals.push((path, stamp));
        }
    }
    Ok(())
}
