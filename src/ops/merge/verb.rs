//! `haul merge`: the pointers that a merge left, here or on a forge's web page.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::git::{CommitId, Content, GitError, ObjectId, POINTER_LIMIT};
use crate::ops::error::OpError;
use crate::ops::hook::{Followed, Occasion, follow};
use crate::ops::merge::Clash;
use crate::ops::merge::pointers::{Merged, Sides, merge_pointer};
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;

/// What came of one pointer.
#[derive(Clone, Debug, Serialize)]
pub struct MergeRow {
    /// The tracked path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `merged` and staged, or `conflict`.
    pub state: &'static str,
    /// What needs a person.
    pub clashes: Vec<Clash>,
}

/// What a merge did.
#[derive(Clone, Debug, Serialize)]
pub struct MergeReport {
    /// Pointers that were merged or are in conflict.
    pub pointers: Vec<MergeRow>,
    /// Whether nothing is left for a person.
    pub complete: bool,
    /// Files of the worktree that were written.
    pub written: u64,
    /// What stood in the way of the data.
    #[serde(skip)]
    pub followed: Option<Followed>,
}

/// The versions of one pointer in a merge; nothing where a side has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions {
    pub(crate) base: Option<Vec<u8>>,
    pub(crate) ours: Option<Vec<u8>>,
    pub(crate) theirs: Option<Vec<u8>>,
}

/// What a merge would do.
#[derive(Clone, Debug, Serialize)]
pub struct MergePlan {
    /// Pointers that would be merged or are in conflict.
    pub pointers: Vec<MergeRow>,
    /// Whether nothing would be left for a person.
    pub complete: bool,
    /// Files that the other side brings.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    #[serde(skip)]
    steps: Vec<Step>,
}

/// What becomes of one pointer; nothing where one side has none, which is a person's to settle.
#[derive(Clone, Debug)]
struct Step {
    path: RepoPath,
    merged: Option<Merged>,
    /// Whether Git left it unmerged.
    unmerged: bool,
}

impl Step {
    fn row(&self, clashes: Vec<Clash>) -> MergeRow {
        let state = if clashes.is_empty() { "merged" } else { "conflict" };
        MergeRow { path: json_path(self.path.as_bytes()), state, clashes }
    }
}

/// Merges the pointers that Git left unmerged; without any, those of the merge that `HEAD` is, where
/// both sides changed them and the result is not what they make together. Nothing is written.
pub fn plan(repo: &Repo, job: &Job) -> Result<MergePlan, OpError> {
    repo.require_initialised()?;
    repo.begin_changes(job)?;
    let unmerged = unmerged(repo)?;
    let versions = if unmerged.is_empty() { left_in_head(repo)? } else { unmerged };
    let (mut pointers, mut steps) = (Vec::new(), Vec::new());
    for (path, versions) in versions {
        job.check()?;
        if let Some((step, row)) = one(repo, &path, &versions, job)? {
            pointers.push(row);
            steps.push(step);
        }
    }
    let complete = pointers.iter().all(|row| row.clashes.is_empty());
    let merged = || steps.iter().filter_map(|step| step.merged.as_ref());
    let files = merged().map(|merged| merged.files).sum();
    let bytes = merged().map(|merged| merged.bytes).fold(0, u64::saturating_add);
    Ok(MergePlan { pointers, complete, files, bytes, steps })
}

/// Writes what was merged and stages it; data follows.
pub fn run(repo: &Repo, plan: MergePlan, job: &Job) -> Result<MergeReport, OpError> {
    let working = repo.lock_for_work()?;
    let MergePlan { pointers: rows, complete, steps, .. } = plan;
    for step in steps {
        job.check()?;
        let Some(merged) = step.merged else { continue };
        let own = step.path.pointer_path()?;
        merged.write_nodes(repo)?;
        repo.door().write_durably(&own, &merged.pointer)?;
        if merged.clashes.is_empty() || !step.unmerged {
            repo.git().stage(&[own.as_bytes()])?;
        }
    }
    drop(working);
    let head = repo.git().head()?.map(|commit| commit.0);
    // What is in conflict is a person's: it stays as it lies while all else is placed.
    let clashes = rows.iter().flat_map(|row| &row.clashes);
    let in_conflict = clashes.map(|clash| clash.path.clone()).collect();
    let occasion = Occasion::Merged { head, in_conflict };
    let followed = if rows.is_empty() { None } else { follow(repo, &occasion, job)? };
    let written = followed.as_ref().map_or(0, |followed| followed.checkout.written);
    Ok(MergeReport { pointers: rows, complete, written, followed })
}

/// Merges one pointer; nothing if there is nothing to do.
fn one(
    repo: &Repo,
    path: &RepoPath,
    versions: &Versions,
    job: &Job,
) -> Result<Option<(Step, MergeRow)>, OpError> {
    let own = path.pointer_path()?;
    let step = |merged, unmerged| Step { path: path.clone(), merged, unmerged };
    let (Some(ours), Some(theirs)) = (&versions.ours, &versions.theirs) else {
        let deed = |side: &Option<Vec<u8>>| if side.is_some() { "changed" } else { "removed" };
        let (ours, theirs) = (deed(&versions.ours), deed(&versions.theirs));
        let step = step(None, true);
        let row = step.row(vec![Clash { path: json_path(path.as_bytes()), ours, theirs }]);
        return Ok(Some((step, row)));
    };
    let sides = Sides { base: versions.base.as_deref(), ours, theirs };
    let merged = merge_pointer(repo, path, sides, job)?;
    let clashes = merged.clashes.clone();
    let stands = repo.door().read_small(&own, POINTER_LIMIT)?;
    let unmerged = repo.git().tracked(&[own.as_bytes()])?.iter().any(|entry| entry.stage > 0);
    if stands.as_ref() == Some(&merged.pointer) && !unmerged {
        let step = step(None, unmerged);
        let row = step.row(clashes);
        return Ok(Some((step, row)).filter(|(_, row)| !row.clashes.is_empty()));
    }
    let step = step(Some(merged), unmerged);
    let row = step.row(clashes);
    Ok(Some((step, row)))
}

