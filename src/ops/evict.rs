//! `haul evict`: content that the remote has leaves this machine's cache.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::cache::{CachedPack, Held, ObjectReader};
use crate::config::Keep;
use crate::hash::{ChunkId, PackId};
use crate::ops::chosen::{Chosen, chosen};
use crate::ops::error::OpError;
use crate::ops::idle::idle;
use crate::ops::retain::{Shelved, Surplus, evict, in_files, in_packs, shelved, surplus};
use crate::ops::select::Select;
use crate::path::{JsonPath, json_path};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::chunks_here;

/// How long others may go on using the cache before the eviction gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to evict.
#[derive(Clone, Debug, Default)]
pub enum Which {
    /// What the settings do not allow the cache to keep.
    #[default]
    Surplus,
    /// What was used longest ago, until the cache takes no more bytes than this.
    DownTo(u64),
    /// The content of these pointers, but for what the pointers of the worktree need too.
    Of(Select),
    /// All content.
    All,
}

/// Content of one tracked path that would go.
#[derive(Clone, Debug, Serialize)]
pub struct EvictRow {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// Packs that hold its content and would go; paths share packs.
    pub packs: u64,
    /// Bytes that these take in the cache.
    pub bytes: u64,
}

/// What an eviction would do.
#[derive(Debug, Serialize)]
pub struct EvictPlan {
    /// What each path that was named makes go.
    pub paths: Vec<EvictRow>,
    /// Packs that would go, if the remote has them.
    pub packs: u64,
    /// Bytes that they take in the cache.
    pub bytes: u64,
    /// Bytes that the cache takes.
    pub cache_bytes: u64,
    /// Whole files that no worktree shares and that would go.
    pub files: u64,
    /// Packs that are not pushed: they are never evicted.
    pub unpushed_packs: u64,
    /// Their bytes.
    pub unpushed_bytes: u64,
    #[serde(skip)]
    going: Surplus,
}

/// A pack that stays because the remote does not have it.
#[derive(Clone, Debug, Serialize)]
pub struct KeptRow {
    /// The pack.
    pub pack: String,
    /// Its bytes.
    pub bytes: u64,
    /// Why it stays.
    pub why: String,
}

/// What an eviction did.
#[derive(Clone, Debug, Serialize)]
pub struct EvictReport {
    /// Packs that are gone from the cache.
    pub packs: u64,
    /// Whole files that are gone from the cache.
    pub files: u64,
    /// Bytes that they took.
    pub bytes: u64,
    /// Bytes that the cache still takes.
    pub cache_bytes: u64,
    /// Packs that stay because the remote does not have them as it should.
    pub kept: Vec<KeptRow>,
    /// Packs that stay because another user owns them, or somebody used them meanwhile.
    pub passed_over: u64,
}

/// Finds what would go; asks nobody and changes nothing.
pub fn plan(repo: &Repo, which: &Which, job: &Job) -> Result<EvictPlan, OpError> {
    repo.require_initialised()?;
    let (all, files) = (shelved(repo)?, idle(repo, job)?);
    let cache_bytes = in_packs(&all) + in_files(&files);
    let unpushed = repo.index()?.packs(Held::Unpushed)?;
    let mut paths = Vec::new();
    let keep_none = repo.config().cache_keep.value == Keep::Unpushed;
    let going = match which {
        Which::All => Surplus { packs: content(all), files },
        Which::Surplus if keep_none => Surplus { packs: content(all), files },
        Which::Surplus => surplus((all, files), cache_bytes, repo.config().cache_max_size.value),
        Which::DownTo(bytes) => surplus((all, files), cache_bytes, *bytes),
        Which::Of(select) => {
            let (rows, packs) = of_paths(repo, select, &all, job)?;
            paths = rows;
            Surplus { packs, files: Vec::new() }
        }
    };
    Ok(EvictPlan {
        paths,
        packs: going.packs.len() as u64,
        files: going.files.len() as u64,
        bytes: going.packs.iter().map(|cached| cached.bytes).sum::<u64>() + in_files(&going.files),
        cache_bytes,
        unpushed_packs: unpushed.len() as u64,
        unpushed_bytes: unpushed.iter().map(|(_, state)| u64::from(state.size)).sum(),
        going,
    })
}

