//! Carrying a checkout out: aside, moves, removals, writes, one sync, and last the stat cache.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;

use crate::cache::{Known, ObjectReader, StatEntry};
use crate::fs::{FileKind, Stamp, Time};
use crate::manifest::{Content, EntryKind};
use crate::ops::checkout::held::is_here;
use crate::ops::checkout::in_place::refresh;
use crate::ops::checkout::orphans::{Orphan, begun_key};
use crate::ops::checkout::plan::{CheckoutPlan, Work, Write};
use crate::ops::checkout::tidy::{aside, make_durable, mend_ignore, move_data, remove_all, sweep};
use crate::ops::checkout::wanted::{Target, chunks};
use crate::ops::error::OpError;
use crate::ops::retain::{After, retain};
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::progress::{Job, Kind, Task};
use crate::recipe::{ChunkEntry, Chunks, Former};
use crate::repo::Repo;
use crate::units::ByteSize;
use crate::worktree::{
    Door, LARGE, Parent, PlaceError, Recipe, StillAsSeen, Wanted, Whole, place_file, place_folder,
    place_link,
};

/// Files that one worker places at a time.
const PIECE: usize = 64;
/// Files that are made durable one by one, so that fetched packs in the cache, which the disk may
/// take its time for, need not be waited for too.
const FEW: usize = 16;
/// Changed files that a refusal names.
const NAMED: usize = 10;

/// What a checkout did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckoutReport {
    /// Files written.
    pub written: u64,
    /// Files removed.
    pub removed: u64,
    /// Tracked paths renamed.
    pub moved: u64,
    /// Files that were as they should be.
    pub unchanged: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The folder where changed files were put.
    pub aside: Option<String>,
    /// Paths whose content is not on this machine.
    pub missing: Vec<JsonPath>,
}

impl CheckoutReport {
    /// Adds what a checkout of the same did before this one, which found that as it should be.
    pub(crate) fn after(mut self, earlier: Self) -> Self {
        self.unchanged = self.unchanged.saturating_sub(earlier.written);
        self.written += earlier.written;
        self.removed += earlier.removed;
        self.moved += earlier.moved;
        self.bytes += earlier.bytes;
        self.aside = self.aside.or(earlier.aside);
        self
    }
}

impl CheckoutPlan {
    /// Says whether the user's unsaved work is in the way of anything in a tracked path.
    pub(crate) fn refuses_in(&self, path: &RepoPath) -> bool {
        let of =
            |write: &&Write| write.target.path == *path || write.target.path.starts_with_dir(path);
        self.work.writes.iter().filter(of).any(|write| write.unsaved.is_some())
    }
}

/// Does what the plan says, unless the user's unsaved work is in the way; then keeps the cache to its
/// size.
pub fn run(repo: &Repo, plan: CheckoutPlan, job: &Job) -> Result<CheckoutReport, OpError> {
    let report = place(repo, plan, job)?;
    retain(repo, After::Checkout, job);
    Ok(report)
}

/// Does what the plan says, unless the user's unsaved work is in the way.
pub(crate) fn place(repo: &Repo, plan: CheckoutPlan, job: &Job) -> Result<CheckoutReport, OpError> {
    let select = plan.work.select.clone();
    act(repo, plan, job).map_err(|e| e.with_commit(repo, &select))
}

