//! Where good content is: on this machine, in the worktree, on other remotes.

use std::collections::BTreeSet;

use crate::cache::ObjectReader;
use crate::fs::FileKind;
use crate::hash::{ChunkId, NodeId, PackId};
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What};
use crate::ops::fsck::names::Pointers;
use crate::ops::open::choose;
use crate::path::{RepoPath, show};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::transfer::{Audit, Contact, Purpose, Root};
use crate::worktree::Knowledge;

/// Files of the worktree that are compared for one finding.
const COMPARED: usize = 50;

/// What a good copy in the cache is called.
pub(super) const HERE: &str = "this machine's cache";

/// Everybody who may have good content.
pub(super) struct Sources<'s> {
    pub(super) repo: &'s Repo,
    pub(super) pointers: &'s Pointers,
    /// The remote that is looked at, and what it lists.
    pub(super) audit: Option<(&'s str, &'s Audit<'s>)>,
    pub(super) jobs: Option<usize>,
    pub(super) job: &'s Job<'s>,
}

impl<'s> Sources<'s> {
    /// Writes down with each finding where good content is. Roots that other remotes have are not lost;
    /// they were not pushed to this one.
    pub(super) fn find(&self, findings: &mut Vec<Finding>) -> Result<(), OpError> {
        let others = self.others();
        let local = findings.iter().filter(|f| f.side == Side::Local);
        let damaged: BTreeSet<PackId> = local.filter_map(Finding::pack).collect();
        for finding in findings.iter_mut().filter(|f| !f.wanted.is_empty()) {
            self.job.check()?;
            let roots = finding.what == What::Roots;
            let readable = !roots
                && !finding.needed.is_empty()
                && unreadable(self.repo, &finding.needed)?.is_empty();
            // What a damaged pack still gives is no second copy.
            if readable && self.lie_elsewhere(&finding.needed, &damaged)? {
                finding.copies.push(HERE.to_owned());
            } else {
                finding.whole_within = readable && finding.side == Side::Local;
            }
            for path in self.same_files(finding)? {
                finding.copies.push(format!("worktree file `{}`", show(path.as_bytes())));
            }
            let own = self.audit.filter(|_| finding.side == Side::Local);
            if let Some((name, audit)) = own
                && self.any_root(finding, |root| audit.contact.lists(root))
            {
                finding.copies.push(format!("remote `{name}`"));
            }
            for (name, contact) in &others {
                if self.any_root(finding, |root| contact.lists(root)) {
                    finding.copies.push(format!("remote `{name}`"));
                }
            }
        }
        let listed = |root: &Root| others.iter().any(|(_, contact)| contact.lists(root));
        findings.retain(|f| f.what != What::Roots || self.any_root(f, |root| !listed(root)));
        Ok(())
    }

    /// Says whether the index places these objects, and what they are deltas to, in none of these packs.
    fn lie_elsewhere(
        &self,
        ids: &BTreeSet<[u8; 32]>,
        packs: &BTreeSet<PackId>,
    ) -> Result<bool, OpError> {
        let view = self.repo.index()?.reader()?;
        Ok(ids.iter().all(|id| {
            let Some((place, _)) = view.find_frame(id) else { return false };
            let bases = if place.delta { view.base_places(ChunkId(*id)) } else { None };
            let mut all = std::iter::once(place).chain(bases.unwrap_or_default());
            all.all(|place| !packs.contains(&place.pack))
        }))
    }

    /// Opens the remotes that are not looked at; one that cannot be used now has nothing.
    pub(super) fn others(&self) -> Vec<(String, Contact<'s>)> {
        let config = self.repo.config();
        let own = self.audit.map(|(name, _)| name);
        let names = config.remotes.keys().filter(|name| Some(name.as_str()) != own);
        // The one that is pushed to comes first.
        let mut names: Vec<&String> = names.collect();
        names.sort_by_key(|name| config.default_remote() != Some(name.as_str()));
        names.into_iter().filter_map(|name| Some((name.clone(), self.contact(name)?))).collect()
    }

    pub(super) fn contact(&self, name: &str) -> Option<Contact<'s>> {
        let target = choose(self.repo, Some(name), self.jobs).ok()?;
        let parts = (self.repo.layout(), self.repo.index().ok()?);
        Contact::make(target.open().ok()?, parts, target.jobs, Purpose::Read, self.job).ok()
    }

    fn any_root(&self, finding: &Finding, lists: impl Fn(&Root) -> bool) -> bool {
        let roots = finding.wanted.iter().filter_map(|at| self.pointers.wanted.get(*at));
        roots.into_iter().any(|wanted| lists(&wanted.root))
    }

    /// The files of the worktree that hold what a damaged object is part of.
    fn same_files(&self, finding: &Finding) -> Result<BTreeSet<RepoPath>, OpError> {
        let door = self.repo.door();
        let (mut files, mut oids) = (Vec::new(), Vec::new());
        for (path, oid) in finding.files.iter().take(COMPARED) {
            let Ok(path) = RepoPath::new(path) else { continue };
            let Ok(Some(stamp)) = door.stamp(&path) else { continue };
            if stamp.kind == FileKind::File {
                files.push((path, stamp));
                oids.push(*oid);
            }
        }
        let task = self.job.begin(Kind::Scan, None);
        let knowledge = Knowledge::new(Vec::new(), door.now()?);
        let found = knowledge.identify(door, &files, &task, self.job)?;
        let same = files.into_iter().zip(oids).zip(found);
        Ok(same
            .filter(|((_, oid), found)| found.oid == *oid)
            .map(|((file, _), _)| file.0)
            .collect())
    }
}

/// Returns those of the objects that this machine cannot give, each of them read.
pub(super) fn unreadable(
    repo: &Repo,
    ids: &BTreeSet<[u8; 32]>,
) -> Result<BTreeSet<[u8; 32]>, OpError> {
    let mut reader = ObjectReader::observing(repo.layout(), repo.index()?)?;
    let mut out = BTreeSet::new();
    for id in ids {
        let chunk = matches!(reader.chunk(ChunkId(*id)), Ok(Some(_)));
        if !chunk && !matches!(reader.node(NodeId(*id)), Ok(Some(_))) {
            out.insert(*id);
        }
    }
    Ok(out)
}
