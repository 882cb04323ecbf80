//! Healing this machine: what is damaged goes to `quarantine/`, and good content takes its place.

use std::collections::BTreeSet;

use crate::cache::{Held, LocalPack};
use crate::fs::move_durably;
use crate::hash::PackId;
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What};
use crate::ops::fsck::heal::Wound;
use crate::ops::fsck::report::State;
use crate::ops::fsck::sources::Sources;
use crate::transfer::Contact;

/// Repairs what is damaged on this machine.
pub(super) fn repair(
    sources: &Sources,
    findings: &mut [Finding],
    remotes: &mut [Contact],
) -> Result<(), OpError> {
    let repo = sources.repo;
    let local = LocalPack::list(repo.layout())?;
    let mut packs: BTreeSet<PackId> = BTreeSet::new();
    for finding in findings.iter_mut().filter(|f| f.side == Side::Local) {
        sources.job.check()?;
        match &finding.what {
            What::Pack { pack, held } => {
                let same = |p: &&LocalPack| p.pack == *pack && held.is_none_or(|h| h == p.held);
                if let Some(found) = local.iter().find(same) {
                    let lost = repo.index()?.salvage(repo.layout(), found, &finding.frames)?;
                    finding.needed.retain(|id| lost.contains(id));
                    finding.objects = lost;
                } else {
                    repo.index()?.forget(&[*pack])?;
                }
                packs.insert(*pack);
            }
            What::Index { pack } => {
                let held = repo.index()?.reader()?.pack(*pack).map_or(Held::Whole, |s| s.held);
                repo.index()?.read_again(repo.layout(), *pack, held)?;
                finding.state = State::Repaired;
            }
            What::Stat { path } => {
                repo.stat()?.save([(path.as_slice(), None)], [])?;
                finding.state = State::Repaired;
            }
            What::Copy { path } => {
                let name = path.file_name().unwrap_or_default();
                move_durably(path, &repo.layout().state().join("quarantine").join(name))?;
                finding.state = State::Repaired;
            }
            What::Object => {}
        }
    }
    let hurt = |f: &&mut Finding| f.side == Side::Local && f.pack().is_some();
    for finding in findings.iter_mut().filter(hurt) {
        let (needed, wanted) = (finding.needed.clone(), finding.wanted.clone());
        let wound = Wound { needed, wanted, packs: packs.clone() };
        if sources.heal(&wound, remotes)?.is_empty() {
            finding.state = State::Repaired;
        }
    }
    Ok(())
}
