//! Tracked paths that are named one by one, and letting go of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::cache::list_files;
use crate::fs::FileKind;
use crate::hash::NodeId;
use crate::manifest::{EntryKind, FileEntry};
use crate::ops::add::ignore_lines;
use crate::ops::checkout::begun_key;
use crate::ops::chosen::unsound;
use crate::ops::error::OpError;
use crate::ops::inside::{Change, Folder, Present, change, look};
use crate::ops::select::{meant, resolve};
use crate::path::{RepoPath, in_shell, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{
    Parent, Tracked, TrackedState, Tracking, load_in_place, load_tracked, make_own,
};

/// A tracked path or one inside a tracked folder, and the pointer if there is one that can be read.
pub(crate) struct Named {
    pub(crate) path: RepoPath,
    pub(crate) pointer: Option<Vec<u8>>,
    /// The tracked folder that the path lies in.
    pub(crate) inside: Option<Outer>,
}

/// Returns how many files the paths have and their bytes, as their pointers say.
pub(crate) fn figures(named: &[Named]) -> (u64, u64) {
    let own = named.iter().map(Named::figures);
    own.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1.saturating_add(own.1)))
}

impl Named {
    /// Says what it is.
    pub(crate) fn kind(&self) -> FileKind {
        let is_folder = if let Some(outer) = &self.inside {
            let own = outer.entries.iter().find(|entry| entry.path == outer.rest);
            own.is_none_or(|entry| entry.kind == EntryKind::EmptyDir)
        } else {
            let pointer = self.pointer.as_ref().and_then(|bytes| Pointer::parse(bytes).ok());
            pointer.is_some_and(|pointer| matches!(pointer.kind(), PointerKind::Dir { .. }))
        };
        if is_folder { FileKind::Directory } else { FileKind::File }
    }

    fn figures(&self) -> (u64, u64) {
        if let Some(outer) = &self.inside {
            let bytes = outer.entries.iter().map(|entry| entry.content.size());
            return (outer.entries.len() as u64, bytes.fold(0, u64::saturating_add));
        }
        let pointer = self.pointer.as_ref().and_then(|bytes| Pointer::parse(bytes).ok());
        pointer.map_or((0, 0), |pointer| pointer.figures())
    }
}

/// The tracked folder that a path lies in.
pub(crate) struct Outer {
    pub(crate) path: RepoPath,
    pub(crate) pointer: Pointer,
    /// The path in there.
    pub(crate) rest: Vec<u8>,
    /// What the folder has at or below that path.
    pub(crate) entries: Vec<FileEntry>,
    /// The nodes that say so.
    pub(crate) visited: Vec<NodeId>,
}

impl Outer {
    pub(crate) fn folder(&self) -> Folder<'_> {
        Folder { path: &self.path, pointer: &self.pointer }
    }
}

/// Finds tracked paths by their own names, or those of their pointers, and paths that tracked folders
/// have. Trees that are not on this machine are fetched for these.
pub(crate) fn named(repo: &Repo, words: &[OsString], job: &Job) -> Result<Vec<Named>, OpError> {
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let mut out: Vec<Named> = Vec::new();
    for word in words {
        let given = resolve(repo, word)?;
        let path = given.target_of_pointer().unwrap_or_else(|_| given.clone());
        let named = match tracked.iter().find(|item| item.path == path) {
            Some(found) => {
                let pointer = match &found.state {
                    TrackedState::Sound(_, bytes) => Some(bytes.clone()),
                    TrackedState::Missing | TrackedState::Unsound(_) => None,
                };
                Named { path, pointer, inside: None }
            }
            None => inside(repo, (word, &given), &tracked, job)?,
        };
        if out.iter().all(|other| other.path != named.path) {
            out.push(named);
        }
    }
    check_apart(&out)?;
    Ok(out)
}

/// Refuses a path and another inside it.
fn check_apart(named: &[Named]) -> Result<(), OpError> {
    let all: BTreeSet<&RepoPath> = named.iter().map(|item| &item.path).collect();
    for item in named {
        let mut above = std::iter::successors(item.path.parent(), RepoPath::parent);
        if let Some(outer) = above.find(|above| all.contains(above)) {
            let (inner, outer) = (show(item.path.as_bytes()), show(outer.as_bytes()));
            return Err(OpError::refused(
                format!("`{inner}` lies inside `{outer}`, and both are named"),
                "name the folder as a whole or its parts, not both",
            ));
        }
    }
    Ok(())
}

/// Finds a path in the tracked folder that it lies in.
fn inside(
    repo: &Repo,
    (word, path): (&OsString, &RepoPath),
    tracked: &[Tracked],
    job: &Job,
) -> Result<Named, OpError> {
    let outer = tracked.iter().find(|item| path.starts_with_dir(&item.path));
    let Some((outer, rest)) = outer.and_then(|o| Some((o, path.relative_to(&o.path)?))) else {
        let (in_place, _) = load_in_place(repo.git())?;
        return Err(unknown(word, path, (tracked, &in_place)));
    };
    let (pointer, bytes) = match &outer.state {
        TrackedState::Sound(pointer, bytes) => (pointer.clone(), bytes.clone()),
        TrackedState::Missing => return Err(lost_pointer(&outer.path)),
        TrackedState::Unsound(error) => return Err(unsound(&outer.path, Tracking::Beside, error)),
    };
    let rest = rest.as_bytes().to_vec();
    let folder = Folder { path: &outer.path, pointer: &pointer };
    let (entries, visited) = match pointer.kind() {
        PointerKind::Dir { .. } => {
            let Present { entries, visited, .. } =
                look(repo, folder, std::slice::from_ref(&rest), job)?;
            (entries, visited)
        }
        PointerKind::File { .. } => Default::default(),
    };
    if entries.is_empty() {
        let folder = in_shell(outer.path.as_bytes());
        let (word, outer) = (show(word.as_bytes()), show(outer.path.as_bytes()));
        return Err(OpError::refused(
            format!("`{word}` is not tracked: the tracked `{outer}` has nothing of that name"),
            format!("run `haul ls -r {folder}` to see what it has"),
        ));
    }
    let inside = Some(Outer { path: outer.path.clone(), pointer, rest, entries, visited });
    Ok(Named { path: path.clone(), pointer: Some(bytes), inside })
}

