//! Pairs of pointers to files that differ.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::cache::ObjectReader;
use crate::manifest::{Change, Content, FileEntry};
use crate::ops::checkout::file_content;
use crate::ops::chosen::unsound;
use crate::ops::diff::report::{DiffReport, Found, entries};
use crate::ops::diff::sides::{Sides, sides};
use crate::ops::error::OpError;
use crate::ops::requests::Requests;
use crate::ops::select::Selection;
use crate::ops::trees::{Source, look_into};
use crate::path::{RepoPath, json_path, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Comparison, Contact, Filter, Novelty, Pairs, Root};
use crate::worktree::TrackedState;

/// What to compare.
#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    /// Up to two revisions, or `A..B`, then paths. One revision is compared with the pointers in the
    /// worktree; without any, `HEAD` is.
    pub words: Vec<OsString>,
    /// More paths.
    pub paths: Vec<OsString>,
    /// Where absent trees come from.
    pub source: Source,
}

/// The two versions of a tracked path; at least one is there.
struct Versions {
    path: RepoPath,
    old: Option<Pointer>,
    new: Option<Pointer>,
    filter: Filter,
}

/// Compares two versions of the pointers. Fetches nodes that differ and are not on this machine, and
/// no content.
pub fn run(repo: &Repo, options: &DiffOptions, job: &Job) -> Result<DiffReport, OpError> {
    let sides = sides(repo, &options.words, &options.paths)?;
    let versions = versions(repo, &sides, options, job)?;
    let mut pairs = Pairs::default();
    for item in &versions {
        // A file has no part that could be meant.
        let meant = |pointer: &&Pointer| match pointer.kind() {
            PointerKind::File { .. } => matches!(item.filter, Filter::All),
            PointerKind::Dir { .. } => true,
        };
        let root = |pointer: &Option<Pointer>| {
            pointer.as_ref().filter(meant).map_or(Root::Empty, Root::of)
        };
        let roots = (root(&item.old), root(&item.new));
        pairs.push(0, item.path.as_bytes(), roots, &item.filter);
    }
    let ((found, novelty), asked) = look_into(
        repo,
        &options.source,
        |reader, contact| differing(&versions, &pairs, (reader, contact), job),
        job,
    )?;
    let mut report = report(found, novelty);
    (report.old, report.new) = (sides.old.rev, sides.new.rev);
    (report.remote, report.requests) = (asked.remote, asked.requests);
    Ok(report)
}

/// Finds the tracked paths whose pointers differ.
fn versions(
    repo: &Repo,
    sides: &Sides,
    options: &DiffOptions,
    job: &Job,
) -> Result<Vec<Versions>, OpError> {
    let mut selection = Selection::new(repo, &sides.paths)?;
    let paths: BTreeSet<&RepoPath> =
        sides.old.pointers.keys().chain(sides.new.pointers.keys()).collect();
    let mut out = Vec::new();
    for path in paths {
        let Some(filter) = selection.filter(path) else { continue };
        let [old, new] = [&sides.old, &sides.new].map(|side| side.pointers.get(path));
        if let (Some(TrackedState::Sound(_, old)), Some(TrackedState::Sound(_, new))) = (old, new)
            && old == new
        {
            continue;
        }
        let (old, new) = (sound(path, old)?, sound(path, new)?);
        out.push(Versions { path: path.clone(), old, new, filter });
    }
    selection.warn(&sides.old.refused, job);
    selection.warn(&sides.new.refused, job);
    if let Some(word) = selection.unused() {
        let (word, plain) = (show(word.as_encoded_bytes()), options.paths.is_empty());
        let kind = if plain { "neither a revision nor a tracked path" } else { "not tracked" };
        return Err(OpError::refused(
            format!("`{word}` is {kind} on either side"),
            "run `haul ls` to see what is tracked, or `git log` to see revisions",
        ));
    }
    Ok(out)
}

fn sound(path: &RepoPath, state: Option<&TrackedState>) -> Result<Option<Pointer>, OpError> {
    match state {
        None | Some(TrackedState::Missing) => Ok(None),
        Some(TrackedState::Sound(pointer, _)) => Ok(Some(pointer.clone())),
        Some(TrackedState::Unsound(error)) => Err(unsound(path, error)),
    }
}

/// Lists the files that differ, with their whole paths.
fn differing<'r>(
    versions: &[Versions],
    pairs: &Pairs,
    (reader, contact): (&mut ObjectReader<'r>, Option<&Contact<'r>>),
    job: &Job,
) -> Result<(Vec<Found>, Novelty), OpError> {
    let mut comparison = Comparison::make(pairs, reader, contact, job)?;
    let mut found = Vec::new();
    for (number, item) in versions.iter().enumerate() {
        let pointer = json_path(item.path.as_bytes());
        let mut put = |change| found.push(Found { change, pointer: pointer.clone() });
        if matches!(item.filter, Filter::All) {
            alone(item).into_iter().for_each(&mut put);
        }
        let take = |change: Change| {
            if item.filter.matches(change.path()) {
                put(whole(&item.path, change));
            }
            Ok(())
        };
        comparison.changes(number, take, job)?;
    }
    Ok((found, comparison.novelty(0)))
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

fn report(found: Vec<Found>, novelty: Novelty) -> DiffReport {
    // What lies in the tree itself is in no chunk.
    let inline = |item: &Found| match &item.change {
        Change::Added(entry) | Change::Modified { new: entry, .. } => match &entry.content {
            Content::Inline(bytes) => bytes.len() as u64,
            Content::Chunk { .. } | Content::Tree { .. } => 0,
        },
        Change::Removed(_) => 0,
    };
    let small: u64 = found.iter().map(inline).sum();
    let entries = entries(found);
    let count = |word| entries.iter().filter(|entry| entry.change == word).count() as u64;
    let bytes = entries.iter().filter_map(|entry| entry.bytes).fold(0, u64::saturating_add);
    let new_bytes = novelty.new_bytes.saturating_add(small).min(bytes);
    DiffReport {
        old: String::new(),
        new: String::new(),
        added: count("added"),
        removed: count("removed"),
        modified: count("modified"),
        renamed: count("renamed"),
        entries,
        bytes,
        new_bytes,
        reused_bytes: bytes - new_bytes,
        receive_bytes: novelty.stored_bytes,
        remote: String::new(),
        requests: Requests::default(),
    }
}
