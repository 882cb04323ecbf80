//! Clones whose attributes hand files to haul's filter, and whose Git does not know that filter.

use crate::git::{Content, IndexEntry, POINTER_LIMIT};
use crate::ops::error::OpError;
use crate::ops::hook::pre_commit::{Finding, Findings};
use crate::path::{for_git, show};
use crate::repo::Repo;
use crate::worktree::in_place;

/// Says whether Git leaves files as they are that it is to hand to haul: pointers stand where content
/// should be, and content would go into Git.
pub fn lacks_filter(repo: &Repo) -> Result<bool, OpError> {
    Ok(repo.git().filter()?.is_none() && repo.git().may_hand_over()?)
}

/// Finds staged files that are to be handed over, and were not: Git would keep their content.
pub(super) fn unfiltered(
    repo: &Repo,
    staged: &[IndexEntry],
    out: &mut Findings,
) -> Result<(), OpError> {
    if staged.is_empty() {
        return Ok(());
    }
    let lacks = repo.git().filter()?.is_none();
    // Attributes of sub-folders cost a call of Git, which only clones without the filter pay.
    if !lacks && !repo.git().hands_over() {
        return Ok(());
    }
    let filtered = repo.git().is_filtered(staged.iter().map(|file| file.path.as_slice()), None)?;
    let handed: Vec<IndexEntry> =
        staged.iter().filter(|file| filtered.contains(&file.path)).cloned().collect();
    let contents = repo.git().index_contents(&handed, POINTER_LIMIT)?;
    let first = if lacks { "run `haul init`, then `" } else { "run `" };
    for (file, content) in handed.iter().zip(contents) {
        // An empty file stays one.
        let empty = matches!(&content, Content::Whole(bytes) if bytes.is_empty());
        if empty || in_place(content).is_some() {
            continue;
        }
        let (shown, word) = (show(&file.path), for_git(&file.path));
        out.against.push(Finding {
            what: format!("`{shown}` is to hold a pointer in Git, and its content would go there"),
            next: format!("{first}git add --renormalize -- {word}`"),
        });
    }
    Ok(())
}
