//! `haul export`: plain files of a revision in a folder of their own, for those who have no haul.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::fs::{Dir, make_folder};
use crate::manifest::EntryKind;
use crate::ops::at::{At, Inside};
use crate::ops::checkout::{Target, targets, write_anew};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::ops::fetch::{FetchOptions, FetchPlan, bring, plan as plan_fetch};
use crate::ops::requests::Requests;
use crate::ops::retain::{After, retain};
use crate::ops::select::Select;
use crate::ops::trees::Source;
use crate::path::{RepoPath, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::units::ByteSize;
use crate::worktree::Door;

/// What to export.
#[derive(Clone, Debug, Default)]
pub struct ExportOptions {
    /// `[REV:]PATH`; all that is tracked if the path is left out.
    pub word: OsString,
    /// A new or empty folder.
    pub folder: PathBuf,
    /// Where absent content comes from.
    pub source: Source,
    /// Refuse to receive more than this many bytes of content.
    pub max_bytes: Option<u64>,
}

/// What an export would write.
#[derive(Serialize)]
pub struct ExportPlan<'r> {
    /// The folder.
    pub folder: String,
    /// What has to be fetched first.
    #[serde(flatten)]
    pub fetch: FetchPlan<'r>,
    #[serde(skip)]
    at: At,
    #[serde(skip)]
    chosen: Vec<Chosen>,
    #[serde(skip)]
    path: PathBuf,
}

/// What an export wrote.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ExportReport {
    /// The folder.
    pub folder: String,
    /// Files, links and empty folders written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was asked of the remote.
    pub requests: Requests,
    /// The name of the one file that was written, if a file was asked for and no folder.
    #[serde(skip)]
    pub(crate) lone: Option<RepoPath>,
}

/// Finds what is to be written and what of it has to be fetched; asks the remote for nodes at most.
pub fn plan<'r>(
    repo: &'r Repo,
    options: &ExportOptions,
    job: &Job,
) -> Result<ExportPlan<'r>, OpError> {
    let at = At::parse(repo, &options.word)?;
    let chosen: Vec<Chosen> = at.find(repo)?.into_iter().map(part).collect();
    let path = repo.environment().cwd.join(&options.folder);
    let folder = path.display().to_string();
    if path.symlink_metadata().is_ok() && !Dir::open(&path)?.entries()?.is_empty() {
        return Err(OpError::refused(
            format!("`{}` is not empty", show(folder.as_bytes())),
            "name a folder that is empty or not there yet",
        ));
    }
    let place = match &at.path {
        Some(path) => repo.git().root().join(path.to_os()),
        None => repo.git().root().to_path_buf(),
    };
    let select = Select { paths: vec![place.into()], rev: at.rev.clone(), ..Select::default() };
    let fetch = FetchOptions {
        select,
        remote: options.source.remote.clone(),
        jobs: options.source.jobs,
        max_bytes: options.max_bytes,
        recall: options.source.recall,
    };
    let fetch = plan_fetch(repo, &fetch, job)?;
    Ok(ExportPlan { folder, fetch, at, chosen, path })
}

fn part(inside: Inside) -> Chosen {
    let filter = match inside.rest.as_slice() {
        [] => Filter::All,
        rest => Filter::Some(vec![Choice::Under(rest.to_vec())]),
    };
    Chosen { filter, ..inside.chosen }
}

/// Fetches what is absent and writes the files; each one gets its name once its content is proved.
pub fn run(repo: &Repo, plan: ExportPlan<'_>, job: &Job) -> Result<ExportReport, OpError> {
    let ExportPlan { folder, fetch, at, chosen, path } = plan;
    let select = Select { rev: at.rev.clone(), ..Select::default() };
    let fetched = bring(repo, fetch, job)?;
    let (targets, lone) =
        targets_in(repo, &at, &chosen).map_err(|e| e.with_commit(repo, &select))?;
    make_folder(&path, true)?;
    let door = Door::open(&path)?;
    check_room(&door, &targets)?;
    let written =
        write_anew(repo, &door, targets, job).map_err(|e| e.with_commit(repo, &select))?;
    if let Some(path) = written.missing.first() {
        return Err(OpError::refused(
            format!("the content of `{}` went out of the cache meanwhile", path.path),
            "remove what was written and run the same command again",
        ));
    }
    retain(repo, After::Fetch, job);
    Ok(ExportReport {
        folder,
        files: written.written,
        bytes: written.bytes,
        requests: fetched.requests,
        lone,
    })
}

/// Lists the files with their paths below what is exported; where that is a file, its name is told.
fn targets_in(
    repo: &Repo,
    at: &At,
    chosen: &[Chosen],
) -> Result<(Vec<Target>, Option<RepoPath>), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let (mut out, mut lone) = (Vec::new(), None);
    for item in chosen {
        let found = targets(item, &mut reader)?;
        let found =
            found.ok_or_else(|| OpError::Defect("a fetched tree is not here".to_owned()))?;
        for target in found {
            let path = match &at.path {
                None => target.path.clone(),
                Some(top) => {
                    if let Some(path) = target.path.relative_to(top) {
                        path
                    } else {
                        let name = RepoPath::new(target.path.file_name())?;
                        lone = (target.kind != EntryKind::EmptyDir).then(|| name.clone());
                        name
                    }
                }
            };
            out.push(Target { path, ..target });
        }
    }
    Ok((out, lone))
}

fn check_room(door: &Door, targets: &[Target]) -> Result<(), OpError> {
    let needed = targets.iter().map(|t| t.content.size()).fold(0, u64::saturating_add);
    let free = door.root().free_bytes()?;
    if needed <= free {
        return Ok(());
    }
    let folder = door.root().path().display().to_string();
    Err(OpError::refused(
        format!(
            "nothing was written: {} are needed in `{folder}`, and {} are free",
            ByteSize(needed),
            ByteSize(free)
        ),
        "free some disk space, or export a part",
    ))
}
