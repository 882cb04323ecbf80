//! Letting go of what the cache has too much of, once a verb is done (ADR 0013).

use std::collections::HashSet;
use std::time::Duration;

use crate::cache::{CacheFolder, CachedPack, Form, Held, IdleFile, IndexReader, Removal};
use crate::config::Keep;
use crate::hash::{PackId, PackKind};
use crate::ops::error::OpError;
use crate::ops::idle::{asked, idle, proven, remove_files, with_packs};
use crate::ops::open::choose;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Contact, Kept, Purpose, TransferError, prove_there};
use crate::units::ByteSize;

/// The share of the budget that is left after an eviction, in percent: not each command evicts.
const AIM: u64 = 90;
/// Of a shared cache, which others fill too: it is listed again once this clone has put that part of
/// the budget there.
const LOOK_AGAIN: u64 = 8;

/// Which verb is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// What it brought is still needed.
    Fetch,
    /// What it read stands in the worktree.
    Checkout,
    /// What it read is on the remote.
    Push,
}

/// What an eviction did.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) packs: u64,
    /// Whole files.
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Packs that stay because the remote does not have them as it should.
    pub(crate) kept: Vec<Kept>,
    /// Packs that stay because another user owns them, or somebody used them meanwhile.
    pub(crate) passed_over: u64,
}

/// A pack of the cache, and what the index knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shelved {
    pub(crate) cached: CachedPack,
    /// Nothing if this clone does not know it.
    pub(crate) kind: Option<PackKind>,
}

impl Shelved {
    pub(crate) fn is_data(&self) -> bool {
        self.kind != Some(PackKind::Nodes)
    }
}

/// Keeps the cache to what the settings say. What goes wrong is a warning: the verb did its work.
pub(crate) fn retain(repo: &Repo, after: After, job: &Job) {
    match retained(repo, after, job) {
        Ok(()) | Err(OpError::Stopped(_) | OpError::Transfer(TransferError::Stopped(_))) => {}
        Err(e) => job.warn(&format!("nothing was evicted from the cache: {e}")),
    }
}

fn retained(repo: &Repo, after: After, job: &Job) -> Result<(), OpError> {
    let config = repo.config();
    let budget = config.cache_max_size.value;
    let drop_content = config.cache_keep.value == Keep::Unpushed && after != After::Fetch;
    if !drop_content && fits(repo, budget)? {
        return Ok(());
    }
    let (all, files) = (shelved(repo)?, idle(repo, job)?);
    let total = in_packs(&all) + in_files(&files);
    repo.index()?.set_cache_size(total)?;
    let used = repo.index()?.used_packs();
    let going = if drop_content {
        Surplus { packs: content(&all, after, &used), files }
    } else {
        let needed = if after == After::Fetch { used } else { HashSet::new() };
        let free = all.into_iter().filter(|s| !needed.contains(&s.cached.pack)).collect();
        surplus((free, files), total, budget)
    };
    if going.is_empty() || config.default_remote().is_none() {
        return Ok(());
    }
    if let Some(dropped) = evict(repo, going, Duration::ZERO, job)?
        && dropped.packs + dropped.files > 0
    {
        job.note(&format!("evicted {} from the cache", ByteSize(dropped.bytes)));
    }
    Ok(())
}

/// Says whether the cache is within its budget, as far as that is known without listing it.
fn fits(repo: &Repo, budget: u64) -> Result<bool, OpError> {
    let Some(size) = repo.index()?.cache_size()? else { return Ok(false) };
    let known = !repo.layout().is_shared() || size.added <= budget / LOOK_AGAIN;
    Ok(known && size.listed.saturating_add(size.added) <= budget)
}

/// The content that a verb has no more use for; trees stay. After a push that is what it sent or
/// read, as what was fetched may still be waiting for its checkout.
fn content(all: &[Shelved], after: After, used: &HashSet<PackId>) -> Vec<CachedPack> {
    let mine = |s: &&Shelved| s.kind == Some(PackKind::Data);
    let done = |s: &&Shelved| after != After::Push || used.contains(&s.cached.pack);
    all.iter().filter(mine).filter(done).map(|s| s.cached).collect()
}

/// Bytes of packs.
pub(crate) fn in_packs(all: &[Shelved]) -> u64 {
    all.iter().map(|shelved| shelved.cached.bytes).sum()
}

/// Bytes of whole files.
pub(crate) fn in_files(all: &[IdleFile]) -> u64 {
    all.iter().map(|file| file.bytes).sum()
}

/// What is to go from the cache.
#[derive(Debug, Default)]
pub(crate) struct Surplus {
    pub(crate) packs: Vec<CachedPack>,
    /// Whole files that no worktree shares.
    pub(crate) files: Vec<IdleFile>,
}

impl Surplus {
    pub(crate) fn is_empty(&self) -> bool {
        self.packs.is_empty() && self.files.is_empty()
    }
}

