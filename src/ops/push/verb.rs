//! What a push is about, and doing it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use serde::Serialize;

use crate::git::{CommitId, Content, ObjectId, PointerBlob};
use crate::ops::bounds::Bounds;
use crate::ops::chosen::{Chosen, at_head, find};
use crate::ops::error::{Exit, OpError};
use crate::ops::filter_process::{adopt, find_again};
use crate::ops::open::{Chosen as Target, choose};
use crate::ops::requests::Requests;
use crate::ops::retain::{After, retain};
use crate::ops::select::Select;
use crate::ops::selection::Selection;
use crate::path::{RepoPath, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{
    Avoid, Contact, Filter, Home, Purpose, PushRequest, Pushed, Root, Stage, Wanted, push, to_send,
};
use crate::worktree::{RefusedPointer, TrackedState, Tracking, parse_tracked};

/// What to push.
#[derive(Clone, Debug, Default)]
pub struct PushOptions {
    /// Only these tracked paths, whole.
    pub paths: Vec<OsString>,
    /// The commits up to this revision; up to `HEAD`, and what is staged, if absent.
    pub rev: Option<String>,
    /// The commits of every local branch and tag.
    pub all: bool,
    /// The remote; the default one if absent.
    pub remote: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
    /// Most bytes to send to each remote.
    pub max_bytes: Option<u64>,
}

/// What a push is about.
#[derive(Clone)]
pub struct PushPlan {
    /// The remote's name.
    pub remote: String,
    /// Its address, without secrets.
    pub url: String,
    /// Pointers whose content has to be there.
    pub roots: u64,
    pub(super) max_bytes: Option<u64>,
    pub(super) target: Target,
    pub(super) wanted: Vec<(Wanted, Stage)>,
    /// The commits that brought them, by path.
    commits: Vec<(Vec<u8>, CommitId)>,
    select: Select,
}

/// What a push did.
#[derive(Clone, Debug, Serialize)]
pub struct PushReport {
    /// The remote's name.
    pub remote: String,
    /// Pointers whose content is there now.
    pub roots: u64,
    /// Those of them that the remote had.
    pub reused_roots: u64,
    /// Packs sent.
    pub packs: u64,
    /// Bytes of these packs.
    pub sent_bytes: u64,
    /// Bytes of packs relied on.
    pub reused_bytes: u64,
    /// Bytes of the files that the pointers name; what several have in common counts for each.
    pub logical_bytes: u64,
    /// Bytes of chunks that were sent, before compression.
    pub new_bytes: u64,
    /// Those of them that are stored as a delta to others.
    pub delta_bytes: u64,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// Finds what the commits being pushed name; asks Git's remote for its refs, and nobody else.
pub fn plan(repo: &Repo, options: &PushOptions, job: &Job) -> Result<PushPlan, OpError> {
    repo.require_initialised()?;
    let target = choose(repo, options.remote.as_deref(), options.jobs)?;
    let found = roots(repo, options, job)?;
    let select = Select { rev: options.rev.clone(), all: options.all, ..Select::default() };
    Ok(PushPlan { max_bytes: options.max_bytes, ..planned(repo, target, (found, select), job)? })
}

/// Plans a push to every remote, the default one last: until then, nothing that is pushed may leave the
/// cache. One that may not be used is an error before anything is sent.
pub fn plan_all(repo: &Repo, options: &PushOptions, job: &Job) -> Result<Vec<PushPlan>, OpError> {
    repo.require_initialised()?;
    let default = choose(repo, None, options.jobs)?;
    let names = repo.config().remotes.keys().filter(|name| **name != default.name);
    let mut targets: Vec<Target> =
        names.map(|name| choose(repo, Some(name), options.jobs)).collect::<Result<_, _>>()?;
    targets.push(default);
    let found = roots(repo, options, job)?;
    let select = Select { rev: options.rev.clone(), all: options.all, ..Select::default() };
    let plan = |target| {
        let plan = planned(repo, target, (found.clone(), select.clone()), job)?;
        Ok(PushPlan { max_bytes: options.max_bytes, ..plan })
    };
    targets.into_iter().map(plan).collect()
}

fn planned(
    repo: &Repo,
    target: Target,
    ((wanted, commits), select): (Roots, Select),
    job: &Job,
) -> Result<PushPlan, OpError> {
    adopt(repo, job)?;
    find_again(repo, wanted.iter().filter_map(|(wanted, _)| wanted.root.id()), job)?;
    repo.index()?.adopt(repo.layout())?;
    Ok(PushPlan {
        remote: target.name.clone(),
        url: target.url(),
        roots: wanted.len() as u64,
        max_bytes: None,
        target,
        wanted,
        commits,
        select,
    })
}

/// Roots, each with the stage of its commits, and the commits that brought them, by path.
type Roots = (Vec<(Wanted, Stage)>, Vec<(Vec<u8>, CommitId)>);

/// Collects roots, each once: of new commits, of what is staged or at the revision.
fn roots(repo: &Repo, options: &PushOptions, job: &Job) -> Result<Roots, OpError> {
    let mut selection = Selection::new(repo, &options.paths)?;
    let mut seen = BTreeSet::new();
    let (mut out, mut commits) = (Vec::new(), Vec::new());
    let mut add = |path: &RepoPath, root: Root, stage: Stage| {
        if selection.filter(path).is_some() && root.id().is_none_or(|id| seen.insert(id)) {
            let path = path.as_bytes().to_vec();
            out.push((Wanted { path, root, filter: Filter::All }, stage));
        }
    };
    let brought = repo.git().new_pointers(&tips(repo, options)?, &published(repo, job))?;
    let (sound, mut refused) = judged(brought, job);
    for (path, pointer, commit) in sound {
        commits.push((path.as_bytes().to_vec(), commit));
        add(&path, Root::of(&pointer), Stage::Unpublished);
    }
    let (named, more) = if options.all { Default::default() } else { named(repo, options)? };
    for (item, stage) in named {
        add(&item.path, Root::of(&item.pointer), stage);
    }
    refused.extend(more);
    refused.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    refused.dedup_by(|a, b| a.pointer == b.pointer);
    selection.warn(&refused, job);
    selection.check_used()?;
    Ok((out, commits))
}

/// Sorts out the sound pointers of commits, with a warning of each that cannot be used, and those of
/// refused names.
fn judged(
    brought: Vec<PointerBlob>,
    job: &Job,
) -> (Vec<(RepoPath, Pointer, CommitId)>, Vec<RefusedPointer>) {
    let (mut sound, mut refused) = (Vec::new(), Vec::new());
    for found in brought {
        let path = match Tracking::of(&found.path) {
            Ok((_, path)) => path,
            // No haul made it, and none can place its data.
            Err(why) => {
                refused.push(RefusedPointer { pointer: found.path, why });
                continue;
            }
        };
        let shown = show(path.as_bytes());
        let commit = found.commit;
        let state = match found.content {
            Content::Whole(bytes) => parse_tracked(bytes),
            Content::TooLarge(size) => {
                job.warn(&format!(
                    "commit {} has a pointer of {size} bytes for `{shown}`, which is none",
                    commit.0
                ));
                continue;
            }
        };
        match state {
            TrackedState::Sound(pointer, _) => sound.push((path, pointer, commit)),
            TrackedState::Missing => {}
            // What is broken at the tip is refused elsewhere; an old commit cannot be mended.
            TrackedState::Unsound(error) => job.warn(&format!(
                "commit {} has an unusable pointer for `{shown}`: {error}",
                commit.0
            )),
        }
    }
    (sound, refused)
}

/// Plans to send what these pointers name, which come with commits that are about to be published;
/// nothing if none of them can be used.
pub(crate) fn plan_brought(
    repo: &Repo,
    brought: Vec<PointerBlob>,
    job: &Job,
) -> Result<Option<PushPlan>, OpError> {
    let (sound, refused) = judged(brought, job);
    Selection::new(repo, &[])?.warn(&refused, job);
    let (mut wanted, mut commits) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (path, pointer, commit) in sound {
        let (path, root) = (path.as_bytes().to_vec(), Root::of(&pointer));
        commits.push((path.clone(), commit));
        if root.id().is_none_or(|id| seen.insert(id)) {
            wanted.push((Wanted { path, root, filter: Filter::All }, Stage::Unpublished));
        }
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    repo.require_initialised()?;
    let target = choose(repo, None, None)?;
    let found = (wanted, commits);
    Ok(Some(planned(repo, target, (found, Select::default()), job)?))
}

/// Pointers, each with the stage of its commits, and those of refused names.
type Named = (Vec<(Chosen, Stage)>, Vec<RefusedPointer>);

/// What the revision names, or what is staged and what `HEAD` names; and pointers of refused names.
fn named(repo: &Repo, options: &PushOptions) -> Result<Named, OpError> {
    let (current, refused) = find(repo, &Select { rev: options.rev.clone(), ..Select::default() })?;
    let at_head = if options.rev.is_some() { Vec::new() } else { at_head(repo)? };
    // One that is not sound is in the way of none that is.
    let at_head: Vec<Chosen> = at_head.into_iter().filter_map(|(_, item)| item.ok()).collect();
    // Staged but not committed, or committed and published without its data.
    let same = at_head.len() == current.len()
        && at_head.iter().zip(&current).all(|(a, b)| a.path == b.path && a.bytes == b.bytes);
    let published = options.rev.is_some() || same;
    let stage = if published { Stage::Published } else { Stage::Unpublished };
    // Published without its data, and another version is staged by now: sent if it is here. Where it
    // is not, it must not be in the way of what is.
    let view = repo.index()?.reader()?;
    let here = |item: &Chosen| {
        Root::of(&item.pointer).id().is_some_and(|id| view.find_held(&id).is_some())
    };
    let current = current.into_iter().map(|item| (item, stage));
    let at_head = at_head.into_iter().filter(here).map(|item| (item, Stage::Published));
    Ok((current.chain(at_head).collect(), refused))
}

fn tips(repo: &Repo, options: &PushOptions) -> Result<Vec<ObjectId>, OpError> {
    if options.all {
        let arguments = ["for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags"];
        let text = repo.git().run(&arguments, b"")?;
        return Ok(text.split(|b| *b == b'\n').filter_map(ObjectId::from_hex).collect());
    }
    match &options.rev {
        Some(rev) => Ok(vec![repo.git().resolve(rev)?.0]),
        None => Ok(repo.git().head()?.map(|commit| commit.0).into_iter().collect()),
    }
}

/// The commits that Git's remote has, asked now; as last seen where it cannot be asked.
fn published(repo: &Repo, job: &Job) -> Vec<ObjectId> {
    let Ok(name) = repo.git().default_remote() else { return Vec::new() };
    match repo.git().remote_refs(&name) {
        Ok(refs) => refs.into_iter().map(|found| found.id).collect(),
        Err(error) => {
            job.warn(&format!(
                "could not ask the Git remote `{name}` which commits it has, so all content of this \
                 branch is checked: {error}"
            ));
            Vec::new()
        }
    }
}

/// Runs the push protocol, then keeps the cache to its size.
pub fn run(repo: &Repo, plan: PushPlan, job: &Job) -> Result<PushReport, OpError> {
    let report = send(repo, plan, job)?;
    retain(repo, After::Push, job);
    Ok(report)
}

/// Pushes to one remote after the other; what goes wrong with one does not keep content from the others.
/// Only if all have it, the cache is kept to its size.
pub fn run_all(repo: &Repo, plans: Vec<PushPlan>, job: &Job) -> (Vec<PushReport>, Option<OpError>) {
    let (mut reports, mut failed) = (Vec::new(), None);
    for plan in plans {
        let name = plan.remote.clone();
        match send(repo, plan, job) {
            Ok(report) => reports.push(report),
            Err(e) if e.exit() == Exit::Interrupted => return (reports, Some(e)),
            Err(e) => {
                job.warn(&format!("remote `{name}` did not get all of it: {e}"));
                failed.get_or_insert(e);
            }
        }
    }
    if failed.is_none() {
        retain(repo, After::Push, job);
    }
    (reports, failed)
}

fn send(repo: &Repo, plan: PushPlan, job: &Job) -> Result<PushReport, OpError> {
    let _working = repo.lock_for_work()?;
    if plan.wanted.iter().all(|(wanted, _)| wanted.root == Root::Empty) {
        return Ok(reported(plan.remote, &Pushed::default(), Requests::default()));
    }
    let remote = plan.target.open()?;
    let parts = (repo.layout(), repo.index()?);
    let mut contact = Contact::make(remote, parts, plan.target.jobs, Purpose::Push, job)?;
    let request = request(repo, &plan.target, plan.wanted)?;
    if plan.max_bytes.is_some() {
        let found = to_send(&request, &contact, job)?;
        Bounds::new(None, plan.max_bytes).admit(found.bytes)?;
    }
    let pushed = push(&request, &mut contact, job)
        .map_err(|e| OpError::from(e).with_commits(repo, (&plan.commits, &plan.select)))?;
    Ok(reported(plan.remote, &pushed, contact.remote().counts().into()))
}

/// What is asked of the protocol.
pub(super) fn request(
    repo: &Repo,
    target: &Target,
    wanted: Vec<(Wanted, Stage)>,
) -> Result<PushRequest, OpError> {
    let is_home = repo.config().default_remote() == Some(target.name.as_str());
    Ok(PushRequest {
        earlier: earlier(repo, &wanted)?,
        roots: wanted,
        repo: repo.identity()?,
        home: if is_home { Home::Yes } else { Home::No },
        avoid: Avoid::Nothing,
        sent: BTreeMap::new(),
    })
}

/// Says what a push did.
pub(crate) fn reported(remote: String, pushed: &Pushed, requests: Requests) -> PushReport {
    PushReport {
        remote,
        roots: pushed.roots,
        reused_roots: pushed.reused_roots,
        packs: pushed.packs,
        sent_bytes: pushed.sent_bytes,
        reused_bytes: pushed.reused_bytes,
        logical_bytes: pushed.logical_bytes,
        new_bytes: pushed.new_bytes,
        delta_bytes: pushed.delta_bytes,
        requests,
    }
}

/// The previous versions of each path: what the remote most likely shares with the new one.
pub(crate) fn earlier(repo: &Repo, wanted: &[(Wanted, Stage)]) -> Result<Vec<Wanted>, OpError> {
    const VERSIONS: usize = 4;
    if repo.git().head()?.is_none() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    let mut paths: BTreeSet<Vec<u8>> = wanted.iter().map(|(w, _)| w.path.clone()).collect();
    for by in [Tracking::Beside, Tracking::InPlace] {
        let tracked: Result<Vec<RepoPath>, _> =
            paths.iter().map(Vec::as_slice).map(RepoPath::new).collect();
        let pointers: Result<Vec<_>, _> = tracked?.iter().map(|p| by.pointer_path(p)).collect();
        let pointers = pointers?;
        let keys: Vec<&[u8]> = pointers.iter().map(RepoPath::as_bytes).collect();
        let found = repo.git().previous_pointers(&keys, VERSIONS)?;
        for (path, versions) in std::mem::take(&mut paths).into_iter().zip(found) {
            let from = out.len();
            for bytes in versions {
                if let TrackedState::Sound(pointer, _) = parse_tracked(bytes) {
                    let (path, root) = (path.clone(), Root::of(&pointer));
                    out.push(Wanted { path, root, filter: Filter::All });
                }
            }
            // Where no pointer lies beside, it may be one in place.
            if out.len() == from {
                paths.insert(path);
            }
        }
    }
    let new: BTreeSet<_> = wanted.iter().filter_map(|(w, _)| w.root.id()).collect();
    out.retain(|w| w.root.id().is_some_and(|id| !new.contains(&id)));
    Ok(out)
}