fn act(repo: &Repo, plan: CheckoutPlan, job: &Job) -> Result<CheckoutReport, OpError> {
    let _working = repo.lock_for_work()?;
    refuse(&plan)?;
    check_room(repo, &plan)?;
    check_content(repo, &plan)?;
    let mut report =
        CheckoutReport { unchanged: plan.keep, missing: plan.missing, ..CheckoutReport::default() };
    let Work { began, orphans, writes, leaving, learned, pointers, in_place, .. } = plan.work;
    let mut notes = Notes::default();
    let begun = begin(repo, &writes, &pointers)?;
    report.aside = aside(repo, &writes, began, job)?;
    for orphan in &orphans {
        match orphan {
            Orphan::Moved { from, to, .. } => {
                report.moved += 1;
                move_data(repo, from, to, &mut notes)?;
            }
            Orphan::Gone { leaving, heir } => {
                report.removed += remove_all(repo, leaving, &mut notes)?;
                notes.pointers.push((leaving.top.as_bytes().to_vec(), None));
                if let Some(heir) = heir {
                    mend_ignore(repo, &leaving.top, heir)?;
                }
            }
        }
    }
    for leaving in &leaving {
        report.removed += remove_all(repo, leaving, &mut notes)?;
    }
    let placed = write_all((repo, repo.door()), &writes, &mut report, job)?;
    sweep(repo, placed.iter().map(|p| &p.path))?;
    if orphans.is_empty() && leaving.is_empty() && report.aside.is_none() && placed.len() <= FEW {
        let is_file = |p: &Placed| matches!(p.target.kind, EntryKind::File | EntryKind::Executable);
        make_durable(repo, placed.iter().map(|p| (&p.path, is_file(p))))?;
    } else {
        repo.door().root().sync()?;
    }
    notes.files.extend(learned.into_iter().map(|(path, entry)| (path, Some(entry))));
    notes.files.extend(entries(repo, placed)?);
    notes.pointers.extend(pointers.into_iter().map(|(path, bytes)| (path, Some(bytes))));
    notes.pointers.extend(begun.into_iter().map(|key| (key, None)));
    notes.save(repo, &[])?;
    refresh(repo, &in_place)?;
    Ok(report)
}

/// Remembers what is about to be placed, so that files of a run that did not end count as placed.
fn begin(
    repo: &Repo,
    writes: &[Write],
    pointers: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<Vec<u8>>, OpError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Vec<u8>> = pointers.iter().map(|(path, _)| begun_key(path)).collect();
    let begun = keys.iter().zip(pointers).map(|(key, (_, bytes))| (key.as_slice(), Some(bytes)));
    repo.stat()?.save([], begun.map(|(key, bytes)| (key, bytes.map(Vec::as_slice))))?;
    Ok(keys)
}

/// What the stat cache is to learn.
#[derive(Default)]
pub(crate) struct Notes {
    pub(super) files: Vec<(Vec<u8>, Option<StatEntry>)>,
    pub(super) pointers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Notes {
    /// Remembers them, and what else holds of pointers afterwards.
    pub(crate) fn save(&self, repo: &Repo, more: &[(&[u8], Option<&[u8]>)]) -> Result<(), OpError> {
        let files = self.files.iter().map(|(path, entry)| (path.as_slice(), *entry));
        let own = self.pointers.iter().map(|(path, bytes)| (path.as_slice(), bytes.as_deref()));
        Ok(repo.stat()?.save(files, own.chain(more.iter().copied()))?)
    }
}

fn refuse(plan: &CheckoutPlan) -> Result<(), OpError> {
    if plan.work.force || plan.refused.is_empty() {
        return Ok(());
    }
    let unsaved: BTreeSet<&RepoPath> =
        plan.work.writes.iter().filter_map(|write| write.unsaved.as_ref()).collect();
    let mut names: Vec<String> =
        unsaved.into_iter().take(NAMED).map(|p| format!("`{}`", show(p.as_bytes()))).collect();
    if plan.refused.len() > NAMED {
        names.push(format!("and {} more", plan.refused.len() - NAMED));
    }
    Err(OpError::refused(
        format!(
            "nothing was changed: {} would be overwritten, with changes not added",
            names.join(", ")
        ),
        "run `haul add` to keep the changes, or repeat with `--force` to put them aside",
    ))
}

/// Refuses before the first write what the disk cannot hold.
fn check_room(repo: &Repo, plan: &CheckoutPlan) -> Result<(), OpError> {
    let free = repo.door().root().free_bytes()?;
    if plan.bytes <= free {
        return Ok(());
    }
    Err(OpError::refused(
        format!(
            "nothing was changed: {} are needed in `{}`, and {} are free",
            ByteSize(plan.bytes),
            repo.git().root().display(),
            ByteSize(free)
        ),
        "free some disk space, or name fewer paths",
    ))
}

/// Refuses to put a changed file aside for content that is not here to take its place.
fn check_content(repo: &Repo, plan: &CheckoutPlan) -> Result<(), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    for write in &plan.work.writes {
        if let Some(unsaved) = &write.unsaved
            && !is_here(&write.target, &mut reader)?
        {
            return Err(OpError::refused(
                format!(
                    "nothing was changed: `{}` would be put aside for content of `{}` that is not \
                     on this machine",
                    show(unsaved.as_bytes()),
                    show(write.target.path.as_bytes())
                ),
                "run `haul fetch` first, or `haul pull --force`",
            ));
        }
    }
    Ok(())
}

