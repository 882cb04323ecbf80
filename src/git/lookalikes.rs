//! Versions of files that begin as pointers do, among all that commits brought: attributes then say
//! which of them Git's filter wrote.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::objects::{
    Content, POINTER_LIMIT, content_by_library, is_pointer_path, lines, named_size,
};
use super::{CommitId, Git, GitError, ObjectId, PointerChange};

/// Versions that are looked into together, which bounds what is in memory of a long range.
const TOGETHER: usize = 4096;

/// A path, its content, and the commit that brought it.
pub(super) type Version = (Vec<u8>, ObjectId, CommitId);

/// Collects versions and keeps those that begin as pointers do. Objects that are not on this machine
/// are passed over: in a partial clone, whoever has them published them.
pub(super) struct Lookalikes<'g> {
    git: &'g Git,
    pending: Vec<Version>,
    kept: BTreeSet<Version>,
    failure: Option<GitError>,
}

impl<'g> Lookalikes<'g> {
    pub(super) fn new(git: &'g Git) -> Self {
        Self { git, pending: Vec::new(), kept: BTreeSet::new(), failure: None }
    }

    /// Takes a version that is not named like a pointer.
    pub(super) fn take(&mut self, version: Version) {
        self.pending.push(version);
        if self.pending.len() >= TOGETHER {
            self.sort_out();
        }
    }

    /// Returns the versions at paths that attributes hand to the filter: those of the worktree, or
    /// else those of the commit.
    pub(super) fn filtered(mut self) -> Result<Vec<Version>, GitError> {
        self.sort_out();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let paths: BTreeSet<&[u8]> = self.kept.iter().map(|(path, ..)| path.as_slice()).collect();
        let now = self.git.is_filtered(paths, None)?;
        let (mut out, mut rest) = (Vec::new(), BTreeMap::<_, Vec<Version>>::new());
        for version in self.kept {
            if now.contains(&version.0) {
                out.push(version);
            } else {
                rest.entry(version.2.0).or_default().push(version);
            }
        }
        for (commit, mut versions) in rest {
            let paths = versions.iter().map(|(path, ..)| path.as_slice());
            let then = self.git.is_filtered(paths, Some(CommitId(commit)))?;
            versions.retain(|(path, ..)| then.contains(path));
            out.extend(versions);
        }
        // Of the same pointer at the same path, one commit is enough.
        let mut seen = HashSet::new();
        out.retain(|(path, id, _)| seen.insert((path.clone(), *id)));
        Ok(out)
    }

    fn sort_out(&mut self) {
        let ids: BTreeSet<ObjectId> = self.pending.iter().map(|(_, id, _)| *id).collect();
        match self.git.like_pointers(&ids) {
            Ok(like) => {
                let pending = self.pending.drain(..);
                self.kept.extend(pending.filter(|(_, id, _)| like.contains(id)));
            }
            Err(e) => {
                self.pending.clear();
                self.failure.get_or_insert(e);
            }
        }
    }
}

impl Git {
    /// Leaves out changes of what is no pointer: neither named like one, nor one at a path that the
    /// attributes of `tip` hand to the filter.
    pub(super) fn keep_pointers(
        &self,
        tip: CommitId,
        changes: &mut Vec<PointerChange>,
    ) -> Result<(), GitError> {
        let mut like = HashSet::new();
        let others = || changes.iter().filter(|change| !is_pointer_path(&change.path));
        let ids: BTreeSet<ObjectId> =
            others().flat_map(|change| [change.before, change.after]).flatten().collect();
        let ids: Vec<ObjectId> = ids.into_iter().collect();
        for ids in ids.chunks(TOGETHER) {
            like.extend(self.like_pointers(&ids.iter().copied().collect())?);
        }
        let paths: BTreeSet<&[u8]> = others().map(|change| change.path.as_slice()).collect();
        let filtered = self.is_filtered(paths, Some(tip))?;
        changes.retain_mut(|change| {
            if is_pointer_path(&change.path) {
                return true;
            }
            // Before it was handed over, Git held the file itself.
            change.before = change.before.filter(|id| like.contains(id));
            change.after = change.after.filter(|id| like.contains(id));
            change.before != change.after && filtered.contains(&change.path)
        });
        Ok(())
    }

    /// Tells which objects are on this machine, short enough for a pointer, and begin like one.
    fn like_pointers(&self, ids: &BTreeSet<ObjectId>) -> Result<HashSet<ObjectId>, GitError> {
        let begins = |content: &Content| match content {
            Content::Whole(bytes) => {
                bytes.strip_prefix(b"haul ").and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
            }
            Content::TooLarge(_) => false,
        };
        let by_library = self.library(|library| {
            let read = |id: &&ObjectId| {
                content_by_library(library, id, POINTER_LIMIT).is_ok_and(|content| begins(&content))
            };
            Ok(ids.iter().filter(read).copied().collect())
        });
        match by_library {
            Some(found) => Ok(found),
            None => self.like_pointers_by_command(ids, begins),
        }
    }

    fn like_pointers_by_command(
        &self,
        ids: &BTreeSet<ObjectId>,
        begins: impl Fn(&Content) -> bool,
    ) -> Result<HashSet<ObjectId>, GitError> {
        let ids: Vec<ObjectId> = ids.iter().copied().collect();
        let asked = lines(&ids);
        let mut runner = self.runner.clone();
        runner.set("GIT_NO_LAZY_FETCH", Some("1".as_ref()));
        let call = runner.git(&["cat-file", "--batch-check=%(objectname) %(objectsize)"]);
        let answer = if ids.is_empty() { Vec::new() } else { call.stdin(&asked).output()?.stdout };
        let found = answer.split(|c| *c == b'\n').filter_map(named_size);
        let short = found.filter(|(_, size)| size.is_some_and(|size| size <= POINTER_LIMIT));
        let short: Vec<ObjectId> = short.map(|(id, _)| id).collect();
        let mut out = HashSet::new();
        if !short.is_empty() {
            self.runner.read_all(&short, |id, body| {
                if begins(&Content::Whole(body.to_vec())) {
                    out.insert(id);
                }
            })?;
        }
        Ok(out)
    }
}
