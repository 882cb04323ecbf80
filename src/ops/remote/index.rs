//! `haul remote index`: makes a remote readable through servers that cannot list.

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::repo::Repo;
use crate::transfer::{Glance, write_index};

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
    // Nothing is written to a mount point, or beside what is not ours to read.
    Glance::take(&remote)?.format(&remote, repo.layout())?;
    let objects = write_index(&remote)?;
    Ok(IndexReport { name: chosen.name.clone(), url: chosen.url(), objects })
}
