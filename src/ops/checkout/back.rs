//! Going back to a revision: once its data stands in the worktree, its pointers are taken too.

use crate::ops::add::ignore_lines;
use crate::ops::chosen::chosen;
use crate::ops::error::OpError;
use crate::ops::select::Select;
use crate::path::{RepoPath, show};
use crate::repo::Repo;
use crate::transfer::Filter;

/// Refuses parts of tracked folders: only a whole pointer can be taken.
pub fn check_back(repo: &Repo, select: &Select) -> Result<(), OpError> {
    let all = chosen(repo, select)?;
    let Some(part) = all.iter().find(|item| !matches!(item.filter, Filter::All)) else {
        return Ok(());
    };
    let (folder, rev) = (show(part.path.as_bytes()), select.rev.as_deref().unwrap_or("HEAD"));
    Err(OpError::refused(
        format!("nothing was changed: only a part of the tracked folder `{folder}` is named"),
        format!(
            "run `haul checkout --rev {} PATH` for the part, then `haul add {folder}`",
            show(rev.as_bytes())
        ),
    ))
}

/// Writes the pointers that the revision has of the selected paths, and stages them with their ignore
/// lines.
pub fn take_back(repo: &Repo, select: &Select) -> Result<(), OpError> {
    let _working = repo.lock_for_work()?;
    let all = chosen(repo, select)?;
    let mut pointers = Vec::new();
    for item in &all {
        let pointer = item.path.pointer_path()?;
        if let Some(parent) = pointer.parent() {
            repo.door().root().descend_or_make(parent.as_bytes())?;
        }
        repo.door().write_durably(&pointer, &item.bytes)?;
        pointers.push(pointer);
    }
    let paths: Vec<&RepoPath> = all.iter().map(|item| &item.path).collect();
    ignore_lines(repo, &paths, &[])?;
    let keys: Vec<&[u8]> = pointers.iter().map(RepoPath::as_bytes).collect();
    Ok(repo.git().stage(&keys)?)
}
