//! What is remembered of a tracked path: by it a checkout tells the user's work from what haul placed.

use std::collections::HashMap;

use crate::cache::Known;
use crate::fs::Time;
use crate::hash::NodeId;
use crate::ops::checkout::held::is_held;
use crate::ops::checkout::leavers::placed_targets;
use crate::ops::checkout::orphans::PlacedPointers;
use crate::ops::checkout::packed::Packed;
use crate::ops::checkout::survey::{Seen, Site};
use crate::ops::checkout::wanted::Target;
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{Content, Knowledge};

/// What is remembered of a part of a tracked path.
pub(super) struct Past {
    pub(super) knowledge: Knowledge,
    /// What the pointer wanted that haul added or placed last, if that can be told.
    pub(super) old: Option<HashMap<RepoPath, Vec<Target>>>,
    /// What committed versions of the pointer wanted, where nothing is remembered of it.
    pub(super) committed: HashMap<RepoPath, Vec<Target>>,
}

/// What versions of a pointer wanted that were placed, or may have been.
pub(super) struct Before {
    /// What was placed last, and what a run that did not end was placing, if that can be told.
    old: Option<Vec<Packed<Target>>>,
    /// What versions of the pointer want that Git has, as far as their trees are on this machine.
    committed: Vec<Packed<Target>>,
}

impl Before {
    /// Lists what is remembered of a tracked path.
    pub(super) fn of(repo: &Repo, item: &Chosen, placed: &PlacedPointers) -> Result<Self, OpError> {
        let mut old = None;
        for pointers in [&placed.last, &placed.begun] {
            let Some(bytes) = pointers.get(item.path.as_bytes()) else { continue };
            // If the same pointer was placed, what is not as it says was changed since.
            let known = if *bytes == item.bytes {
                Some(Packed::default())
            } else {
                placed_targets(repo, (&item.path, bytes), Filter::All)?
            };
            if let Some(known) = known {
                old.get_or_insert_with(Vec::new).push(known);
            }
        }
        let mut committed = Vec::new();
        for bytes in placed.committed.get(item.path.as_bytes()).into_iter().flatten() {
            if *bytes != item.bytes {
                committed.extend(placed_targets(repo, (&item.path, bytes), Filter::All)?);
            }
        }
        Ok(Self { old, committed })
    }

    /// Returns what haul may have placed.
    pub(super) fn lists(&self) -> &[Packed<Target>] {
        self.old.as_deref().unwrap_or(&self.committed)
    }

    /// Returns what is remembered of the paths from one to another, both included.
    pub(super) fn between(
        &self,
        repo: &Repo,
        (first, last): (&RepoPath, &RepoPath),
        began: Time,
    ) -> Result<Past, OpError> {
        let entries = repo.stat()?.between(first.as_bytes(), last.as_bytes())?;
        let part = |lists: &[Packed<Target>]| {
            let mut out: HashMap<RepoPath, Vec<Target>> = HashMap::new();
            for list in lists {
                for target in list.between(first, last)? {
                    out.entry(target.path.clone()).or_default().push(target);
                }
            }
            Ok::<_, OpError>(out)
        };
        let old = self.old.as_deref().map(part).transpose()?;
        let (knowledge, committed) = (Knowledge::new(entries, began), part(&self.committed)?);
        Ok(Past { knowledge, old, committed })
    }
}

impl Past {
    /// Says whether a path was placed before and is not there now.
    pub(super) fn misses(&self, seen: &Seen) -> bool {
        let placed = self.old.as_ref().is_some_and(|old| old.contains_key(&seen.target.path));
        placed && matches!(seen.site, Site::Free)
    }

    /// Says whether the pointer that was placed last wanted the same here: a change is the user's own.
    pub(super) fn wanted_the_same(&self, target: &Target) -> bool {
        let before = self.old.as_ref().and_then(|old| old.get(&target.path));
        let same = |old: &Target| old.kind == target.kind && old.oid() == target.oid();
        before.is_some_and(|before| before.iter().any(same))
    }

    /// Returns the recipe of what lies at a path, if haul added or placed it.
    pub(super) fn recipe_of(&self, seen: &Seen) -> Option<(NodeId, u64)> {
        let Content { stamp, oid, .. } = seen.content.as_ref()?;
        let path = &seen.target.path;
        let recalled = self.knowledge.recall(path, stamp).and_then(|entry| entry.tree);
        let all = [self.old.as_ref(), Some(&self.committed)].into_iter().flatten();
        let mut known = all.filter_map(|targets| targets.get(path)).flatten();
        let tree = recalled.or_else(|| known.find(|t| t.oid() == *oid).and_then(Target::tree));
        tree.map(|(_, root)| (root, stamp.size))
    }

    /// Says whether a file is as haul added or placed it, or at least as haul holds it.
    pub(super) fn vouches(
        &self,
        repo: &Repo,
        seen: &Seen,
        content: &Content,
    ) -> Result<bool, OpError> {
        let path = &seen.target.path;
        let whole = (content.oid, content.stamp.size);
        if content.known == Known::Stored {
            let tree = self.knowledge.recall(path, &content.stamp).and_then(|entry| entry.tree);
            return is_held(repo, whole, tree.map(|(_, root)| root));
        }
        let placed = |targets: &HashMap<RepoPath, Vec<Target>>| {
            let same = targets.get(path).and_then(|all| all.iter().find(|t| seen.is(t)));
            let Some(target) = same else { return Ok(false) };
            is_held(repo, whole, target.tree().map(|(_, root)| root))
        };
        match &self.old {
            Some(old) => placed(old),
            None if self.knowledge.last(path).is_some() => Ok(false),
            // That the cache knows it is not enough: no pointer may name it any more.
            None if content.oid == seen.target.oid() => Ok(true),
            None => placed(&self.committed),
        }
    }
}
