//! Three versions of a pointer into one.

use serde::Serialize;

use crate::manifest::{self, FileEntry};
use crate::ops::error::OpError;
use crate::ops::merge::trees::{NewNodes, merge_trees};
use crate::path::{JsonPath, RepoPath, json_path, show};
use crate::pointer::{Pointer, PointerKind, merge_dirs, merge_pointers};
use crate::progress::Job;
use crate::repo::Repo;

/// The versions of one pointer, as bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides<'a> {
    /// What both were made from; nothing if there is no such version.
    pub(super) base: Option<&'a [u8]>,
    /// What is merged into.
    pub(super) ours: &'a [u8],
    /// What is merged.
    pub(super) theirs: &'a [u8],
}

/// A path that both sides changed, each in its own way.
#[derive(Clone, Debug, Serialize)]
pub struct Clash {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// What our side did: `added`, `changed` or `removed`.
    pub ours: &'static str,
    /// What their side did.
    pub theirs: &'static str,
}

/// What came of a merge.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    /// The pointer; at clashes it has what ours has.
    pub(super) pointer: Vec<u8>,
    /// Paths that need a person.
    pub(super) clashes: Vec<Clash>,
    /// Files that their side brings.
    pub(super) files: u64,
    /// Bytes of these.
    pub(super) bytes: u64,
    nodes: NewNodes,
}

impl Merged {
    /// Makes durable what the pointer needs and is not stored yet.
    pub(super) fn write_nodes(&self, repo: &Repo) -> Result<(), OpError> {
        self.nodes.write(repo)
    }
}

/// Merges the versions of the pointer of `path`; nodes that are not on this machine are fetched.
pub(super) fn merge_pointer(
    repo: &Repo,
    path: &RepoPath,
    sides: Sides<'_>,
    job: &Job,
) -> Result<Merged, OpError> {
    let parse = |bytes: &[u8], whose: &str| {
        Pointer::parse(bytes).map_err(|error| {
            OpError::refused(
                format!("{whose} pointer of `{}` cannot be merged: {error}", show(path.as_bytes())),
                "take one side's pointer with `git checkout --ours` or `--theirs`",
            )
        })
    };
    let (ours, theirs) = (parse(sides.ours, "our")?, parse(sides.theirs, "their")?);
    // A base that cannot be read tells nothing.
    let base = sides.base.and_then(|bytes| Pointer::parse(bytes).ok());
    let clean = |pointer: &Pointer| {
        let (pointer, clashes, nodes) = (pointer.to_bytes(), Vec::new(), NewNodes::default());
        let (files, bytes) = if pointer == sides.ours { (0, 0) } else { theirs.figures() };
        Merged { pointer, clashes, files, bytes, nodes }
    };
    if let Some(merged) = merge_pointers(base.as_ref(), &ours, &theirs) {
        return Ok(clean(&merged));
    }
    let whole = || Merged {
        pointer: sides.ours.to_vec(),
        clashes: vec![Clash {
            path: json_path(path.as_bytes()),
            ours: if base.is_some() { "changed" } else { "added" },
            theirs: if base.is_some() { "changed" } else { "added" },
        }],
        files: 0,
        bytes: 0,
        nodes: NewNodes::default(),
    };
    let (PointerKind::Dir { .. }, PointerKind::Dir { .. }) = (ours.kind(), theirs.kind()) else {
        return Ok(whole());
    };
    let base_dir = base.as_ref().filter(|b| matches!(b.kind(), PointerKind::Dir { .. }));
    let merged = merge_trees(repo, path, (base_dir, &ours, &theirs), job)?;
    let Some(pointer) = merge_dirs(base.as_ref(), (&ours, &theirs), &merged.kind) else {
        return Ok(whole());
    };
    let clashes = merged.clashes.iter().map(|clash| told(path, clash)).collect();
    let ((files, bytes), nodes) = (merged.brought, merged.nodes);
    Ok(Merged { pointer: pointer.to_bytes(), clashes, files, bytes, nodes })
}

fn told(path: &RepoPath, clash: &manifest::Clash) -> Clash {
    let deed = |side: &Option<FileEntry>| match (&clash.base, side) {
        (_, None) => "removed",
        (None, Some(_)) => "added",
        (Some(_), Some(_)) => "changed",
    };
    // Where only their side has it, ours has a file or folder in its place.
    let ours = if clash.base.is_none() && clash.ours.is_none() {
        "put something in its place"
    } else {
        deed(&clash.ours)
    };
    let theirs = deed(&clash.theirs);
    let whole = [path.as_bytes(), b"/", &clash.path].concat();
    Clash { path: json_path(&whole), ours, theirs }
}
