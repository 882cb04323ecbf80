//! `haul remote index`: makes a remote readable through servers that cannot list.

use serde::Serialize;

use crate::catalogue::key;
use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::repo::Repo;
use crate::transfer::{emptied, write_index};

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct IndexReport {
    /// The remote's name.
    pub name: String,
    /// Its address, without secrets.
    pub url: String,
    /// How many catalogue objects the index names.
    pub objects: usize,
}

/// Lists the catalogue of a remote and writes that down beside it, as of now.
pub fn index(repo: &Repo, name: Option<&str>) -> Result<IndexReport, OpError> {
    let chosen = choose(repo, name, None)?;
    let remote = chosen.open()?;
    // A mount point is not written to.
    if remote.head(key::FORMAT)?.is_none()
        && remote.list(key::CATALOGUE)?.is_empty()
        && let Some(gone) = emptied(repo.layout(), remote.label())?
    {
        return Err(gone.into());
    }
    let objects = write_index(&remote)?;
    Ok(IndexReport { name: chosen.name.clone(), url: chosen.url(), objects })
}
