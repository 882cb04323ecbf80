//! From damaged packs to the pointers, files and commits that need them.

use std::collections::{BTreeMap, BTreeSet};

use crate::git::{CommitId, Content, ObjectId};
use crate::hash::PackId;
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What};
use crate::ops::fsck::report::NeedRow;
use crate::path::{RepoPath, json_path};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Affected, FileIn, Filter, Root, Wanted};
use crate::worktree::{TrackedState, Tracking, load_in_place, load_tracked, parse_tracked};

/// Branches and tags that are named with a commit.
const REFS: &str = "--count=5";

/// A pointer of some commit, or of the worktree.
pub(super) struct Named {
    pub(super) path: RepoPath,
    pub(super) pointer: Pointer,
    pub(super) commit: Option<CommitId>,
}

/// The pointers of all branches, tags and the worktree, each version once.
pub(super) struct Pointers {
    pub(super) list: Vec<Named>,
    /// The same, in the same order.
    pub(super) wanted: Vec<Wanted>,
}

impl Pointers {
    /// Collects them; one that is not sound has no content that could be looked at.
    pub(super) fn collect(repo: &Repo, job: &Job) -> Result<Self, OpError> {
        let mut out = Self { list: Vec::new(), wanted: Vec::new() };
        let mut seen = BTreeSet::new();
        let refs = repo.git().run(&["for-each-ref", "--format=%(objectname)"], b"")?;
        let mut tips: Vec<ObjectId> =
            refs.split(|b| *b == b'\n').filter_map(ObjectId::from_hex).collect();
        tips.extend(repo.git().head()?.map(|commit| commit.0));
        for found in repo.git().new_pointers(&tips, &[])? {
            job.check()?;
            let Content::Whole(bytes) = found.content else { continue };
            let path = Tracking::of(&found.path);
            if let (Ok((_, path)), TrackedState::Sound(pointer, _)) = (path, parse_tracked(bytes)) {
                out.add(path, pointer, Some(found.commit), &mut seen);
            }
        }
        let in_place = load_in_place(repo.git())?.0;
        for tracked in load_tracked(repo.git(), repo.door())?.0.into_iter().chain(in_place) {
            if let TrackedState::Sound(pointer, _) = tracked.state {
                out.add(tracked.path, pointer, None, &mut seen);
            }
        }
        Ok(out)
    }

    fn add(
        &mut self,
        path: RepoPath,
        pointer: Pointer,
        commit: Option<CommitId>,
        seen: &mut BTreeSet<(Vec<u8>, [u8; 32])>,
    ) {
        let root = Root::of(&pointer);
        let Some(id) = root.id() else { return };
        if seen.insert((path.as_bytes().to_vec(), id)) {
            let (bytes, filter) = (path.as_bytes().to_vec(), Filter::All);
            self.wanted.push(Wanted { path: bytes, root, filter });
            self.list.push(Named { path, pointer, commit });
        }
    }
}

/// Writes down with each finding who needs it. What the walk met and nobody had found yet becomes a
/// finding of its own.
pub(super) fn name(
    repo: &Repo,
    side: Side,
    pointers: &Pointers,
    affected: Vec<Affected>,
    findings: &mut Vec<Finding>,
) -> Result<(), OpError> {
    let mut refs = Refs::new(repo);
    for row in affected {
        refs.attach(finding_of(side, row.pack, findings), pointers, row)?;
    }
    Ok(())
}

/// The files of a pointer that need something, as paths of the repository.
fn files_of(named: &Named, below: BTreeSet<FileIn>) -> Vec<FileIn> {
    match named.pointer.kind() {
        PointerKind::File { oid, .. } => vec![(named.path.as_bytes().to_vec(), *oid)],
        PointerKind::Dir { .. } => {
            let whole = |path: &[u8]| [named.path.as_bytes(), b"/", path].concat();
            below.into_iter().map(|(path, oid)| (whole(&path), oid)).collect()
        }
    }
}

fn finding_of(side: Side, pack: Option<PackId>, findings: &mut Vec<Finding>) -> &mut Finding {
    let same = |f: &Finding| f.side == side && f.pack().is_some() && f.pack() == pack;
    let at = findings.iter().position(same).unwrap_or_else(|| {
        findings.push(match pack {
            Some(pack) => Finding::new(side, What::Pack { pack, held: None }, &pack, &pack)
                .because("something that lies in it cannot be read, or is not what it should be"),
            None => Finding::new(side, What::Roots, "root", "i/")
                .because("the catalogue says nowhere where it lies"),
        });
        findings.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "found just now, or the last one")]
    &mut findings[at]
}

/// Branches and tags by commit.
pub(super) struct Refs<'r> {
    repo: &'r Repo,
    known: BTreeMap<String, Vec<String>>,
}

impl<'r> Refs<'r> {
    pub(super) fn new(repo: &'r Repo) -> Self {
        Self { repo, known: BTreeMap::new() }
    }

    /// Notes with a finding that a pointer needs it.
    pub(super) fn attach(
        &mut self,
        finding: &mut Finding,
        pointers: &Pointers,
        row: Affected,
    ) -> Result<(), OpError> {
        let Some(named) = pointers.list.get(row.wanted) else { return Ok(()) };
        finding.wanted.insert(row.wanted);
        if finding.frames.is_empty() {
            finding.objects.extend(&row.objects);
        }
        finding.needed.extend(&row.objects);
        let files: Vec<FileIn> = files_of(named, row.files);
        let commit = named.commit;
        finding.needs.push(NeedRow {
            path: json_path(named.path.as_bytes()),
            files: match named.pointer.kind() {
                PointerKind::File { .. } => Vec::new(),
                PointerKind::Dir { .. } => files.iter().map(|(path, _)| json_path(path)).collect(),
            },
            commit: commit.map(|commit| commit.0.to_string()).unwrap_or_default(),
            refs: commit.map_or(Ok(Vec::new()), |commit| self.of(commit))?,
        });
        finding.files.extend(files);
        Ok(())
    }

    fn of(&mut self, commit: CommitId) -> Result<Vec<String>, OpError> {
        let text = commit.0.to_string();
        if let Some(known) = self.known.get(&text) {
            return Ok(known.clone());
        }
        let arguments =
            ["for-each-ref", REFS, "--contains", text.as_str(), "--format=%(refname:short)"];
        let answer = self.repo.git().run(&arguments, b"")?;
        let refs: Vec<String> =
            String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect();
        self.known.insert(text, refs.clone());
        Ok(refs)
    }
}
