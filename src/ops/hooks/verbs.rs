//! Installing, removing and showing the Git hooks that call haul.

use std::path::Path;

use serde::Serialize;

use super::advice::advice;
use crate::git::{HookFile, Placed, Standing};
use crate::ops::error::OpError;
use crate::path::{JsonPath, json_path};
use crate::repo::Repo;

/// One Git hook.
#[derive(Clone, Debug, Serialize)]
pub struct HookRow {
    /// Git's name of the moment, such as `pre-push`.
    pub name: &'static str,
    /// `installed`, `absent`, or `by-hand` if somebody else has the place.
    pub state: &'static str,
    /// What was done: `written`, `removed` or `unchanged`.
    pub change: &'static str,
    /// Where the program lies or would lie.
    #[serde(flatten)]
    pub path: JsonPath,
    /// What to do to have haul called, if only the user can.
    pub advice: Option<String>,
}

/// The Git hooks of a repository.
#[derive(Clone, Debug, Serialize)]
pub struct HooksReport {
    /// One row for each moment.
    pub hooks: Vec<HookRow>,
    /// Whether haul is called at every moment.
    pub complete: bool,
}

impl HooksReport {
    fn of(rows: Vec<HookRow>) -> Self {
        let complete = rows.iter().all(|row| row.state == "installed");
        Self { hooks: rows, complete }
    }

    /// Returns how many were changed.
    pub fn changed(&self) -> u64 {
        self.hooks.iter().filter(|row| row.change != "unchanged").count() as u64
    }
}

/// Shows which Git hooks call haul.
pub fn status(repo: &Repo) -> Result<HooksReport, OpError> {
    let rows = repo.git().hook_files()?.iter().map(|file| row(file, Placed::Unchanged)).collect();
    Ok(HooksReport::of(rows))
}

/// Says what [`install`] would change; states are those of now.
pub fn plan_install(repo: &Repo, program: &Path) -> Result<HooksReport, OpError> {
    planned(repo, |file| Ok(file.would_install(program)?))
}

/// Says what [`uninstall`] would change; states are those of now.
pub fn plan_uninstall(repo: &Repo) -> Result<HooksReport, OpError> {
    planned(repo, |file| Ok(file.would_uninstall()?))
}

fn planned(
    repo: &Repo,
    look: impl Fn(&HookFile) -> Result<Placed, OpError>,
) -> Result<HooksReport, OpError> {
    let rows: Result<_, OpError> =
        repo.git().hook_files()?.iter().map(|file| Ok(row(file, look(file)?))).collect();
    rows.map(HooksReport::of)
}

/// Has every Git hook call haul that is free or can be kept beside ours; `program` is where haul lies.
pub fn install(repo: &Repo, program: &Path) -> Result<HooksReport, OpError> {
    change(repo, |file| Ok(file.install(program)?))
}

/// Removes our Git hooks and puts back what was there before.
pub fn uninstall(repo: &Repo) -> Result<HooksReport, OpError> {
    change(repo, |file| Ok(file.uninstall()?))
}

fn change(
    repo: &Repo,
    act: impl Fn(&HookFile) -> Result<Placed, OpError>,
) -> Result<HooksReport, OpError> {
    let before = repo.git().hook_files()?;
    let done: Result<Vec<Placed>, OpError> = before.iter().map(act).collect();
    let after = repo.git().hook_files()?;
    let rows = after.iter().zip(done?).map(|(file, placed)| row(file, placed)).collect();
    Ok(HooksReport::of(rows))
}

fn row(file: &HookFile, placed: Placed) -> HookRow {
    let change = match placed {
        Placed::Written => "written",
        Placed::Removed => "removed",
        Placed::Unchanged | Placed::Left => "unchanged",
    };
    let (state, advice) = match file.standing {
        Standing::Active if placed == Placed::Left => (
            "installed",
            Some(format!(
                "haul did not write `{}`: take `haul hook {}` out of it yourself",
                file.path.display(),
                file.moment.name()
            )),
        ),
        Standing::Active => ("installed", None),
        Standing::Free | Standing::Beside => ("absent", None),
        Standing::Kept(keeper) => ("by-hand", Some(advice(keeper, file.moment, &file.path))),
    };
    let path = json_path(file.path.as_os_str().as_encoded_bytes());
    HookRow { name: file.moment.name(), state, change, path, advice }
}
