//! Writing the nodes of a changed manifest.

use std::collections::{HashMap, HashSet};

use crate::cache::{CacheError, NodeSink, ObjectReader, Stale, record_written};
use crate::hash::NodeId;
use crate::manifest::FileEntry;
use crate::node::{BuiltNode, Child, Loc, Node, PackRef, decode_placement};
use crate::ops::error::OpError;
use crate::repo::Repo;

/// Makes new nodes durable and known; `visited` are those that they were made from.
pub(crate) fn write_nodes(
    repo: &Repo,
    built: &[BuiltNode],
    visited: &[NodeId],
) -> Result<(), OpError> {
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
    Ok(record_written(index, &sink.finish()?)?)
}

fn name(child: &Child) -> [u8; 32] {
    match child {
        Child::Chunk { id, .. } => id.0,
        Child::Node { id, .. } => id.0,
    }
}

/// Finds where content lies that this machine never had: the nodes that were read say it.
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
