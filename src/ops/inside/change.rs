//! Reading and changing entries of a manifest, with the nodes that this takes and no others.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{LocalNodeError, ObjectReader};
use crate::hash::{Digest, NodeId};
use crate::manifest::{Edit, FileEntry, ManifestEditError, edit};
use crate::node::{Body, Cursor, EditError, Expectation, Kind, Node, ReadError, Scope, get};
use crate::ops::error::OpError;
use crate::ops::inside::nodes::write_nodes;
use crate::ops::trees::{Source, look_into};
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Contact, Filter, Root, TransferError, Wanted, bring_trees};

/// Paths that are looked up one by one; of more, all nodes of the manifest are brought.
const EACH: usize = 1000;

/// A tracked folder, and the pointer by which it is read.
#[derive(Clone, Copy)]
pub(crate) struct Folder<'p> {
    pub(crate) path: &'p RepoPath,
    pub(crate) pointer: &'p Pointer,
}

/// What a manifest has around some paths.
pub(crate) struct Present {
    /// The entries at or below them, in order.
    pub(crate) entries: Vec<FileEntry>,
    /// Those that stand where they need a folder: files, or folders that are empty so far.
    pub(crate) above: Vec<FileEntry>,
    /// The nodes that were read for it: they say where content lies that this machine never had.
    pub(crate) visited: Vec<NodeId>,
}

/// What becomes of a manifest.
#[derive(Clone, Copy)]
pub(crate) struct Change<'c> {
    /// All that is at, below or in the way of these paths goes.
    pub(crate) paths: &'c [Vec<u8>],
    /// What comes in.
    pub(crate) puts: &'c [FileEntry],
    /// Nodes of other manifests that `puts` were read from.
    pub(crate) visited: &'c [NodeId],
}

type Nodes<'s> = dyn FnMut(NodeId) -> Result<Vec<u8>, LocalNodeError> + 's;
type Failure = ManifestEditError<LocalNodeError>;

/// Finds what a folder's manifest has at, below and in the way of `paths`, which are relative to the
/// folder; the empty one is the folder itself.
pub(crate) fn look(
    repo: &Repo,
    folder: Folder<'_>,
    paths: &[Vec<u8>],
    job: &Job,
) -> Result<Present, OpError> {
    let read = |root, nodes: &mut Nodes<'_>| present(root, paths, nodes);
    let (present, visited) = on_manifest(repo, (folder, paths), read, job)?;
    Ok(Present { visited, ..present })
}

/// Makes the manifest that has `puts` in place of all that is at, below or in the way of `paths`, and
/// writes its new nodes durably. Returns what the folder's pointer is to say.
pub(crate) fn change(
    repo: &Repo,
    folder: Folder<'_>,
    wanted: Change<'_>,
    job: &Job,
) -> Result<PointerKind, OpError> {
    let Change { paths, puts, visited: others } = wanted;
    let work = |root, nodes: &mut Nodes<'_>| {
        let present = present(root, paths, nodes)?;
        let above = present.above.into_iter().filter(|_| !puts.is_empty());
        let gone = present.entries.into_iter().chain(above);
        let mut edits: BTreeMap<Vec<u8>, Edit> =
            gone.map(|entry| (entry.path.clone(), Edit::Remove(entry.path))).collect();
        edits.extend(puts.iter().map(|entry| (entry.path.clone(), Edit::Put(entry.clone()))));
        let edits: Vec<Edit> = edits.into_values().collect();
        let mut built = Vec::new();
        let sink = |node| {
            built.push(node);
            Ok(())
        };
        let summary = edit(root, nodes, &edits, sink)?;
        Ok((summary, built))
    };
    let ((summary, built), mut visited) = on_manifest(repo, (folder, paths), work, job)?;
    visited.extend(others);
    write_nodes(repo, &built, &visited)?;
    Ok(PointerKind::Dir { files: summary.count, root: summary.root, size: summary.size })
}

