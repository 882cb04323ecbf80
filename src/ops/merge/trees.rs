//! Merging the manifests of a tracked folder, with nodes that are here or come from the remote.

use crate::cache::{LocalNodeError, ObjectReader};
use crate::hash::NodeId;
use crate::manifest::{Clash, Edit, ManifestEditError, edit, merge};
use crate::node::{BuiltNode, EditError, ReadError};
use crate::ops::error::OpError;
use crate::ops::fetch::bring_trees;
use crate::ops::inside::write_nodes;
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Filter, Root, TransferError, Wanted};

/// A merged manifest.
pub(super) struct MergedTree {
    /// What its pointer says.
    pub(super) kind: PointerKind,
    pub(super) clashes: Vec<Clash>,
    /// Files that their side brings, and their bytes.
    pub(super) brought: (u64, u64),
    pub(super) nodes: NewNodes,
}

/// Nodes of a merged manifest that are not stored yet, and those that they were made from.
#[derive(Clone, Debug, Default)]
pub(super) struct NewNodes {
    built: Vec<BuiltNode>,
    visited: Vec<NodeId>,
}

impl NewNodes {
    /// Stores them durably.
    pub(super) fn write(&self, repo: &Repo) -> Result<(), OpError> {
        write_nodes(repo, &self.built, &self.visited)
    }
}

/// Base, ours and theirs: pointers of folders.
type Three<'p> = (Option<&'p Pointer>, &'p Pointer, &'p Pointer);

/// Merges the manifests that three pointers name; fetches nodes, and nothing else, if some are not
/// here.
pub(super) fn merge_trees(
    repo: &Repo,
    path: &RepoPath,
    three: Three<'_>,
    job: &Job,
) -> Result<MergedTree, OpError> {
    let _working = repo.lock_for_work()?;
    if let Some(merged) = on_this_machine(repo, path, three)? {
        return Ok(merged);
    }
    let (base, ours, theirs) = three;
    let wanted = [base, Some(ours), Some(theirs)].into_iter().flatten().map(|pointer| {
        let (path, root) = (path.as_bytes().to_vec(), Root::of(pointer));
        Wanted { path, root, filter: Filter::All }
    });
    bring_trees(repo, &wanted.collect::<Vec<_>>(), job)?;
    on_this_machine(repo, path, three)?.ok_or_else(|| {
        OpError::Defect(format!("nodes of `{}` came and are gone", show(path.as_bytes())))
    })
}

/// As [`merge_trees`]; nothing if a node is not here.
fn on_this_machine(
    repo: &Repo,
    path: &RepoPath,
    (base, ours, theirs): Three<'_>,
) -> Result<Option<MergedTree>, OpError> {
    let (Some(our_root), Some(their_root)) = (root(ours), root(theirs)) else {
        return Err(OpError::Defect("a folder's pointer has no root".to_owned()));
    };
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let mut visited = Vec::new();
    let mut read = |id: NodeId| {
        visited.push(id);
        reader.node_bytes(id)
    };
    let found = match merge(base.and_then(root), our_root, their_root, &mut read) {
        Ok(found) => found,
        Err(error) => return settle(path, error),
    };
    let mut built = Vec::new();
    let sink = |node| {
        built.push(node);
        Ok(())
    };
    let summary = match edit(our_root, &mut read, &found.edits, sink) {
        Ok(summary) => summary,
        Err(ManifestEditError::Tree(EditError::Read(error))) => return settle(path, error),
        Err(error) => {
            return Err(OpError::Defect(format!(
                "the merged manifest of `{}` does not hold together: {error}",
                show(path.as_bytes())
            )));
        }
    };
    let kind = PointerKind::Dir { files: summary.count, root: summary.root, size: summary.size };
    let put = |edit: &Edit| match edit {
        Edit::Put(entry) => Some(entry.content.size()),
        Edit::Remove(_) => None,
    };
    let sizes = || found.edits.iter().filter_map(put);
    let brought = (sizes().count() as u64, sizes().fold(0, u64::saturating_add));
    let nodes = NewNodes { built, visited };
    Ok(Some(MergedTree { kind, clashes: found.clashes, brought, nodes }))
}

fn root(pointer: &Pointer) -> Option<NodeId> {
    match pointer.kind() {
        PointerKind::Dir { root, .. } => Some(*root),
        PointerKind::File { .. } => None,
    }
}

fn settle<T>(path: &RepoPath, error: ReadError<LocalNodeError>) -> Result<Option<T>, OpError> {
    let path = path.as_bytes().to_vec();
    match error {
        ReadError::Source { source: LocalNodeError::Absent(_), .. } => Ok(None),
        ReadError::Source { source: LocalNodeError::Cache(source), .. } => {
            Err(TransferError::Local { path, source }.into())
        }
        ReadError::Node { source, .. } => Err(TransferError::Tree { path, source }.into()),
    }
}
