//! Planning and running an add.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;

use serde::Serialize;

use crate::cache::{Held, Known, NodeSink, ObjectReader, Stale, StatEntry, WrittenPack};
use crate::fs::{Time, planted};
use crate::hash::{PackId, RemoteId};
use crate::intake::{Exceptions, Figures, Landed, SMALL, Stored, Taken, take};
use crate::ops::add::build::{Built, build};
use crate::ops::add::find::{Target, find, owns, size_of};
use crate::ops::add::part::{join, part};
use crate::ops::add::publish::publish;
use crate::ops::add::resolve::targets;
use crate::ops::add::sources::{OldFile, sibling_folders, single_files, sources};
use crate::ops::add::stream::{keep_lone_whole, unpushed_nodes};
use crate::ops::add::touched::touched;
use crate::ops::add::unmerged::refuse_unmerged;
use crate::ops::add::update::{to_update, warn_of_older_data};
use crate::ops::add::worth::Afar;
use crate::ops::error::OpError;
use crate::ops::linked::note_standing_links;
use crate::ops::open::spec_of;
use crate::ops::selection::Selection;
use crate::path::{JsonPath, RepoPath, find_collisions, json_path, show};
use crate::progress::{Job, Kind};
use crate::recipe::Chunks;
use crate::repo::Repo;
use crate::transfer::remembered;
use crate::worktree::{Knowledge, What, load_tracked};

/// Longest content that a manifest entry holds itself, in bytes.
const INLINE: u64 = 48;

/// What to add.
#[derive(Clone, Debug, Default)]
pub struct AddOptions {
    /// Paths or globs, relative to the current folder.
    pub paths: Vec<OsString>,
    /// Add every tracked path whose data is here; `paths` then choose among those.
    pub update: bool,
    /// Further keys of the pointers that are written.
    pub further: BTreeMap<String, String>,
    /// Whole paths that are taken in though a `.haulignore` excludes them.
    pub kept: Vec<Vec<u8>>,
}

/// One path that would be added.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedTarget {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `file` or `dir`.
    pub kind: &'static str,
    /// Entries.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    #[serde(skip)]
    pub(super) target: Target,
}

/// What an add would do.
#[derive(Clone, Debug, Serialize)]
pub struct AddPlan {
    /// The paths, in order.
    pub targets: Vec<PlannedTarget>,
    /// Entries of all targets.
    pub files: u64,
    /// Bytes of all targets.
    pub bytes: u64,
    #[serde(skip)]
    pub(super) single: Vec<OldFile>,
    /// Tracked folders that are siblings of targets.
    #[serde(skip)]
    pub(super) folders: Vec<Target>,
}

/// One path that was added.
#[derive(Clone, Debug, Serialize)]
pub struct AddedTarget {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `file` or `dir`.
    pub kind: &'static str,
    /// Entries.
    pub files: u64,
    /// Bytes of all files.
    pub size: u64,
    /// The oid of a file, the root of a directory or of the tracked folder that it lies in.
    pub id: String,
    /// `added`, `updated` or `unchanged`.
    pub change: &'static str,
}

/// What an add did.
#[derive(Clone, Debug, Serialize)]
pub struct AddReport {
    /// The paths, in order.
    pub targets: Vec<AddedTarget>,
    /// Entries of all targets.
    pub files: u64,
    /// Bytes of all targets.
    pub bytes: u64,
    /// Bytes of chunks that were not known before.
    pub new_bytes: u64,
    /// Those of them that are stored as a delta to others.
    pub delta_bytes: u64,
    /// Bytes that were known.
    pub reused_bytes: u64,
    /// Bytes of the packs that were written.
    pub stored_bytes: u64,
}

/// Finds what an add would take in; reads names and stamps only.
pub fn plan(repo: &Repo, options: &AddOptions, job: &Job) -> Result<AddPlan, OpError> {
    repo.require_initialised()?;
    repo.begin_changes(job)?;
    let (tracked, refused) = load_tracked(repo.git(), repo.door())?;
    if options.update {
        Selection::new(repo, &options.paths)?.warn(&refused, job);
    }
    let paths = if options.update {
        to_update(repo, options, &tracked, job)?
    } else {
        targets(repo, &options.paths, &tracked, job)?
    };
    let owner = |path: &RepoPath| tracked.iter().find(|t| owns(t, path));
    let tops: Vec<RepoPath> = paths
        .iter()
        .map(|path| owner(path).map_or_else(|| path.clone(), |t| t.path.clone()))
        .collect();
    refuse_unmerged(repo, &tops, &tracked)?;
    let _scanning = job.begin(Kind::Scan, None);
    let single = single_files(&tracked);
    let mut out = AddPlan { targets: Vec::new(), files: 0, bytes: 0, single, folders: Vec::new() };
    for path in paths {
        let further = options.further.clone();
        let target = Target { further, ..find(repo, (&path, &options.kept), owner(&path), job)? };
        warn_of_names(&target, job);
        let bytes = target.found.iter().map(size_of).sum();
        let files = target.found.len() as u64;
        let kind = if target.is_dir { "dir" } else { "file" };
        let path = json_path(target.path.as_bytes());
        out.files += files;
        out.bytes += bytes;
        out.targets.push(PlannedTarget { path, kind, files, bytes, target });
    }
    let targets = out.targets.iter().map(|planned| &planned.target);
    out.folders = sibling_folders(&tracked, targets);
    warn_of_older_data(repo, out.targets.iter().map(|planned| &planned.target), job)?;
    Ok(out)
}

