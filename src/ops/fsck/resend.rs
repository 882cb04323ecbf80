//! Healing a remote: no sound byte there is changed, and nothing removed. What was damaged is uploaded
//! again in new packs, and a new push record says where (`docs/format/protocol.md`).

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::PackId;
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What, damage_of};
use crate::ops::fsck::heal::Wound;
use crate::ops::fsck::report::State;
use crate::ops::fsck::sources::Sources;
use crate::ops::open::choose;
use crate::transfer::{
    Audit, Avoid, Contact, Home, Purpose, PushRequest, Root, Stage, Wanted, push, survey_there,
};

/// Puts back what nothing can take the place of: runs, baselines and `format`.
pub(super) fn put_back(audit: &Audit, findings: &mut [Finding]) -> Result<(), OpError> {
    if findings.iter().any(|f| f.what == What::Object { counts: true }) {
        let keys = audit.put_back()?;
        for finding in findings.iter_mut().filter(|f| keys.contains(&f.at)) {
            finding.state = State::Repaired;
        }
    }
    Ok(())
}

/// Makes damaged push records superfluous, of which this machine has a good copy.
pub(super) fn cover(
    sources: &Sources,
    audit: &Audit,
    findings: &mut [Finding],
) -> Result<(), OpError> {
    if !findings.iter().any(|f| f.what == What::Object { counts: true }) {
        return Ok(());
    }
    let covered = audit.replace_damaged(sources.repo.identity()?.0)?;
    for finding in findings.iter_mut().filter(|f| covered.contains(&f.at)) {
        finding.state = State::Repaired;
    }
    Ok(())
}

/// Makes contact to upload; nothing if readers cannot make sense of the remote as it is.
fn contact<'s>(sources: &Sources<'s>, name: &str) -> Result<Option<Contact<'s>>, OpError> {
    let (repo, job) = (sources.repo, sources.job);
    let target = choose(repo, Some(name), sources.jobs)?;
    let parts = (repo.layout(), repo.index()?);
    match Contact::make(target.open()?, parts, target.jobs, Purpose::Push, job) {
        Err(e) if e.is_damage() => {
            job.note(&format!("nothing can be uploaded to `{name}` before that is mended: {e}"));
            Ok(None)
        }
        other => Ok(Some(other?)),
    }
}

/// Repairs what pointers need of a remote, pointer by pointer, and proves it.
pub(super) fn resend(
    sources: &Sources,
    name: &str,
    findings: &mut [Finding],
    others: &mut [Contact],
) -> Result<(), OpError> {
    let (repo, job) = (sources.repo, sources.job);
    let hurt = |f: &&mut Finding| {
        let sent = f.pack().is_some() || f.what == What::Roots;
        f.side == Side::Remote && sent && !f.wanted.is_empty()
    };
    let far = findings.iter().filter(|f| f.side == Side::Remote);
    let packs: BTreeSet<PackId> = far.filter_map(Finding::pack).collect();
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    for finding in findings.iter_mut().filter(hurt) {
        let (needed, own) = (finding.needed.clone(), finding.wanted.clone());
        wanted.extend(&own);
        let wound = Wound { needed, wanted: own, packs: packs.clone() };
        sources.heal(&wound, others)?;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let Some(mut contact) = contact(sources, name)? else { return Ok(()) };
    let all: Vec<Wanted> =
        wanted.iter().filter_map(|at| sources.pointers.wanted.get(*at)).cloned().collect();
    // One that cannot be healed must not keep the others from it.
    for item in all {
        job.check()?;
        if item.root == Root::Empty {
            continue;
        }
        let request = PushRequest {
            roots: vec![(item.clone(), Stage::Published)],
            earlier: Vec::new(),
            repo: repo.identity()?,
            home: Home::No,
            avoid: Avoid::Damaged(packs.clone()),
            sent: BTreeMap::new(),
        };
        match push(&request, &mut contact, job) {
            Ok(_) => {}
            Err(e) if e.is_damage() => {
                let path = crate::path::show(&item.path);
                job.note(&format!("`{path}` could not be uploaded again: {e}"));
            }
            Err(e) => return Err(e.into()),
        }
    }
    contact.refresh(job)?;
    let damage = damage_of(findings, Side::Remote);
    let listed: Vec<Wanted> =
        sources.pointers.wanted.iter().filter(|w| contact.lists(&w.root)).cloned().collect();
    let left = survey_there(&listed, &contact, &damage, job)?;
    for finding in findings.iter_mut().filter(hurt) {
        let listed = finding.wanted.iter().filter_map(|at| sources.pointers.wanted.get(*at));
        let all_listed = listed.into_iter().all(|wanted| contact.lists(&wanted.root));
        if all_listed && !left.iter().any(|row| row.pack == finding.pack()) {
            finding.state = State::Repaired;
        }
    }
    Ok(())
}