struct Placed {
    path: RepoPath,
    stamp: Stamp,
    target: Target,
}

/// Writes files into a folder that holds none of them; nothing is remembered of them.
pub(crate) fn write_anew(
    repo: &Repo,
    door: &Door,
    targets: Vec<Target>,
    job: &Job,
) -> Result<CheckoutReport, OpError> {
    let anew = |target| Write { target, seen: None, unsaved: None, content: None, former: None };
    let writes: Vec<Write> = targets.into_iter().map(anew).collect();
    let mut report = CheckoutReport::default();
    write_all((repo, door), &writes, &mut report, job)?;
    door.root().sync()?;
    Ok(report)
}

fn write_all(
    (repo, door): (&Repo, &Door),
    writes: &[Write],
    report: &mut CheckoutReport,
    job: &Job,
) -> Result<Vec<Placed>, OpError> {
    let sizes = writes.iter().map(|w| w.target.content.size());
    let total = sizes.fold(0, u64::saturating_add);
    let task = job.begin(Kind::Place, Some(total));
    let missing = Mutex::new(Vec::new());
    let index = repo.index()?;
    let place = |write: &Write, tools: (&mut ObjectReader, &mut Parent)| {
        job.check()?;
        let placed = write_one(door, write, tools, &task, job)?;
        if placed.is_none() {
            let path = json_path(write.target.path.as_bytes());
            missing.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        }
        Ok(placed)
    };
    // A large file takes all cores.
    let (large, small): (Vec<&Write>, Vec<&Write>) =
        writes.iter().partition(|write| write.target.content.size() >= LARGE);
    let pieces: Result<Vec<Vec<Placed>>, OpError> = small
        .par_chunks(PIECE)
        .map(|piece| {
            let mut reader = ObjectReader::new(repo.layout(), index)?;
            let mut parent = Parent::default();
            let placed = piece.iter().map(|write| place(write, (&mut reader, &mut parent)));
            placed.filter_map(Result::transpose).collect()
        })
        .collect();
    let mut placed: Vec<Placed> = pieces?.into_iter().flatten().collect();
    let mut reader = ObjectReader::new(repo.layout(), index)?;
    let mut parent = Parent::default();
    for write in large {
        placed.extend(place(write, (&mut reader, &mut parent))?);
    }
    report.missing.extend(missing.into_inner().unwrap_or_else(PoisonError::into_inner));
    report.written = placed.len() as u64;
    report.bytes = placed.iter().map(|p| p.target.content.size()).sum();
    Ok(placed)
}

