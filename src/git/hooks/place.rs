//! Puts our programs where Git looks for them, and takes them away again.

use std::path::{Path, PathBuf};

use super::inspect::{Program, before};
use super::script::{calls_haul, is_ours, script};
use super::{Moment, Standing};
use crate::fs::{FsError, move_durably, remove, write_program};
use crate::git::GitError;

/// What Git runs at a moment, and where ours lies or would lie.
#[derive(Clone, Debug)]
pub struct HookFile {
    /// When it runs.
    pub moment: Moment,
    /// Where ours lies or would lie.
    pub path: PathBuf,
    /// Whether haul is called.
    pub standing: Standing,
    /// Whether the file stays on this machine.
    pub(super) local: bool,
}

/// What became of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Nothing had to be done.
    Unchanged,
    /// Ours is there now.
    Written,
    /// Ours is gone.
    Removed,
    /// It is not ours to change.
    Left,
}

impl HookFile {
    /// Puts our program there; one that was there is kept beside it and called first. `program` is
    /// where haul lies.
    pub fn install(&self, program: &Path) -> Result<Placed, GitError> {
        let text = script(self.moment, self.local.then_some(program));
        match self.standing {
            Standing::Kept(_) => return Ok(Placed::Left),
            Standing::Active => {
                let found = Program::look(&self.path)?;
                let other = |found: &Program| {
                    !is_ours(self.moment, &found.text) || found.text == text.as_bytes()
                };
                if found.is_none_or(|found| other(&found)) {
                    return Ok(Placed::Unchanged);
                }
            }
            Standing::Free => {}
            Standing::Beside => self.refusable(move_durably(&self.path, &before(&self.path)))?,
        }
        self.refusable(write_program(&self.path, text.as_bytes()))?;
        Ok(Placed::Written)
    }

    /// Takes our program away and puts back what was there before.
    pub fn uninstall(&self) -> Result<Placed, GitError> {
        let Some(found) = Program::look(&self.path)? else { return Ok(Placed::Unchanged) };
        if !is_ours(self.moment, &found.text) {
            let calls = calls_haul(self.moment, &found.text) || self.standing == Standing::Active;
            return Ok(if calls { Placed::Left } else { Placed::Unchanged });
        }
        let before = before(&self.path);
        if before.symlink_metadata().is_ok() {
            self.refusable(move_durably(&before, &self.path))?;
        } else {
            self.refusable(remove(&self.path))?;
        }
        Ok(Placed::Removed)
    }

    fn refusable<T>(&self, result: Result<T, FsError>) -> Result<T, GitError> {
        result.map_err(|source| GitError::Hook { path: self.path.clone(), source })
    }
}
