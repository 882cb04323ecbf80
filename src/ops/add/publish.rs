//! Making an add visible: pointers, ignore lines, Git's index, and last the stat cache.

use std::collections::BTreeMap;

use crate::ops::add::build::Built;
use crate::ops::error::OpError;
use crate::path::{RepoPath, gitignore_line, show};
use crate::progress::Job;
use crate::repo::Repo;

/// Largest `.gitignore` that is edited, in bytes.
const IGNORE_LIMIT: u64 = 16 << 20;

/// Writes what the targets need, in the order that keeps every state between sound.
pub(super) fn publish(repo: &Repo, targets: &[Built], job: &Job) -> Result<(), OpError> {
    let mut staged: Vec<Vec<u8>> = Vec::new();
    for target in targets {
        let pointer = target.path.pointer_path()?;
        if target.change != "unchanged" {
            repo.door().write_durably(&pointer, &target.pointer)?;
        }
        staged.push(pointer.as_bytes().to_vec());
    }
    staged.extend(ignore(repo, targets.iter().map(|t| &t.path))?);
    let paths: Vec<&[u8]> = staged.iter().map(Vec::as_slice).collect();
    if !paths.is_empty() {
        repo.git().stage(&paths)?;
    }
    remember(repo, targets)?;
    warn_of_unignored(repo, targets, job)
}

/// Adds the ignore lines that are missing; returns the files that hold them.
pub(crate) fn ignore<'a>(
    repo: &Repo,
    paths: impl Iterator<Item = &'a RepoPath>,
) -> Result<Vec<Vec<u8>>, OpError> {
    let mut files: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for path in paths {
        let mut file = path.parent().map_or(Vec::new(), |p| [p.as_bytes(), b"/"].concat());
        file.extend(b".gitignore");
        let line = gitignore_line(path.file_name())
            .map_err(|e| OpError::refused(format!("cannot track `{}`: {e}", show(path.as_bytes())), "rename it"))?;
        files.entry(file).or_default().push(line);
    }
    for (file, lines) in &files {
        let place = RepoPath::new(file)?;
        let old = repo.door().read_small(&place, IGNORE_LIMIT)?.unwrap_or_default();
        let mut new = old.clone();
        for line in lines {
            if !old.split(|b| *b == b'\n').any(|l| l == line.as_slice()) {
                if !new.is_empty() && !new.ends_with(b"\n") {
                    new.push(b'\n');
                }
                new.extend(line);
                new.push(b'\n');
            }
        }
        if new != old {
            repo.door().write_durably(&place, &new)?;
        }
    }
    Ok(files.into_keys().collect())
}

fn remember(repo: &Repo, targets: &[Built]) -> Result<(), OpError> {
    let files = targets.iter().flat_map(|t| t.stats.iter().map(|(path, e)| (path.as_slice(), *e)));
    let pointers = targets.iter().map(|t| (t.path.as_bytes(), Some(t.pointer.as_slice())));
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
