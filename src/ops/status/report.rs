//! What a status tells.

use std::ffi::OsString;

use serde::Serialize;

use crate::path::JsonPath;

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct StatusOptions {
    /// Paths or globs, relative to the current folder; everything if empty.
    pub paths: Vec<OsString>,
}

/// A path that is not as its pointer says.
#[derive(Clone, Debug, Serialize)]
pub struct StatusEntry {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// `modified`, `missing`, `untracked` (inside a tracked folder), `type-changed`, `unknown` (the
    /// tree is not on this machine), `untrackable` (a special file, a refused name or a pointer
    /// inside a tracked folder, or a pointer of a refused name), `conflict`,
    /// `pointer-damaged`, `pointer-missing`, or `pointer-text`
    /// (stands where Git's filter is to put content).
    pub state: &'static str,
    /// The tracked path it belongs to.
    pub pointer: JsonPath,
}

/// A tracked path.
#[derive(Clone, Debug, Serialize)]
pub struct PointerRow {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The pointer against the one in `HEAD`: `same`, `new` or `changed`.
    pub against_head: &'static str,
    /// Whether its content was pushed: `yes`, `no`, or `unknown` (not from this machine).
    pub pushed: &'static str,
}

/// How the worktree stands.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// Paths that are not as their pointers say, in order.
    pub entries: Vec<StatusEntry>,
    /// Tracked paths, in order.
    pub pointers: Vec<PointerRow>,
    /// Whether all data is as the pointers say.
    pub clean: bool,
    /// Files looked at.
    pub files: u64,
    /// Their bytes, as the pointers say.
    pub bytes: u64,
}