/// Writes one file, link or empty folder; nothing if its content is not on this machine.
fn write_one(
    door: &Door,
    write: &Write,
    (reader, parent): (&mut ObjectReader, &mut Parent),
    task: &Task,
    job: &Job,
) -> Result<Option<Placed>, OpError> {
    let target = &write.target;
    let path = &target.path;
    let failed = |source: PlaceError| OpError::Place { path: path.as_bytes().to_vec(), source };
    let recipe = match &target.content {
        Content::Inline(bytes) => Recipe::Bytes(bytes.clone()),
        Content::Chunk { oid, .. } => Recipe::Chunk((*oid).into()),
        Content::Tree { .. } => match chunks(target, reader)? {
            Some(chunks) => Recipe::Chunks(chunks),
            None => return Ok(None),
        },
    };
    let Some(dir) = parent.make(door, path)? else {
        return Err(OpError::Defect("a folder could not be opened".to_owned()));
    };
    let name = path.file_name();
    let now = dir.stamp(name)?;
    if write.unsaved.is_none() && !unchanged(now.as_ref(), write.seen.as_ref()) {
        return Err(OpError::refused(
            format!("`{}` was changed while it was about to be replaced", show(path.as_bytes())),
            "run the same command again",
        ));
    }
    if now.is_some_and(|s| s.kind == FileKind::Directory) && target.kind != EntryKind::EmptyDir {
        dir.remove_folder(name)?;
    }
    // Building it takes time: what stands there must still be what was judged.
    let still = |now: Option<&Stamp>| match write.unsaved {
        Some(_) => now.is_none_or(|s| s.kind == FileKind::Directory),
        None => unchanged(now, write.seen.as_ref()),
    };
    let place = (dir, name, &still as StillAsSeen<'_>);
    let placed = match (target.kind, &recipe) {
        (EntryKind::EmptyDir, _) => place_folder(place),
        (EntryKind::Symlink, Recipe::Bytes(to)) => place_link(to, place),
        (kind, recipe) => {
            let executable = kind == EntryKind::Executable;
            let whole = Whole { oid: target.oid(), size: target.content.size(), executable };
            let former = if whole.size >= LARGE { former(write, reader) } else { None };
            place_file(reader, place, &Wanted { recipe, whole, former }, task, job).map(Some)
        }
    };
    let stamp = match placed {
        Ok(stamp) => stamp,
        Err(PlaceError::Absent(_)) => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let stamp = stamp.ok_or_else(|| OpError::Defect("a placed file is not there".to_owned()))?;
    Ok(Some(Placed { path: path.clone(), stamp, target: target.clone() }))
}

/// Returns the chunks of what lies in a file's place; nothing if they are not known, which costs time
/// only.
fn former(write: &Write, reader: &mut ObjectReader) -> Option<Former> {
    let (root, size) = write.former.filter(|_| write.unsaved.is_none())?;
    let chunks = Chunks::all(root, size, |id| reader.node_bytes(id));
    let chunks: Result<Vec<ChunkEntry>, _> = chunks.map(|c| c.map(|at| at.entry)).collect();
    chunks.ok().map(Former::new)
}

/// A folder whose files were just removed by this run has changed only in its times.
fn unchanged(now: Option<&Stamp>, seen: Option<&Stamp>) -> bool {
    match (now, seen) {
        (None, _) => true,
        (Some(now), Some(seen)) if now.kind == FileKind::Directory => now.ino == seen.ino,
        (now, seen) => now == seen,
    }
}

type Entries = Vec<(Vec<u8>, Option<StatEntry>)>;

/// Makes the stat cache entries of placed files, once a later change of them would show.
fn entries(repo: &Repo, placed: Vec<Placed>) -> Result<Entries, OpError> {
    let newest = placed.iter().map(|p| p.stamp.mtime.max(p.stamp.ctime)).max();
    let now: Time = repo.door().now()?;
    if newest.is_some_and(|time| time.settled() > now) {
        std::thread::sleep(Duration::from_millis(25));
    }
    let now = repo.door().now()?;
    let files = placed.into_iter().filter(|p| p.target.kind != EntryKind::EmptyDir);
    Ok(files
        .map(|p| {
            let entry = p.stamp.is_settled_at(now).then(|| StatEntry {
                stamp: p.stamp,
                oid: p.target.oid(),
                tree: p.target.tree(),
                known: Known::Stored,
            });
            (p.path.as_bytes().to_vec(), entry)
        })
        .collect())
}
