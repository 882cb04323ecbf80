//! Carrying a checkout out: aside, moves, removals, writes, one sync, and last the stat cache.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::ops::checkout::ahead::Ahead;
use crate::ops::checkout::held::is_here;
use crate::ops::checkout::in_place::refresh;
use crate::ops::checkout::orphans::{Orphan, begun_key};
use crate::ops::checkout::packed::Packed;
use crate::ops::checkout::placed::{Note, Placed, notes_of_new, notes_of_settled};
use crate::ops::checkout::plan::{CheckoutPlan, Work};
use crate::ops::checkout::room::check_room;
use crate::ops::checkout::tidy::{
    aside, make_durable, mend_ignore, move_data, remove_all, sweep, sweep_before,
};
use crate::ops::checkout::write::{Shared, write_all};
use crate::ops::checkout::writes::{Write, Writes};
use crate::ops::error::OpError;
use crate::ops::retain::{After, retain};
use crate::path::{JsonPath, RepoPath, show};
use crate::progress::Job;
use crate::repo::Repo;

/// Files that are made durable one by one, so that fetched packs in the cache, which the disk may
/// take its time for, need not be waited for too.
const FEW: usize = 16;
/// Changed files that a refusal names.
const NAMED: usize = 10;

/// What a checkout did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckoutReport {
    /// Files written.
    pub written: u64,
    /// Files removed.
    pub removed: u64,
    /// Tracked paths renamed.
    pub moved: u64,
    /// Files that were as they should be.
    pub unchanged: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The folder where changed files were put.
    pub aside: Option<String>,
    /// Paths whose content is not on this machine.
    pub missing: Vec<JsonPath>,
    /// Tracked paths that were passed over, as names in them are one on this file system.
    pub colliding: Vec<JsonPath>,
}

impl CheckoutReport {
    /// Adds what a checkout of the same did before this one, which found that as it should be.
    pub(crate) fn after(mut self, earlier: Self) -> Self {
        self.unchanged = self.unchanged.saturating_sub(earlier.written);
        self.written += earlier.written;
        self.removed += earlier.removed;
        self.moved += earlier.moved;
        self.bytes += earlier.bytes;
        self.aside = self.aside.or(earlier.aside);
        self
    }
}

impl CheckoutPlan {
    /// Says whether the user's unsaved work is in the way of anything in a tracked path.
    pub(crate) fn refuses_in(&self, path: &RepoPath) -> bool {
        let of =
            |write: &Write| write.target.path == *path || write.target.path.starts_with_dir(path);
        self.work.writes.unsaved().iter().any(of)
    }
}

/// Does what the plan says, unless the user's unsaved work is in the way; then keeps the cache to its
/// size.
pub fn run(repo: &Repo, plan: CheckoutPlan, job: &Job) -> Result<CheckoutReport, OpError> {
    let report = place(repo, plan, &Ahead::default(), job)?;
    retain(repo, After::Checkout, job);
    Ok(report)
}

/// Does what the plan says, unless the user's unsaved work is in the way; what was built ahead gets its name.
pub(crate) fn place(
    repo: &Repo,
    plan: CheckoutPlan,
    ahead: &Ahead<'_>,
    job: &Job,
) -> Result<CheckoutReport, OpError> {
    let select = plan.work.select.clone();
    act(repo, plan, ahead, job).map_err(|e| e.with_commit(repo, &select))
}

fn act(
    repo: &Repo,
    plan: CheckoutPlan,
    ahead: &Ahead<'_>,
    job: &Job,
) -> Result<CheckoutReport, OpError> {
    let _working = repo.lock_for_work()?;
    refuse(&plan)?;
    check_room(repo, &plan, ahead.bytes())?;
    check_content(repo, &plan)?;
    plan.work.collisions.iter().for_each(|why| job.warn(why));
    let mut report = CheckoutReport {
        unchanged: plan.keep,
        missing: plan.missing,
        colliding: plan.colliding,
        ..CheckoutReport::default()
    };
    let Work { began, orphans, writes, leaving, learned, pointers, filled, link, .. } = plan.work;
    let mut notes = Notes::default();
    let begun = begin(repo, &writes, &pointers)?;
    report.aside = aside(repo, writes.unsaved(), began, job)?;
    for orphan in &orphans {
        match orphan {
            Orphan::Moved { from, to, .. } => {
                report.moved += 1;
                move_data(repo, from, to, &mut notes)?;
            }
            Orphan::Gone { leaving, heir } => {
                report.removed += remove_all(repo, leaving, &mut notes)?;
                notes.pointers.push((leaving.top.as_bytes().to_vec(), None));
                if let Some(heir) = heir {
                    mend_ignore(repo, &leaving.top, heir)?;
                }
            }
        }
    }
    for leaving in &leaving {
        report.removed += remove_all(repo, leaving, &mut notes)?;
    }
    // Before anything is placed: a run that died may have left no more to place than this one does.
    sweep_before(repo, (&writes, &filled))?;
    let link = link.unwrap_or(repo.config().cache_link.value);
    let shared = Shared::open(repo, (link, ahead), &writes)?;
    let placed = write_both(repo, (writes, &filled), (&shared, &mut report), job)?;
    sweep(repo, &placed)?;
    if orphans.is_empty() && leaving.is_empty() && report.aside.is_none() && placed.len() <= FEW {
        make_durable(repo, &placed)?;
    } else {
        repo.door().root().sync()?;
    }
    let placed = notes_of_new(repo, shared.look_again(repo, placed)?)?;
    shared.save(repo, job)?;
    notes.pointers.extend(pointers.into_iter().map(|(path, bytes)| (path, Some(bytes))));
    notes.pointers.extend(begun.into_iter().map(|key| (key, None)));
    notes.save_with(repo, notes_of_settled(learned).chain(placed))?;
    refresh(repo, &filled)?;
    Ok(report)
}