fn content(all: Vec<Shelved>) -> Vec<CachedPack> {
    all.into_iter().filter(Shelved::is_data).map(|shelved| shelved.cached).collect()
}

/// The packs that hold content of the chosen pointers, without those that the worktree's pointers
/// need for something else.
fn of_paths(
    repo: &Repo,
    select: &Select,
    all: &[Shelved],
    job: &Job,
) -> Result<(Vec<EvictRow>, Vec<CachedPack>), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let mut mine: Vec<(Chosen, BTreeSet<ChunkId>)> = Vec::new();
    for item in chosen(repo, select)? {
        let chunks = chunks_here(&item.wanted(), &mut reader, job)?;
        mine.push((item, chunks));
    }
    let named: BTreeSet<ChunkId> = mine.iter().flat_map(|(_, c)| c.iter().copied()).collect();
    let mut needed = BTreeSet::new();
    for item in chosen(repo, &Select::default())? {
        let chunks = chunks_here(&item.wanted(), &mut reader, job)?;
        // Of another revision only what the worktree does not need goes.
        let other = |id: &ChunkId| select.rev.is_some() || select.all || !named.contains(id);
        needed.extend(packs_of(chunks.iter().filter(|id| other(id)), &reader));
    }
    let by_pack: BTreeMap<PackId, Vec<CachedPack>> =
        all.iter().fold(BTreeMap::new(), |mut map, shelved| {
            map.entry(shelved.cached.pack).or_insert_with(Vec::new).push(shelved.cached);
            map
        });
    let mut going = BTreeMap::new();
    let mut rows = Vec::new();
    for (item, chunks) in mine {
        let mut row = EvictRow { path: json_path(item.path.as_bytes()), packs: 0, bytes: 0 };
        for pack in packs_of(chunks.iter(), &reader) {
            let Some(cached) = by_pack.get(&pack).filter(|_| !needed.contains(&pack)) else {
                continue;
            };
            row.packs += cached.len() as u64;
            row.bytes += cached.iter().map(|c| c.bytes).sum::<u64>();
            going.extend(cached.iter().map(|c| ((c.pack, c.form), *c)));
        }
        rows.push(row);
    }
    Ok((rows, going.into_values().collect()))
}

fn packs_of<'i>(ids: impl Iterator<Item = &'i ChunkId>, reader: &ObjectReader) -> BTreeSet<PackId> {
    ids.filter_map(|id| reader.view().find_frame(&id.0).map(|(place, _)| place.pack)).collect()
}

/// Evicts what the default remote, asked now, has.
pub fn run(repo: &Repo, plan: EvictPlan, job: &Job) -> Result<EvictReport, OpError> {
    let mut report = EvictReport {
        packs: 0,
        files: 0,
        bytes: 0,
        cache_bytes: plan.cache_bytes,
        kept: Vec::new(),
        passed_over: 0,
    };
    if plan.going.is_empty() {
        return Ok(report);
    }
    let dropped = evict(repo, plan.going, PATIENCE, job)?.ok_or_else(|| {
        OpError::refused(
            format!(
                "nothing was evicted: another haul uses the cache in `{}`",
                repo.layout().whole_folder().parent().unwrap_or(repo.layout().state()).display()
            ),
            "wait until it is done, then run the same command again",
        )
    })?;
    report.packs = dropped.packs;
    report.files = dropped.files;
    report.bytes = dropped.bytes;
    report.cache_bytes = plan.cache_bytes.saturating_sub(dropped.bytes);
    report.passed_over = dropped.passed_over;
    report.kept = dropped
        .kept
        .iter()
        .map(|kept| KeptRow {
            pack: kept.cached.pack.to_string(),
            bytes: kept.cached.bytes,
            why: kept.why.to_owned(),
        })
        .collect();
    Ok(report)
}
