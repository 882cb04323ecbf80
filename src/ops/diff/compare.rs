//! From pairs of pointers to the files that differ.

use crate::cache::ObjectReader;
use crate::manifest::{Change, FileEntry};
use crate::ops::checkout::file_content;
use crate::ops::diff::report::{Difference, Found, difference};
use crate::ops::error::OpError;
use crate::ops::trees::{Asked, Source, look_into};
use crate::path::{RepoPath, json_path};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Comparison, Contact, Filter, Novelty, Pairs, Root, TransferError};

/// The two versions of a tracked path; at least one is there. Where both are the same, it tells what the
/// old side has, which content elsewhere may be a copy of.
pub(crate) struct Versions {
    /// Whose figures it adds to, counted from 0.
    pub(crate) group: usize,
    pub(crate) path: RepoPath,
    pub(crate) old: Option<Pointer>,
    pub(crate) new: Option<Pointer>,
    /// Which part of it is of interest.
    pub(crate) filter: Filter,
}

/// Tells for each of so many groups which files differ, from nodes alone: those that are not on this
/// machine are fetched.
pub(crate) fn differences(
    repo: &Repo,
    source: &Source,
    (versions, groups): (&[Versions], usize),
    job: &Job,
) -> Result<(Vec<Difference>, Asked), OpError> {
    let mut pairs = Pairs::default();
    for item in versions {
        // A file has no part that could be meant.
        let meant = |pointer: &&Pointer| match pointer.kind() {
            PointerKind::File { .. } => matches!(item.filter, Filter::All),
            PointerKind::Dir { .. } => true,
        };
        let root = |pointer: &Option<Pointer>| {
            pointer.as_ref().filter(meant).map_or(Root::Empty, Root::of)
        };
        let roots = (root(&item.old), root(&item.new));
        pairs.push(item.group, item.path.as_bytes(), roots, &item.filter);
    }
    let (found, asked) = look_into(
        repo,
        source,
        |reader, contact| differing((versions, groups), &pairs, (reader, contact), job),
        job,
    )?;
    let all = found.into_iter().map(|(found, novelty)| difference(found, novelty));
    Ok((all.collect(), asked))
}

/// As [`differences`], of one pair and with what is on this machine; nothing if that is not enough.
pub(super) fn local_difference(
    repo: &Repo,
    item: Versions,
    job: &Job,
) -> Result<Option<Difference>, OpError> {
    let mut pairs = Pairs::default();
    let root = |pointer: &Option<Pointer>| pointer.as_ref().map_or(Root::Empty, Root::of);
    pairs.push(0, item.path.as_bytes(), (root(&item.old), root(&item.new)), &item.filter);
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    match differing((&[item], 1), &pairs, (&mut reader, None), job) {
        Ok(mut found) => Ok(found.pop().map(|(found, novelty)| difference(found, novelty))),
        Err(OpError::Transfer(TransferError::NobodyPushed { .. })) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The files that differ of each group, with their whole paths, and what is new in them.
type Groups = Vec<(Vec<Found>, Novelty)>;

fn differing<'r>(
    (versions, groups): (&[Versions], usize),
    pairs: &Pairs,
    (reader, contact): (&mut ObjectReader<'r>, Option<&Contact<'r>>),
    job: &Job,
) -> Result<Groups, OpError> {
    let mut comparison = Comparison::make(pairs, reader, contact, job)?;
    let mut out: Groups =
        (0..groups).map(|group| (Vec::new(), comparison.novelty(group))).collect();
    for (number, item) in versions.iter().enumerate() {
        let pointer = json_path(item.path.as_bytes());
        let Some((found, _)) = out.get_mut(item.group) else { continue };
        let changes = comparison.changes(number).into_iter();
        let below = changes.filter(|change| item.filter.matches(change.path()));
        let itself = alone(item).filter(|_| matches!(item.filter, Filter::All));
        for change in itself.into_iter().chain(below.map(|change| whole(&item.path, change))) {
            let origin = match &change {
                Change::Added(new) => comparison.origin(item.group, &new.content),
                Change::Removed(_) | Change::Modified { .. } => None,
            };
            let (pointer, origin) = (pointer.clone(), origin.map(<[u8]>::to_vec));
            found.push(Found { change, pointer, origin });
        }
    }
    Ok(out)
}

/// What changes at the tracked path itself: versions that are a file and not a folder.
fn alone(item: &Versions) -> Option<Change> {
    let entry = |pointer: &Option<Pointer>| {
        let (kind, content) = file_content(pointer.as_ref()?.kind())?;
        Some(FileEntry { path: item.path.as_bytes().to_vec(), kind, content })
    };
    match (entry(&item.old), entry(&item.new)) {
        (None, None) => None,
        (Some(old), None) => Some(Change::Removed(old)),
        (None, Some(new)) => Some(Change::Added(new)),
        // A pointer may differ in words that say nothing of the content.
        (Some(old), Some(new)) => {
            let same = old.content.oid() == new.content.oid() && old.kind == new.kind;
            (!same).then_some(Change::Modified { old, new })
        }
    }
}

/// Puts the tracked folder in front of the path.
fn whole(folder: &RepoPath, change: Change) -> Change {
    let lead = |entry: FileEntry| {
        let path = [folder.as_bytes(), b"/", entry.path.as_slice()].concat();
        FileEntry { path, ..entry }
    };
    match change {
        Change::Added(entry) => Change::Added(lead(entry)),
        Change::Removed(entry) => Change::Removed(lead(entry)),
        Change::Modified { old, new } => Change::Modified { old: lead(old), new: lead(new) },
    }
}
