//! From contents to recipes, manifests and pointers.

use crate::cache::NodeSink;
use crate::intake::Taken;
use crate::manifest::{Content as EntryContent, EntryKind, FileEntry};
use crate::node::Builder;
use crate::ops::add::contents::{Content, unbuilt};
use crate::ops::add::find::Target;
use crate::ops::add::run::AddedTarget;
use crate::ops::error::OpError;
use crate::ops::provenance::lost_note;
use crate::path::{RepoPath, json_path, show};
use crate::pointer::{Pointer, PointerKind};
use crate::worktree::{Found, What};

/// A target whose trees are written, and its pointer.
pub(super) struct Built {
    pub(super) path: RepoPath,
    /// The pointer's bytes.
    pub(super) pointer: Vec<u8>,
    /// Whether the pointer differs from the one that stood there.
    pub(super) change: &'static str,
    /// What was asked for: the path itself, or paths inside it.
    pub(super) rows: Vec<AddedTarget>,
    /// Whether the worktree has all of the path, as far as is known.
    pub(super) followed: bool,
    /// Where it was imported from, if the new pointer has no note of that any more.
    pub(super) lost: Option<String>,
}

/// Writes the manifest of one target, if it is a folder, and makes its pointer; its recipes are written.
pub(super) fn build(target: &Target, sink: &mut NodeSink) -> Result<Built, OpError> {
    let content = if target.is_dir { directory(target, sink)? } else { file(target)? };
    let (size, files, id) = match &content {
        PointerKind::File { oid, size, .. } => (*size, 1, oid.to_string()),
        PointerKind::Dir { files, root, size } => (*size, *files, root.to_string()),
    };
    let old = target.old.as_ref();
    let new = match old {
        Some((old, _)) => Pointer::with_new_content(old, content),
        None => Pointer::new(content),
    };
    let mut pointer =
        new.map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    for (key, value) in &target.further {
        pointer = pointer.with_extra(key, value).map_err(|e| {
            let (key, path) = (show(key.as_bytes()), show(target.path.as_bytes()));
            let what = format!("`{key}` cannot be noted in the pointer of `{path}`: {e}");
            OpError::refused(what, "name it with fewer letters, and none that nobody can see")
        })?;
    }
    let lost = old.and_then(|(old, _)| lost_note(old, &pointer));
    let pointer = pointer.to_bytes();
    let change = match old {
        None => "added",
        Some((_, bytes)) if *bytes == pointer => "unchanged",
        Some(_) => "updated",
    };
    let kind = if target.is_dir { "dir" } else { "file" };
    let path = json_path(target.path.as_bytes());
    let rows = vec![AddedTarget { path, kind, files, size, id, change }];
    let path = target.path.clone();
    Ok(Built { path, pointer, change, rows, followed: true, lost })
}

fn file(target: &Target) -> Result<PointerKind, OpError> {
    let of_one = (target.found.first(), target.contents.first());
    let (Some(Found { what: What::File(stamp), .. }), Some(content)) = of_one else {
        return Err(unread());
    };
    content.pointer(stamp.size, stamp.is_executable()).ok_or_else(unread)
}

fn unread() -> OpError {
    OpError::Defect("a file was neither remembered nor read".into())
}

/// Writes the tree of a file that was taken in; returns what its pointer says.
pub(super) fn kind_of(taken: Taken, sink: &mut NodeSink) -> Result<PointerKind, OpError> {
    let size = taken.stamp.size;
    let mut content = Content::taken(taken);
    content.write_recipe(sink)?;
    content.pointer(size, false).ok_or_else(unread)
}

fn directory(target: &Target, sink: &mut NodeSink) -> Result<PointerKind, OpError> {
    let mut builder = Builder::new(|node| sink.put(&node));
    for entry in entries(target) {
        builder.push(entry?).map_err(|e| unbuilt(e, "manifest"))?;
    }
    let built = builder.finish().map_err(|e| unbuilt(e, "manifest"))?;
    Ok(PointerKind::Dir { files: built.count, root: built.root, size: built.size })
}

/// Makes the entries of all that was found, with paths relative to the tracked folder.
pub(super) fn entries(target: &Target) -> impl Iterator<Item = Result<FileEntry, OpError>> + '_ {
    let all = target.found.iter().zip(&target.contents);
    all.filter_map(|(found, content)| {
        let path = found.path.relative_to(target.top())?.as_bytes().to_vec();
        let (kind, content) = match &found.what {
            What::Symlink(to) => (EntryKind::Symlink, Some(EntryContent::Inline(to.clone()))),
            What::EmptyFolder => (EntryKind::EmptyDir, Some(EntryContent::Inline(Vec::new()))),
            What::File(stamp) => {
                let executable = stamp.is_executable();
                let kind = if executable { EntryKind::Executable } else { EntryKind::File };
                (kind, content.entry(stamp.size))
            }
        };
        Some(content.map(|content| FileEntry { path, kind, content }).ok_or_else(unread))
    })
}
