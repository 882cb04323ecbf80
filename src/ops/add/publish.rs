//! Making an add visible: pointers, ignore lines, Git's index, and last the stat cache.

use std::collections::BTreeSet;

use crate::ops::add::build::Built;
use crate::ops::add::find::Target;
use crate::ops::add::ignore::write_lines;
use crate::ops::error::OpError;
use crate::ops::provenance::warn_of_change;
use crate::path::{RepoPath, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::What;

/// Writes what was built of the targets, in the order that keeps every state between sound.
pub(super) fn publish(
    repo: &Repo,
    (targets, built): (&[Target], &[Built]),
    job: &Job,
) -> Result<(), OpError> {
    let mut staged: Vec<Vec<u8>> = Vec::new();
    for target in built {
        if let Some(url) = &target.lost {
            warn_of_change(&target.path, url, job);
        }
        let pointer = target.path.pointer_path()?;
        if target.change != "unchanged" {
            repo.door().write_durably(&pointer, &target.pointer)?;
        }
        staged.push(pointer.as_bytes().to_vec());
    }
    let added: Vec<&RepoPath> = built.iter().map(|t| &t.path).collect();
    let lines = write_lines(repo, &added, &[])?;
    staged.extend(lines.whole);
    let paths: Vec<&[u8]> = staged.iter().map(Vec::as_slice).collect();
    if !paths.is_empty() {
        repo.git().stage(&paths)?;
    }
    repo.git().stage_bytes(&lines.partly)?;
    remember(repo, targets, built)?;
    sweep(repo, built)?;
    warn_of_unignored(repo, built, job)
}

/// Removes what a run that died left beside pointers and ignore files.
fn sweep(repo: &Repo, targets: &[Built]) -> Result<(), OpError> {
    let folders: BTreeSet<Option<RepoPath>> = targets.iter().map(|t| t.path.parent()).collect();
    repo.door().root().sweep()?;
    for folder in folders.into_iter().flatten() {
        repo.door().root().descend(folder.as_bytes())?.sweep()?;
    }
    Ok(())
}

fn remember(repo: &Repo, targets: &[Target], built: &[Built]) -> Result<(), OpError> {
    let all = targets.iter().flat_map(|target| target.found.iter().zip(&target.contents));
    let files = all.filter_map(|(found, content)| match &found.what {
        What::File(stamp) => content.row(&found.path, *stamp),
        What::Symlink(_) | What::EmptyFolder => None,
    });
    let pointers = built.iter().filter(|t| t.followed);
    let pointers = pointers.map(|t| (t.path.as_bytes(), Some(t.pointer.as_slice())));
    Ok(repo.stat()?.save(files, pointers)?)
}

/// A later rule in the same or another ignore file may take the path back into Git's sight.
fn warn_of_unignored(repo: &Repo, targets: &[Built], job: &Job) -> Result<(), OpError> {
    let paths: Vec<&[u8]> = targets.iter().map(|t| t.path.as_bytes()).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let ignored = repo.git().ignored(&paths)?;
    for path in paths.iter().filter(|p| !ignored.contains(**p)) {
        job.warn(&format!(
            "Git does not ignore `{}`: a rule in another ignore file takes it back, and `git add` \
             would put its content into Git",
            show(path)
        ));
    }
    Ok(())
}
