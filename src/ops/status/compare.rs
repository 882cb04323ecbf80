//! Comparing what is to stand below a tracked path with what stands there.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::cache::{IndexReader, Known, StatCache, StatEntry};
use crate::fs::{Stamp, Time};
use crate::hash::Oid;
use crate::manifest::EntryKind;
use crate::ops::checkout::{Packed, Target};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::ops::status::report::StatusEntry;
use crate::path::{RepoPath, json_path};
use crate::pointer::PointerKind;
use crate::progress::{Job, Task};
use crate::transfer::Filter;
use crate::worktree::{Content, Door, Found, Knowledge, What, vouches};

/// Windows that are compared side by side before what they came to is put together.
const TOGETHER: usize = 4;

/// What is to stand at a path, the path, and the stamp of the file that stands there.
type Pair<'a> = (&'a Target, &'a RepoPath, Stamp);

/// What is compared with, and by what it is known.
pub(super) struct Against<'a> {
    pub(super) door: &'a Door,
    pub(super) stat: &'a StatCache,
    /// The file system's clock when the look began.
    pub(super) began: Time,
    pub(super) view: &'a IndexReader,
    pub(super) item: &'a Chosen,
    /// What stands there, in the order of paths.
    pub(super) found: &'a [Found],
    /// Where a file is wanted and something else stands that cannot be tracked.
    pub(super) replaced: &'a BTreeSet<Vec<u8>>,
}

/// What a comparison came to.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) entries: Vec<StatusEntry>,
    /// What the stat cache is to learn.
    pub(super) learned: Vec<(Vec<u8>, Option<StatEntry>)>,
    /// Files that are wanted.
    pub(super) files: u64,
}

impl Compared {
    fn add(&mut self, more: Self) {
        self.entries.extend(more.entries);
        self.learned.extend(more.learned);
        self.files += more.files;
    }

    fn enter(&mut self, path: &RepoPath, state: &'static str, item: &Chosen) {
        let (path, pointer) = (json_path(path.as_bytes()), json_path(item.path.as_bytes()));
        self.entries.push(StatusEntry { path, state, pointer });
    }
}

