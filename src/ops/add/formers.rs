//! The files that have to be read, and their former versions: how they were cut, and what their chunks may be a
//! delta to.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use crate::cache::ObjectReader;
use crate::chunk::Profile;
use crate::config::DeltaBase;
use crate::intake::SMALL;
use crate::ops::add::alike::{Need, New, Old, extension, natural};
use crate::ops::add::contents::Content;
use crate::ops::add::find::Target;
use crate::ops::add::old_files::OldFile;
use crate::ops::add::previous::{Previous, previous};
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::worktree::{Parent, What};

/// One of the things that were found: numbers of its target, and among what was found of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) target: usize,
    pub(super) found: usize,
}

/// A file of more than [`SMALL`] bytes.
pub(super) struct Large {
    pub(super) place: Place,
    path: RepoPath,
    top: Vec<u8>,
    size: u64,
    need: Need,
}

impl Large {
    /// Returns it as the choice among old files sees it.
    pub(super) fn named(&self) -> New<'_> {
        New { path: self.path.as_bytes(), top: &self.top, size: self.size, need: self.need }
    }
}

/// What is known of the files to be read before any of them is.
pub(super) struct Formers {
    base: DeltaBase,
    profile: Profile,
    /// Of each target, the files among what was found that have a previous version, by their number.
    previous: Vec<Vec<(usize, Previous)>>,
    /// Files that those without a previous version may be like.
    pub(super) olds: Vec<OldFile>,
    /// In the order of [`natural`].
    pub(super) large: Vec<Large>,
    /// Bytes of all files.
    pub(super) total: u64,
}

impl Formers {
    /// Finds out about the files of all targets whose content is unknown; files that are tracked by themselves,
    /// and those of other folders, may be their former versions.
    pub(super) fn new(
        repo: &Repo,
        targets: &[Target],
        (single, folders): (&[OldFile], &[Target]),
    ) -> Result<Self, OpError> {
        let (base, profile) = (repo.config().delta_base.value, repo.profile());
        let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
        let previous: Result<_, _> =
            targets.iter().map(|target| matched(target, &mut reader)).collect();
        let (olds, large) = (Vec::new(), Vec::new());
        let mut out = Self { base, profile, previous: previous?, olds, large, total: 0 };
        let needing = out.read_names(targets);
        if base != DeltaBase::Never {
            let mut tops: BTreeSet<&[u8]> = BTreeSet::new();
            for target in needing.targets.iter().filter_map(|number| targets.get(*number)) {
                if target.in_folder() {
                    tops.insert(target.top().as_bytes());
                    out.add_old_files(target, &mut reader)?;
                }
            }
            let alike =
                |old: &&OldFile| needing.extensions.contains(extension(old.path.as_bytes()));
            out.olds.extend(single.iter().filter(alike).cloned());
            let others = folders.iter().filter(|f| !tops.contains(f.top().as_bytes()));
            for folder in others.filter(|_| !tops.is_empty()) {
                out.add_old_files(folder, &mut reader)?;
            }
        }
        out.look_for_olds(repo, targets)?;
        Ok(out)
    }