/// The versions of pointers that Git left unmerged.
pub(crate) fn unmerged(repo: &Repo) -> Result<BTreeMap<RepoPath, Versions>, OpError> {
    let entries: Vec<_> =
        repo.git().pointers()?.into_iter().filter(|entry| entry.stage > 0).collect();
    let contents = repo.git().index_contents(&entries, POINTER_LIMIT)?;
    let mut out: BTreeMap<RepoPath, Versions> = BTreeMap::new();
    for (entry, content) in entries.iter().zip(contents) {
        let path = RepoPath::new(&entry.path).and_then(|own| own.target_of_pointer());
        let (Ok(path), Content::Whole(bytes)) = (path, content) else { continue };
        let versions = out.entry(path).or_default();
        match entry.stage {
            1 => versions.base = Some(bytes),
            2 => versions.ours = Some(bytes),
            _ => versions.theirs = Some(bytes),
        }
    }
    Ok(out)
}

/// Those of [`of_head`] that nobody has merged yet: `HEAD` has one side's pointer, or none that is sound.
/// Any other was merged by the driver or by a person. Refuses where the pointer of the worktree is not
/// that of `HEAD`, as it would be written over.
fn left_in_head(repo: &Repo) -> Result<BTreeMap<RepoPath, Versions>, OpError> {
    let mut out = of_head(repo)?;
    for (path, versions) in std::mem::take(&mut out) {
        let own = path.pointer_path()?;
        let Some(Content::Whole(there)) =
            repo.git().file_at("HEAD", own.as_bytes(), POINTER_LIMIT)?
        else {
            continue;
        };
        let sides = [&versions.ours, &versions.theirs];
        if !sides.contains(&&Some(there.clone())) && Pointer::parse(&there).is_ok() {
            continue;
        }
        if repo.door().read_small(&own, POINTER_LIMIT)?.is_some_and(|stands| stands != there) {
            return Err(OpError::refused(
                format!(
                    "the pointer of `{}` is not that of the merge in `HEAD`, and would be written over",
                    show(path.as_bytes())
                ),
                "commit it, and there is nothing to merge; or take it back with `git checkout HEAD -- \
                 POINTER`",
            ));
        }
        out.insert(path, versions);
    }
    Ok(out)
}

/// The versions of pointers that both sides of the merge that `HEAD` is have, and differently. Ours is
/// the side that `HEAD` took, if it took one.
pub(crate) fn of_head(repo: &Repo) -> Result<BTreeMap<RepoPath, Versions>, OpError> {
    let Some([one, two]) = parents(repo)? else { return Ok(BTreeMap::new()) };
    let (first, second) = (pointers(repo, one)?, pointers(repo, two)?);
    let text = [one, two].map(|id| id.to_string());
    let base = match repo.git().run(&["merge-base", &text[0], &text[1]], b"") {
        Ok(id) => ObjectId::from_hex(id.trim_ascii()),
        // Two histories that have nothing in common.
        Err(GitError::Command { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let base = base.map_or(Ok(BTreeMap::new()), |id| pointers(repo, id))?;
    let head = repo.git().head()?.map_or(Ok(BTreeMap::new()), |CommitId(id)| pointers(repo, id))?;
    let mut out = BTreeMap::new();
    for (path, ours) in first {
        let Some(theirs) = second.get(&path).filter(|theirs| **theirs != ours) else { continue };
        let base = base.get(&path).cloned();
        let (mut ours, mut theirs) = (ours, theirs.clone());
        if base.as_ref() == Some(&ours) || base.as_ref() == Some(&theirs) {
            continue;
        }
        if head.get(&path) == Some(&theirs) {
            std::mem::swap(&mut ours, &mut theirs);
        }
        out.insert(path, Versions { base, ours: Some(ours), theirs: Some(theirs) });
    }
    Ok(out)
}

/// The two sides of the merge that `HEAD` is.
fn parents(repo: &Repo) -> Result<Option<[ObjectId; 2]>, OpError> {
    if repo.git().head()?.is_none() {
        return Ok(None);
    }
    let text = repo.git().run(&["rev-list", "--parents", "--max-count=1", "HEAD"], b"")?;
    let ids: Vec<ObjectId> =
        text.trim_ascii().split(|byte| *byte == b' ').filter_map(ObjectId::from_hex).collect();
    match ids.as_slice() {
        [_, one, two] => Ok(Some([*one, *two])),
        _ => Ok(None),
    }
}

fn pointers(repo: &Repo, commit: ObjectId) -> Result<BTreeMap<RepoPath, Vec<u8>>, OpError> {
    let mut out = BTreeMap::new();
    for found in repo.git().pointers_at(&commit.to_string())? {
        let path = RepoPath::new(&found.path).and_then(|own| own.target_of_pointer());
        if let (Ok(path), Content::Whole(bytes)) = (path, found.content) {
            out.insert(path, bytes);
        }
    }
    Ok(out)
}
