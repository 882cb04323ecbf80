//! Looking at whole files of the cache: whether they are what their names say.

use rayon::prelude::*;

use crate::cache::{IdleFile, list_files, oid_of};
use crate::fs::{IoResultExt, Links, open_plain};
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What};
use crate::path::show;
use crate::progress::{Job, Kind};
use crate::repo::Repo;

/// Reads each whole file. One that was written to serves nobody, and may be somebody's work.
pub(super) fn look(repo: &Repo, job: &Job) -> Result<Vec<Finding>, OpError> {
    let all = list_files(&repo.layout().files_folder())?;
    let task = job.begin(Kind::Check, Some(all.iter().map(|(file, _)| file.bytes).sum()));
    let found: Result<Vec<Option<Finding>>, OpError> = all
        .par_iter()
        .map(|(file, _)| {
            job.check()?;
            let finding = compare(file)?;
            task.advance(file.bytes);
            Ok(finding)
        })
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

fn compare(file: &IdleFile) -> Result<Option<Finding>, OpError> {
    let open = open_plain(&file.path, Links::Refuse).at("read", &file.path)?;
    let oid = oid_of(&open).at("read", &file.path)?;
    if oid == file.name.oid {
        return Ok(None);
    }
    let at = show(file.path.as_os_str().as_encoded_bytes()).to_string();
    let what = What::File { path: file.path.clone() };
    let why = format!("its bytes hash to {oid}: somebody wrote to it, and no checkout uses it");
    Ok(Some(Finding::new(Side::Local, what, &file.name, &at).because(&why)))
}
