//! Which imports are meant, what is taken for them, and what becomes of each.

use std::ffi::OsString;

use crate::config::redact_git;
use crate::git::{CommitId, POINTER_LIMIT};
use crate::ops::chosen::{Chosen, chosen_or_warned};
use crate::ops::error::{Exit, OpError};
use crate::ops::foreign::{Foreign, Origin, Taken};
use crate::ops::import::{ImportPlanRow, ImportedRow, listed, nearest, track};
use crate::ops::inside::{Folder, is_followed};
use crate::ops::listing::Listing;
use crate::ops::provenance::{FROM, FROM_COMMIT, FROM_PATH, FROM_REV};
use crate::ops::requests::{Requests, ToFetch};
use crate::ops::select::Select;
use crate::ops::update::replace::replace;
use crate::ops::update::report::{FailedImport, UpdatePlan, UpdateReport};
use crate::path::{json_path, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;

/// What to bring up to date.
#[derive(Clone, Debug, Default)]
pub struct UpdateOptions {
    /// Imported paths; all of them if empty.
    pub paths: Vec<OsString>,
    /// Another revision of their origins, which is followed from now on.
    pub rev: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
    /// Most bytes of content to receive for one import.
    pub max_bytes: Option<u64>,
}

/// Asks whether a remote of others, which was not accepted, may be used from now on.
pub type Accept<'a> = &'a dyn Fn(&str) -> Result<bool, OpError>;

/// Finds what an update would bring.
pub fn plan(
    repo: &Repo,
    options: &UpdateOptions,
    accept: Accept<'_>,
    job: &Job,
) -> Result<UpdatePlan, OpError> {
    let mut plan = UpdatePlan::default();
    for import in meant(repo, options, job)? {
        let look = |foreign: Foreign| {
            let same = import.is_same(&foreign)?;
            let none = ToFetch::default();
            let fetch = if same { none } else { foreign.to_fetch(&import.source, job)? };
            Ok(ImportPlanRow {
                path: json_path(import.item.path.as_bytes()),
                url: redact_git(&import.origin.url),
                commit: foreign.commit().to_string(),
                change: if same { "unchanged" } else { "updated" },
                fetch,
            })
        };
        match import.fetched(repo, accept, look) {
            Ok(row) => plan.paths.push(row),
            Err(failed) => plan.failed.push(failed.unless_stopped(job)?),
        }
    }
    Ok(plan)
}

/// Brings imports up to date. Data that was changed here is not replaced, and an import that cannot be
/// brought up to date keeps none of the others back.
pub fn run(
    repo: &Repo,
    options: &UpdateOptions,
    accept: Accept<'_>,
    job: &Job,
) -> Result<UpdateReport, OpError> {
    let (mut report, mut brought) = (UpdateReport::default(), Vec::new());
    for import in meant(repo, options, job)? {
        match import.fetched(repo, accept, |foreign| import.bring(repo, foreign, job)) {
            Ok(own) => brought.push((import, own)),
            Err(failed) => report.failed.push(failed.unless_stopped(job)?),
        }
    }
    // Others need not wait for the network; what they did meanwhile may stand in the way.
    repo.begin_changes(job)?;
    for (import, own) in brought {
        let commit = own.commit();
        match import.settle(repo, own, job) {
            Ok(row) => report.paths.push(row),
            Err(error) => match import.failed(Some(commit), error).unless_stopped(job) {
                Ok(failed) => report.failed.push(failed),
                // What was done is told all the same.
                Err(error) => {
                    report.failed.insert(0, import.failed(Some(commit), error));
                    break;
                }
            },
        }
    }
    Ok(report)
}

/// An import that is meant.
struct Import {
    item: Chosen,
    origin: Origin,
    /// Its path there.
    source: String,
}

/// What is there now.
enum Brought {
    /// What is here already.
    Same(CommitId),
    Other(Box<(Taken, Listing)>),
}

impl Brought {
    fn commit(&self) -> CommitId {
        match self {
            Self::Same(commit) => *commit,
            Self::Other(other) => other.0.commit,
        }
    }
}

impl FailedImport {
    /// Hands the wish to stop on: it is about no single import.
    fn unless_stopped(self, job: &Job) -> Result<Self, OpError> {
        // Ctrl-C reaches every `git` too, which fails then.
        job.check()?;
        if self.error.exit() == Exit::Interrupted { Err(self.error) } else { Ok(self) }
    }
}

/// Finds the imports that are meant.
fn meant(repo: &Repo, options: &UpdateOptions, job: &Job) -> Result<Vec<Import>, OpError> {
    repo.require_initialised()?;
    let select = Select { paths: options.paths.clone(), ..Select::default() };
    let mut out = Vec::new();
    for item in chosen_or_warned(repo, &select, job)? {
        match imported(&item.pointer) {
            Some((origin, source)) => {
                let rev = options.rev.clone().or(origin.rev);
                let origin =
                    Origin { rev, jobs: options.jobs, max_bytes: options.max_bytes, ..origin };
                out.push(Import { item, origin, source });
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

/// Reads where data came from, and its path there.
fn imported(pointer: &Pointer) -> Option<(Origin, String)> {
    let key = |name: &str| pointer.extra().get(name).cloned();
    let origin = Origin { url: key(FROM)?, rev: key(FROM_REV), ..Origin::default() };
    Some((origin, key(FROM_PATH)?))
}

impl Import {
    /// Does something with the commit there, once it is fetched; again if the user then agrees to its remote.
    fn fetched<T>(
        &self,
        repo: &Repo,
        accept: Accept<'_>,
        work: impl Fn(Foreign) -> Result<T, OpError>,
    ) -> Result<T, FailedImport> {
        loop {
            let mut commit = None;
            let fetched = Foreign::fetch(repo.environment(), &self.origin, &repo.layout().temp());
            let done = fetched.and_then(|foreign| {
                commit = Some(foreign.commit());
                work(foreign)
            });
            let agreed = match &done {
                Err(OpError::NotAcceptedThere { url }) => accept(url),
                Ok(_) | Err(_) => Ok(false),
            };
            match agreed {
                Ok(true) => {}
                Ok(false) => return done.map_err(|error| self.failed(commit, error)),
                Err(error) => return Err(self.failed(commit, error)),
            }
        }
    }

    fn failed(&self, commit: Option<CommitId>, error: OpError) -> FailedImport {
        FailedImport {
            path: json_path(self.item.path.as_bytes()),
            url: redact_git(&self.origin.url),
            commit: commit.map(|commit| commit.to_string()),
            error,
        }
    }

    /// Says whether the other repository has what is here already.
    fn is_same(&self, foreign: &Foreign) -> Result<bool, OpError> {
        let (pointer, commit) = (&self.item.pointer, foreign.commit().to_string());
        Ok(pointer.extra().get(FROM_COMMIT) == Some(&commit)
            || foreign.pointer(&self.source)?.is_some_and(|there| there.kind() == pointer.kind()))
    }

    /// Takes what is there now, to where it can be renamed from. Changes nothing here.
    fn bring(&self, repo: &Repo, foreign: Foreign, job: &Job) -> Result<Brought, OpError> {
        if self.is_same(&foreign)? {
            return Ok(Brought::Same(foreign.commit()));
        }
        let (_, near) = nearest(repo, &self.item.path)?;
        let taken = foreign.take(&self.source, &near, job)?;
        let new = listed(&taken, job)?;
        Ok(Brought::Other(Box::new((taken, new))))
    }

    /// Puts what was brought in the place of what is here.
    fn settle(&self, repo: &Repo, brought: Brought, job: &Job) -> Result<ImportedRow, OpError> {
        let (item, origin) = (&self.item, &self.origin);
        let now = repo.door().read_small(&item.path.pointer_path()?, POINTER_LIMIT)?;
        if now.as_ref() != Some(&item.bytes) {
            return Err(OpError::refused(
                "its pointer was changed meanwhile",
                "run the same command again",
            ));
        }
        let (taken, new) = match brought {
            Brought::Other(other) => *other,
            Brought::Same(commit) => return self.keep(repo, commit),
        };
        replace(repo, item, (&taken, &new), job)?;
        let (goal, from) = ((&item.path, &new), (&taken, origin, self.source.as_str()));
        track(repo, goal, from, "updated", job)
    }

    /// Leaves data as it is; another revision is noted in its pointer.
    fn keep(&self, repo: &Repo, commit: CommitId) -> Result<ImportedRow, OpError> {
        let follows = self.item.pointer.extra().get(FROM_REV) == self.origin.rev.as_ref();
        if !follows {
            follow(repo, &self.item, &self.origin, &commit.to_string())?;
        }
        Ok(ImportedRow {
            path: json_path(self.item.path.as_bytes()),
            url: redact_git(&self.origin.url),
            commit: commit.to_string(),
            change: if follows { "unchanged" } else { "followed" },
            files: 0,
            bytes: 0,
            requests: Requests::default(),
        })
    }
}

/// Notes another revision in the pointer of data that is the same there.
fn follow(repo: &Repo, item: &Chosen, origin: &Origin, commit: &str) -> Result<(), OpError> {
    let _working = repo.lock_for_work()?;
    let rev = origin.rev.as_deref().unwrap_or_default();
    let noted = item.pointer.clone().with_extra(FROM_COMMIT, commit);
    let noted = noted.and_then(|pointer| pointer.with_extra(FROM_REV, rev)).map_err(|e| {
        let (path, rev) = (show(item.path.as_bytes()), show(rev.as_bytes()));
        OpError::refused(format!("cannot note `{rev}` for `{path}`: {e}"), "name another revision")
    })?;
    let folder = Folder { path: &item.path, pointer: &item.pointer };
    let followed = is_followed(repo, folder)?;
    let (own, bytes) = (item.path.pointer_path()?, noted.to_bytes());
    repo.door().write_durably(&own, &bytes)?;
    if followed {
        repo.stat()?.save([], [(item.path.as_bytes(), Some(bytes.as_slice()))])?;
    }
    Ok(repo.git().stage(&[own.as_bytes()])?)
}
