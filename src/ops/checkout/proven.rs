//! Files that would be refused because nothing on this machine holds their content, as after the
//! cache was deleted, though a commit names it and the remote has it: they are no unsaved work.

use std::collections::HashMap;

use crate::cache::ObjectReader;
use crate::ops::checkout::plan::CheckoutPlan;
use crate::ops::checkout::survey::{Seen, Site};
use crate::ops::checkout::wanted::{Target, targets};
use crate::ops::checkout::writes::Write;
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::{RepoPath, json_path};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Contact, Filter, verify};
use crate::worktree::{TrackedState, parse_tracked};

/// Most versions of a pointer that are asked of Git, and proved.
const VERSIONS: usize = 16;
/// Paths of one folder up to which only their part of it is proved.
const FEW: usize = 64;

/// Lets those files be replaced whose content some commit names and the remote provably has.
///
/// Costs requests for each version of a pointer that may name one of them, and nothing where no file
/// is refused.
pub(crate) fn spare_proven(
    repo: &Repo,
    (plan, chosen): (&mut CheckoutPlan, &[Chosen]),
    contact: &Contact,
    job: &Job,
) -> Result<(), OpError> {
    let mut unsaved = plan.work.writes.take_unsaved();
    let found = prove_unsaved(repo, (&mut unsaved, chosen), contact, job);
    for write in unsaved {
        plan.work.writes.push(write);
    }
    found?;
    let unsaved = plan.work.writes.unsaved().iter().filter_map(|write| write.unsaved.as_ref());
    plan.refused = unsaved.map(|path| json_path(path.as_bytes())).collect();
    plan.refused.dedup();
    Ok(())
}

fn prove_unsaved(
    repo: &Repo,
    (unsaved, chosen): (&mut [Write], &[Chosen]),
    contact: &Contact,
    job: &Job,
) -> Result<(), OpError> {
    for item in chosen {
        let below = |path: &RepoPath| *path == item.path || path.starts_with_dir(&item.path);
        let mut writes: Vec<&mut Write> =
            unsaved.iter_mut().filter(|w| w.is_own() && below(&w.target.path)).collect();
        if writes.is_empty() {
            continue;
        }
        let pointer = item.by.pointer_path(&item.path)?;
        let found = repo.git().known_pointers(&[pointer.as_bytes()], VERSIONS)?;
        for bytes in found.into_iter().flatten() {
            job.check()?;
            let TrackedState::Sound(pointer, bytes) = parse_tracked(bytes) else { continue };
            let (path, filter) = (item.path.clone(), filter(item, &writes));
            let version = Chosen { path, by: item.by, pointer, bytes, filter };
            let proven = proven(repo, &version, &writes, contact, job)?;
            writes.retain_mut(|write| {
                let known =
                    proven.get(&write.target.path).is_some_and(|target| write.holds(target));
                if known {
                    write.unsaved = None;
                }
                !known
            });
            if writes.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// The part of a tracked folder that holds the writes.
fn filter(item: &Chosen, writes: &[&mut Write]) -> Filter {
    let inside = writes.iter().filter_map(|w| w.target.path.relative_to(&item.path));
    let choices: Vec<Choice> =
        inside.take(FEW + 1).map(|rest| Choice::Under(rest.as_bytes().to_vec())).collect();
    match choices.len() {
        1..=FEW => Filter::Some(choices),
        _ => Filter::All,
    }
}

/// What a version of a pointer names, if that is what one of the writes would replace and the remote
/// has all of it, and gc does not mean to remove it; nothing otherwise.
fn proven(
    repo: &Repo,
    version: &Chosen,
    writes: &[&mut Write],
    contact: &Contact,
    job: &Job,
) -> Result<HashMap<RepoPath, Target>, OpError> {
    let named = |targets: Vec<Target>| -> HashMap<RepoPath, Target> {
        targets.into_iter().map(|target| (target.path.clone(), target)).collect()
    };
    let meets = |named: &HashMap<RepoPath, Target>| {
        writes.iter().any(|w| named.get(&w.target.path).is_some_and(|target| w.holds(target)))
    };
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    if let Some(targets) = targets(version, &mut reader)?
        && !meets(&named(targets))
    {
        return Ok(HashMap::new());
    }
    // A proof brings the trees that it needs.
    let proof = verify(&[version.wanted()], contact, job)?;
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let stays = proof.gaps.is_empty() && proof.condemned == 0;
    let targets = targets(version, &mut reader)?.filter(|_| stays);
    Ok(named(targets.unwrap_or_default()))
}

impl Write {
    /// Says whether a file of the user's stands at the very path and can be read.
    fn is_own(&self) -> bool {
        self.unsaved.as_ref() == Some(&self.target.path) && self.content.is_some()
    }

    /// Says whether what stands there is as `other` wants it.
    fn holds(&self, other: &Target) -> bool {
        let Some(stamp) = self.seen else { return false };
        let (target, site) = (self.target.clone(), Site::Here(stamp));
        Seen { target, site, content: self.content }.is(other)
    }
}
