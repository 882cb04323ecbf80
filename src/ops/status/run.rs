//! Walking what is tracked and what stands there side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Held, IndexReader, Known, ObjectReader, StatEntry};
use crate::fs::{FileKind, Stamp, Time};
use crate::git::Content as GitContent;
use crate::hash::Oid;
use crate::manifest::EntryKind;
use crate::ops::checkout::{Packed, Target, is_unfilled, packed_targets, unset};
use crate::ops::chosen::{Candidate, Chosen, candidates};
use crate::ops::error::OpError;
use crate::ops::linked::note_standing_links;
use crate::ops::select::Select;
use crate::ops::selection::Selection;
use crate::ops::status::report::{PointerRow, StatusEntry, StatusOptions, StatusReport};
use crate::path::{RepoPath, json_path};
use crate::pointer::{PointerError, PointerKind};
use crate::progress::{Job, Kind, Task};
use crate::repo::Repo;
use crate::transfer::{Filter, Root};
use crate::worktree::{
    Content, Found, Kept, Knowledge, Scan, Tracked, TrackedState, Tracking, What, look,
};

/// What is to stand at a path, the path, and the stamp of the file that stands there.
type Pair<'a> = (&'a Target, &'a RepoPath, Stamp);

struct Look<'r> {
    repo: &'r Repo,
    began: Time,
    view: IndexReader,
    head: BTreeMap<Vec<u8>, Vec<u8>>,
    report: StatusReport,
    learned: Vec<(Vec<u8>, Option<StatEntry>)>,
    links: Vec<RepoPath>,
}

/// Compares by stamps; reads only files that the stat cache cannot vouch for.
pub fn run(repo: &Repo, options: &StatusOptions, job: &Job) -> Result<StatusReport, OpError> {
    let mut selection = Selection::new(repo, &options.paths)?;
    let mut look = Look::new(repo, at_head(repo)?)?;
    let (tracked, refused) = candidates(repo, &Select::default())?;
    for pointer in refused.iter().filter(|refused| selection.may_mean(&refused.pointer)) {
        let path = json_path(&pointer.pointer);
        let entry = StatusEntry { path: path.clone(), state: "untrackable", pointer: path };
        look.report.entries.push(entry);
    }
    let mut unfilled = Vec::new();
    for Candidate { path, by, state } in tracked {
        job.check()?;
        let Some(filter) = selection.filter(&path) else { continue };
        match state {
            TrackedState::Missing => look.entry(&path, "pointer-missing", &path),
            TrackedState::Unsound(PointerError::Conflict { .. }) => {
                look.entry(&path, "conflict", &path);
            }
            TrackedState::Unsound(_) => look.entry(&path, "pointer-damaged", &path),
            TrackedState::Sound(pointer, bytes) => {
                let chosen = Chosen { path, by, pointer, bytes, filter };
                look.pointer(&chosen)?;
                match by {
                    Tracking::Beside => look.data(&chosen, job)?,
                    Tracking::InPlace if is_unfilled(repo, &chosen.path, &chosen.bytes)? => {
                        look.entry(&chosen.path, "pointer-text", &chosen.path);
                        unfilled.push(chosen.path);
                    }
                    // What changed in it is for `git status`.
                    Tracking::InPlace => {}
                }
            }
        }
    }
    selection.check_used()?;
    if let Some(first) = unfilled.first()
        && repo.git().filter()?.is_none()
    {
        job.warn(&unset(first, unfilled.len()));
    }
    look.remember()?;
    let links = look.links.iter().map(RepoPath::as_bytes);
    note_standing_links(repo, links, job);
    look.sort();
    look.report.clean = look.report.entries.is_empty();
    Ok(look.report)
}

/// Lists the data of these paths that is not as their pointers say, and nothing else of [`run`].
pub(crate) fn data(
    repo: &Repo,
    tracked: &[Tracked],
    job: &Job,
) -> Result<Vec<StatusEntry>, OpError> {
    let mut look = Look::new(repo, BTreeMap::new())?;
    for item in tracked {
        job.check()?;
        let TrackedState::Sound(pointer, bytes) = &item.state else { continue };
        let chosen = Chosen {
            path: item.path.clone(),
            by: Tracking::Beside,
            pointer: pointer.clone(),
            bytes: bytes.clone(),
            filter: Filter::All,
        };
        look.data(&chosen, job)?;
    }
    look.remember()?;
    look.sort();
    Ok(look.report.entries)
}

fn at_head(repo: &Repo) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, OpError> {
    if repo.git().head()?.is_none() {
        return Ok(BTreeMap::new());
    }
    let found = repo.git().pointers_at("HEAD")?.into_iter();
    Ok(found
        .filter_map(|pointer| match pointer.content {
            GitContent::Whole(bytes) => Some((pointer.path, bytes)),
            GitContent::TooLarge(_) => None,
        })
        .collect())
}

