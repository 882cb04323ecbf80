//! Files and folders that were tracked before: what new ones may be like.

use std::collections::{BTreeMap, BTreeSet};

use crate::chunk::Profile;
use crate::ops::add::alike::sibling_of;
use crate::ops::add::find::Target;
use crate::ops::add::previous::OldCut;
use crate::path::RepoPath;
use crate::pointer::PointerKind;
use crate::worktree::{Tracked, TrackedState};

/// A file of several chunks that a pointer or a manifest names.
#[derive(Clone, Debug)]
pub(super) struct OldFile {
    pub(super) path: RepoPath,
    /// The tracked folder that it is in; empty for a file that is tracked by itself.
    pub(super) top: Vec<u8>,
    pub(super) cut: OldCut,
    /// Whether the worktree has nothing at its path.
    pub(super) gone: bool,
    /// Whether the worktree has its bytes there, unless somebody changed it.
    pub(super) is_here: bool,
}

impl OldFile {
    /// Says nothing of the worktree yet.
    pub(super) fn new(path: RepoPath, top: Vec<u8>, cut: OldCut) -> Self {
        Self { path, top, cut, gone: false, is_here: false }
    }
}

/// Lists the files that are tracked by themselves and have several chunks.
pub(super) fn single_files(tracked: &[Tracked]) -> Vec<OldFile> {
    let old = |item: &Tracked| match item.pointer()?.kind() {
        PointerKind::File { size, root: Some(root), .. } => {
            let profile = Profile::by_name(&root.profile)?;
            let cut = OldCut { profile, root: root.id, size: *size };
            Some(OldFile::new(item.path.clone(), Vec::new(), cut))
        }
        PointerKind::File { root: None, .. } | PointerKind::Dir { .. } => None,
    };
    tracked.iter().filter_map(old).collect()
}

/// Finds the newest sibling of each target that is a folder, among the folders tracked before.
pub(super) fn sibling_folders<'t>(
    tracked: &[Tracked],
    targets: impl Iterator<Item = &'t Target>,
) -> Vec<Target> {
    let is_dir = |item: &&Tracked| {
        item.pointer().is_some_and(|pointer| matches!(pointer.kind(), PointerKind::Dir { .. }))
    };
    let folders: Vec<&Tracked> = tracked.iter().filter(is_dir).collect();
    let paths: Vec<&[u8]> = folders.iter().map(|item| item.path.as_bytes()).collect();
    let found: BTreeSet<usize> = targets
        .filter(|target| target.is_dir && target.outer.is_none())
        .filter_map(|target| sibling_of(target.path.as_bytes(), &paths))
        .collect();
    let found = found.into_iter().filter_map(|i| folders.get(i));
    let target = |item: &&Tracked| match &item.state {
        TrackedState::Sound(pointer, bytes) => {
            let (path, old) = (item.path.clone(), Some((pointer.clone(), bytes.clone())));
            let (found, contents, links) = (Vec::new(), Vec::new(), Vec::new());
            let (outer, further) = (None, BTreeMap::new());
            Some(Target { path, old, outer, found, contents, links, is_dir: true, further })
        }
        TrackedState::Missing | TrackedState::Unsound(_) => None,
    };
    found.filter_map(target).collect()
}