fn present(root: NodeId, paths: &[Vec<u8>], nodes: &mut Nodes<'_>) -> Result<Present, Failure> {
    let expectation = Expectation::root(Kind::Manifest);
    let mut entries = BTreeMap::new();
    let mut folders = BTreeSet::new();
    for path in paths {
        let scope = if path.is_empty() { Scope::All } else { Scope::Under(path.clone()) };
        for entry in Cursor::<FileEntry, _>::new(root, expectation.clone(), scope, &mut *nodes) {
            let entry = entry?;
            entries.insert(entry.path.clone(), entry);
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        folders.extend(slashes.filter_map(|(at, _)| path.get(..at)));
    }
    let mut above = Vec::new();
    for folder in folders {
        above.extend(get::<FileEntry, _, _>(root, &expectation, folder, &mut *nodes)?);
    }
    Ok(Present { entries: entries.into_values().collect(), above, visited: Vec::new() })
}

/// Does `work` on a manifest, and again each time it turns out to need a node that is not here, which
/// is fetched. Returns the nodes that were read too.
fn on_manifest<T>(
    repo: &Repo,
    (folder, paths): (Folder<'_>, &[Vec<u8>]),
    mut work: impl FnMut(NodeId, &mut Nodes<'_>) -> Result<T, Failure>,
    job: &Job,
) -> Result<(T, Vec<NodeId>), OpError> {
    let PointerKind::Dir { root, .. } = *folder.pointer.kind() else {
        return Err(OpError::Defect("a file has no manifest".to_owned()));
    };
    let attempt = |reader: &mut ObjectReader<'_>, contact: Option<&Contact<'_>>| {
        let mut names: Vec<Choice> = paths.iter().cloned().map(Choice::Names).collect();
        loop {
            let all = names.is_empty() || names.len() > EACH;
            let filter = if all { Filter::names() } else { Filter::Some(names.clone()) };
            let path = folder.path.as_bytes().to_vec();
            let wanted = Wanted { path, root: Root::of(folder.pointer), filter };
            bring_trees(std::slice::from_ref(&wanted), reader, contact, job)?;
            let mut here = reader.another()?;
            let mut visited = Vec::new();
            let mut nodes = |id| {
                visited.push(id);
                here.node_bytes(id)
            };
            let absent = match work(root, &mut nodes) {
                Ok(found) => return Ok((found, visited)),
                Err(error) => absent(folder.path, error)?,
            };
            // The last key of the node leads to it.
            match key_of(absent, &visited, &mut here).filter(|_| !all) {
                Some(key) => names.push(Choice::Names(key)),
                None => return Err(nobody_has(folder.path, absent)),
            }
        }
    };
    Ok(look_into(repo, &Source::default(), attempt, job)?.0)
}

/// Returns the node that was not here, or what else went wrong.
fn absent(path: &RepoPath, error: Failure) -> Result<NodeId, OpError> {
    let of = path.as_bytes().to_vec();
    match error {
        ManifestEditError::Tree(EditError::Read(ReadError::Source { source, .. })) => {
            match source {
                LocalNodeError::Absent(id) => Ok(id),
                LocalNodeError::Cache(source) => {
                    Err(TransferError::Local { path: of, source }.into())
                }
            }
        }
        ManifestEditError::Tree(EditError::Read(ReadError::Node { source, .. })) => {
            Err(TransferError::Tree { path: of, source }.into())
        }
        error @ (ManifestEditError::Order | ManifestEditError::Tree(_)) => {
            let path = show(path.as_bytes());
            Err(OpError::Defect(format!(
                "the manifest of `{path}` does not hold together: {error}"
            )))
        }
    }
}

fn nobody_has(path: &RepoPath, id: NodeId) -> OpError {
    let (path, root) = (path.as_bytes().to_vec(), Digest(id.0));
    TransferError::NobodyPushed { path, root, remote: "this machine".to_owned() }.into()
}

/// Finds the last key below a node, as one of the nodes above it says.
fn key_of(wanted: NodeId, visited: &[NodeId], here: &mut ObjectReader<'_>) -> Option<Vec<u8>> {
    visited.iter().rev().find_map(|id| {
        let bytes = here.node_bytes(*id).ok()?;
        let (node, _) = Node::<FileEntry>::decode(&bytes).ok()?;
        match node.into_body() {
            Body::Inner(entries) => entries.into_iter().find(|e| e.id == wanted).map(|e| e.key),
            Body::Leaf(_) => None,
        }
    })
}
