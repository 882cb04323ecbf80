//! A path that moves out of a tracked folder, into one, or from one to another. The new pointer is written
//! before anything leaves the old one.

use crate::cache::Index;
use crate::hash::NodeId;
use crate::manifest::{Content, EntryKind, FileEntry, MAX_INLINE};
use crate::ops::add::ignore_lines;
use crate::ops::checkout::{Notes, remove_empty, rename_data};
use crate::ops::error::OpError;
use crate::ops::fetch::{bring_content, bring_trees};
use crate::ops::inside::{Change, Folder, change, look, write_nodes, write_pointer};
use crate::ops::mv::parts::{Own, Part, are_same, at, below, entries_of, inlined, store};
use crate::ops::mv::place::Before;
use crate::ops::mv::plan::there_already;
use crate::ops::mv::run::{make_parent, stage_early};
use crate::ops::provenance::{FROM, warn_of_part};
use crate::ops::tracked::{Outer, remove_file, take_out};
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter, Root, Wanted};

/// What moves across the border of a tracked folder.
pub(super) struct Crossing {
    source: Source,
    goal: Goal,
}

/// What it was.
enum Source {
    Part(Outer),
    Own(Pointer),
}

/// What it becomes.
enum Goal {
    Own(Own),
    Part(Inner),
}

impl Goal {
    /// The path whose pointer names it afterwards.
    fn holder<'p>(&'p self, new: &'p RepoPath) -> &'p RepoPath {
        match self {
            Self::Own(_) => new,
            Self::Part(inner) => &inner.path,
        }
    }
}

/// The tracked folder that takes it in.
struct Inner {
    path: RepoPath,
    pointer: Pointer,
    rest: Vec<u8>,
    entries: Vec<FileEntry>,
    visited: Vec<NodeId>,
}

impl Crossing {
    /// Out of a tracked folder, with a pointer of its own.
    pub(super) fn out(outer: Outer, own: Own) -> Self {
        Self { source: Source::Part(outer), goal: Goal::Own(own) }
    }

    /// What has to be known of content before the move.
    fn wanted(&self, old: &RepoPath) -> Wanted {
        match &self.source {
            Source::Own(pointer) => {
                let (path, root) = (old.as_bytes().to_vec(), Root::of(pointer));
                Wanted { path, root, filter: Filter::All }
            }
            Source::Part(outer) => {
                let filter = Filter::Some(vec![Choice::Under(outer.rest.clone())]);
                let (path, root) = (outer.path.as_bytes().to_vec(), Root::of(&outer.pointer));
                Wanted { path, root, filter }
            }
        }
    }

    /// The entry of a single file, where no manifest says afterwards, or before, where its content lies.
    fn single(&self) -> Option<&FileEntry> {
        let entries = match (&self.source, &self.goal) {
            (Source::Part(outer), Goal::Own(_)) => {
                return outer.entries.first().filter(|entry| entry.path == outer.rest);
            }
            (Source::Own(_), Goal::Part(inner)) => &inner.entries,
            (Source::Part(_), Goal::Part(_)) | (Source::Own(_), Goal::Own(_)) => return None,
        };
        let dir =
            matches!(&self.source, Source::Own(p) if matches!(p.kind(), PointerKind::Dir { .. }));
        entries.first().filter(|_| !dir)
    }

    /// Fetches what the move needs and this machine has not: of a single file its recipe, or its chunk if
    /// it is one only, as the next push has to know where these lie.
    fn bring(&self, repo: &Repo, old: &RepoPath, job: &Job) -> Result<(), OpError> {
        let Some(entry) = self.single() else { return Ok(()) };
        let known = |index: &Index, id: &[u8; 32]| index.reader().map(|v| v.find(id).is_some());
        match &entry.content {
            Content::Inline(_) => Ok(()),
            Content::Tree { root, .. } if known(repo.index()?, &root.0)? => Ok(()),
            Content::Tree { .. } => bring_trees(repo, &[self.wanted(old)], job),
            Content::Chunk { oid, size } => {
                let few = usize::try_from(*size).is_ok_and(|size| size <= MAX_INLINE);
                if few || !known(repo.index()?, &oid.0)? {
                    return bring_content(repo, vec![self.wanted(old)], job);
                }
                Ok(())
            }
        }
    }
}

