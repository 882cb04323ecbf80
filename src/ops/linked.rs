//! Symbolic links into the cache: where they stand.

use std::path::PathBuf;

use crate::cache::{CacheError, WholeName, note_links, noted_links};
use crate::fs::OwnLink;
use crate::ops::error::OpError;
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Parent, PlaceError, WorktreeError, load_tracked, own_links};

/// Lists the links that lead to whole files, each with its path: those of this worktree as it stands, those
/// of others as they noted them. Some may come twice. [`OpError::Unseen`] if a place where one may stand cannot
/// be looked at.
pub(crate) fn links(repo: &Repo) -> Result<Vec<(WholeName, PathBuf)>, OpError> {
    listed(repo).map_err(|error| {
        let (OpError::Fs(e)
        | OpError::Cache(CacheError::Fs(e))
        | OpError::Worktree(WorktreeError::Fs(e))
        | OpError::Place { source: PlaceError::Fs(e), .. }) = error
        else {
            return error;
        };
        OpError::Unseen(e)
    })
}

fn listed(repo: &Repo) -> Result<Vec<(WholeName, PathBuf)>, OpError> {
    let mut out = noted_links(repo.layout())?;
    if !repo.layout().links_folder().exists() {
        return Ok(out);
    }
    let mut parent = Parent::default();
    for item in load_tracked(repo.git(), repo.door())?.0 {
        let Some(dir) = parent.of(repo.door(), &item.path)? else { continue };
        let links = own_links(dir, item.path.file_name())
            .map_err(|source| OpError::Place { path: item.path.as_bytes().to_vec(), source })?;
        let found = |(path, link): &(Vec<u8>, OwnLink)| {
            Some((WholeName::of_link(link)?, dir.path_of(path)))
        };
        out.extend(links.iter().filter_map(found));
    }
    Ok(out)
}

/// Notes links that were seen at these paths, so that others who evict know of them. Who may not write
/// that down is warned.
pub(crate) fn note_standing_links<'p>(
    repo: &Repo,
    paths: impl Iterator<Item = &'p [u8]>,
    job: &Job,
) {
    if let Err(e) = note_links(repo.layout(), repo.git().root(), paths) {
        job.warn(&format!("whoever evicts may take files that links here lead to: {e}"));
    }
}
