//! Letting go of what the cache has too much of, once a verb is done (ADR 0013).

use std::collections::HashSet;
use std::time::Duration;

use crate::cache::{CacheFolder, CachedPack, Form, Held, IndexReader, Removal};
use crate::config::Keep;
use crate::hash::{PackId, PackKind};
use crate::ops::error::OpError;
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
    let all = shelved(repo)?;
    let total = all.iter().map(|shelved| shelved.cached.bytes).sum();
    repo.index()?.set_cache_size(total)?;
    let used = repo.index()?.used_packs();
    let going = if drop_content {
        content(&all, after, &used)
    } else {
        let needed = if after == After::Fetch { used } else { HashSet::new() };
        let free = all.into_iter().filter(|s| !needed.contains(&s.cached.pack)).collect();
        oldest(free, total, budget)
    };
    if going.is_empty() || config.default_remote().is_none() {
        return Ok(());
    }
    if let Some(dropped) = evict(repo, going, Duration::ZERO, job)?
        && dropped.packs > 0
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

/// The packs whose removal brings the cache down to its budget: content first, what was used last
/// at last. Nothing if it is within.
pub(crate) fn oldest(mut all: Vec<Shelved>, total: u64, budget: u64) -> Vec<CachedPack> {
    if total <= budget {
        return Vec::new();
    }
    let aim = budget / 100 * AIM;
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

/// Removes packs from the cache that the default remote, asked now, has; nothing if somebody else
/// uses the cache for longer than `patience`.
pub(crate) fn evict(
    repo: &Repo,
    going: Vec<CachedPack>,
    patience: Duration,
    job: &Job,
) -> Result<Option<Dropped>, OpError> {
    let target = choose(repo, None, None)?;
    let parts = (repo.layout(), repo.index()?);
    let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Push, job)?;
    let (there, kept) = prove_there(&contact, going, job)?;
    let Some(remote) = contact.synced().id else {
        return Ok(Some(Dropped { kept, ..Dropped::default() }));
    };
    job.check()?;
    let packs: Vec<PackId> = there.iter().map(|cached| cached.pack).collect();
    repo.index()?.confirm(remote, contact.synced().view.generation(), &packs)?;
    let dropped = repo.with_cache_alone(patience, || remove(repo, &there))?;
    Ok(dropped.map(|dropped| Dropped { kept, ..dropped }))
}

fn remove(repo: &Repo, there: &[CachedPack]) -> Result<Dropped, OpError> {
    let cache = repo.layout().cache_folder();
    let mut dropped = Dropped::default();
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