/// Plans a move into a tracked folder, and says whether there is data to be moved.
pub(super) fn into(
    repo: &Repo,
    (outer, pointer): (Option<Outer>, &[u8]),
    folder: Folder<'_>,
    (old, new): (&RepoPath, &RepoPath),
    job: &Job,
) -> Result<(Crossing, bool), OpError> {
    let (from, to) = (show(old.as_bytes()), show(new.as_bytes()));
    let top = show(folder.path.as_bytes());
    let refused = |why: String, next: &str| {
        Err(OpError::refused(format!("cannot move `{from}` to `{to}`: {why}"), next))
    };
    if matches!(folder.pointer.kind(), PointerKind::File { .. }) {
        if new == folder.path {
            return Err(there_already(new));
        }
        return refused(format!("the tracked `{top}` is a file"), "choose another name");
    }
    let rest = at(folder.path, new)?;
    let (source, Part { entries, visited }) = if let Some(outer) = outer {
        let entries = below(&outer.entries, &outer.rest, b"");
        let visited = outer.visited.clone();
        (Source::Part(outer), Part { entries, visited })
    } else {
        let pointer = Pointer::parse(pointer)
            .map_err(|e| OpError::Defect(format!("a sound pointer is none: {e}")))?;
        if let Some(url) = pointer.extra().get(FROM) {
            warn_of_part(old, url, job);
        }
        let part = entries_of(repo, Folder { path: old, pointer: &pointer }, job)?;
        (Source::Own(pointer), part)
    };
    let entries = below(&entries, b"", &rest);
    let there = look(repo, folder, std::slice::from_ref(&rest), job)?;
    // What an earlier run has put there is no obstacle.
    let begun = are_same(&there.entries, &entries);
    let file = |entry: &FileEntry| entry.kind != EntryKind::EmptyDir;
    if !begun && !there.entries.is_empty() || there.above.iter().any(file) {
        return refused(
            format!("the tracked `{top}` has something there already"),
            "choose another name, or remove what is there with `haul rm`",
        );
    }
    let data = repo.door().has(old)?;
    if data && repo.door().has(new)? {
        return refused(
            "there is something already".to_owned(),
            "choose another name, or move away what is there",
        );
    }
    let (path, pointer) = (folder.path.clone(), folder.pointer.clone());
    let goal = Goal::Part(Inner { path, pointer, rest, entries, visited });
    Ok((Crossing { source, goal }, data))
}

/// Moves it: nodes, the new pointer, the data, the old pointer. Git knows of each before the next goes.
pub(super) fn run(
    repo: &Repo,
    crossing: Crossing,
    (old, new): (&RepoPath, &RepoPath),
    data: bool,
    job: &Job,
) -> Result<(), OpError> {
    crossing.bring(repo, old, job)?;
    let Crossing { source, goal } = crossing;
    let left = match &source {
        Source::Part(outer) => Some(take_out(repo, &[outer], job)?),
        Source::Own(_) => None,
    };
    let visited = match &source {
        Source::Part(outer) => outer.visited.as_slice(),
        Source::Own(_) => &[],
    };
    let mut notes = Notes::default();
    let (mut ignored, mut seen) = (Vec::new(), Vec::new());
    let own_bytes;
    let before = Before::look(repo, goal.holder(new))?;
    let written = match goal {
        Goal::Own(own) => {
            write_nodes(repo, &own.nodes, visited)?;
            own.chunk.map_or(Ok(()), |bytes| store(repo, &bytes))?;
            own_bytes = own.pointer.to_bytes();
            make_parent(repo, new)?;
            let pointer = new.pointer_path()?;
            repo.door().write_durably(&pointer, &own_bytes)?;
            ignored.push(new);
            seen.push((new.as_bytes(), Some(own_bytes.as_slice())));
            pointer
        }
        Goal::Part(inner) => take_in(repo, inner, job)?,
    };
    if data {
        before.rename(repo, (old, new), || rename_data(repo, (old, new), &mut notes))?;
        // A tracked folder stays, be it empty.
        if let Source::Part(outer) = &source {
            repo.door().root().descend_or_make(outer.path.as_bytes())?;
        }
    }
    let mut unignored = Vec::new();
    if matches!(source, Source::Own(_)) {
        unignored.push(old);
        seen.push((old.as_bytes(), None));
    }
    ignore_lines(repo, &ignored, &unignored)?;
    stage_early(repo, &written)?;
    let changed = match (&source, left) {
        (Source::Part(outer), Some(kind)) => write_pointer(repo, outer.folder(), kind, job)?,
        (Source::Part(_) | Source::Own(_), _) => {
            let pointer = old.pointer_path()?;
            remove_file(repo, &pointer)?;
            remove_empty(repo, old.parent().into_iter().collect(), |_| true)?;
            pointer
        }
    };
    repo.door().root().sync()?;
    notes.save(repo, &seen)?;
    Ok(repo.git().stage(&[written.as_bytes(), changed.as_bytes()])?)
}

/// Puts entries into the manifest of the folder; returns its pointer's path.
fn take_in(repo: &Repo, mut inner: Inner, job: &Job) -> Result<RepoPath, OpError> {
    inlined(repo, &mut inner.entries)?;
    let folder = Folder { path: &inner.path, pointer: &inner.pointer };
    let paths = std::slice::from_ref(&inner.rest);
    let wanted = Change { paths, puts: &inner.entries, visited: &inner.visited };
    let kind = change(repo, folder, wanted, job)?;
    write_pointer(repo, folder, kind, job)
}
