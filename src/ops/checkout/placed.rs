//! What the stat cache is to learn of files that are as they should be.

use std::time::Duration;

use crate::cache::{Known, StatEntry};
use crate::fs::{Stamp, Time};
use crate::hash::{NodeId, Oid};
use crate::manifest::EntryKind;
use crate::ops::checkout::packed::{Packed, Row, pack_stamp, unpack_stamp};
use crate::ops::checkout::wanted::Target;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::repo::Repo;
use crate::wire::Reader;

/// A file that was written, or that stands as it should.
pub(super) struct Placed {
    pub(super) path: RepoPath,
    pub(super) kind: EntryKind,
    pub(super) stamp: Stamp,
    oid: Oid,
    tree: Option<(u8, NodeId)>,
}

impl Placed {
    /// Notes that a target stands there, with this stamp.
    pub(super) fn new(target: &Target, stamp: Stamp) -> Self {
        let (path, kind) = (target.path.clone(), target.kind);
        Self { path, kind, stamp, oid: target.oid(), tree: target.tree() }
    }

    fn entry(&self) -> StatEntry {
        let Self { stamp, oid, tree, .. } = *self;
        StatEntry { stamp, oid, tree, known: Known::Stored }
    }
}

impl Row for Placed {
    fn path(&self) -> &RepoPath {
        &self.path
    }

    fn pack(&self, out: &mut Vec<u8>) {
        out.push(self.kind.code());
        pack_stamp(&self.stamp, out);
        out.extend_from_slice(self.oid.as_bytes());
        out.push(self.tree.map_or(0, |(profile, _)| profile));
        if let Some((_, root)) = &self.tree {
            out.extend_from_slice(root.as_bytes());
        }
    }

    fn unpack(path: RepoPath, from: &mut Reader<'_>) -> Option<Self> {
        let kind = EntryKind::from_code(from.u8().ok()?)?;
        let (stamp, oid) = (unpack_stamp(from)?, Oid(from.array().ok()?));
        let tree = match from.u8().ok()? {
            0 => None,
            profile => Some((profile, NodeId(from.array().ok()?))),
        };
        Some(Self { path, kind, stamp, oid, tree })
    }
}

/// A row of the stat cache, or a path that it is to forget.
pub(super) type Note = (Vec<u8>, Option<StatEntry>);

/// Makes the rows of files whose stamps would show a later change.
pub(super) fn notes_of_settled(
    list: Packed<Placed>,
) -> impl Iterator<Item = Result<Note, OpError>> {
    let rows = list.into_rows();
    rows.map(|row| row.map(|row| (row.path.as_bytes().to_vec(), Some(row.entry()))))
}

/// As [`notes_of_settled`], of files that were placed just now: waits until a later change of them would show,
/// and forgets those of which it would not.
pub(super) fn notes_of_new(
    repo: &Repo,
    list: Packed<Placed>,
) -> Result<impl Iterator<Item = Result<Note, OpError>>, OpError> {
    let mut newest = None;
    for window in list.windows() {
        newest = newest.max(window?.iter().map(|p| p.stamp.mtime.max(p.stamp.ctime)).max());
    }
    let now: Time = repo.door().now()?;
    if newest.is_some_and(|time| time.settled() > now) {
        std::thread::sleep(Duration::from_millis(25));
    }
    let now = repo.door().now()?;
    let note = move |row: Placed| {
        let entry = row.stamp.is_settled_at(now).then(|| row.entry());
        (row.path.as_bytes().to_vec(), entry)
    };
    let files =
        list.into_rows().filter(|row| !matches!(row, Ok(row) if row.kind == EntryKind::EmptyDir));
    Ok(files.map(move |row| row.map(note)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::FileKind;

    #[test]
    fn what_is_to_be_remembered_reads_back_as_written() {
        let (kind, mtime, ctime) = (FileKind::File, Time(-7), Time(8));
        let stamp = Stamp { kind, dev: 1, ino: u64::MAX, size: 5, mtime, ctime, mode: 0o755 };
        for (kind, tree) in [
            (EntryKind::File, None),
            (EntryKind::Executable, Some((255, NodeId([4; 32])))),
            (EntryKind::Symlink, None),
            (EntryKind::EmptyDir, None),
        ] {
            let path = RepoPath::new("a/b").unwrap();
            let list = Packed::from_iter([Placed { path, kind, stamp, oid: Oid([3; 32]), tree }]);
            let row = list.into_rows().next().unwrap().unwrap();
            assert_eq!((row.path.as_bytes(), row.kind), (&b"a/b"[..], kind));
            let entry = StatEntry { stamp, oid: Oid([3; 32]), tree, known: Known::Stored };
            assert_eq!(row.entry(), entry);
        }
    }
}