/// Says that there is no pointer to go by.
pub(crate) fn lost_pointer(path: &RepoPath) -> OpError {
    let pointer = [path.as_bytes(), b".haul"].concat();
    OpError::refused(
        format!("the pointer of `{}` is missing or damaged", show(path.as_bytes())),
        format!("restore it with `git checkout -- {}` first", in_shell(&pointer)),
    )
}

fn unknown(
    word: &OsString,
    path: &RepoPath,
    (tracked, in_place): (&[Tracked], &[Tracked]),
) -> OpError {
    let word = show(word.as_bytes());
    if tracked.iter().any(|item| item.path.starts_with_dir(path)) {
        return OpError::refused(
            format!("`{word}` is not tracked by itself: tracked paths lie inside"),
            "name these; `haul ls` lists them",
        );
    }
    if in_place.iter().any(|item| item.path == *path) {
        return OpError::refused(
            format!("`{word}` is tracked by a pattern: Git holds its pointer in its place"),
            "`haul track` lists the patterns for `haul untrack`; `git rm` and `git mv` work as on any \
             file of Git",
        );
    }
    OpError::refused(
        format!("`{word}` is not tracked"),
        meant(path, tracked.iter().map(|item| &item.path)).unwrap_or_else(|| {
            "run `haul ls` to see what is; files that Git tracks are for `git`".to_owned()
        }),
    )
}

/// The paths that lie in tracked folders, folder by folder.
pub(crate) fn by_folder(named: &[Named]) -> Vec<Vec<&Outer>> {
    let mut out: BTreeMap<&RepoPath, Vec<&Outer>> = BTreeMap::new();
    for outer in named.iter().filter_map(|item| item.inside.as_ref()) {
        out.entry(&outer.path).or_default().push(outer);
    }
    out.into_values().collect()
}

/// Takes paths out of the manifest of the tracked folder that they all lie in; the nodes are durable,
/// and no pointer names them yet.
pub(crate) fn take_out(repo: &Repo, paths: &[&Outer], job: &Job) -> Result<PointerKind, OpError> {
    let first = paths.first().ok_or_else(|| OpError::Defect("nothing was named".to_owned()))?;
    let rests: Vec<Vec<u8>> = paths.iter().map(|outer| outer.rest.clone()).collect();
    change(repo, first.folder(), Change { paths: &rests, puts: &[], visited: &[] }, job)
}

/// Takes away the pointers and ignore lines of paths, stages both, and forgets what was known of their
/// data. Nothing is done to the data. Running it again completes what was cut short.
pub(crate) fn let_go(repo: &Repo, paths: &[RepoPath]) -> Result<(), OpError> {
    if paths.is_empty() {
        return Ok(());
    }
    // First, so that no later checkout takes the data for what lost its pointer.
    forget(repo, paths)?;
    ignore_lines(repo, &[], &paths.iter().collect::<Vec<_>>())?;
    let mut pointers = Vec::new();
    for path in paths {
        let pointer = path.pointer_path()?;
        remove_file(repo, &pointer)?;
        pointers.push(pointer);
    }
    let keys: Vec<&[u8]> = pointers.iter().map(RepoPath::as_bytes).collect();
    Ok(repo.git().stage(&keys)?)
}

/// Removes a file of the worktree, if it is there.
pub(crate) fn remove_file(repo: &Repo, path: &RepoPath) -> Result<(), OpError> {
    let mut parent = Parent::default();
    if let Some(dir) = parent.of(repo.door(), path)?
        && dir.stamp(path.file_name())?.is_some()
    {
        dir.remove_file(path.file_name())?;
    }
    Ok(())
}

/// Forgets what was known of the data at paths.
pub(crate) fn forget(repo: &Repo, paths: &[RepoPath]) -> Result<(), OpError> {
    let (mut files, mut pointers) = (Vec::new(), Vec::new());
    for path in paths {
        files.extend(repo.stat()?.under(path.as_bytes())?.into_iter().map(|(path, _)| path));
        pointers.extend([path.as_bytes().to_vec(), begun_key(path.as_bytes())]);
    }
    let files = files.iter().map(|path| (path.as_slice(), None));
    Ok(repo.stat()?.save(files, pointers.iter().map(|path| (path.as_slice(), None)))?)
}

/// Makes files of their own, durably, of data that is links into the cache, or shares a file with it: the cache may let go of what
/// nobody tracks any more, and what Git holds is no link of this machine.
pub(crate) fn own_files<'p>(
    repo: &Repo,
    tops: impl IntoIterator<Item = &'p RepoPath>,
    job: &Job,
) -> Result<(), OpError> {
    let cached = list_files(&repo.layout().files_folder())?.into_iter();
    let shared = cached.filter(|(_, names)| *names > 1).map(|(file, _)| file.inode).collect();
    let mut copied = false;
    for top in tops {
        let mut parent = Parent::default();
        let Some(dir) = parent.of(repo.door(), top)? else { continue };
        copied |= make_own((dir, top.file_name()), &shared, job)
            .map_err(|source| OpError::Place { path: top.as_bytes().to_vec(), source })?;
    }
    if copied {
        repo.door().root().sync()?;
    }
    Ok(())
}
