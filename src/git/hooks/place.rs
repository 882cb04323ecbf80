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
    /// Says what [`Self::install`] would do.
    pub fn would_install(&self, program: &Path) -> Result<Placed, GitError> {
        match self.standing {
            Standing::Kept(_) => Ok(Placed::Left),
            Standing::Active => {
                let text = self.script(program);
                let found = Program::look(&self.path)?;
                let other = |found: &Program| {
                    !is_ours(self.moment, &found.text) || found.text == text.as_bytes()
                };
                let same = found.is_none_or(|found| other(&found));
                Ok(if same { Placed::Unchanged } else { Placed::Written })
            }
            Standing::Free | Standing::Beside => Ok(Placed::Written),
        }
    }

    fn script(&self, program: &Path) -> String {
        script(self.moment, self.local.then_some(program))
    }

    /// Puts our program there; one that was there is kept beside it and called first. `program` is
    /// where haul lies.
    pub fn install(&self, program: &Path) -> Result<Placed, GitError> {
        let placed = self.would_install(program)?;
        if placed == Placed::Written {
            if self.standing == Standing::Beside {
                self.refusable(move_durably(&self.path, &before(&self.path)))?;
            }
            self.refusable(write_program(&self.path, self.script(program).as_bytes()))?;
        }
        Ok(placed)
    }

    /// Says what [`Self::uninstall`] would do.
    pub fn would_uninstall(&self) -> Result<Placed, GitError> {
        let Some(found) = Program::look(&self.path)? else { return Ok(Placed::Unchanged) };
        if is_ours(self.moment, &found.text) {
            return Ok(Placed::Removed);
        }
        let calls = calls_haul(self.moment, &found.text) || self.standing == Standing::Active;
        Ok(if calls { Placed::Left } else { Placed::Unchanged })
    }

    /// Takes our program away and puts back what was there before.
    pub fn uninstall(&self) -> Result<Placed, GitError> {
        let placed = self.would_uninstall()?;
        if placed != Placed::Removed {
            return Ok(placed);
        }
        let before = before(&self.path);
        if before.symlink_metadata().is_ok() {
            self.refusable(move_durably(&before, &self.path))?;
        } else {
            self.refusable(remove(&self.path))?;
        }
        Ok(placed)
    }

    fn refusable<T>(&self, result: Result<T, FsError>) -> Result<T, GitError> {
        result.map_err(|source| GitError::Hook { path: self.path.clone(), source })
    }
}
