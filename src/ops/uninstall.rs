//! `haul uninstall`: undoes `haul init`, and leaves data.

use serde::Serialize;

use crate::config::{Environment, first_file};
use crate::git::unset_user_filter;
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
    /// Those that Git holds pointers for in their place, and no longer hands over.
    pub in_place: u64,
}

/// What `uninstall --global` did.
#[derive(Clone, Debug, Serialize)]
pub struct GlobalReport {
    /// Whether Git called haul for files that repositories hand over, wherever the user is.
    pub filter: bool,
}

/// Takes haul out of the user's own settings of Git.
pub fn global(environment: &Environment) -> Result<GlobalReport, OpError> {
    Ok(GlobalReport { filter: unset_user_filter(&environment.cwd)? })
}

/// What would be taken back.
#[derive(Clone, Debug, Serialize)]
pub struct UninstallPlan {
    /// Git hooks that call haul.
    pub hooks: Vec<&'static str>,
    /// Whether Git calls haul to merge pointers.
    pub merge_driver: bool,
    /// Whether Git calls haul for paths with the attribute `filter=haul`.
    pub filter: bool,
    /// Committed files that would be removed or changed.
    pub files: Vec<String>,
    /// Paths that haul tracks: while there are any, committed files stay.
    pub tracked: u64,
}

/// Says what [`run`] would change.
pub fn plan(repo: &Repo) -> Result<UninstallPlan, OpError> {
    let rows = hooks::status(repo)?.hooks.into_iter();
    let hooks = rows.filter(|row| row.state == "installed").map(|row| row.name).collect();
    let merge_driver = repo.git().has_merge_driver()?;
    let filter = repo.git().has_filter()?;
    let tracked = tracked(repo)?;
    let changes = if tracked == 0 { committed(repo)? } else { Vec::new() };
    let files = changes.into_iter().map(|(name, _)| name.to_owned()).collect();
    Ok(UninstallPlan { hooks, merge_driver, filter, files, tracked })
}

/// Takes haul out of this clone; out of what is committed too, unless paths are tracked. Data, the
/// local state and settings that were added to `haul.toml` stay.
pub fn run(repo: &Repo) -> Result<UninstallReport, OpError> {
    let hooks = hooks::uninstall(repo)?;
    let merge_driver = repo.git().unset_merge_driver()?;
    repo.git().unset_diff_driver()?;
    let filter = repo.git().unset_filter()?;
    let tracked = tracked(repo)?;
    let changes = if tracked == 0 { committed(repo)? } else { Vec::new() };
    let mut files = Vec::new();
    for (name, left) in changes {
        match left {
            Some(bytes) => write(repo, name, &bytes)?,
            None => repo.door().root().remove_file(name.as_bytes())?,
        }
        files.push(name.to_owned());
    }
    let staged: Vec<&[u8]> = files.iter().map(String::as_bytes).collect();
    repo.git().stage(&staged)?;
    let handed_over = repo.git().filter()?.is_some();
    let in_place = if handed_over { 0 } else { load_in_place(repo.git())?.0.len() as u64 };
    Ok(UninstallReport { hooks, merge_driver, filter, files, tracked, in_place })
}

/// How many paths haul tracks, one way or the other.
fn tracked(repo: &Repo) -> Result<u64, OpError> {
    let beside = load_tracked(repo.git(), repo.door())?.0.len();
    Ok((beside + load_in_place(repo.git())?.0.len()) as u64)
}

/// A committed file that changes, and what is left of it; nothing if it goes.
type Change = (&'static str, Option<Vec<u8>>);

fn committed(repo: &Repo) -> Result<Vec<Change>, OpError> {
    let mut out = Vec::new();
    let attributes = RepoPath::new_settings_file(b".gitattributes");
    let old = repo.door().read_small(&attributes, LIMIT)?.unwrap_or_default();
    let ours = |line: &&[u8]| ATTRIBUTES.iter().any(|own| line.trim_ascii() == own.as_bytes());
    let lines = old.split_inclusive(|byte| *byte == b'\n').filter(|line| !ours(line));
    let new: Vec<u8> = lines.flatten().copied().collect();
    if new != old {
        out.push((".gitattributes", Some(new).filter(|new| !new.is_empty())));
    }
    let settings = RepoPath::new_settings_file(b"haul.toml");
    if repo.door().read_small(&settings, LIMIT)?.as_deref() == Some(first_file().as_bytes()) {
        out.push(("haul.toml", None));
    }
    Ok(out)
}
