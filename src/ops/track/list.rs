//! What is tracked by patterns.

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::track::attributes::rules;
use crate::path::{JsonPath, json_path};
use crate::repo::Repo;
use crate::worktree::load_in_place;

/// All patterns, and the paths that Git holds pointers for.
#[derive(Clone, Debug, Serialize)]
pub struct TrackList {
    /// Patterns of `.gitattributes` at the root.
    pub patterns: Vec<JsonPath>,
    /// Paths in whose place Git holds a pointer.
    pub paths: Vec<JsonPath>,
}

/// Lists patterns and paths.
pub fn list(repo: &Repo) -> Result<TrackList, OpError> {
    let patterns = rules(repo)?.iter().map(|rule| json_path(&rule.pattern)).collect();
    let (tracked, _) = load_in_place(repo.git())?;
    let paths = tracked.iter().map(|item| json_path(item.path.as_bytes())).collect();
    Ok(TrackList { patterns, paths })
}
