//! `haul update`: imported data as it is now where it came from.

use std::ffi::OsString;

use serde::Serialize;

use crate::config::redact;
use crate::ops::checkout::{CheckoutOptions, plan_of, remove_data};
use crate::ops::chosen::{Chosen, chosen_or_warned};
use crate::ops::error::OpError;
use crate::ops::fetch::ToFetch;
use crate::ops::foreign::{Foreign, Origin, listing, put};
use crate::ops::import::{
    FROM, FROM_COMMIT, FROM_PATH, FROM_REV, ImportPlanRow, ImportedRow, track,
};
use crate::ops::requests::Requests;
use crate::ops::select::Select;
use crate::path::{json_path, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;

/// What to bring up to date.
#[derive(Clone, Debug, Default)]
pub struct UpdateOptions {
    /// Imported paths; all of them if empty.
    pub paths: Vec<OsString>,
    /// Another revision of their origins, which is followed from now on.
    pub rev: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
}

/// What was brought up to date.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateReport {
    /// Imported paths, in order.
    pub paths: Vec<ImportedRow>,
}

/// What would be brought up to date.
#[derive(Clone, Debug, Serialize)]
pub struct UpdatePlan {
    /// Imported paths, in order.
    pub paths: Vec<ImportPlanRow>,
}

/// Finds what an update would bring.
pub fn plan(repo: &Repo, options: &UpdateOptions, job: &Job) -> Result<UpdatePlan, OpError> {
    let look = |item: Chosen, (origin, path): (Origin, String)| {
        let foreign = Foreign::fetch(repo.environment(), &origin, &repo.layout().temp())?;
        let same = is_same(&item, &foreign, &path)?;
        let fetch = if same { ToFetch::default() } else { foreign.to_fetch(&path, job)? };
        Ok(ImportPlanRow {
            path: json_path(item.path.as_bytes()),
            url: redact(&origin.url),
            commit: foreign.commit().to_string(),
            change: if same { "unchanged" } else { "updated" },
            fetch,
        })
    };
    Ok(UpdatePlan { paths: each(repo, options, look, job)? })
}

/// Brings imports up to date, one after the other. Data that was changed here is not replaced.
pub fn run(repo: &Repo, options: &UpdateOptions, job: &Job) -> Result<UpdateReport, OpError> {
    let bring =
        |item: Chosen, (origin, path): (Origin, String)| update(repo, &item, (&origin, &path), job);
    Ok(UpdateReport { paths: each(repo, options, bring, job)? })
}

/// Does something for each import that is meant.
fn each<T>(
    repo: &Repo,
    options: &UpdateOptions,
    mut work: impl FnMut(Chosen, (Origin, String)) -> Result<T, OpError>,
    job: &Job,
) -> Result<Vec<T>, OpError> {
    repo.require_initialised()?;
    repo.begin_changes()?;
    let select = Select { paths: options.paths.clone(), ..Select::default() };
    let mut out = Vec::new();
    for item in chosen_or_warned(repo, &select, job)? {
        match imported(&item.pointer) {
            Some((origin, path)) => {
                let rev = options.rev.clone().or(origin.rev);
                let origin = Origin { rev, jobs: options.jobs, ..origin };
                out.push(work(item, (origin, path))?);
            }
            None if options.paths.is_empty() => {}
            None => {
                let path = show(item.path.as_bytes()).to_string();
                return Err(OpError::refused(
                    format!("`{path}` was not imported, or was changed since"),
                    "name paths that `haul import` brought",
                ));
            }
        }
    }
    Ok(out)
}

/// Says whether the other repository has what is here already.
fn is_same(item: &Chosen, foreign: &Foreign, path: &str) -> Result<bool, OpError> {
    let commit = foreign.commit().to_string();
    Ok(item.pointer.extra().get(FROM_COMMIT) == Some(&commit)
        || foreign.pointer(path)?.is_some_and(|there| there.kind() == item.pointer.kind()))
}

/// Reads where data came from, and its path there.
fn imported(pointer: &Pointer) -> Option<(Origin, String)> {
    let key = |name: &str| pointer.extra().get(name).cloned();
    let origin = Origin { url: key(FROM)?, rev: key(FROM_REV), ..Origin::default() };
    Some((origin, key(FROM_PATH)?))
}

fn update(
    repo: &Repo,
    item: &Chosen,
    (origin, path): (&Origin, &str),
    job: &Job,
) -> Result<ImportedRow, OpError> {
    let foreign = Foreign::fetch(repo.environment(), origin, &repo.layout().temp())?;
    let commit = foreign.commit().to_string();
    if is_same(item, &foreign, path)? {
        return Ok(ImportedRow {
            path: json_path(item.path.as_bytes()),
            url: redact(&origin.url),
            commit,
            change: "unchanged",
            files: 0,
            bytes: 0,
            requests: Requests::default(),
        });
    }
    let place = repo.git().root().join(item.path.to_os());
    let there = place.symlink_metadata().is_ok();
    let saved = !there || is_saved(repo, item, job)?;
    let taken = foreign.take(path, job)?;
    // What an update that did not end put there already.
    let placed = there && listing(&place, job)? == listing(&taken.path, job)?;
    if !saved && !placed {
        return Err(OpError::refused(
            format!("`{}` was changed here", show(item.path.as_bytes())),
            "run `haul add` on it to keep it as your own, or `haul checkout --force` to put it aside",
        ));
    }
    if !placed {
        if there {
            remove_data(repo, (&item.path, &item.bytes), &Filter::All, job)?;
        }
        if place.symlink_metadata().is_ok() {
            return Err(OpError::refused(
                format!(
                    "`{}` holds data that is neither in the cache nor known to be on the remote",
                    show(item.path.as_bytes())
                ),
                "run `haul push`, then the same command again",
            ));
        }
        put(&taken.path, &place)?;
    }
    track(repo, &item.path, (&foreign, origin, path), (taken, "updated"), job)
}

/// Says whether what lies here is what the pointer says, and nothing besides.
fn is_saved(repo: &Repo, item: &Chosen, job: &Job) -> Result<bool, OpError> {
    let whole = Chosen {
        path: item.path.clone(),
        by: item.by,
        pointer: item.pointer.clone(),
        bytes: item.bytes.clone(),
        filter: Filter::All,
    };
    let paths = vec![repo.git().root().join(item.path.to_os()).into_os_string()];
    let select = Select { paths, ..Select::default() };
    let options = CheckoutOptions { select, ..CheckoutOptions::default() };
    let place = repo.git().root().join(item.path.to_os());
    let wanted = match item.pointer.kind() {
        PointerKind::File { .. } => 1,
        PointerKind::Dir { files, .. } => *files,
    };
    if listing(&place, job)?.is_some_and(|all| all.len() as u64 != wanted.max(1)) {
        return Ok(false);
    }
    let plan = plan_of(repo, (&options, &[whole]), job)?;
    Ok(plan.refused.is_empty() && plan.write == 0 && plan.remove == 0 && plan.missing.is_empty())
}
