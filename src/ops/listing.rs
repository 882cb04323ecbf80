//! What lies at a path, and what a pointer says of it, in one form: so imported data is compared with
//! what it was and with what it becomes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::fs::{Dir, FileKind};
use crate::hash::Oid;
use crate::manifest::EntryKind;
use crate::ops::error::OpError;
use crate::ops::foreign::split;
use crate::ops::inside::{Folder, look as look_inside};
use crate::path::RepoPath;
use crate::pointer::{Pointer, PointerKind};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::worktree::{Door, Found, Kept, Knowledge, RulesBelow, Scan, What, look_ahead};

const FILE: &str = "file";
const EXECUTABLE: &str = "executable";
const LINK: &str = "link";
/// The kind of a folder with nothing in it.
pub(crate) const FOLDER: &str = "folder";

/// Kinds and hashes by path below the top; of a single file the path is nothing.
pub(crate) type Listing = BTreeMap<Option<Vec<u8>>, (&'static str, Oid)>;

/// The whole path of what lies below a top, or of the top itself.
pub(crate) fn whole_path(top: &RepoPath, rest: Option<&[u8]>) -> Vec<u8> {
    rest.map_or(top.as_bytes().to_vec(), |rest| [top.as_bytes(), b"/", rest].concat())
}

/// The whole paths of what is listed, below a top.
pub(crate) fn whole_paths(top: &RepoPath, listing: &Listing) -> Vec<Vec<u8>> {
    listing.keys().map(|rest| whole_path(top, rest.as_deref())).collect()
}

/// What a pointer says; nodes that are not on this machine are fetched for it.
pub(crate) fn of_pointer(
    repo: &Repo,
    path: &RepoPath,
    pointer: &Pointer,
    job: &Job,
) -> Result<Listing, OpError> {
    if let PointerKind::File { oid, executable, .. } = pointer.kind() {
        let kind = if *executable { EXECUTABLE } else { FILE };
        return Ok(Listing::from([(None, (kind, *oid))]));
    }
    let entries = look_inside(repo, Folder { path, pointer }, &[Vec::new()], job)?.entries;
    let kind = |kind| match kind {
        EntryKind::File => FILE,
        EntryKind::Executable => EXECUTABLE,
        EntryKind::Symlink => LINK,
        EntryKind::EmptyDir => FOLDER,
    };
    Ok(entries.into_iter().map(|e| (Some(e.path), (kind(e.kind), e.content.oid()))).collect())
}

/// What lies at a path of the machine, whatever rules say; nothing if there is nothing.
pub(crate) fn of_folder(path: &Path, job: &Job) -> Result<Option<Listing>, OpError> {
    let (folder, name) = split(path)?;
    let (door, name) = (Door::open(folder)?, RepoPath::new(name)?);
    let here = of_door((&door, &name), &Kept::All, RulesBelow::Standing, job)?;
    Ok(here.map(|here| here.listing))
}

/// Paths below a top, and what lies there; of a single file the path is nothing.
pub(crate) type Shape = Vec<(Option<Vec<u8>>, What)>;

/// What lies at a path of the machine, with stamps in place of hashes.
pub(crate) fn shape(path: &Path, job: &Job) -> Result<Shape, OpError> {
    let (folder, name) = split(path)?;
    let (door, top) = (Door::open(folder)?, RepoPath::new(name)?);
    let scan = scan((&door, &top), &Kept::All, RulesBelow::Standing, job)?;
    let below = |path: &RepoPath| path.relative_to(&top).map(|rest| rest.as_bytes().to_vec());
    let found = scan.map(|scan| scan.found).unwrap_or_default();
    Ok(found.into_iter().map(|Found { path, what }| (below(&path), what)).collect())
}

fn scan(
    (door, top): (&Door, &RepoPath),
    kept: &Kept,
    below: RulesBelow<'_>,
    job: &Job,
) -> Result<Option<Scan>, OpError> {
    let Some(stamp) = door.stamp(top)? else { return Ok(None) };
    Ok(Some(match stamp.kind {
        FileKind::Directory => look_ahead((door, top), kept, below, job)?,
        FileKind::File | FileKind::Symlink | FileKind::Special => {
            let found = vec![Found { path: top.clone(), what: What::File(stamp) }];
            Scan { found, ..Scan::default() }
        }
    }))
}

/// What lies at a path of the worktree, without what `.haulignore` files exclude and is not kept; nothing
/// if there is nothing.
pub(crate) fn of_worktree(
    repo: &Repo,
    path: &RepoPath,
    kept: &Kept,
    job: &Job,
) -> Result<Option<Listing>, OpError> {
    let here = of_door((repo.door(), path), kept, RulesBelow::Standing, job)?;
    Ok(here.map(|here| here.listing))
}

/// What lies at a path that something else is about to take.
pub(crate) struct Standing {
    /// What is not excluded, or kept.
    pub(crate) listing: Listing,
    /// Raw paths of what is excluded.
    pub(crate) excluded: Vec<Vec<u8>>,
    /// Links of ours that stand for no file.
    pub(crate) dangling: Vec<RepoPath>,
}

/// As [`of_worktree`], by the rules that will hold once the folder `coming`, or a file, has taken the place.
pub(crate) fn of_worktree_before(
    repo: &Repo,
    path: &RepoPath,
    (kept, coming): (&Kept, Option<&Dir>),
    job: &Job,
) -> Result<Option<Standing>, OpError> {
    of_door((repo.door(), path), kept, RulesBelow::Coming(coming), job)
}

fn of_door(
    (door, top): (&Door, &RepoPath),
    kept: &Kept,
    below: RulesBelow<'_>,
    job: &Job,
) -> Result<Option<Standing>, OpError> {
    let Some(scan) = scan((door, top), kept, below, job)? else { return Ok(None) };
    let Scan { found, refused, excluded, dangling, .. } = scan;
    if let Some((_, error)) = refused.into_iter().next() {
        return Err(error.into());
    }
    let (mut out, mut files) = (Listing::new(), Vec::new());
    let below = |path: &RepoPath| path.relative_to(top).map(|rest| rest.as_bytes().to_vec());
    for Found { path, what } in found {
        match what {
            What::File(stamp) => files.push((path, stamp)),
            What::Symlink(target) => drop(out.insert(below(&path), (LINK, Oid::of(&target)))),
            What::EmptyFolder => drop(out.insert(below(&path), (FOLDER, Oid::EMPTY))),
        }
    }
    let task = job.begin(Kind::Scan, None);
    let knowledge = Knowledge::new(Vec::new(), door.now()?);
    for ((path, stamp), content) in files.iter().zip(knowledge.identify(door, &files, &task, job)?)
    {
        let kind = if stamp.is_executable() { EXECUTABLE } else { FILE };
        out.insert(below(path), (kind, content.oid));
    }
    Ok(Some(Standing { listing: out, excluded, dangling }))
}
