//! Taking the data of a tracked path out of the worktree, as far as haul can give it back.

use std::collections::HashSet;

use crate::ops::checkout::act::Notes;
use crate::ops::checkout::leavers::{Leaving, Named, Stay, leaving, placed_targets};
use crate::ops::checkout::tidy::remove_all;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;

/// Removes what `filter` chooses of the files of a tracked path that are as its pointer says and that
/// haul holds, and folders that are left empty. Returns how many files went; what stays, nobody could
/// bring back.
pub(crate) fn remove_data(
    repo: &Repo,
    (path, pointer): (&RepoPath, &[u8]),
    filter: &Filter,
    job: &Job,
) -> Result<u64, OpError> {
    remove_leaving(repo, &removable(repo, (path, pointer), filter, &HashSet::new(), job)?)
}

/// Finds what [`remove_data`] would remove, but for the paths that are `named`.
pub(crate) fn removable(
    repo: &Repo,
    (path, pointer): (&RepoPath, &[u8]),
    filter: &Filter,
    named: &HashSet<&[u8]>,
    job: &Job,
) -> Result<Leaving, OpError> {
    let began = repo.door().now()?;
    let wanted = placed_targets(repo, (path, pointer), filter.clone())?;
    let stay = Stay { named: Named::These(named), filter };
    let mut leaving = leaving(repo, (path, wanted.as_slice()), stay, began, job)?;
    leaving.whole = matches!(filter, Filter::All);
    Ok(leaving)
}

/// Removes what was found, as far as nobody touched it since. Returns how many files went.
pub(crate) fn remove_leaving(repo: &Repo, leaving: &Leaving) -> Result<u64, OpError> {
    let mut notes = Notes::default();
    let removed = remove_all(repo, leaving, &mut notes)?;
    repo.door().root().sync()?;
    notes.save(repo, &[])?;
    Ok(removed)
}
