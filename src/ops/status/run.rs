//! `haul status`: tracked data against pointers, pointers against `HEAD`, and what was not pushed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use serde::Serialize;

use crate::cache::{Held, IndexReader, Known, ObjectReader, StatEntry};
use crate::fs::{FileKind, Stamp, Time};
use crate::git::Content as GitContent;
use crate::manifest::EntryKind;
use crate::ops::checkout::{Target, is_unfilled, targets, unset};
use crate::ops::chosen::{Candidate, Chosen, candidates};
use crate::ops::error::OpError;
use crate::ops::linked::note_standing_links;
use crate::ops::select::Select;
use crate::ops::selection::Selection;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::pointer::PointerError;
use crate::progress::{Job, Kind, Task};
use crate::repo::Repo;
use crate::transfer::{Filter, Root};
use crate::worktree::{
    Content, Found, Kept, Knowledge, Scan, Tracked, TrackedState, Tracking, What, look,
};

/// Files that are compared together: what is known of them is not known of all at once.
const TOGETHER: usize = 16 << 10;

/// What is to stand at a path, the path, and the stamp of the file that stands there.
type Pair<'a> = (&'a Target, &'a RepoPath, Stamp);

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct StatusOptions {
    /// Paths or globs, relative to the current folder; everything if empty.
    pub paths: Vec<OsString>,
}

/// A path that is not as its pointer says.
#[derive(Clone, Debug, Serialize)]
pub struct StatusEntry {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `modified`, `missing`, `untracked` (inside a tracked folder), `type-changed`, `unknown` (the
    /// tree is not on this machine), `untrackable` (a special file, a refused name or a pointer
    /// inside a tracked folder, or a pointer of a refused name), `conflict`,
    /// `pointer-damaged`, `pointer-missing`, or `pointer-text`
    /// (stands where Git's filter is to put content).
    pub state: &'static str,
    /// The tracked path it belongs to.
    pub pointer: JsonPath,
}

/// A tracked path.
#[derive(Clone, Debug, Serialize)]
pub struct PointerRow {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The pointer against the one in `HEAD`: `same`, `new` or `changed`.
    pub against_head: &'static str,
    /// Whether its content was pushed: `yes`, `no`, or `unknown` (not from this machine).
    pub pushed: &'static str,
}

/// How the worktree stands.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// Paths that are not as their pointers say, in order.
    pub entries: Vec<StatusEntry>,
    /// Tracked paths, in order.
    pub pointers: Vec<PointerRow>,
    /// Whether all data is as the pointers say.
    pub clean: bool,
    /// Files looked at.
    pub files: u64,
    /// Their bytes, as the pointers say.
    pub bytes: u64,
}

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

impl<'r> Look<'r> {
    fn new(repo: &'r Repo, head: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Self, OpError> {
        let (began, view) = (repo.door().now_if_writable()?, repo.index()?.reader()?);
        let (entries, pointers) = (Vec::new(), Vec::new());
        let report = StatusReport { entries, pointers, clean: true, files: 0, bytes: 0 };
        Ok(Self { repo, began, view, head, report, learned: Vec::new(), links: Vec::new() })
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
        let Some(mut targets) = targets(item, &mut reader)? else {
            self.entry(&item.path, "unknown", &item.path);
            return Ok(());
        };
        let is_dir = matches!(item.pointer.kind(), crate::pointer::PointerKind::Dir { .. });
        let scan = match (is_dir, stamp.kind) {
            (true, FileKind::Directory) => {
                let scan = look(self.repo.door(), &item.path, &Kept::default(), job)?;
                if scan.excluded.is_empty() {
                    scan
                } else {
                    let kept = Kept::new(targets.iter().map(|t| t.path.as_bytes().to_vec()));
                    look(self.repo.door(), &item.path, &kept, job)?
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
        if is_dir {
            // A tracked folder that is empty wants itself, which was just looked at.
            targets.retain(|target| target.path != item.path);
        }
        self.report.files += targets.len() as u64;
        let mut refused: BTreeSet<Vec<u8>> =
            scan.refused.into_iter().map(|(path, _)| path).collect();
        // What stands in place of a file is another kind of it, not a missing file and one too many.
        targets.retain(|target| {
            let replaced = refused.remove(target.path.as_bytes());
            if replaced {
                self.entry(&target.path, "type-changed", &item.path);
            }
            !replaced
        });
        // A link that leads nowhere is a missing file where one is wanted.
        let wanted = |path: &RepoPath| targets.binary_search_by(|t| t.path.cmp(path)).is_ok();
        let stray = scan.dangling.iter().filter(|path| !wanted(path));
        refused.extend(stray.map(|path| path.as_bytes().to_vec()));
        for path in &refused {
            self.untrackable(item, path);
        }
        self.links.extend(scan.links);
        self.join(item, &targets, &scan.found, job)
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
        targets: &[Target],
        found: &[Found],
        job: &Job,
    ) -> Result<(), OpError> {
        let task = job.begin(Kind::Scan, None);
        let mut pairs: Vec<Pair> = Vec::new();
        let mut there = found.iter().peekable();
        for target in targets {
            while let Some(extra) = there.next_if(|f| f.path < target.path) {
                self.untracked(item, extra);
            }
            let Some(same) = there.next_if(|f| f.path == target.path) else {
                // An empty folder that now holds files is no longer listed as one.
                let filled = target.kind == EntryKind::EmptyDir
                    && there.peek().is_some_and(|f| f.path.starts_with_dir(&target.path));
                if !filled {
                    self.entry(&target.path, "missing", &item.path);
                }
                continue;
            };
            match (&same.what, target.kind) {
                (What::File(stamp), EntryKind::File | EntryKind::Executable) => {
                    pairs.push((target, &same.path, *stamp));
                    if pairs.len() == TOGETHER {
                        self.compare(item, &pairs, (&task, job))?;
                        pairs.clear();
                    }
                }
                (What::Symlink(to), EntryKind::Symlink) => {
                    if crate::hash::Oid::of(to) != target.oid() {
                        self.entry(&target.path, "modified", &item.path);
                    }
                }
                (What::EmptyFolder, EntryKind::EmptyDir) => {}
                _ => self.entry(&target.path, "type-changed", &item.path),
            }
        }
        for extra in there {
            self.untracked(item, extra);
        }
        self.compare(item, &pairs, (&task, job))
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
