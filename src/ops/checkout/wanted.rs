//! From pointers to what is to stand at each worktree path.

use std::num::NonZeroU8;

use crate::cache::{LocalNodeError, ObjectReader, WholeName};
use crate::hash::{NodeId, Oid};
use crate::manifest::{Content, EntryKind, FileEntry};
use crate::node::{Cursor, Entry, ReadError, Scope};
use crate::ops::checkout::packed::{Packed, Row};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::{RepoPath, show};
use crate::pointer::PointerKind;
use crate::recipe::{ChunkEntry, Chunks};
use crate::transfer::{Choice, Filter, Root, TransferError};
use crate::wire::{Reader, put_varint};

/// What is to stand at a path.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) path: RepoPath,
    pub(crate) kind: EntryKind,
    pub(crate) content: Content,
}

impl Target {
    /// Returns the hash that the content must have; of a link, of where it points.
    pub(crate) fn oid(&self) -> Oid {
        self.content.oid()
    }

    /// Returns what the cache calls a whole file of it; content of a few bytes and links are none.
    pub(crate) fn whole_name(&self) -> Option<WholeName> {
        let executable = match self.kind {
            EntryKind::File => false,
            EntryKind::Executable => true,
            EntryKind::Symlink | EntryKind::EmptyDir => return None,
        };
        match &self.content {
            Content::Inline(_) => None,
            Content::Chunk { oid, .. } => Some(WholeName { oid: *oid, root: None, executable }),
            Content::Tree { oid, root, .. } => {
                Some(WholeName { oid: *oid, root: Some(*root), executable })
            }
        }
    }

    /// Returns the profile code and recipe root, if there is a recipe.
    pub(crate) fn tree(&self) -> Option<(u8, NodeId)> {
        match &self.content {
            Content::Tree { profile_code, root, .. } => Some((profile_code.get(), *root)),
            Content::Inline(_) | Content::Chunk { .. } => None,
        }
    }
}

impl Row for Target {
    fn path(&self) -> &RepoPath {
        &self.path
    }

