//! Proves that a program Git would run leads to haul, without doing what it is for.

use std::path::Path;
use std::process::{Command, Stdio};

use super::inspect::Program;
use super::script::is_ours;
use super::{HookFile, Standing};
use crate::fs::write_program;
use crate::git::GitError;

/// With this variable set, `haul hook` says that it was called and does nothing else.
pub const PROBE: &str = "HAUL_HOOK_PROBE";

/// What came of calling a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// Haul answered.
    Answered,
    /// Haul did not; the words of the program.
    Silent(String),
    /// The program does more than to call haul, so it was not run.
    NotTried,
}

impl HookFile {
    /// Runs a copy of our program in `folder`, where none of others is beside it.
    pub fn probe(&self, folder: &Path) -> Result<Called, GitError> {
        let found = Program::look(&self.path)?;
        let ours = found.filter(|found| is_ours(self.moment, &found.text));
        let Some(program) = ours.filter(|_| self.standing == Standing::Active) else {
            return Ok(Called::NotTried);
        };
        let copy = folder.join(self.moment.name());
        write_program(&copy, &program.text)?;
        let mut command = Command::new("/bin/sh");
        command.arg(&copy).env(PROBE, "1").env_remove("HAUL_SKIP").current_dir(folder);
        let output = command.stdin(Stdio::null()).output().map_err(|source| GitError::Spawn {
            command: self.path.display().to_string(),
            source,
        })?;
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() && words(&output.stdout) == probe_answer(self.moment.name()) {
            return Ok(Called::Answered);
        }
        let said = words(&output.stderr);
        Ok(Called::Silent(if said.is_empty() { output.status.to_string() } else { said }))
    }
}

/// Returns what `haul hook NAME` says to a probe.
pub fn probe_answer(name: &str) -> String {
    format!("haul hook {name}")
}