fn warn_of_names(target: &Target, job: &Job) {
    for found in &target.found {
        let shown = show(found.path.as_bytes());
        for text in [found.path.windows_problem(), found.path.caution()].into_iter().flatten() {
            job.warn(&format!("`{shown}`: {text}"));
        }
    }
    let paths: Vec<RepoPath> = target.found.iter().map(|f| f.path.clone()).collect();
    for collision in find_collisions(&paths) {
        let names: Vec<String> =
            collision.paths.iter().map(|p| format!("`{}`", show(p.as_bytes()))).collect();
        job.warn(&format!("{} {}", names.join(" and "), collision.kind));
    }
}

/// Takes everything in, writes pointers and ignore lines, and stages both in Git.
///
/// All targets share packs, and one write of the index.
pub fn run(repo: &Repo, plan: AddPlan, job: &Job) -> Result<AddReport, OpError> {
    let _working = repo.lock_for_work()?;
    let (report, done, _) = store(repo, plan, (Memory::Trusted, None), job)?;
    publish(repo, &done, job)?;
    let mut targets: Vec<AddedTarget> = done.into_iter().flat_map(|built| built.rows).collect();
    targets.sort_by(|a, b| a.path.path.cmp(&b.path.path));
    Ok(AddReport { targets, ..report })
}

/// Whether what this machine remembers of stored content is believed.
#[derive(Clone, Copy)]
pub(super) enum Memory<'m> {
    Trusted,
    /// Every file is read again, and what lies in these packs is stored again.
    Doubted(&'m BTreeSet<PackId>),
}

/// Stores what the worktree holds at tracked paths, without believing that it is stored already;
/// changes no pointer. For content that was damaged elsewhere.
pub(crate) fn store_again(
    repo: &Repo,
    paths: &[RepoPath],
    doubted: &BTreeSet<PackId>,
    job: &Job,
) -> Result<(), OpError> {
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let mut targets = Vec::new();
    for path in paths {
        let owner = tracked.iter().find(|t| t.path == *path);
        let target = find(repo, (path, &[]), owner, job)?;
        let (path, kind) = (json_path(path.as_bytes()), "");
        targets.push(PlannedTarget { path, kind, files: 0, bytes: 0, target });
    }
    let (single, folders) = (single_files(&tracked), Vec::new());
    let plan = AddPlan { targets, files: 0, bytes: 0, single, folders };
    store(repo, plan, (Memory::Doubted(doubted), None), job).map(drop)
}

/// Takes everything in; what comes out is durable, and no pointer names it yet. Packs of which somebody
/// is told when they have `landed` are not this machine's to keep.
pub(super) fn store(
    repo: &Repo,
    plan: AddPlan,
    (memory, landed): (Memory, Option<Landed>),
    job: &Job,
) -> Result<(AddReport, Vec<Built>, Vec<WrittenPack>), OpError> {
    let began = repo.door().now()?;
    let index = repo.index()?;
    index.adopt(repo.layout())?;
    index.notice_removed(repo.layout())?;
    let targets: Vec<Target> = plan.targets.into_iter().map(|planned| planned.target).collect();
    let links = targets.iter().flat_map(|target| &target.links).map(RepoPath::as_bytes);
    note_standing_links(repo, links, job);
    let mut contents = HashMap::new();
    let mut lost = index.out_of_reach(home(repo)?)?;
    match memory {
        Memory::Trusted => {
            for target in &targets {
                recall(repo, target, (began, &lost), (&mut contents, job))?;
            }
        }
        Memory::Doubted(packs) => lost.extend(packs),
    }
    let mut afar = Afar::new(repo);
    let folders: Vec<&Target> = targets.iter().chain(&plan.folders).collect();
    afar.bring_names(&folders, job)?;
    let sources = sources(repo, &targets, &contents, (&plan.single, &plan.folders))?;
    let elsewhere = &afar.bring((&sources, &folders), job)?;
    let mut all = sources.list;
    if landed.is_some() {
        keep_lone_whole(&targets, &mut all);
    }
    let exceptions = Exceptions { lost: &lost, elsewhere };
    let mut intake =
        take((repo.door().root(), began), &all, (repo.layout(), landed), (index, exceptions), job)?;
    for (source, taken) in all.into_iter().zip(std::mem::take(&mut intake.taken)) {
        contents.insert(source.path, Content::Taken(taken));
    }
    let view = index.reader()?;
    if landed.is_some() {
        lost.extend(unpushed_nodes(index)?);
    }
    let stale = Stale { packs: &lost, ..Stale::NONE };
    let mut sink = NodeSink::new(repo.layout(), &view, &intake.places, stale)
        .with_deltas(&intake.packs)
        .with_elsewhere(elsewhere);
    let (mut done, mut parts) = (Vec::with_capacity(targets.len()), Vec::new());
    for target in &targets {
        job.check()?;
        match &target.outer {
            None => done.push(build(target, &contents, &mut sink)?),
            Some(_) => parts.push(part(target, &contents, &mut sink)?),
        }
    }
    if planted::is("pointer-before-content") {
        publish(repo, &done, job)?;
    }
    let nodes = sink.finish()?;
    let held = if landed.is_some() { Held::Gone } else { Held::Unpushed };
    intake.record(index, held, &nodes)?;
    done.extend(join(repo, parts, job)?);
    let in_nodes: u64 = nodes.iter().map(|pack| pack.size).sum();
    let bytes = done.iter().flat_map(|built| &built.rows).map(|row| row.size).sum();
    Ok((reported((plan.files, bytes), intake.figures, in_nodes), done, intake.packs))
}