    fn pack(&self, out: &mut Vec<u8>) {
        out.push(self.kind.code());
        match &self.content {
            Content::Inline(bytes) => {
                out.push(0);
                put_varint(out, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            Content::Chunk { oid, size } => {
                out.push(1);
                put_varint(out, *size);
                out.extend_from_slice(oid.as_bytes());
            }
            Content::Tree { oid, size, profile_code, root } => {
                out.push(2);
                put_varint(out, *size);
                out.extend_from_slice(oid.as_bytes());
                out.push(profile_code.get());
                out.extend_from_slice(root.as_bytes());
            }
        }
    }

    fn unpack(path: RepoPath, from: &mut Reader<'_>) -> Option<Self> {
        let kind = EntryKind::from_code(from.u8().ok()?)?;
        let (form, size) = (from.u8().ok()?, from.varint().ok()?);
        let content = match form {
            0 => Content::Inline(from.take(usize::try_from(size).ok()?).ok()?.to_vec()),
            1 => Content::Chunk { oid: Oid(from.array().ok()?), size },
            2 => {
                let oid = Oid(from.array().ok()?);
                let profile_code = NonZeroU8::new(from.u8().ok()?)?;
                Content::Tree { oid, size, profile_code, root: NodeId(from.array().ok()?) }
            }
            _ => return None,
        };
        Some(Self { path, kind, content })
    }
}

/// Lists everything that a pointer wants in the worktree, in path order; only local nodes are read.
///
/// Nothing if a node is not on this machine.
pub(crate) fn targets(
    chosen: &Chosen,
    reader: &mut ObjectReader,
) -> Result<Option<Vec<Target>>, OpError> {
    packed_targets(chosen, reader)?.map(Packed::unpacked).transpose()
}

/// As [`targets`], in some 60 bytes for each.
pub(crate) fn packed_targets(
    chosen: &Chosen,
    reader: &mut ObjectReader,
) -> Result<Option<Packed<Target>>, OpError> {
    match file_content(chosen.pointer.kind()) {
        Some((kind, content)) => {
            let path = chosen.path.clone();
            Ok(Some(Packed::from_iter([Target { path, kind, content }])))
        }
        None => directory(chosen, reader),
    }
}

/// Returns what a pointer of a file stands for, as a manifest would say it; nothing for a folder.
pub(crate) fn file_content(pointer: &PointerKind) -> Option<(EntryKind, Content)> {
    let PointerKind::File { oid, size, root, executable } = pointer else { return None };
    let kind = if *executable { EntryKind::Executable } else { EntryKind::File };
    let content = match root {
        _ if *size == 0 => Content::Inline(Vec::new()),
        None => Content::Chunk { oid: *oid, size: *size },
        Some(root) => {
            // A profile that this build does not know is one it need not know to read.
            let profile = crate::chunk::Profile::by_name(&root.profile);
            let code = profile.and_then(|p| NonZeroU8::new(p.code()));
            let profile_code = code.unwrap_or(NonZeroU8::MAX);
            Content::Tree { oid: *oid, size: *size, profile_code, root: root.id }
        }
    };
    Some((kind, content))
}

fn directory(
    chosen: &Chosen,
    reader: &mut ObjectReader,
) -> Result<Option<Packed<Target>>, OpError> {
    let Root::Tree { id, expectation } = Root::of(&chosen.pointer) else { return Ok(None) };
    let mut out: Packed<Target> = Packed::default();
    let scopes = scopes(&chosen.filter);
    let several = scopes.len() > 1;
    for scope in scopes {
        let (expectation, stop) = (expectation.clone(), reader.stop());
        for entry in Cursor::<FileEntry, _>::new(id, expectation, scope, |id| reader.node_bytes(id))
        {
            stop.check()?;
            match entry {
                Ok(entry) if chosen.filter.matches(entry.key()) => {
                    out.push(&target(chosen, entry)?);
                }
                Ok(_) => {}
                Err(ReadError::Source { source: LocalNodeError::Absent(_), .. }) => {
                    return Ok(None);
                }
                Err(e) => return Err(tree_error(&chosen.path, e)),
            }
        }
    }
    if several {
        // Two choices may meet in one path; byte order is the order of the manifest.
        let mut all = out.unpacked()?;
        all.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        all.dedup_by(|a, b| a.path == b.path);
        out = Packed::from_iter(all);
    }
    if matches!(chosen.pointer.kind(), PointerKind::Dir { files: 0, .. }) {
        let (path, kind) = (chosen.path.clone(), EntryKind::EmptyDir);
        out.push(&Target { path, kind, content: Content::Inline(Vec::new()) });
    }
    Ok(Some(out))
}

/// What is to stand at the path of an entry.
fn target(chosen: &Chosen, entry: FileEntry) -> Result<Target, OpError> {
    let path = [chosen.path.as_bytes(), b"/", entry.key()].concat();
    let path = RepoPath::new(&path).map_err(|source| {
        let folder = chosen.path.as_bytes().to_vec();
        OpError::Entry { folder, source }
    })?;
    if path.is_pointer_path() && matches!(entry.content, Content::Inline(_) | Content::Chunk { .. })
    {
        guard_pointer(&path, &entry)?;
    }
    Ok(Target { path, kind: entry.kind, content: entry.content })
}

/// The parts of a manifest that a choice can meet: only their nodes need to be on this machine.
fn scopes(filter: &Filter) -> Vec<Scope> {
    match filter {
        Filter::All => vec![Scope::All],
        Filter::Some(choices) => {
            let tops = choices.iter().flat_map(Choice::tops);
            tops.map(|top| Scope::Under(top.to_vec())).collect()
        }
        Filter::Span { path, .. } => vec![Scope::Under(path.clone())],
    }
}

/// A manifest never holds what looks like a pointer: Git would take it for one.
fn guard_pointer(path: &RepoPath, entry: &FileEntry) -> Result<(), OpError> {
    match &entry.content {
        Content::Inline(bytes) if crate::pointer::looks_like_pointer(bytes) => {
            Err(OpError::refused(
                format!("`{}` of a tracked folder is itself a pointer", show(path.as_bytes())),
                "ask whoever committed it to take the pointer out of the folder",
            ))
        }
        Content::Inline(_) | Content::Chunk { .. } | Content::Tree { .. } => Ok(()),
    }
}

/// Says of which tracked path a node on this machine is that cannot be used.
pub(crate) fn tree_error(path: &RepoPath, error: ReadError<LocalNodeError>) -> OpError {
    match error {
        ReadError::Source { source: LocalNodeError::Cache(source), .. } => {
            let path = path.as_bytes().to_vec();
            OpError::Transfer(TransferError::Local { path, source })
        }
        ReadError::Source { source: LocalNodeError::Absent(id), .. } => {
            OpError::Defect(format!("node {id} vanished"))
        }
        ReadError::Node { source, .. } => {
            TransferError::Tree { path: path.as_bytes().to_vec(), source }.into()
        }
    }
}

/// The chunks of a file's content in order; nothing if a node is not on this machine.
pub(crate) fn chunks(
    target: &Target,
    reader: &mut ObjectReader,
) -> Result<Option<Vec<ChunkEntry>>, OpError> {
    let Content::Tree { size, root, .. } = &target.content else { return Ok(None) };
    let mut out = Vec::new();
    for chunk in Chunks::all(*root, *size, |id| reader.node_bytes(id)) {
        match chunk {
            Ok(at) => out.push(at.entry),
            Err(ReadError::Source { source: LocalNodeError::Absent(_), .. }) => return Ok(None),
            Err(e) => return Err(tree_error(&target.path, e)),
        }
    }
    Ok(Some(out))
}
