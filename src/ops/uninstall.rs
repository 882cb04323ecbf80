//! `haul uninstall`: undoes `haul init`, and leaves data.

use serde::Serialize;

use crate::config::first_file;
use crate::ops::error::OpError;
use crate::ops::hooks::{self, HooksReport};
use crate::ops::init::{ATTRIBUTES, write};
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::worktree::{load_in_place, load_tracked};

/// The longest file of attributes that is edited, in bytes.
const LIMIT: u64 = 16 << 20;

/// What `uninstall` did.
#[derive(Clone, Debug, Serialize)]
pub struct UninstallReport {
    /// Git's hooks.
    pub hooks: HooksReport,
    /// Whether Git called haul to merge pointers.
    pub merge_driver: bool,
    /// Whether Git called haul for paths with the attribute `filter=haul`.
    pub filter: bool,
    /// Committed files that were removed or changed; staged too.
    pub files: Vec<String>,
    /// Paths that haul tracks: while there are any, committed files stay.
    pub tracked: u64,
}

/// Takes haul out of this clone; out of what is committed too, unless paths are tracked. Data, the
/// local state and settings that were added to `haul.toml` stay.
pub fn run(repo: &Repo) -> Result<UninstallReport, OpError> {
    let hooks = hooks::uninstall(repo)?;
    let merge_driver = repo.git().unset_merge_driver()?;
    repo.git().unset_diff_driver()?;
    let filter = repo.git().unset_filter()?;
    let in_place = load_in_place(repo.git())?.0.len();
    let tracked = (load_tracked(repo.git(), repo.door())?.0.len() + in_place) as u64;
    let files = if tracked == 0 { committed(repo)? } else { Vec::new() };
    Ok(UninstallReport { hooks, merge_driver, filter, files, tracked })
}

fn committed(repo: &Repo) -> Result<Vec<String>, OpError> {
    let mut files = Vec::new();
    let attributes = RepoPath::new_settings_file(b".gitattributes");
    let old = repo.door().read_small(&attributes, LIMIT)?.unwrap_or_default();
    let ours = |line: &&[u8]| ATTRIBUTES.iter().any(|own| line.trim_ascii() == own.as_bytes());
    let lines = old.split_inclusive(|byte| *byte == b'\n').filter(|line| !ours(line));
    let new: Vec<u8> = lines.flatten().copied().collect();
    if new != old {
        files.push(".gitattributes".to_owned());
        if new.is_empty() {
            repo.door().root().remove_file(b".gitattributes")?;
        } else {
            write(repo, ".gitattributes", &new)?;
        }
    }
    let settings = RepoPath::new_settings_file(b"haul.toml");
    if repo.door().read_small(&settings, LIMIT)?.as_deref() == Some(first_file().as_bytes()) {
        files.push("haul.toml".to_owned());
        repo.door().root().remove_file(b"haul.toml")?;
    }
    let staged: Vec<&[u8]> = files.iter().map(String::as_bytes).collect();
    repo.git().stage(&staged)?;
    Ok(files)
}
