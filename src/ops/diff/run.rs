//! Finding the pointers that differ.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::ops::chosen::{Candidate, unsound};
use crate::ops::diff::compare::{Versions, differences};
use crate::ops::diff::report::DiffReport;
use crate::ops::diff::sides::{Sides, sides};
use crate::ops::error::OpError;
use crate::ops::selection::Selection;
use crate::ops::trees::Source;
use crate::path::{RepoPath, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
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

/// Compares two versions of the pointers. Fetches nodes that differ and are not on this machine, and
/// no content.
pub fn run(repo: &Repo, options: &DiffOptions, job: &Job) -> Result<DiffReport, OpError> {
    let sides = sides(repo, &options.words, &options.paths)?;
    let versions = versions(repo, &sides, options, job)?;
    let (mut found, asked) = differences(repo, &options.source, (&versions, 1), job)?;
    let difference = found.pop().unwrap_or_default();
    let (old, new) = (sides.old.rev, sides.new.rev);
    let (remote, requests) = (asked.remote, asked.requests);
    Ok(DiffReport { old, new, difference, remote, requests })
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
        let states = (old.map(|found| &found.state), new.map(|found| &found.state));
        if let (Some(TrackedState::Sound(_, old)), Some(TrackedState::Sound(_, new))) = states
            && old == new
        {
            continue;
        }
        let (old, new) = (sound(old)?, sound(new)?);
        let (group, path) = (0, path.clone());
        out.push(Versions { group, path, old, new, filter });
    }
    if !out.is_empty() {
        out.extend(standing(sides, &out));
    }
    selection.warn(&sides.old.refused, job);
    selection.warn(&sides.new.refused, job);
    if let Some(word) = selection.unused() {
        let revision = || repo.git().near_revision(word.to_str()?);
        let next =
            selection.meant(word).or_else(|| Some(format!("did you mean `{}`?", revision()?)));
        let (word, plain) = (show(word.as_encoded_bytes()), options.paths.is_empty());
        let kind = if plain { "neither a revision nor a tracked path" } else { "not tracked" };
        return Err(OpError::refused(
            format!("`{word}` is {kind} on either side"),
            next.unwrap_or_else(|| {
                "run `haul ls` to see what is tracked, or `git log` to see revisions".to_owned()
            }),
        ));
    }
    Ok(out)
}

/// The pointers of the old side that are not compared: what is new may be a copy of what they name.
fn standing(sides: &Sides, compared: &[Versions]) -> Vec<Versions> {
    let compared: BTreeSet<&RepoPath> = compared.iter().map(|item| &item.path).collect();
    let others = sides.old.pointers.iter().filter(|(path, _)| !compared.contains(path));
    let versions = |(path, found): (&RepoPath, &Candidate)| {
        let TrackedState::Sound(pointer, _) = &found.state else { return None };
        let (old, new) = (Some(pointer.clone()), Some(pointer.clone()));
        Some(Versions { group: 0, path: path.clone(), old, new, filter: Filter::All })
    };
    others.filter_map(versions).collect()
}

fn sound(found: Option<&Candidate>) -> Result<Option<Pointer>, OpError> {
    let Some(Candidate { path, by, state }) = found else { return Ok(None) };
    match state {
        TrackedState::Missing => Ok(None),
        TrackedState::Sound(pointer, _) => Ok(Some(pointer.clone())),
        TrackedState::Unsound(error) => Err(unsound(path, *by, error)),
    }
}