    /// Sums up the files, and lists the large ones.
    fn read_names<'t>(&mut self, targets: &'t [Target]) -> Needing<'t> {
        let mut needing = Needing::default();
        for (number, target) in targets.iter().enumerate() {
            for (found, path, size) in wanted(target, 0) {
                let place = Place { target: number, found };
                let need = self.need(place, size);
                self.total += size;
                if size > SMALL {
                    let (path, top) = (path.clone(), target.folder().to_vec());
                    self.large.push(Large { place, path, top, size, need });
                }
                if need != Need::Nothing {
                    needing.targets.insert(number);
                    needing.extensions.insert(extension(path.as_bytes()));
                }
            }
        }
        self.large.sort_by(|a, b| natural(a.path.as_bytes(), b.path.as_bytes()));
        needing
    }

    fn add_old_files(&mut self, folder: &Target, reader: &mut ObjectReader) -> Result<(), OpError> {
        let top = folder.top().as_bytes();
        previous(folder, reader, |path, previous| {
            if let Previous::Cut(cut) = previous {
                self.olds.push(OldFile::new(path, top.to_vec(), *cut));
            }
            ControlFlow::Continue(())
        })
    }

    /// Finds out which of the old files the worktree still has.
    fn look_for_olds(&mut self, repo: &Repo, targets: &[Target]) -> Result<(), OpError> {
        let by_path: HashMap<&[u8], &Target> =
            targets.iter().map(|target| (target.path.as_bytes(), target)).collect();
        let mut parent = Parent::default();
        for old in &mut self.olds {
            let found = look_up(&by_path, &old.path);
            let scanned = by_path.get(old.top.as_slice()).is_some_and(|target| target.is_dir);
            old.gone = match found {
                Some(_) => false,
                None if scanned => true,
                None => parent.stamp(repo.door(), &old.path)?.is_none(),
            };
            let is_wanted = |(what, content): (&What, &Content)| {
                matches!(what, What::File(_)) && *content == Content::Unknown
            };
            old.is_here = !old.gone && !found.is_some_and(is_wanted);
        }
        Ok(())
    }

    /// Returns how a file was cut before.
    pub(super) fn previous(&self, place: Place) -> Option<&Previous> {
        let of_target = self.previous.get(place.target)?;
        let at = of_target.binary_search_by_key(&place.found, |(found, _)| *found).ok()?;
        of_target.get(at).map(|(_, previous)| previous)
    }

    /// Returns the rule that cuts a file.
    pub(super) fn profile(&self, place: Place) -> Profile {
        match self.previous(place) {
            Some(Previous::Cut(cut)) => cut.profile,
            Some(Previous::Whole(_)) | None => self.profile,
        }
    }

    /// Says whether a file of this size is to be given something to be compared with.
    pub(super) fn need(&self, place: Place, size: u64) -> Need {
        // A file that the profile cannot cut in two is one chunk.
        let short = size <= self.profile(place).min() as u64;
        if short || self.previous(place).is_some() {
            Need::Nothing
        } else if size > SMALL {
            Need::Any
        } else {
            Need::Stored
        }
    }

    /// Says whether anything is compared with anything.
    pub(super) fn compares(&self) -> bool {
        self.base != DeltaBase::Never
    }

    /// Lists the old files as the choice among them sees them.
    pub(super) fn old(&self) -> Vec<Old<'_>> {
        let all = self.olds.iter();
        all.map(|old| Old {
            path: old.path.as_bytes(),
            top: &old.top,
            size: old.cut.size,
            gone: old.gone,
        })
        .collect()
    }
}

/// The targets with files that are to be compared with something, and the extensions of these.
#[derive(Default)]
struct Needing<'t> {
    targets: BTreeSet<usize>,
    extensions: HashSet<&'t [u8]>,
}

/// Lists the files of a target that have to be read, from a number on: each with its number and size.
pub(super) fn wanted(
    target: &Target,
    from: usize,
) -> impl Iterator<Item = (usize, &RepoPath, u64)> {
    let all = target.found.iter().zip(&target.contents).enumerate().skip(from);
    all.filter_map(|(number, (found, content))| match &found.what {
        What::File(stamp) if *content == Content::Unknown => {
            Some((number, &found.path, stamp.size))
        }
        What::File(_) | What::Symlink(_) | What::EmptyFolder => None,
    })
}

/// Finds the previous versions of a target's files that have to be read; both come in byte order.
fn matched(target: &Target, reader: &mut ObjectReader) -> Result<Vec<(usize, Previous)>, OpError> {
    let mut out = Vec::new();
    let mut ahead = wanted(target, 0).peekable();
    if ahead.peek().is_none() {
        return Ok(out);
    }
    previous(target, reader, |path, previous| {
        while ahead.next_if(|(_, ahead, _)| **ahead < path).is_some() {}
        if let Some((number, ..)) = ahead.next_if(|(_, ahead, _)| **ahead == path) {
            out.push((number, previous));
        }
        if ahead.peek().is_none() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(out)
}

/// Returns what was found at a path.
fn look_up<'t>(
    targets: &HashMap<&[u8], &'t Target>,
    path: &RepoPath,
) -> Option<(&'t What, &'t Content)> {
    let bytes = path.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
    let mut above = ends.chain([bytes.len()]).filter_map(|end| targets.get(bytes.get(..end)?));
    let at = |target: &&'t Target| {
        let number = target.found.binary_search_by(|found| found.path.cmp(path)).ok()?;
        Some((&target.found.get(number)?.what, target.contents.get(number)?))
    };
    above.find_map(at)
}
