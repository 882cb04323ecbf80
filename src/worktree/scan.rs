//! What lies at and below a path, without reading contents.

use std::io::Read;

use rayon::prelude::*;

use crate::fs::{Dir, DirEntry, FileKind, IoResultExt, Stamp, failpoint, is_temp_name};
use crate::path::RepoPath;
use crate::pointer::looks_like_pointer;
use crate::progress::Job;
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;
use crate::worktree::ignore::{Kept, Rules, RulesBelow};

/// Deepest nesting of folders; a path longer than a key may be is refused before that.
const MAX_DEPTH: usize = 2048;
const POINTER_MAX: u64 = 4096;
/// Folders that are listed side by side before what they hold is put together.
const TOGETHER: usize = 128;
/// Names of one folder that one core looks at.
const NAMES: usize = 1024;

/// One thing to be tracked.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its path from the worktree root.
    pub path: RepoPath,
    /// What it is.
    pub what: What,
}

/// What a manifest can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File(Stamp),
    /// A symbolic link and where it points.
    Symlink(Vec<u8>),
    /// A folder with nothing in it.
    EmptyFolder,
}

/// What lies below a folder.
#[derive(Debug, Default)]
pub struct Scan {
    /// What can be tracked, in byte order of whole paths.
    pub found: Vec<Found>,
    /// Raw paths of what cannot, each with the reason: special files, names that are never stored,
    /// pointers. Nothing below them was looked at.
    pub refused: Vec<(Vec<u8>, WorktreeError)>,
    /// Raw paths of what `.haulignore` files exclude. Nothing below them was looked at.
    pub excluded: Vec<Vec<u8>>,
    /// Paths of links of ours that stand for the file behind them.
    pub links: Vec<RepoPath>,
    /// Paths of links of ours that lead nowhere, or into the cache of another place: their files are missing.
    pub dangling: Vec<RepoPath>,
}

/// A folder that is still to be listed.
struct Pending {
    path: Vec<u8>,
    /// The rules that hold for it; nothing if it is excluded itself, and only holds what is kept.
    rules: Option<Rules>,
}

/// Lists everything below a folder in byte order of whole paths, and beside it what cannot be tracked;
/// links are never followed. Folders of one depth, and many names of one folder, are looked at side by side:
/// each folder is opened once, and each name in it looked at once.
///
/// Temporary files of ours are passed over, and so is what `.haulignore` files exclude, unless it is to
/// be kept.
pub fn look(door: &Door, folder: &RepoPath, kept: &Kept, job: &Job) -> Result<Scan, WorktreeError> {
    look_ahead((door, folder), kept, RulesBelow::Standing, job)
}

/// As [`look`], with other rules below the folder than those that lie there.
pub fn look_ahead(
    (door, folder): (&Door, &RepoPath),
    kept: &Kept,
    below: RulesBelow<'_>,
    job: &Job,
) -> Result<Scan, WorktreeError> {
    let mut out = Scan::default();
    let rules = match kept {
        Kept::All => Some(Rules::default()),
        Kept::Some(_) => Rules::above(door, folder)?,
    };
    let rules = rules.filter(|rules| !rules.excludes(folder.as_bytes(), true));
    let mut level = vec![Pending { path: folder.as_bytes().to_vec(), rules }];
    for depth in 0.. {
        let listing = Listing { door, folder, kept, below, deepest: depth >= MAX_DEPTH };
        let mut next = Vec::new();
        for some in level.chunks(TOGETHER) {
            let looked: Result<Vec<Listed>, WorktreeError> =
                some.par_iter().map(|pending| listing.list(pending, job)).collect();
            for (scan, folders) in looked? {
                out.take(scan);
                next.extend(folders);
            }
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    out.found.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
    out.refused.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    out.excluded.sort_unstable();
    out.dangling.sort_unstable();
    Ok(out)
}

/// What one folder holds, and the folders in it.
type Listed = (Scan, Vec<Pending>);

/// How the folders of one depth are looked at.
struct Listing<'a> {
    door: &'a Door,
    folder: &'a RepoPath,
    kept: &'a Kept,
    below: RulesBelow<'a>,
    deepest: bool,
}

impl Listing<'_> {
    /// Looks at one folder; returns what it holds, and the folders in it.
    fn list(&self, pending: &Pending, job: &Job) -> Result<Listed, WorktreeError> {
        let path = pending.path.as_slice();
        let dir = self.door.root().descend(path)?;
        let rules = match (&pending.rules, self.kept) {
            (Some(rules), Kept::Some(_)) => {
                let rest = path.get(self.folder.as_bytes().len() + 1..).unwrap_or_default();
                Some(self.below.enter(rules, (&dir, path), rest, self.kept)?)
            }
            (rules, _) => rules.clone(),
        };
        let within = Within { listing: self, dir: &dir, path, rules: rules.as_ref() };
        let entries = dir.entries()?;
        failpoint::hit("worktree.listed");
        let looked: Result<Vec<Names>, WorktreeError> =
            entries.par_chunks(NAMES).map(|names| within.look(names, job)).collect();
        let mut all = Names { empty: true, ..Names::default() };
        for names in looked? {
            all.scan.take(names.scan);
            all.folders.extend(names.folders);
            all.empty &= names.empty;
        }
        let Names { mut scan, folders, empty } = all;
        if empty
            && path != self.folder.as_bytes()
            && let Some(path) = scan.named(path.to_vec())
        {
            scan.found.push(Found { path, what: What::EmptyFolder });
        }
        Ok((scan, folders))
    }

    /// Says what a name stands for, or notes why it cannot be tracked.
    fn what(
        &self,
        (dir, name): (&Dir, &[u8]),
        full: &RepoPath,
        stamp: Stamp,
        out: &mut Scan,
    ) -> Result<Option<What>, WorktreeError> {
        Ok(match stamp.kind {
            FileKind::File if name.ends_with(b".haul") && is_pointer(dir, name, stamp)? => {
                let (folder, pointer) = (self.folder.as_bytes().to_vec(), full.as_bytes().to_vec());
                out.refuse(full, WorktreeError::PointerInside { folder, pointer });
                None
            }
            FileKind::File | FileKind::Directory => Some(What::File(stamp)),
            FileKind::Symlink => Some(What::Symlink(dir.read_link(name)?)),
            FileKind::Special => {
                out.refuse(full, WorktreeError::Special { path: full.as_bytes().to_vec() });
                None
            }
        })
    }
}

