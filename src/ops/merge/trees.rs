//! Merging the manifests of a tracked folder: reading nodes, here or from the remote, and writing new
//! ones.

use std::collections::{HashMap, HashSet};

use crate::cache::{
    CacheError, Held, LocalNodeError, NodeSink, ObjectReader, PackState, Stale, places_of,
};
use crate::hash::NodeId;
use crate::manifest::{Clash, FileEntry, ManifestEditError, edit, merge};
use crate::node::{BuiltNode, Child, EditError, Loc, Node, PackRef, ReadError, decode_placement};
use crate::ops::error::OpError;
use crate::ops::fetch::bring_trees;
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
    write(repo, &built, &visited)?;
    let kind = PointerKind::Dir { files: summary.count, root: summary.root, size: summary.size };
    Ok(Some(MergedTree { kind, clashes: found.clashes }))
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

/// Makes new nodes durable and known.
fn write(repo: &Repo, built: &[BuiltNode], visited: &[NodeId]) -> Result<(), OpError> {
    if built.is_empty() {
        return Ok(());
    }
    let index = repo.index()?;
    let view = index.reader()?;
    let own: HashSet<NodeId> = built.iter().map(|node| node.id).collect();
    let unplaced: HashSet<[u8; 32]> = built
        .iter()
        .flat_map(|node| &node.children)
        .filter(|child| !matches!(child, Child::Node { id, .. } if own.contains(id)))
        .map(name)
        .filter(|id| view.find(id).is_none())
        .collect();
    let mut reader = ObjectReader::new(repo.layout(), index)?;
    let former = former(&mut reader, visited, &unplaced)?;
    let none = HashMap::new();
    let mut sink = NodeSink::new(repo.layout(), &view, &none, Stale::NONE).with_former(former);
    for node in built {
        sink.put(node)?;
    }
    let packs = sink.finish()?;
    let states: Vec<_> = packs
        .iter()
        .map(|pack| {
            let size = u32::try_from(pack.size).unwrap_or(0);
            (pack.id, PackState { held: Held::Unpushed, kind: pack.kind.byte(), size })
        })
        .collect();
    let mut objects: Vec<_> = places_of(&packs).into_iter().collect();
    Ok(index.record(&states, &mut objects, &[])?)
}

fn name(child: &Child) -> [u8; 32] {
    match child {
        Child::Chunk { id, .. } => id.0,
        Child::Node { id, .. } => id.0,
    }
}

/// Finds where content lies that this machine never had: the nodes that were merged say it.
fn former(
    reader: &mut ObjectReader<'_>,
    visited: &[NodeId],
    unplaced: &HashSet<[u8; 32]>,
) -> Result<HashMap<[u8; 32], Loc>, CacheError> {
    let mut out = HashMap::new();
    for id in visited {
        if out.len() == unplaced.len() {
            break;
        }
        let home = reader.view().find(&id.0).map(|place| place.pack);
        let (Some(home), Some((bytes, placement))) = (home, reader.node(*id)?) else { continue };
        let Ok((node, _)) = Node::<FileEntry>::decode(&bytes) else { continue };
        let children = node.children();
        let Ok(locs) = decode_placement(&placement, children.len()) else { continue };
        for (child, mut loc) in children.iter().zip(locs) {
            let child = name(child);
            if !unplaced.contains(&child) {
                continue;
            }
            let own = loc.bases.iter_mut().map(|base| &mut base.pack).chain([&mut loc.pack]);
            own.filter(|pack| **pack == PackRef::This).for_each(|pack| *pack = PackRef::Pack(home));
            out.insert(child, loc);
        }
    }
    Ok(out)
}