/// Writes what haul places by itself, then what Git's filter left as pointers.
fn write_both(
    repo: &Repo,
    (writes, filled): (Writes, &[Write]),
    (shared, report): (&Shared<'_, '_>, &mut CheckoutReport),
    job: &Job,
) -> Result<Packed<Placed>, OpError> {
    let place = (repo, repo.door());
    let writes = (writes.bytes(), writes.into_windows());
    let mut placed = write_all(place, (writes.1, writes.0), (Some(shared), report), job)?;
    let sizes = filled.iter().map(|write| write.target.content.size());
    let bytes = sizes.fold(0, u64::saturating_add);
    for row in write_all(place, ([Ok(filled)], bytes), (None, report), job)?.into_rows() {
        placed.push(&row?);
    }
    Ok(placed)
}

/// Remembers what is about to be placed, so that files of a run that did not end count as placed.
fn begin(
    repo: &Repo,
    writes: &Writes,
    pointers: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<Vec<u8>>, OpError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Vec<u8>> = pointers.iter().map(|(path, _)| begun_key(path)).collect();
    let begun = keys.iter().zip(pointers).map(|(key, (_, bytes))| (key.as_slice(), Some(bytes)));
    repo.stat()?.save([], begun.map(|(key, bytes)| (key, bytes.map(Vec::as_slice))))?;
    Ok(keys)
}

/// What the stat cache is to learn.
#[derive(Default)]
pub(crate) struct Notes {
    pub(super) files: Vec<Note>,
    pub(super) pointers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Notes {
    /// Remembers them, and more of the same.
    fn save_with(
        self,
        repo: &Repo,
        more: impl Iterator<Item = Result<Note, OpError>>,
    ) -> Result<(), OpError> {
        let own = self.pointers.iter().map(|(path, bytes)| (path.as_slice(), bytes.as_deref()));
        repo.stat()?.save_made(self.files.into_iter().map(Ok).chain(more), own)
    }

    /// Remembers them, and what else holds of pointers afterwards.
    pub(crate) fn save(&self, repo: &Repo, more: &[(&[u8], Option<&[u8]>)]) -> Result<(), OpError> {
        let files = self.files.iter().map(|(path, entry)| (path.as_slice(), *entry));
        let own = self.pointers.iter().map(|(path, bytes)| (path.as_slice(), bytes.as_deref()));
        Ok(repo.stat()?.save(files, own.chain(more.iter().copied()))?)
    }
}

fn refuse(plan: &CheckoutPlan) -> Result<(), OpError> {
    if plan.work.force || plan.refused.is_empty() {
        return Ok(());
    }
    let unsaved: BTreeSet<&RepoPath> =
        plan.work.writes.unsaved().iter().filter_map(|write| write.unsaved.as_ref()).collect();
    let mut names: Vec<String> =
        unsaved.into_iter().take(NAMED).map(|p| format!("`{}`", show(p.as_bytes()))).collect();
    if plan.refused.len() > NAMED {
        names.push(format!("and {} more", plan.refused.len() - NAMED));
    }
    Err(OpError::refused(
        format!(
            "nothing was changed: {} would be overwritten, with changes not added",
            names.join(", ")
        ),
        "run `haul add` to keep the changes, or repeat with `--force` to put them aside",
    ))
}

/// Refuses to put a changed file aside for content that is not here to take its place.
fn check_content(repo: &Repo, plan: &CheckoutPlan) -> Result<(), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    for write in plan.work.writes.unsaved() {
        if let Some(unsaved) = &write.unsaved
            && !is_here(&write.target, &mut reader)?
        {
            return Err(OpError::refused(
                format!(
                    "nothing was changed: `{}` would be put aside for content of `{}` that is not \
                     on this machine",
                    show(unsaved.as_bytes()),
                    show(write.target.path.as_bytes())
                ),
                "run `haul fetch` first, or `haul pull --force`",
            ));
        }
    }
    Ok(())
}
