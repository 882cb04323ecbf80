//! Healing this machine: what is damaged goes to `quarantine/`, and good content takes its place.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::cache::{Held, LocalPack, Row, WholeName, quarantine};
use crate::fs::Dir;
use crate::hash::{ChunkId, PackId};
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What};
use crate::ops::fsck::heal::Wound;
use crate::ops::fsck::report::State;
use crate::ops::fsck::sources::{Sources, unreadable};
use crate::ops::linked::links;
use crate::transfer::Contact;
use crate::worktree::{PlaceError, make_own};

/// Repairs what is damaged on this machine. A damaged pack goes only once everything that pointers need
/// of it is had elsewhere: until then it stays, and is found again.
pub(super) fn repair(
    sources: &Sources,
    findings: &mut [Finding],
    remotes: &mut [Contact],
) -> Result<(), OpError> {
    let repo = sources.repo;
    let local = |f: &&mut Finding| f.side == Side::Local;
    let packs: BTreeSet<PackId> =
        findings.iter().filter(|f| f.side == Side::Local).filter_map(Finding::pack).collect();
    for finding in findings.iter_mut().filter(local) {
        sources.job.check()?;
        match &finding.what {
            What::Pack { pack, held } => {
                let (pack, held) = (*pack, *held);
                if heal(sources, finding, (pack, &packs), remotes)? {
                    put_aside(sources, finding, (pack, held))?;
                    finding.state = State::Repaired;
                }
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
                quarantine(path, repo.layout())?;
                finding.state = State::Repaired;
            }
            What::File { path } => {
                let path = path.clone();
                set_apart(sources, finding, &path)?;
            }
            What::Object { .. } | What::Roots | What::Refused => {}
        }
    }
    Ok(())
}

/// Takes a file that somebody wrote to out of the cache. It may be his work, in the worktree by a link: that
/// becomes a file of its own first; where it cannot, all stays as it is.
fn set_apart(sources: &Sources, finding: &mut Finding, path: &Path) -> Result<(), OpError> {
    let (repo, name) = (sources.repo, path.file_name().and_then(OsStr::to_str));
    let Some(name) = name.and_then(WholeName::parse) else { return Ok(()) };
    let mut owned = BTreeSet::new();
    let links = match links(repo) {
        Err(e) => {
            finding.go_on(&format!("; it was left: {e}"));
            return Ok(());
        }
        Ok(links) => links,
    };
    for (_, link) in links.into_iter().filter(|(linked, _)| *linked == name) {
        match detach(sources, &link) {
            Ok(true) => drop(owned.insert(link)),
            Ok(false) => {}
            Err(e) => {
                finding.go_on(&format!("; `{}` is a link to it and was left: {e}", link.display()));
                return Ok(());
            }
        }
    }
    let aside = quarantine(path, repo.layout())?;
    finding.state = State::Repaired;
    finding.go_on(&format!("; it lies in `{}` now", aside.display()));
    for link in owned {
        finding.go_on(&format!(", and `{}` holds the same as a file of its own", link.display()));
    }
    Ok(())
}

/// Makes a durable file of its own of a link into the cache.
fn detach(sources: &Sources, link: &Path) -> Result<bool, PlaceError> {
    let (Some(folder), Some(name)) = (link.parent(), link.file_name()) else { return Ok(false) };
    let dir = Dir::open(folder)?.with_own_links(&sources.repo.layout().files_folder());
    let made = make_own((&dir, name.as_bytes()), &HashSet::new(), sources.job)?;
    if made {
        dir.sync()?;
    }
    Ok(made)
}

/// Brings what pointers need of a damaged pack; if that fails the index knows what it knew.
fn heal(
    sources: &Sources,
    finding: &Finding,
    (pack, packs): (PackId, &BTreeSet<PackId>),
    remotes: &mut [Contact],
) -> Result<bool, OpError> {
    let index = sources.repo.index()?;
    let view = index.reader()?;
    let place = |id: &[u8; 32]| view.find_frame(id).map(|(place, _)| (*id, place));
    let bad: Vec<Row> = unreadable(sources.repo, &finding.objects)?
        .iter()
        .filter_map(place)
        .filter(|(_, at)| at.pack == pack)
        .collect();
    let bases = |(id, _): &Row| Some((ChunkId(*id), view.bases(ChunkId(*id))?));
    let deltas: Vec<_> = bad.iter().filter_map(bases).collect();
    let state = view.pack(pack);
    index.forget_objects(&bad.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
    let (needed, wanted) = (finding.needed.clone(), finding.wanted.clone());
    let missing = sources.heal(&Wound { needed, wanted, packs: packs.clone() }, remotes)?;
    if missing.is_empty() {
        return Ok(true);
    }
    let mut rows: Vec<Row> = bad.into_iter().filter(|(id, _)| missing.contains(id)).collect();
    let states: Vec<_> = state.map(|state| (pack, state)).into_iter().collect();
    index.record(&states, &mut rows, &deltas)?;
    Ok(false)
}

fn put_aside(
    sources: &Sources,
    finding: &mut Finding,
    (pack, held): (PackId, Option<Held>),
) -> Result<(), OpError> {
    let (layout, index) = (sources.repo.layout(), sources.repo.index()?);
    let same = |p: &LocalPack| p.pack == pack && held.is_none_or(|held| held == p.held);
    match LocalPack::list(layout)?.into_iter().find(same) {
        Some(found) => drop(index.salvage(layout, &found, &finding.frames)?),
        None => index.forget(&[pack])?,
    }
    Ok(())
}