fn reported((files, bytes): (u64, u64), figures: Figures, in_nodes: u64) -> AddReport {
    let Figures { new, delta, stored, .. } = figures;
    AddReport {
        targets: Vec::new(),
        files,
        bytes,
        new_bytes: new,
        delta_bytes: delta,
        reused_bytes: bytes.saturating_sub(new),
        stored_bytes: stored + in_nodes,
    }
}

/// What is known of a file: from the stat cache, or taken in just now.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Remembered(StatEntry),
    /// Of another stamp than before: its entry, and the one to be remembered, which is the old one where the stamp
    /// could hide a later change.
    Touched(Box<(StatEntry, StatEntry)>),
    Taken(Taken),
}

/// Finds the files whose stored content the stat cache still vouches for: their stamps are as they were, or
/// their bytes.
fn recall(
    repo: &Repo,
    target: &Target,
    (began, lost): (Time, &BTreeSet<PackId>),
    (out, job): (&mut HashMap<Vec<u8>, Content>, &Job),
) -> Result<(), OpError> {
    let knowledge = Knowledge::new(repo.stat()?.under(target.path.as_bytes())?, began);
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let mut others = Vec::new();
    for found in &target.found {
        let What::File(stamp) = &found.what else { continue };
        let Some(entry) = knowledge.recall(&found.path, stamp) else {
            // Smaller ones are read once in any case.
            if stamp.size > SMALL {
                others.push((found.path.clone(), *stamp));
            }
            continue;
        };
        // Content of a few bytes lies in no chunk; reading it again is as quick.
        let inline = stamp.size <= INLINE;
        if entry.known == Known::Stored && !inline && is_stored(&entry, &mut reader, lost) {
            out.insert(found.path.as_bytes().to_vec(), Content::Remembered(entry));
        }
    }
    for (path, entry, lasting) in touched(repo, (&knowledge, &others), (&mut reader, lost), job)? {
        out.insert(path.as_bytes().to_vec(), Content::Touched(Box::new((entry, lasting))));
    }
    Ok(())
}

/// Says whether content that was stored once is so still, in packs that count.
pub(super) fn is_stored(
    entry: &StatEntry,
    reader: &mut ObjectReader,
    lost: &BTreeSet<PackId>,
) -> bool {
    let counts = |reader: &ObjectReader, id: &[u8; 32]| {
        reader.view().find(id).is_some_and(|place| !lost.contains(&place.pack))
    };
    let Some((_, root)) = entry.tree else { return counts(reader, &entry.oid.0) };
    if lost.is_empty() {
        return counts(reader, &root.0);
    }
    let chunks = Chunks::all(root, entry.stamp.size, |id| reader.node_bytes(id));
    let ids: Result<Vec<_>, _> = chunks.map(|at| at.map(|at| at.entry.id)).collect();
    ids.is_ok_and(|ids| ids.iter().all(|id| counts(reader, &id.0)))
}

/// The identity of the remote that is pushed to, as far as this machine was ever in contact with it.
pub(super) fn home(repo: &Repo) -> Result<Option<RemoteId>, OpError> {
    let Some(name) = repo.config().default_remote() else { return Ok(None) };
    // A remote that cannot be named now is one to which nothing is known to be confirmed.
    let Ok(spec) = spec_of(repo, name) else { return Ok(None) };
    Ok(remembered(repo.layout(), &spec.to_string())?)
}

impl Stored {
    /// Returns the size in bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Chunk { size } | Self::Chunks { size, .. } => *size,
        }
    }
}
