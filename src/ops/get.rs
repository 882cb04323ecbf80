//! `haul get`: a copy of data that another Git repository keeps.

use std::path::PathBuf;

use serde::Serialize;

use crate::config::{Environment, redact_git};
use crate::fs::Dir;
use crate::ops::error::OpError;
use crate::ops::foreign::{Foreign, Origin, put, split};
use crate::ops::requests::Requests;
use crate::ops::requests::ToFetch;
use crate::path::show;
use crate::progress::Job;

/// What to get.
#[derive(Clone, Debug, Default)]
pub struct GetOptions {
    /// From where.
    pub origin: Origin,
    /// The path there.
    pub path: String,
    /// The file or folder to write, which is not there yet; the last name of the path if absent.
    pub to: Option<PathBuf>,
}

/// What was got.
#[derive(Clone, Debug, Serialize)]
pub struct GetReport {
    /// The repository, without secrets.
    pub url: String,
    /// The commit.
    pub commit: String,
    /// The path there.
    pub path: String,
    /// What was written.
    pub to: String,
    /// Files, links and empty folders.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was asked of its remote.
    pub requests: Requests,
}

/// What would be got.
#[derive(Clone, Debug, Serialize)]
pub struct GetPlan {
    /// The repository, without secrets.
    pub url: String,
    /// The commit.
    pub commit: String,
    /// The path there.
    pub path: String,
    /// What would be written.
    pub to: String,
    /// What it takes.
    #[serde(flatten)]
    pub fetch: ToFetch,
}

/// Finds what a path of another repository holds; nothing of it is written.
pub fn plan(
    environment: &Environment,
    options: &GetOptions,
    job: &Job,
) -> Result<GetPlan, OpError> {
    let to = free_place(environment, options)?;
    // The folder above may not be there yet, and is not made for a plan.
    let there = to.ancestors().skip(1).find(|folder| folder.is_dir());
    let origin = options.origin.from(&environment.cwd);
    let foreign = Foreign::fetch(environment, &origin, there.unwrap_or(&environment.cwd))?;
    Ok(GetPlan {
        url: redact_git(&origin.url),
        commit: foreign.commit().to_string(),
        path: options.path.clone(),
        to: to.display().to_string(),
        fetch: foreign.to_fetch(&options.path, job)?,
    })
}

/// Returns where the data goes, and nothing is.
fn free_place(environment: &Environment, options: &GetOptions) -> Result<PathBuf, OpError> {
    let name = options.to.clone().unwrap_or_else(|| last_name(&options.path));
    let to = environment.cwd.join(name);
    split(&to)?;
    if to.symlink_metadata().is_err() {
        return Ok(to);
    }
    Err(OpError::refused(
        format!("`{}` is there already", show(to.display().to_string().as_bytes())),
        "name another file or folder with `-o`, or remove that one",
    ))
}

/// Writes what a path of another repository holds; it gets its name once all of it is proved.
pub fn run(
    environment: &Environment,
    options: &GetOptions,
    job: &Job,
) -> Result<GetReport, OpError> {
    let to = free_place(environment, options)?;
    let (folder, _) = split(&to)?;
    crate::fs::make_folder(folder, true)?;
    let origin = options.origin.from(&environment.cwd);
    let foreign = Foreign::fetch(environment, &origin, folder)?;
    let taken = foreign.take(&options.path, &Dir::open(folder)?, job)?;
    put(&taken.path, &to)?;
    Ok(GetReport {
        url: redact_git(&origin.url),
        commit: taken.commit.to_string(),
        path: options.path.clone(),
        to: to.display().to_string(),
        files: taken.report.files,
        bytes: taken.report.bytes,
        requests: taken.report.requests,
    })
}

/// The name of what a path means, which may end in a slash.
pub(crate) fn last_name(path: &str) -> PathBuf {
    PathBuf::from(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default())
}
