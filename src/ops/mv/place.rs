//! Whether data can be renamed to where it goes, and what becomes of its new pointer where it was not.

use crate::fs::failpoint;
use crate::ops::checkout::LastPlaced;
use crate::ops::error::OpError;
use crate::ops::mv::plan::MAX_POINTER;
use crate::ops::tracked::remove_file;
use crate::path::{RepoPath, in_shell, show};
use crate::repo::Repo;

/// Refuses a new name on another file system, as only a copy could lead there.
pub(super) fn refuse_elsewhere(repo: &Repo, old: &RepoPath, new: &RepoPath) -> Result<(), OpError> {
    if device(repo, old)? == device(repo, new)? {
        return Ok(());
    }
    Err(elsewhere(old, new))
}

/// Returns the device of the folder that a path lies in, or would lie in.
fn device(repo: &Repo, path: &RepoPath) -> Result<Option<u64>, OpError> {
    for folder in std::iter::successors(path.parent(), RepoPath::parent) {
        if let Some(stamp) = repo.door().stamp(&folder)? {
            return Ok(Some(stamp.dev));
        }
    }
    Ok(repo.door().root().stamp(b".")?.map(|stamp| stamp.dev))
}

fn elsewhere(old: &RepoPath, new: &RepoPath) -> OpError {
    let (from, to) = (in_shell(old.as_bytes()), in_shell(new.as_bytes()));
    OpError::refused(
        format!(
            "cannot move `{}` to `{}`: that is on another file system",
            show(old.as_bytes()),
            show(new.as_bytes())
        ),
        format!("copy it there with `cp -a`, then run `haul add {to}` and `haul rm {from}`"),
    )
}

/// Says of a rename that did not succeed what there is to say.
pub(super) fn told(error: OpError, (old, new): (&RepoPath, &RepoPath)) -> OpError {
    if matches!(&error, OpError::Fs(e) if e.is_across()) { elsewhere(old, new) } else { error }
}

/// A pointer as it was before a move wrote it.
pub(super) struct Before {
    path: RepoPath,
    pointer: RepoPath,
    bytes: Option<Vec<u8>>,
}

impl Before {
    /// Looks at the pointer of a path that is about to be written.
    pub(super) fn look(repo: &Repo, path: &RepoPath) -> Result<Self, OpError> {
        let pointer = path.pointer_path()?;
        let bytes = repo.door().read_small(&pointer, MAX_POINTER)?;
        Ok(Self { path: path.clone(), pointer, bytes })
    }

    /// Renames data once the pointer is written. Where that is refused, and the data lies where it lay, the
    /// pointer is again what it was.
    pub(super) fn rename(
        self,
        repo: &Repo,
        (old, new): (&RepoPath, &RepoPath),
        rename: impl FnOnce() -> Result<(), OpError>,
    ) -> Result<(), OpError> {
        let written = repo.door().read_small(&self.pointer, MAX_POINTER)?;
        failpoint::hit("mv.before-rename");
        let Err(error) = rename() else { return Ok(()) };
        if repo.door().has(old).unwrap_or(false) {
            // The error that matters is the first.
            drop(self.take_back(repo, written.as_ref()));
        }
        Err(told(error, (old, new)))
    }

    fn take_back(self, repo: &Repo, written: Option<&Vec<u8>>) -> Result<(), OpError> {
        let now = repo.door().read_small(&self.pointer, MAX_POINTER)?;
        let (Some(now), true) = (&now, now.as_ref() == written && now != self.bytes) else {
            return Ok(());
        };
        let Some(bytes) = self.bytes else { return remove_file(repo, &self.pointer) };
        repo.door().write_durably(&self.pointer, &bytes)?;
        if LastPlaced::load(repo)?.is_behind(&self.path, now) {
            return Ok(());
        }
        Ok(repo.stat()?.save([], [(self.path.as_bytes(), Some(bytes.as_slice()))])?)
    }
}
