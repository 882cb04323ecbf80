//! Whether data is what an earlier pointer placed: it did not follow yet, and nobody changed it.

use std::collections::{BTreeMap, HashMap};

use crate::ops::checkout::leavers::placed_targets;
use crate::ops::checkout::survey::{Seen, survey};
use crate::ops::checkout::wanted::Target;
use crate::ops::error::OpError;
use crate::ops::status::StatusEntry;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::Knowledge;

/// The pointers that haul added or placed last, by tracked path.
pub(crate) struct LastPlaced(BTreeMap<Vec<u8>, Vec<u8>>);

impl LastPlaced {
    /// Reads them from the stat cache.
    pub(crate) fn load(repo: &Repo) -> Result<Self, OpError> {
        Ok(Self(repo.stat()?.pointers()?.into_iter().collect()))
    }

    /// Says whether another pointer than `bytes` was placed at a path last.
    pub(crate) fn is_behind(&self, path: &RepoPath, bytes: &[u8]) -> bool {
        self.0.get(path.as_bytes()).is_some_and(|last| last != bytes)
    }

    /// Says whether all that differs from the pointer of a tracked path, by what status says, is as the
    /// pointer says that was placed there last. Where that cannot be told, it is believed.
    pub(crate) fn explains(
        &self,
        repo: &Repo,
        path: &RepoPath,
        entries: &[StatusEntry],
        job: &Job,
    ) -> Result<bool, OpError> {
        let Some(last) = self.0.get(path.as_bytes()) else { return Ok(false) };
        let Some(old) = placed_targets(repo, (path, last), Filter::All)? else { return Ok(true) };
        let old = old.unpacked()?.into_iter();
        let mut old: HashMap<JsonPath, Target> =
            old.map(|target| (json_path(target.path.as_bytes()), target)).collect();
        let own = json_path(path.as_bytes());
        let changed = entries.iter().filter(|entry| {
            let counts = matches!(entry.state, "modified" | "untracked" | "type-changed");
            counts && entry.pointer == own
        });
        // What was placed last does not have it: somebody made it since.
        let mut found = Vec::new();
        for entry in changed {
            let Some(target) = old.remove(&entry.path) else { return Ok(false) };
            found.push(target);
        }
        let began = repo.door().now()?;
        let knowledge = Knowledge::new(repo.stat()?.under(path.as_bytes())?, began);
        Ok(survey(repo, found, &knowledge, job)?.iter().all(Seen::is_right))
    }
}