impl Against<'_> {
    /// Walks both lists side by side, some windows of it on all cores.
    pub(super) fn all(
        &self,
        targets: &Packed<Target>,
        (task, job): (&Task, &Job),
    ) -> Result<Compared, OpError> {
        let begins = |first: &RepoPath| self.found.partition_point(|f| f.path < *first);
        // What comes before the first window belongs to it, and what comes behind the last to that.
        let ends = targets.firsts().skip(1).map(begins).chain([self.found.len()]);
        let mut from = 0;
        let there = ends.map(|end| self.found.get(std::mem::replace(&mut from, end)..end));
        let windows: Vec<(usize, &[Found])> =
            there.map(Option::unwrap_or_default).enumerate().collect();
        let mut out = Compared::default();
        for some in windows.chunks(TOGETHER) {
            let done: Result<Vec<Compared>, OpError> = some
                .par_iter()
                .map(|(number, there)| self.window(&targets.window(*number)?, there, (task, job)))
                .collect();
            done?.into_iter().for_each(|compared| out.add(compared));
        }
        Ok(out)
    }

    fn window(
        &self,
        targets: &[Target],
        there: &[Found],
        (task, job): (&Task, &Job),
    ) -> Result<Compared, OpError> {
        job.check()?;
        let mut out = Compared::default();
        let is_dir = matches!(self.item.pointer.kind(), PointerKind::Dir { .. });
        let mut there = there.iter().peekable();
        let mut pairs = Vec::with_capacity(targets.len());
        // A tracked folder that is empty wants itself, which was just looked at.
        for target in targets.iter().filter(|target| !is_dir || target.path != self.item.path) {
            out.files += 1;
            if self.replaced.contains(target.path.as_bytes()) {
                out.enter(&target.path, "type-changed", self.item);
                continue;
            }
            while let Some(extra) = there.next_if(|f| f.path < target.path) {
                self.untracked(extra, &mut out);
            }
            match there.next_if(|f| f.path == target.path) {
                Some(same) => pairs.extend(self.pair(target, same, &mut out)),
                None if self.is_filled(target) => {}
                None => out.enter(&target.path, "missing", self.item),
            }
        }
        there.for_each(|extra| self.untracked(extra, &mut out));
        self.compare(&pairs, &mut out, (task, job))?;
        Ok(out)
    }

    /// Says whether an empty folder now holds something: it is no longer listed as one then.
    fn is_filled(&self, target: &Target) -> bool {
        let inside = [target.path.as_bytes(), b"/"].concat();
        let first = || self.found.partition_point(|f| *f.path.as_bytes() < *inside);
        target.kind == EntryKind::EmptyDir
            && self.found.get(first()).is_some_and(|f| f.path.starts_with_dir(&target.path))
    }

    /// Compares kinds and targets of links; returns files, whose content is to be compared.
    fn pair<'t>(
        &self,
        target: &'t Target,
        same: &'t Found,
        out: &mut Compared,
    ) -> Option<Pair<'t>> {
        match (&same.what, target.kind) {
            (What::File(stamp), EntryKind::File | EntryKind::Executable) => {
                return Some((target, &same.path, *stamp));
            }
            (What::Symlink(to), EntryKind::Symlink) => {
                if Oid::of(to) != target.oid() {
                    out.enter(&target.path, "modified", self.item);
                }
            }
            (What::EmptyFolder, EntryKind::EmptyDir) => {}
            _ => out.enter(&target.path, "type-changed", self.item),
        }
        None
    }

    fn untracked(&self, found: &Found, out: &mut Compared) {
        let relative = found.path.relative_to(&self.item.path);
        let wanted = matches!(self.item.filter, Filter::All)
            || relative.is_some_and(|rest| self.item.filter.matches(rest.as_bytes()));
        if wanted {
            out.enter(&found.path, "untracked", self.item);
        }
    }

    /// Compares contents; reads those of which the stat cache cannot tell.
    fn compare(
        &self,
        pairs: &[Pair],
        out: &mut Compared,
        (task, job): (&Task, &Job),
    ) -> Result<(), OpError> {
        let recalled = self.recall(pairs)?;
        // A size that differs says enough; nothing needs to be read.
        let same_size = |(target, _, stamp): &Pair| target.content.size() == stamp.size;
        let unknown =
            pairs.iter().zip(&recalled).filter(|(pair, r)| r.is_none() && same_size(pair));
        let unknown: Vec<_> =
            unknown.map(|((_, path, stamp), _)| ((*path).clone(), *stamp)).collect();
        let knowledge = Knowledge::new(Vec::new(), self.began);
        let mut read = knowledge.identify(self.door, &unknown, task, job)?.into_iter();
        for (pair, recalled) in pairs.iter().zip(recalled) {
            let (target, path, stamp) = pair;
            let fresh = if recalled.is_none() && same_size(pair) { read.next() } else { None };
            let oid = fresh.map(|c| c.oid).or(recalled.map(|entry| entry.oid));
            let executable = target.kind == EntryKind::Executable;
            let right =
                same_size(pair) && oid == Some(target.oid()) && stamp.is_executable() == executable;
            if !right {
                out.enter(path, "modified", self.item);
            }
            if let Some(content) = fresh {
                let entry =
                    knowledge.entry(&Content { known: self.known(target, right), ..content });
                let tree = if right { target.tree() } else { None };
                let entry = entry.map(|e| StatEntry { tree, ..e });
                out.learned.push((path.as_bytes().to_vec(), entry));
            }
        }
        Ok(())
    }

    /// Says what is known of a file that was read: only what this machine or its remote surely holds may be
    /// overwritten later.
    fn known(&self, target: &Target, right: bool) -> Known {
        let held = match target.tree() {
            Some((_, root)) => self.view.find(&root.0).is_some(),
            None => self.view.find(&target.oid().0).is_some(),
        };
        if right && held { Known::Stored } else { Known::Hashed }
    }

    /// Returns for each file what the stat cache says, if the stamp is still that of its entry.
    fn recall(&self, pairs: &[Pair]) -> Result<Vec<Option<StatEntry>>, OpError> {
        let mut out = vec![None; pairs.len()];
        let ([(_, first, _), .., (_, last, _)] | [(_, first @ last, _)]) = pairs else {
            return Ok(out);
        };
        let mut waiting = pairs.iter().zip(&mut out).peekable();
        self.stat.each_between(first.as_bytes(), last.as_bytes(), |path, entry| {
            while waiting.next_if(|((_, next, _), _)| next.as_bytes() < path).is_some() {}
            let same = waiting.next_if(|((_, next, _), _)| next.as_bytes() == path);
            if let Some(((_, _, stamp), slot)) = same {
                *slot = Some(entry).filter(|entry| vouches(entry, stamp));
            }
        })?;
        Ok(out)
    }
}
