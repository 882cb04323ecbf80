//! All that is tried, one thing after the other.

use serde::Serialize;

use crate::config::Environment;
use crate::hint::Hint;
use crate::ops::doctor::calls::{filter, git_hooks, merge_driver, pointers};
use crate::ops::doctor::machine::{clock, disk, git};
use crate::ops::doctor::notes::Notes;
use crate::ops::doctor::storage::{cache, remote};
use crate::ops::error::{Exit, OpError};
use crate::ops::remote::{Check, Outcome};
use crate::progress::Job;
use crate::repo::Repo;

/// What may be asked of the remote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing at all.
    Nothing,
    /// To be read.
    #[default]
    Read,
    /// To take one small object, which is removed again.
    Write,
}

/// What to try.
#[derive(Clone, Debug, Default)]
pub struct DoctorOptions {
    /// What may be asked of the remote.
    pub reach: Reach,
    /// The time of this machine, in ms since 1970.
    pub now_ms: u64,
    /// The version of this haul, for the report.
    pub version: String,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct DoctorReport {
    /// All that was tried, in order.
    pub checks: Vec<Check>,
    /// Whether nothing failed.
    pub sound: bool,
}

/// Tries everything; what fails is a line of the report, and the rest is tried all the same.
pub fn run(
    environment: &Environment,
    options: &DoctorOptions,
    job: &Job,
) -> Result<DoctorReport, OpError> {
    let mut notes = Notes::default();
    notes.works("haul", &options.version);
    git(environment, &mut notes);
    match Repo::open(environment, &[]) {
        Ok(repo) => all(&repo, options, job, &mut notes)?,
        Err(error) => notes.failed("repository", &error),
    }
    let sound = notes.0.iter().all(|check| check.outcome != Outcome::Fails);
    Ok(DoctorReport { checks: notes.0, sound })
}

/// What it is about, and how it is tried.
type Trial<'t> = (&'static str, &'t dyn Fn(&mut Notes) -> Result<(), OpError>);

fn all(repo: &Repo, options: &DoctorOptions, job: &Job, notes: &mut Notes) -> Result<(), OpError> {
    let root = repo.git().root().display();
    match repo.require_initialised() {
        Ok(()) => notes.works("repository", format!("`{root}`")),
        Err(error) => {
            let next = error.hint().unwrap_or_default();
            notes.lacks("repository", format!("`{root}`: {error}"), next);
        }
    }
    for warning in &repo.config().warnings {
        notes.lacks("settings", warning.to_string(), "`haul config` shows where each comes from");
    }
    let now_ms = options.now_ms;
    let trials: [Trial<'_>; 7] = [
        ("pointers", &|notes| pointers(repo, notes)),
        ("hooks", &|notes| git_hooks(repo, notes)),
        ("filter", &|notes| filter(repo, notes)),
        ("merge", &|notes| merge_driver(repo, notes)),
        ("index", &|notes| cache(repo, notes)),
        ("disk", &|notes| disk(repo, notes)),
        ("file clock", &|notes| clock(repo, now_ms, notes)),
    ];
    for (what, trial) in trials {
        job.check()?;
        match trial(notes) {
            Ok(()) => {}
            Err(error) if error.exit() == Exit::Interrupted => return Err(error),
            Err(error) => notes.failed(what, &error),
        }
    }
    job.check()?;
    remote(repo, options.reach, now_ms, job, notes)
}
