//! The program that Git calls to merge pointers, in the settings of this clone.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Git, GitError};
use crate::fs::replace;
use crate::path::in_shell;

/// What came of calling the program that merges pointers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriverCalled {
    /// None is set.
    Absent,
    /// It merged.
    Merged,
    /// It did not; its words.
    Failed(String),
}

/// The settings of the driver that `merge=haul` in `.gitattributes` names.
const NAME: &str = "merge.haul.name";
const COMMAND: &str = "merge.haul.driver";

impl Git {
    /// Has Git call `haul` to merge pointers.
    pub fn set_merge_driver(&self, haul: &Path) -> Result<(), GitError> {
        let known = haul.to_str().filter(|path| !path.contains(char::is_control));
        // Git puts names in place of `%`, and a shell reads the rest.
        let haul = in_shell(known.unwrap_or("haul").as_bytes()).replace('%', "%%");
        let command = format!("{haul} merge-driver %O %A %B %P");
        if self.setting(COMMAND)?.as_ref() == Some(&command) {
            return Ok(());
        }
        // In this order: Git refuses to merge with a driver that has a name and no command.
        self.run(&["config", "--local", COMMAND, &command], b"")?;
        self.run(&["config", "--local", NAME, "what haul's pointers name, file by file"], b"")?;
        Ok(())
    }

    /// Has the program merge three versions of a pointer that are the same, in `folder`, as Git would.
    pub fn probe_merge_driver(
        &self,
        folder: &Path,
        pointer: &[u8],
    ) -> Result<DriverCalled, GitError> {
        let Some(command) = self.setting(COMMAND)? else { return Ok(DriverCalled::Absent) };
        let mut line = command;
        for (sign, name) in [("%O", "base"), ("%A", "ours"), ("%B", "theirs")] {
            let file = folder.join(name);
            replace(&file, pointer)?;
            line = line.replace(sign, &in_shell(file.as_os_str().as_encoded_bytes()));
        }
        let line = line.replace("%P", "probe.haul").replace("%%", "%");
        let mut program = Command::new("/bin/sh");
        program.arg("-c").arg(&line).current_dir(self.root());
        let output = program.stdin(Stdio::null()).output();
        let output = output.map_err(|source| GitError::Spawn { command: line, source })?;
        let merged = crate::fs::read_limited(&folder.join("ours"), super::POINTER_LIMIT)?;
        if output.status.success() && merged.as_deref() == Some(pointer) {
            return Ok(DriverCalled::Merged);
        }
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let words = if words.is_empty() { output.status.to_string() } else { words };
        Ok(DriverCalled::Failed(words))
    }

    /// Says whether this clone has Git call haul to merge pointers.
    pub fn has_merge_driver(&self) -> Result<bool, GitError> {
        Ok(self.own_setting(COMMAND)?.is_some())
    }

    /// Has Git merge pointers as text again; says whether it did not.
    pub fn unset_merge_driver(&self) -> Result<bool, GitError> {
        if !self.has_merge_driver()? {
            return Ok(false);
        }
        self.run(&["config", "--local", "--remove-section", "merge.haul"], b"")?;
        Ok(true)
    }
}
