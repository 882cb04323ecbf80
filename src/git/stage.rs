//! Puts files into the Git index.

use std::path::Path;

use super::command::os_path;
use super::{Git, GitError, ObjectId};
use crate::path::in_shell;

/// Up to this many paths are named one by one in the command that a user is told to run.
const NAMED_PATHS: usize = 20;

/// Content for a path of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedBytes {
    /// Path from the root, `/`-separated, raw bytes.
    pub path: Vec<u8>,
    /// Git's file mode.
    pub mode: u32,
    /// The whole content.
    pub bytes: Vec<u8>,
}

impl Git {
    /// Stages exactly these files as they lie in the worktree, ignored or not; a path that is gone
    /// is staged as removed. Folders are refused. Waits up to 5 s for a locked index.
    pub fn stage(&self, paths: &[&[u8]]) -> Result<(), GitError> {
        let paths = self.stageable(paths)?;
        if paths.is_empty() {
            return Ok(());
        }
        let list: Vec<u8> = paths.iter().flat_map(|path| path.iter().copied().chain([0])).collect();
        let mut arguments =
            vec!["add", "-A", "-f", "--pathspec-from-file=-", "--pathspec-file-nul"];
        // Git refuses files outside a sparse checkout unless told; older Gits lack the option.
        if self.flag("core.sparseCheckout")? {
            arguments.push("--sparse");
        }
        let call = self.runner.git(&arguments).stdin(&list);
        self.change_index(&call, &paths)?;
        // Git only warns of a folder that it may not read, and ends as if all were well.
        let staged = self.is_tracked(&paths)?;
        let left = paths.iter().filter(|path| !staged.contains(**path));
        for path in left {
            let relative = os_path(path)?;
            if self.root.join(&relative).symlink_metadata().is_ok() {
                return Err(GitError::NotStaged { path: relative });
            }
        }
        Ok(())
    }

    /// Stages these bytes, whatever the worktree holds at their paths, unfiltered. Waits up to 5 s for
    /// a locked index.
    pub fn stage_bytes(&self, files: &[StagedBytes]) -> Result<(), GitError> {
        if files.is_empty() {
            return Ok(());
        }
        let mut list = Vec::new();
        for file in files {
            let call = self.runner.git(&["hash-object", "-w", "--no-filters", "--stdin"]);
            let call = call.stdin(&file.bytes);
            let answer = call.output()?.stdout;
            let id = ObjectId::from_hex(answer.trim_ascii_end());
            let id = id.ok_or_else(|| call.unexpected(&answer))?;
            list.extend(format!("{:o} {id}\t", file.mode).bytes());
            list.extend(&file.path);
            list.push(0);
        }
        let call = self.runner.git(&["update-index", "-z", "--index-info"]).stdin(&list);
        let paths: Vec<&[u8]> = files.iter().map(|file| file.path.as_slice()).collect();
        self.change_index(&call, &paths)
    }

    /// Leaves out paths that are neither in the worktree nor in the index: nothing to do for them,
    /// but `git add` would stop at the first.
    fn stageable<'a>(&self, paths: &[&'a [u8]]) -> Result<Vec<&'a [u8]>, GitError> {
        let mut gone = Vec::new();
        for path in paths {
            let relative = os_path(path)?;
            match self.root.join(&relative).symlink_metadata() {
                Ok(found) if found.is_dir() => return Err(GitError::Folder { path: relative }),
                Ok(_) => {}
                Err(_) => gone.push(*path),
            }
        }
        let tracked = self.is_tracked(&gone)?;
        let left_out = |path: &[u8]| gone.contains(&path) && !tracked.contains(path);
        Ok(paths.iter().copied().filter(|path| !left_out(path)).collect())
    }

    /// An error about a lock that stayed, with the command that finishes the work.
    pub(super) fn locked(&self, lock: &Path, paths: &[&[u8]]) -> GitError {
        let mut command = String::from("git ");
        let patterns: Vec<Vec<u8>> = if paths.len() <= NAMED_PATHS {
            command.push_str("--literal-pathspecs ");
            paths.iter().map(|path| path.to_vec()).collect()
        } else {
            let mut names: Vec<Vec<u8>> = paths.iter().map(|path| everywhere(path)).collect();
            names.sort();
            names.dedup();
            names
        };
        command.push_str("-C ");
        command.push_str(&in_shell(self.root.as_os_str().as_encoded_bytes()));
        command.push_str(" add -A -f --");
        for pattern in patterns {
            command.push(' ');
            command.push_str(&in_shell(&pattern));
        }
        GitError::Locked { lock: self.root.join(lock), command }
    }
}

/// A pattern for the files of this name in all folders.
fn everywhere(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|c| *c == b'/').next().unwrap_or_default();
    let name = if name.ends_with(b".haul") { b"*.haul".as_slice() } else { name };
    [b":(glob)**/".as_slice(), name].concat()
}
