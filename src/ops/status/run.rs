//! Walking what is tracked and what stands there side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Held, IndexReader, ObjectReader, StatEntry};
use crate::fs::{FileKind, Time};
use crate::git::Content as GitContent;
use crate::ops::checkout::{Packed, Target, is_unfilled, packed_targets, unset};
use crate::ops::chosen::{Candidate, Chosen, candidates};
use crate::ops::error::OpError;
use crate::ops::linked::note_standing_links;
use crate::ops::select::Select;
use crate::ops::selection::Selection;
use crate::ops::status::compare::{Against, Compared};
use crate::ops::status::report::{PointerRow, StatusEntry, StatusOptions, StatusReport};
use crate::path::{RepoPath, json_path};
use crate::pointer::{PointerError, PointerKind};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::transfer::{Filter, Root};
use crate::worktree::{Found, Kept, Scan, Tracked, TrackedState, Tracking, What, look};

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
        let is_dir = matches!(item.pointer.kind(), PointerKind::Dir { .. });
        let listed = is_dir && stamp.kind == FileKind::Directory;
        let root = Root::of(&item.pointer).id();
        let here = root.is_none_or(|id| self.view.find_held(&id).is_some());
        let mut want = || packed_targets(item, &mut reader);
        let scan = |kept: &Kept| look(self.repo.door(), &item.path, kept, job);
        let (targets, scanned) = if listed && here {
            let (targets, scanned) = rayon::join(want, || scan(&Kept::default()));
            (targets, Some(scanned))
        } else {
            (want(), None)
        };
        let Some(targets) = targets? else {
            job.check()?;
            self.entry(&item.path, "unknown", &item.path);
            return Ok(());
        };
        let found = match scanned {
            None if !is_dir && stamp.kind == FileKind::File => {
                let found = vec![Found { path: item.path.clone(), what: What::File(stamp) }];
                Scan { found, ..Scan::default() }
            }
            None if !listed => {
                self.entry(&item.path, "type-changed", &item.path);
                return Ok(());
            }
            None => scan(&Kept::default())?,
            Some(scanned) => scanned?,
        };
        let found = if found.excluded.is_empty() { found } else { scan(&kept(&targets)?)? };
        self.against(item, (targets, found), job)
    }

    /// Compares what is to stand below a path with what was found there.
    fn against(
        &mut self,
        item: &Chosen,
        (targets, scan): (Packed<Target>, Scan),
        job: &Job,
    ) -> Result<(), OpError> {
        let Scan { found, refused, dangling, links, .. } = scan;
        let refused = refused.into_iter().map(|(path, _)| path).collect();
        let replaced = self.strange(item, &targets, (refused, dangling))?;
        self.links.extend(links);
        let task = job.begin(Kind::Scan, None);
        let (door, stat, began) = (self.repo.door(), self.repo.stat()?, self.began);
        let (view, found, replaced) = (&self.view, &found, &replaced);
        let against = Against { door, stat, began, view, item, found, replaced };
        let Compared { entries, learned, files } = against.all(&targets, (&task, job))?;
        self.report.entries.extend(entries);
        self.learned.extend(learned);
        self.report.files += files;
        Ok(())
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
}