/// What is to be looked at though ignore files exclude it.
fn kept(targets: &Packed<Target>) -> Result<Kept, OpError> {
    let mut paths = Vec::with_capacity(targets.len());
    for window in targets.windows() {
        paths.extend(window?.iter().map(|target| target.path.as_bytes().to_vec()));
    }
    Ok(Kept::new(paths))
}

impl<'r> Look<'r> {
    fn new(repo: &'r Repo, head: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Self, OpError> {
        let (began, view) = (repo.door().now_if_writable()?, repo.index()?.reader()?);
        let (entries, pointers) = (Vec::new(), Vec::new());
        let report = StatusReport { entries, pointers, clean: true, files: 0, bytes: 0 };
        Ok(Self { repo, began, view, head, report, learned: Vec::new(), links: Vec::new() })
    }

    fn sort(&mut self) {
        self.report.entries.sort_by(|a, b| a.path.path.cmp(&b.path.path));
    }

    /// Lets the stat cache know what was read, so that the next look need not.
    fn remember(&self) -> Result<(), OpError> {
        if !self.learned.is_empty() {
            let files = self.learned.iter().map(|(path, entry)| (path.as_slice(), *entry));
            self.repo.stat()?.save(files, [])?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &RepoPath, state: &'static str, pointer: &RepoPath) {
        let (path, pointer) = (json_path(path.as_bytes()), json_path(pointer.as_bytes()));
        self.report.entries.push(StatusEntry { path, state, pointer });
    }

    fn pointer(&mut self, item: &Chosen) -> Result<(), OpError> {
        let against_head = match self.head.get(item.by.pointer_path(&item.path)?.as_bytes()) {
            None => "new",
            Some(bytes) if *bytes == item.bytes => "same",
            Some(_) => "changed",
        };
        let root = Root::of(&item.pointer).id();
        let place = root.and_then(|id| self.view.find(&id));
        let held = place.and_then(|place| self.view.pack(place.pack)).map(|state| state.held);
        let pushed = match held {
            Some(Held::Unpushed) => "no",
            Some(Held::Whole | Held::Part | Held::Gone) => "yes",
            // Empty content needs no remote.
            None if root.is_none() => "yes",
            None => "unknown",
        };
        let path = json_path(item.path.as_bytes());
        self.report.pointers.push(PointerRow { path, against_head, pushed });
        Ok(())
    }

    fn data(&mut self, item: &Chosen, job: &Job) -> Result<(), OpError> {
        self.report.bytes = self.report.bytes.saturating_add(item.pointer.size());
        let stamp = self.repo.door().stamp(&item.path)?;
        let Some(stamp) = stamp else {
            self.entry(&item.path, "missing", &item.path);
            return Ok(());
        };
        let mut reader = ObjectReader::new(self.repo.layout(), self.repo.index()?)?;
        let Some(targets) = packed_targets(item, &mut reader)? else {
            self.entry(&item.path, "unknown", &item.path);
            return Ok(());
        };
        let is_dir = matches!(item.pointer.kind(), PointerKind::Dir { .. });
        let scan = match (is_dir, stamp.kind) {
            (true, FileKind::Directory) => {
                let scan = look(self.repo.door(), &item.path, &Kept::default(), job)?;
                if scan.excluded.is_empty() {
                    scan
                } else {
                    look(self.repo.door(), &item.path, &kept(&targets)?, job)?
                }
            }
            (false, FileKind::File) => {
                let found = vec![Found { path: item.path.clone(), what: What::File(stamp) }];
                Scan { found, ..Scan::default() }
            }
            _ => {
                self.entry(&item.path, "type-changed", &item.path);
                return Ok(());
            }
        };
        let Scan { found, refused, dangling, links, .. } = scan;
        let refused = refused.into_iter().map(|(path, _)| path).collect();
        let replaced = self.strange(item, &targets, (refused, dangling))?;
        self.links.extend(links);
        self.join(item, &targets, (&found, &replaced), job)
    }

    /// Lists what cannot be tracked; returns what of it stands where a file is wanted, which is another kind of
    /// that file, not a missing file and one too many.
    fn strange(
        &mut self,
        item: &Chosen,
        targets: &Packed<Target>,
        (mut refused, dangling): (BTreeSet<Vec<u8>>, Vec<RepoPath>),
    ) -> Result<BTreeSet<Vec<u8>>, OpError> {
        let mut replaced = BTreeSet::new();
        if refused.is_empty() && dangling.is_empty() {
            return Ok(replaced);
        }
        // A link that leads nowhere is a missing file where one is wanted.
        let mut stray: BTreeSet<RepoPath> = dangling.into_iter().collect();
        for window in targets.windows() {
            for target in window? {
                stray.remove(&target.path);
                replaced.extend(refused.take(target.path.as_bytes()));
            }
        }
        refused.extend(stray.iter().map(|path| path.as_bytes().to_vec()));
        for path in &refused {
            self.untrackable(item, path);
        }
        Ok(replaced)
    }

    /// Lists what `add` would refuse in a tracked folder; its path may be none that haul knows.
    fn untrackable(&mut self, item: &Chosen, path: &[u8]) {
        let relative = path.get(item.path.as_bytes().len() + 1..).unwrap_or_default();
        if matches!(item.filter, Filter::All) || item.filter.matches(relative) {
            let (path, pointer) = (json_path(path), json_path(item.path.as_bytes()));
            self.report.entries.push(StatusEntry { path, state: "untrackable", pointer });
        }
    }

    /// Walks both sorted lists side by side.
    fn join(
        &mut self,
        item: &Chosen,
        targets: &Packed<Target>,
        (found, replaced): (&[Found], &BTreeSet<Vec<u8>>),
        job: &Job,
    ) -> Result<(), OpError> {
        let task = job.begin(Kind::Scan, None);
        let is_dir = matches!(item.pointer.kind(), PointerKind::Dir { .. });
        let mut there = found.iter().peekable();
        for window in targets.windows() {
            let mut window = window?;
            // A tracked folder that is empty wants itself, which was just looked at.
            window.retain(|target| !is_dir || target.path != item.path);
            self.report.files += window.len() as u64;
            let mut pairs: Vec<Pair> = Vec::new();
            for target in &window {
                if replaced.contains(target.path.as_bytes()) {
                    self.entry(&target.path, "type-changed", &item.path);
                    continue;
                }
                while let Some(extra) = there.next_if(|f| f.path < target.path) {
                    self.untracked(item, extra);
                }
                let same = there.next_if(|f| f.path == target.path);
                // An empty folder that now holds files is no longer listed as one.
                let filled = target.kind == EntryKind::EmptyDir
                    && there.peek().is_some_and(|f| f.path.starts_with_dir(&target.path));
                match same {
                    Some(same) => pairs.extend(self.pair(item, target, same)),
                    None if filled => {}
                    None => self.entry(&target.path, "missing", &item.path),
                }
            }
            self.compare(item, &pairs, (&task, job))?;
        }
        for extra in there {
            self.untracked(item, extra);
        }
        Ok(())
    }

    /// Compares kinds and targets of links; returns files, whose content is to be compared.
    fn pair<'a>(&mut self, item: &Chosen, target: &'a Target, same: &'a Found) -> Option<Pair<'a>> {
        match (&same.what, target.kind) {
            (What::File(stamp), EntryKind::File | EntryKind::Executable) => {
                return Some((target, &same.path, *stamp));
            }
            (What::Symlink(to), EntryKind::Symlink) => {
                if Oid::of(to) != target.oid() {
                    self.entry(&target.path, "modified", &item.path);
                }
            }
            (What::EmptyFolder, EntryKind::EmptyDir) => {}
            _ => self.entry(&target.path, "type-changed", &item.path),
        }
        None
    }

    fn untracked(&mut self, item: &Chosen, found: &Found) {
        let relative = found.path.relative_to(&item.path);
        let wanted = matches!(item.filter, Filter::All)
            || relative.is_some_and(|rest| item.filter.matches(rest.as_bytes()));
        if wanted {
            self.entry(&found.path, "untracked", &item.path);
        }
    }

    fn compare(
        &mut self,
        item: &Chosen,
        pairs: &[Pair],
        (task, job): (&Task, &Job),
    ) -> Result<(), OpError> {
        let ([(_, first, _), .., (_, last, _)] | [(_, first @ last, _)]) = pairs else {
            return Ok(());
        };
        let entries = self.repo.stat()?.between(first.as_bytes(), last.as_bytes())?;
        let knowledge = Knowledge::new(entries, self.began);
        // A size that differs says enough; nothing needs to be read.
        let same_size = |(t, _, s): &&Pair| t.content.size() == s.size;
        let files = pairs.iter().filter(same_size);
        let files: Vec<_> = files.map(|(_, path, stamp)| ((*path).clone(), *stamp)).collect();
        let mut contents = knowledge.identify(self.repo.door(), &files, task, job)?.into_iter();
        for pair in pairs {
            let (target, path, stamp) = pair;
            let content = if same_size(&pair) { contents.next() } else { None };
            let executable = target.kind == EntryKind::Executable;
            let right = content.is_some_and(|c| c.oid == target.oid())
                && stamp.is_executable() == executable;
            if !right {
                self.entry(path, "modified", &item.path);
            }
            if let Some(content) = content
                && knowledge.recall(path, stamp).is_none()
            {
                // Only what this machine or its remote surely holds may be overwritten later.
                let held = match target.tree() {
                    Some((_, root)) => self.view.find(&root.0).is_some(),
                    None => self.view.find(&target.oid().0).is_some(),
                };
                let known = if right && held { Known::Stored } else { Known::Hashed };
                let entry = knowledge.entry(&Content { known, ..content });
                let tree = if right { target.tree() } else { None };
                let entry = entry.map(|e| StatEntry { tree, ..e });
                self.learned.push((path.as_bytes().to_vec(), entry));
            }
        }
        Ok(())
    }
}
