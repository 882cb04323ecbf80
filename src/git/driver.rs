//! The program that Git calls to merge pointers, in the settings of this clone.

use std::path::Path;

use super::{Git, GitError};
use crate::path::in_shell;

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

    /// Has Git merge pointers as text again; says whether it did not.
    pub fn unset_merge_driver(&self) -> Result<bool, GitError> {
        if self.own_setting(COMMAND)?.is_none() {
            return Ok(false);
        }
        self.run(&["config", "--local", "--remove-section", "merge.haul"], b"")?;
        Ok(true)
    }
}
