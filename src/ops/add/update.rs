//! Which tracked paths `add -u` takes.

use crate::fs::FileKind;
use crate::ops::add::find::{Target, old_pointer};
use crate::ops::add::run::AddOptions;
use crate::ops::checkout::LastPlaced;
use crate::ops::error::OpError;
use crate::ops::selection::Selection;
use crate::ops::status::{self, StatusOptions};
use crate::path::{RepoPath, in_shell, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::{Found, Kept, Tracked, look};

/// Returns the tracked paths that are here, or the parts of them that are meant, but for those whose data is what an earlier pointer placed:
/// nobody changed it, and to take it would undo what Git brought.
pub(super) fn to_update(
    repo: &Repo,
    options: &AddOptions,
    tracked: &[Tracked],
    job: &Job,
) -> Result<Vec<RepoPath>, OpError> {
    let mut selection = Selection::new(repo, &options.paths)?;
    let mut here = Vec::new();
    for item in tracked {
        let Some(filter) = selection.filter(&item.path) else { continue };
        let meant = meant(repo, &item.path, filter, job)?;
        if !meant.is_empty() {
            here.push((&item.path, old_pointer(item)?, meant));
        }
    }
    selection.check_used()?;
    let placed = LastPlaced::load(repo)?;
    let (mut out, mut behind) = (Vec::new(), Vec::new());
    for (path, old, meant) in here {
        if old.is_some_and(|(_, bytes)| placed.is_behind(path, &bytes)) {
            behind.push((path.clone(), meant));
        } else {
            out.extend(meant);
        }
    }
    if behind.is_empty() {
        return Ok(out);
    }
    let status = status::run(repo, &StatusOptions { paths: options.paths.clone() }, job)?;
    for (path, meant) in behind {
        // An add that was cut short may have left a pointer that says what is here.
        let own = json_path(path.as_bytes());
        let differs = status.entries.iter().any(|entry| entry.pointer == own);
        if differs && placed.explains(repo, &path, &status.entries, job)? {
            let (shown, word) = (show(path.as_bytes()), in_shell(path.as_bytes()));
            job.warn(&format!(
                "`{shown}` is left as it is: its data did not follow its pointer yet, and nobody changed \
                 it; `haul checkout {word}` brings what the pointer names"
            ));
        } else {
            out.extend(meant);
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// Warns of data that was placed by an earlier pointer than the one which an add is to replace.
pub(super) fn warn_of_older_data<'a>(
    repo: &Repo,
    targets: impl Iterator<Item = &'a Target>,
    job: &Job,
) -> Result<(), OpError> {
    let known: Vec<(&RepoPath, &[u8])> = targets
        .filter(|target| target.outer.is_none())
        .filter_map(|target| Some((&target.path, target.old.as_ref()?.1.as_slice())))
        .collect();
    if known.is_empty() {
        return Ok(());
    }
    let placed = LastPlaced::load(repo)?;
    for (path, bytes) in known {
        if placed.is_behind(path, bytes) {
            let (shown, word) = (show(path.as_bytes()), in_shell(path.as_bytes()));
            job.warn(&format!(
                "the pointer of `{shown}` changed since data was placed here: what it brought and is not in \
                 the worktree is undone by this; `haul checkout --force {word}` brings it, and puts your \
                 changes aside"
            ));
        }
    }
    Ok(())
}

/// What is here of what is meant of a tracked path: itself, or parts of the folder.
fn meant(
    repo: &Repo,
    folder: &RepoPath,
    filter: Filter,
    job: &Job,
) -> Result<Vec<RepoPath>, OpError> {
    let stamp = repo.door().stamp(folder)?;
    let choices = match (stamp, filter) {
        (None, _) => return Ok(Vec::new()),
        (Some(_), Filter::All | Filter::Span { .. }) => return Ok(vec![folder.clone()]),
        (Some(_), Filter::Some(choices)) => choices,
    };
    let mut out = Vec::new();
    let mut globs = Vec::new();
    for choice in choices {
        match choice {
            Choice::Under(rest) => {
                out.push(RepoPath::new([folder.as_bytes(), b"/", &rest].concat())?);
            }
            other @ (Choice::Glob { .. }
            | Choice::Of(_)
            | Choice::Names(_)
            | Choice::Folders(_)
            | Choice::Cut { .. }) => globs.push(other),
        }
    }
    if !globs.is_empty() && stamp.is_some_and(|stamp| stamp.kind == FileKind::Directory) {
        let filter = Filter::Some(globs);
        let matches = |found: &Found| {
            found.path.relative_to(folder).is_some_and(|rest| filter.matches(rest.as_bytes()))
        };
        let found = look(repo.door(), folder, &Kept::default(), job)?.found.into_iter();
        out.extend(found.filter(matches).map(|found| found.path));
    }
    out.sort_unstable();
    let mut here: Vec<RepoPath> = Vec::new();
    for path in out {
        let inside = here.iter().any(|above| path == *above || path.starts_with_dir(above));
        if !inside && repo.door().stamp(&path)?.is_some() {
            here.push(path);
        }
    }
    Ok(here)
}
