//! Planning and running an add.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use serde::Serialize;

use crate::cache::{Held, NodeSink, Stale, WrittenPack};
use crate::fs::planted;
use crate::hash::{PackId, RemoteId};
use crate::intake::{Exceptions, Figures, Landed, take};
use crate::ops::add::build::{Built, build};
use crate::ops::add::find::{Target, find, owns, size_of};
use crate::ops::add::formers::Formers;
use crate::ops::add::old_files::{OldFile, sibling_folders, single_files};
use crate::ops::add::part::{Part, join, part};
use crate::ops::add::publish::publish;
use crate::ops::add::recall::recall;
use crate::ops::add::resolve::targets;
use crate::ops::add::sources::Sources;
use crate::ops::add::stream::unpushed_nodes;
use crate::ops::add::unmerged::refuse_unmerged;
use crate::ops::add::update::{to_update, warn_of_older_data};
use crate::ops::add::worth::Afar;
use crate::ops::error::OpError;
use crate::ops::linked::note_standing_links;
use crate::ops::open::spec_of;
use crate::ops::selection::Selection;
use crate::path::{JsonPath, RepoPath, find_collisions, json_path, show};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::transfer::remembered;
use crate::worktree::load_tracked;

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
    let paths: Vec<&RepoPath> = target.found.iter().map(|found| &found.path).collect();
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
    let added = store(repo, plan, (Memory::Trusted, None), job)?;
    publish(repo, (&added.targets, &added.built), job)?;
    let rows = added.built.into_iter().flat_map(|built| built.rows);
    let mut targets: Vec<AddedTarget> = rows.collect();
    targets.sort_by(|a, b| a.path.path.cmp(&b.path.path));
    Ok(AddReport { targets, ..added.report })
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

/// What an add has stored: durable, and no pointer names it yet.
pub(super) struct Added {
    pub(super) report: AddReport,
    /// With what is known of all that was found.
    pub(super) targets: Vec<Target>,
    pub(super) built: Vec<Built>,
    pub(super) packs: Vec<WrittenPack>,
}

/// Takes everything in. Packs of which somebody is told when they have `landed` are not this machine's to keep.
pub(super) fn store(
    repo: &Repo,
    plan: AddPlan,
    (memory, landed): (Memory, Option<Landed>),
    job: &Job,
) -> Result<Added, OpError> {
    let began = repo.door().now()?;
    let index = repo.index()?;
    index.adopt(repo.layout())?;
    index.notice_removed(repo.layout())?;
    let mut targets: Vec<Target> = plan.targets.into_iter().map(|planned| planned.target).collect();
    let links = targets.iter().flat_map(|target| &target.links).map(RepoPath::as_bytes);
    note_standing_links(repo, links, job);
    let mut lost = index.out_of_reach(home(repo)?)?;
    match memory {
        Memory::Trusted => {
            for target in &mut targets {
                recall(repo, target, (began, &lost), job)?;
            }
        }
        Memory::Doubted(packs) => lost.extend(packs),
    }
    let mut afar = Afar::new(repo);
    let folders: Vec<&Target> = targets.iter().chain(&plan.folders).collect();
    afar.bring_names(&folders, job)?;
    let formers = Formers::new(repo, &targets, (&plan.single, &plan.folders))?;
    // What a file has in common with its former version need not be stored, whether it is stored whole or not.
    let all = || Sources::new(&formers, false).all(&targets);
    let all = if afar.is_closed() { Vec::new() } else { all() };
    let elsewhere = &afar.bring((&all, &folders), job)?;
    drop(all);
    let mut sources = Sources::new(&formers, landed.is_some());
    let next = |taken| Ok::<_, OpError>(sources.next(&mut targets, taken));
    let exceptions = Exceptions { lost: &lost, elsewhere };
    let (root, work) = (repo.door().root(), (formers.total, next));
    let intake = take((root, began), work, (repo.layout(), landed), (index, exceptions), job)?;
    let view = index.reader()?;
    if landed.is_some() {
        lost.extend(unpushed_nodes(index)?);
    }
    let stale = Stale { packs: &lost, ..Stale::NONE };
    let mut sink = NodeSink::new(repo.layout(), &view, &intake.places, stale)
        .with_deltas(&intake.packs)
        .with_elsewhere(elsewhere);
    for target in &mut targets {
        job.check()?;
        target.contents.iter_mut().try_for_each(|content| content.write_recipe(&mut sink))?;
    }
    let (mut built, parts) = trees(&targets, &mut sink, job)?;
    if planted::is("pointer-before-content") {
        publish(repo, (&targets, &built), job)?;
    }
    let nodes = sink.finish()?;
    let held = if landed.is_some() { Held::Gone } else { Held::Unpushed };
    intake.record(index, held, &nodes)?;
    built.extend(join(repo, parts, job)?);
    let in_nodes: u64 = nodes.iter().map(|pack| pack.size).sum();
    let bytes = built.iter().flat_map(|built| &built.rows).map(|row| row.size).sum();
    let report = reported((plan.files, bytes), intake.figures, in_nodes);
    Ok(Added { report, targets, built, packs: intake.packs })
}

/// Writes the manifests of all targets; returns their pointers, and what stands at paths inside tracked folders.
fn trees<'t>(
    targets: &'t [Target],
    sink: &mut NodeSink,
    job: &Job,
) -> Result<(Vec<Built>, Vec<Part<'t>>), OpError> {
    let (mut built, mut parts) = (Vec::with_capacity(targets.len()), Vec::new());
    for target in targets {
        job.check()?;
        match &target.outer {
            None => built.push(build(target, sink)?),
            Some(_) => parts.push(part(target)?),
        }
    }
    Ok((built, parts))
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

/// The identity of the remote that is pushed to, as far as this machine was ever in contact with it.
pub(super) fn home(repo: &Repo) -> Result<Option<RemoteId>, OpError> {
    let Some(name) = repo.config().default_remote() else { return Ok(None) };
    // A remote that cannot be named now is one to which nothing is known to be confirmed.
    let Ok(spec) = spec_of(repo, name) else { return Ok(None) };
    Ok(remembered(repo.layout(), &spec.to_string())?)
}
