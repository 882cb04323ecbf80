//! The programs that Git calls to merge and to compare pointers, and to put them in place of files:
//! in the settings of this clone, or in those of the user.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use super::command::{REPOSITORY_VARIABLES, Runner};
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

/// The settings of the filter that `filter=haul` in `.gitattributes` names.
const FILTER: &str = "filter.haul.process";
const REQUIRED: &str = "filter.haul.required";

/// The settings of the driver that `diff=haul` in `.gitattributes` names.
const DIFF: &str = "diff.haul.command";
const TEXT: &str = "diff.haul.textconv";

/// Where a setting of Git goes.
#[derive(Clone, Copy)]
enum Scope {
    /// Into this clone.
    Clone,
    /// Into the user's own settings, for all clones.
    User,
}

impl Scope {
    fn option(self) -> &'static str {
        match self {
            Self::Clone => "--local",
            Self::User => "--global",
        }
    }
}

impl Git {
    /// Has Git call `haul` to merge pointers.
    pub fn set_merge_driver(&self, haul: &Path) -> Result<(), GitError> {
        // Git puts names in place of `%`, and a shell reads the rest.
        let command = format!("{} merge-driver -- %O %A %B %P", program(haul).replace('%', "%%"));
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
        self.unset_section(COMMAND, "merge.haul")
    }

    /// Has Git call `haul` to show how pointers changed.
    pub fn set_diff_driver(&self, haul: &Path) -> Result<(), GitError> {
        // Git adds names, which may begin as options do.
        let command = format!("{} diff-driver --", program(haul));
        if self.setting(DIFF)?.as_ref() == Some(&command) {
            return Ok(());
        }
        self.run(&["config", "--local", DIFF, &command], b"")?;
        // For `git log -p` and `git show`, which call no command.
        self.run(
            &["config", "--local", TEXT, &format!("{} diff-driver --text --", program(haul))],
            b"",
        )?;
        Ok(())
    }

    /// Has Git compare pointers as text again.
    pub fn unset_diff_driver(&self) -> Result<bool, GitError> {
        self.unset_section(DIFF, "diff.haul")
    }

    /// Has Git call `haul` for paths with the attribute `filter=haul`.
    pub fn set_filter(&self, haul: &Path) -> Result<(), GitError> {
        let command = filter_command(haul);
        if self.setting(FILTER)?.as_ref() == Some(&command) && self.flag(REQUIRED)? {
            return Ok(());
        }
        set_filter(&self.runner, Scope::Clone, &command)
    }

    /// Has Git leave paths with the attribute `filter=haul` as they are; says whether it did not.
    pub fn unset_filter(&self) -> Result<bool, GitError> {
        self.unset_section(FILTER, "filter.haul")
    }

    /// Says whether this clone has Git call haul for paths with the attribute `filter=haul`.
    pub fn has_filter(&self) -> Result<bool, GitError> {
        Ok(self.own_setting(FILTER)?.is_some())
    }

    /// Returns the command that Git calls for paths with the attribute `filter=haul`.
    pub fn filter(&self) -> Result<Option<String>, GitError> {
        self.setting(FILTER)
    }

    /// Lets Git see that files with the attribute `filter=haul` hold what their pointers name, so that
    /// it need not ask again; nothing is taken in for that. Waits up to 5 s for a locked index.
    pub fn refresh_filtered(&self, paths: &[&[u8]]) -> Result<(), GitError> {
        if paths.is_empty() || self.filter()?.is_none() {
            return Ok(());
        }
        let (mut list, mut entries) = (Vec::new(), Vec::new());
        for entry in self.tracked(paths)?.iter().filter(|entry| entry.stage == 0) {
            list.extend(entry.path.iter().copied().chain([0]));
            entries.extend(format!("{:o} {}\t", entry.mode, entry.id).bytes());
            entries.extend(entry.path.iter().copied().chain([0]));
        }
        // Of a file that grew, Git believes that it changed and does not look: it has to forget first
        // what it saw.
        let call = self.runner.git(&["update-index", "-z", "--index-info"]).stdin(&entries);
        self.change_index(&call, paths)?;
        let arguments = ["add", "--refresh", "--pathspec-from-file=-", "--pathspec-file-nul"];
        let call = self.runner.git(&arguments).stdin(&list);
        self.change_index(&call, paths)
    }

    /// Removes a section of this clone's own settings, if it has this key.
    fn unset_section(&self, key: &str, section: &str) -> Result<bool, GitError> {
        unset_section(&self.runner, Scope::Clone, (key, section))
    }
}

/// Has Git call `haul` for paths with the attribute `filter=haul` in all clones of this user.
/// Returns the command.
pub fn set_user_filter(haul: &Path, folder: &Path) -> Result<String, GitError> {
    let runner = Runner { folder: folder.to_owned(), variables: Vec::new() };
    let command = filter_command(haul);
    set_filter(&runner, Scope::User, &command)?;
    Ok(command)
}

/// Has Git leave paths with the attribute `filter=haul` as they are wherever no clone says otherwise; says
/// whether it did not.
pub fn unset_user_filter(folder: &Path) -> Result<bool, GitError> {
    let runner = Runner { folder: folder.to_owned(), variables: Vec::new() };
    unset_section(&runner, Scope::User, (FILTER, "filter.haul"))
}

/// Clones with these arguments of `git clone`. Git leaves pointers in place of content.
pub fn clone(
    folder: &Path,
    search: Option<&OsStr>,
    arguments: &[OsString],
) -> Result<(), GitError> {
    let mut runner = Runner { folder: folder.to_owned(), variables: Vec::new() };
    for name in REPOSITORY_VARIABLES {
        runner.set(name, None);
    }
    if let Some(search) = search.filter(|search| !search.is_empty()) {
        runner.set("PATH", Some(search));
    }
    runner.set("HAUL_SKIP_SMUDGE", Some("1".as_ref()));
    // The new clone may get hooks of the user's, and what they add is to be taken in.
    runner.set("HAUL_HASH_ONLY", None);
    // The data of a hook of Git comes with the pull that follows.
    runner.set("HAUL_SKIP", Some("1".as_ref()));
    runner.git(&["clone", "--quiet"]).arguments(arguments).output().map(drop)
}

fn set_filter(runner: &Runner, scope: Scope, command: &str) -> Result<(), GitError> {
    let scope = scope.option();
    runner.git(&["config", scope, FILTER, command]).output()?;
    // Without it, a haul that is not found would have Git store the files themselves.
    runner.git(&["config", scope, REQUIRED, "true"]).output()?;
    Ok(())
}

/// Removes a section of settings, if it has this key.
fn unset_section(
    runner: &Runner,
    scope: Scope,
    (key, section): (&str, &str),
) -> Result<bool, GitError> {
    let scope = scope.option();
    if runner.git(&["config", scope, "--get", key]).accept(1..=1).output()?.code == 1 {
        return Ok(false);
    }
    runner.git(&["config", scope, "--remove-section", section]).output()?;
    Ok(true)
}

fn filter_command(haul: &Path) -> String {
    format!("{} filter-process", program(haul))
}

/// The program as a shell reads it; by name alone if its path cannot stand in a setting.
fn program(haul: &Path) -> String {
    let known = haul.to_str().filter(|path| !path.contains(char::is_control));
    in_shell(known.unwrap_or("haul").as_bytes())
}
