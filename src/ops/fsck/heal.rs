//! Bringing good content to this machine: from remotes, then from the worktree.

use std::collections::BTreeSet;

use crate::cache::Held;
use crate::hash::{PackId, PackKind};
use crate::ops::add::store_again;
use crate::ops::error::OpError;
use crate::ops::fsck::sources::{Sources, unreadable};
use crate::path::RepoPath;
use crate::transfer::{Contact, Wanted, fetch_data, plan_fetch};

/// What is to be healed.
pub(super) struct Wound {
    /// Chunks and nodes that pointers need.
    pub(super) needed: BTreeSet<[u8; 32]>,
    /// The pointers, by number.
    pub(super) wanted: BTreeSet<usize>,
    /// Packs that nothing must be left in.
    pub(super) packs: BTreeSet<PackId>,
}

impl Sources<'_> {
    /// Brings what is needed, as far as it is to be had; says what is not.
    pub(super) fn heal(
        &self,
        wound: &Wound,
        remotes: &mut [Contact],
    ) -> Result<BTreeSet<[u8; 32]>, OpError> {
        let mut missing = unreadable(self.repo, &wound.needed)?;
        for contact in remotes {
            for wanted in wound.wanted.iter().filter_map(|at| self.pointers.wanted.get(*at)) {
                if missing.is_empty() {
                    return Ok(missing);
                }
                self.job.check()?;
                if contact.lists(&wanted.root) {
                    self.fetch(wanted, contact)?;
                    missing = unreadable(self.repo, &wound.needed)?;
                }
            }
        }
        if missing.is_empty() {
            return Ok(missing);
        }
        self.store_worktree(wound)?;
        unreadable(self.repo, &wound.needed)
    }

    /// Fetches one pointer; a remote that does not have it whole is of no help, and no failure.
    fn fetch(&self, wanted: &Wanted, contact: &mut Contact) -> Result<(), OpError> {
        let plan = plan_fetch(vec![wanted.clone()], contact, self.job);
        let fetched = plan.and_then(|plan| fetch_data(&plan, contact, self.job).map(drop));
        self.job.check()?;
        if let Err(e) = fetched {
            let (path, from) = (crate::path::show(&wanted.path), contact.label());
            self.job.note(&format!("`{path}` could not be had from `{from}`: {e}"));
        }
        Ok(())
    }

    /// Stores again what the worktree holds at the paths of these pointers.
    fn store_worktree(&self, wound: &Wound) -> Result<(), OpError> {
        let (repo, mut paths) = (self.repo, BTreeSet::new());
        for named in wound.wanted.iter().filter_map(|at| self.pointers.list.get(*at)) {
            if repo.door().stamp(&named.path).ok().flatten().is_some() {
                paths.insert(named.path.clone());
            }
        }
        let paths: Vec<RepoPath> = paths.into_iter().collect();
        if paths.is_empty() {
            return Ok(());
        }
        let mut doubted = wound.packs.clone();
        // Their placements may name what is lost.
        let unpushed = repo.index()?.packs(Held::Unpushed)?;
        let nodes = unpushed.into_iter().filter(|(_, s)| s.kind == PackKind::Nodes.byte());
        doubted.extend(nodes.map(|(pack, _)| pack));
        store_again(repo, &paths, &doubted, self.job)
    }
}