/// What some names of a folder came to.
#[derive(Default)]
struct Names {
    scan: Scan,
    folders: Vec<Pending>,
    /// Whether nothing of them is worth tracking the folder for.
    empty: bool,
}

/// A folder that is looked at.
struct Within<'a> {
    listing: &'a Listing<'a>,
    dir: &'a Dir,
    path: &'a [u8],
    rules: Option<&'a Rules>,
}

impl Within<'_> {
    /// Looks at some of its names.
    fn look(&self, names: &[DirEntry], job: &Job) -> Result<Names, WorktreeError> {
        job.check()?;
        let mut out = Names { empty: true, ..Names::default() };
        for entry in names.iter().filter(|entry| !is_temp_name(&entry.name)) {
            self.look_at(entry, &mut out)?;
        }
        Ok(out)
    }

    fn look_at(&self, entry: &DirEntry, out: &mut Names) -> Result<(), WorktreeError> {
        let (DirEntry { name, kind }, dir) = (entry, self.dir);
        let Listing { kept, deepest, .. } = *self.listing;
        let full = [self.path, b"/", name].concat();
        let known = *kind == Some(FileKind::Directory) && !deepest;
        let stamp = if known { None } else { dir.stamp(name)? };
        let may_link = matches!(kind, Some(FileKind::Symlink) | None);
        let own_link = may_link && dir.own_link(name).is_some();
        if stamp.is_none() && !known && !own_link {
            return Ok(());
        }
        let is_dir = known || stamp.is_some_and(|stamp| stamp.kind == FileKind::Directory);
        let excluded = self.rules.is_none_or(|rules| rules.excludes(&full, is_dir));
        if excluded && !kept.needs(&full) {
            out.scan.excluded.push(full);
            // A folder with nothing else in it is not worth tracking, unless it is tracked.
            out.empty &= kept.has(self.path);
            return Ok(());
        }
        out.empty = false;
        let Some(full) = out.scan.named(full) else { return Ok(()) };
        if own_link {
            let scan = &mut out.scan;
            let list = if stamp.is_some() { &mut scan.links } else { &mut scan.dangling };
            list.push(full.clone());
        }
        if is_dir {
            let rules = self.rules.filter(|_| !excluded).cloned();
            out.folders.push(Pending { path: full.as_bytes().to_vec(), rules });
        } else if let Some(stamp) = stamp
            && let Some(what) = self.listing.what((dir, name), &full, stamp, &mut out.scan)?
        {
            out.scan.found.push(Found { path: full, what });
        }
        Ok(())
    }
}

impl Scan {
    fn take(&mut self, other: Self) {
        self.found.extend(other.found);
        self.refused.extend(other.refused);
        self.excluded.extend(other.excluded);
        self.links.extend(other.links);
        self.dangling.extend(other.dangling);
    }

    fn named(&mut self, path: Vec<u8>) -> Option<RepoPath> {
        match RepoPath::new(&path) {
            Ok(path) => Some(path),
            Err(source) => {
                self.refused.push((path.clone(), WorktreeError::Name { path, source }));
                None
            }
        }
    }

    fn refuse(&mut self, path: &RepoPath, error: WorktreeError) {
        self.refused.push((path.as_bytes().to_vec(), error));
    }
}

fn is_pointer(dir: &Dir, name: &[u8], stamp: Stamp) -> Result<bool, WorktreeError> {
    if stamp.size > POINTER_MAX {
        return Ok(false);
    }
    let (file, _) = dir.open_file(name)?;
    let mut bytes = Vec::new();
    file.take(POINTER_MAX).read_to_end(&mut bytes).at("read", &dir.path_of(name))?;
    Ok(looks_like_pointer(&bytes))
}