/// What brings the cache down to its budget: whole files first, as packs hold the same in fewer bytes.
pub(crate) fn surplus(
    (packs, mut files): (Vec<Shelved>, Vec<IdleFile>),
    total: u64,
    budget: u64,
) -> Surplus {
    let mut out = Surplus::default();
    if total <= budget {
        return out;
    }
    let (aim, mut left) = (aim(budget), total);
    files.sort_by_key(|file| (file.used, file.name));
    for file in files {
        if left <= aim {
            return out;
        }
        left = left.saturating_sub(file.bytes);
        out.files.push(file);
    }
    if left > aim {
        out.packs = oldest(packs, left, aim);
    }
    out
}

fn aim(budget: u64) -> u64 {
    budget.saturating_mul(AIM) / 100
}

/// The packs whose removal brings the cache down to so many bytes: content first, what was used last
/// at last.
fn oldest(mut all: Vec<Shelved>, total: u64, aim: u64) -> Vec<CachedPack> {
    all.sort_by_key(|s| (!s.is_data(), s.cached.used, s.cached.pack, s.cached.form));
    let mut left = total;
    let mut going = Vec::new();
    for shelved in all {
        if left <= aim {
            break;
        }
        left = left.saturating_sub(shelved.cached.bytes);
        going.push(shelved.cached);
    }
    going
}

/// Lists what may be evicted at all. What is not pushed is not among it, wherever it lies.
pub(crate) fn shelved(repo: &Repo) -> Result<Vec<Shelved>, OpError> {
    let view = repo.index()?.reader()?;
    let cache: CacheFolder = repo.layout().cache_folder();
    let all = cache.list()?.into_iter().filter_map(|cached| evictable(&view, cached));
    Ok(all.collect())
}

fn evictable(view: &IndexReader, cached: CachedPack) -> Option<Shelved> {
    let state = view.pack(cached.pack);
    if state.is_some_and(|state| state.held == Held::Unpushed) {
        return None;
    }
    Some(Shelved { cached, kind: state.and_then(|state| PackKind::from_byte(state.kind)) })
}

/// Removes what the default remote, asked now, has; nothing if somebody else uses the cache for
/// longer than `patience`.
pub(crate) fn evict(
    repo: &Repo,
    going: Surplus,
    patience: Duration,
    job: &Job,
) -> Result<Option<Dropped>, OpError> {
    let target = choose(repo, None, None)?;
    let parts = (repo.layout(), repo.index()?);
    let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Push, job)?;
    let files = with_packs(repo, going.files)?;
    let (there, _) = prove_there(&contact, asked(repo, &files)?, job)?;
    let files = proven(repo, files, &there.iter().map(|cached| cached.pack).collect())?;
    let (there, kept) = prove_there(&contact, going.packs, job)?;
    let Some(remote) = contact.synced().id else {
        return Ok(Some(Dropped { kept, ..Dropped::default() }));
    };
    job.check()?;
    let packs: Vec<PackId> = there.iter().map(|cached| cached.pack).collect();
    repo.index()?.confirm(remote, contact.synced().view.generation(), &packs)?;
    let dropped = repo.with_cache_alone(patience, || remove(repo, (&there, &files), job))?;
    Ok(dropped.map(|dropped| Dropped { kept, ..dropped }))
}

fn remove(
    repo: &Repo,
    (there, files): (&[CachedPack], &[IdleFile]),
    job: &Job,
) -> Result<Dropped, OpError> {
    let cache = repo.layout().cache_folder();
    let (files, bytes, passed_over) = remove_files(repo, files, job)?;
    let mut dropped = Dropped { files, bytes, passed_over, ..Dropped::default() };
    let mut removed: Vec<(PackId, Form)> = Vec::new();
    for cached in there {
        match cache.remove(cached)? {
            Removal::Removed => {
                dropped.packs += 1;
                dropped.bytes = dropped.bytes.saturating_add(cached.bytes);
                removed.push((cached.pack, cached.form));
            }
            Removal::UsedMeanwhile | Removal::NotAllowed => dropped.passed_over += 1,
        }
    }
    let index = repo.index()?;
    index.note_removed(&removed)?;
    if let Some(size) = index.cache_size()? {
        let left = size.listed.saturating_add(size.added).saturating_sub(dropped.bytes);
        index.set_cache_size(left)?;
    }
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Time;

    fn shelved(n: u8, kind: PackKind, used: i64) -> Shelved {
        let (pack, form) = (PackId([n; 16]), Form::Whole);
        Shelved { cached: CachedPack { pack, form, bytes: 10, used: Time(used) }, kind: Some(kind) }
    }

    #[test]
    fn content_goes_before_trees_and_what_was_used_longest_ago_first() {
        let all = || {
            vec![
                shelved(1, PackKind::Data, 30),
                shelved(2, PackKind::Nodes, 5),
                shelved(3, PackKind::Data, 10),
                shelved(4, PackKind::Data, 20),
            ]
        };
        let going = |budget| -> Vec<u8> {
            let going = surplus((all(), Vec::new()), 40, budget).packs;
            going.iter().filter_map(|c| c.pack.0.first().copied()).collect()
        };
        assert_eq!(going(40), [] as [u8; 0], "within the budget nothing goes");
        assert_eq!(going(39), [3], "down to nine tenths");
        assert_eq!(going(23), [3, 4]);
        assert_eq!(going(12), [3, 4, 1]);
        assert_eq!(going(0), [3, 4, 1, 2]);
    }
}
