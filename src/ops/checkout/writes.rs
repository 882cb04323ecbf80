//! The files that a checkout is to write.

use crate::fs::Stamp;
use crate::hash::NodeId;
use crate::ops::checkout::packed::{Packed, Row, pack_stamp, unpack_stamp};
use crate::ops::checkout::wanted::Target;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::wire::{Reader, put_varint};
use crate::worktree::Content;

/// A file to write, and what was seen in its place.
pub(super) struct Write {
    pub(super) target: Target,
    pub(super) seen: Option<Stamp>,
    /// The user's own content: there, or in place of a folder above. To be put aside first.
    pub(super) unsaved: Option<RepoPath>,
    /// What that holds, if it is a file or link at the very path.
    pub(super) content: Option<Content>,
    /// What stands there is right, and only to be shared with the cache in another way.
    pub(super) right: bool,
    /// The recipe of what lies there, and its size, where that is known.
    pub(super) former: Option<(NodeId, u64)>,
}

impl Write {
    /// Writes a file where nothing of the user stands.
    pub(super) fn anew(target: Target, seen: Option<Stamp>) -> Self {
        Self { target, seen, unsaved: None, content: None, right: false, former: None }
    }
}

/// Of what no user's content is in the way.
impl Row for Write {
    fn path(&self) -> &RepoPath {
        &self.target.path
    }

    fn pack(&self, out: &mut Vec<u8>) {
        let flag = |there, bit: u8| if there { bit } else { 0 };
        let seen = flag(self.seen.is_some(), SEEN);
        out.push(seen | flag(self.former.is_some(), FORMER) | flag(self.right, RIGHT));
        if let Some(stamp) = &self.seen {
            pack_stamp(stamp, out);
        }
        if let Some((root, size)) = &self.former {
            out.extend_from_slice(root.as_bytes());
            put_varint(out, *size);
        }
        self.target.pack(out);
    }

    fn unpack(path: RepoPath, from: &mut Reader<'_>) -> Option<Self> {
        let flags = from.u8().ok()?;
        let seen = if flags & SEEN == 0 { None } else { Some(unpack_stamp(from)?) };
        let former = if flags & FORMER == 0 {
            None
        } else {
            Some((NodeId(from.array().ok()?), from.varint().ok()?))
        };
        let (target, right) = (Target::unpack(path, from)?, flags & RIGHT != 0);
        Some(Self { target, seen, unsaved: None, content: None, right, former })
    }
}

const SEEN: u8 = 1;
const FORMER: u8 = 2;
const RIGHT: u8 = 4;

/// All that is to be written.
#[derive(Default)]
pub(super) struct Writes {
    plain: Packed<Write>,
    /// Where content of the user is in the way, which is seldom.
    unsaved: Vec<Write>,
    bytes: u64,
}

impl Writes {
    pub(super) fn push(&mut self, write: Write) {
        self.bytes = self.bytes.saturating_add(write.target.content.size());
        if write.unsaved.is_some() {
            self.unsaved.push(write);
        } else {
            self.plain.push(&write);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.plain.len() + self.unsaved.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of all.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns those where content of the user is in the way.
    pub(super) fn unsaved(&self) -> &[Write] {
        &self.unsaved
    }

    /// Takes those out where content of the user is in the way.
    pub(super) fn take_unsaved(&mut self) -> Vec<Write> {
        let taken = std::mem::take(&mut self.unsaved);
        let sizes = taken.iter().map(|write| write.target.content.size());
        self.bytes = self.bytes.saturating_sub(sizes.fold(0, u64::saturating_add));
        taken
    }

    /// Looks at all.
    pub(super) fn each(
        &self,
        mut look: impl FnMut(&Write) -> Result<(), OpError>,
    ) -> Result<(), OpError> {
        for window in self.plain.windows() {
            window?.iter().try_for_each(&mut look)?;
        }
        self.unsaved.iter().try_for_each(look)
    }

    /// Hands all out in lists, and lets go of each.
    pub(super) fn into_windows(self) -> impl Iterator<Item = Result<Vec<Write>, OpError>> {
        self.plain.into_windows().chain([Ok(self.unsaved)])
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use super::*;
    use crate::fs::{FileKind, Time};
    use crate::hash::Oid;
    use crate::manifest::{Content as Wanted, EntryKind};

    fn target(path: &str, content: Wanted) -> Target {
        Target { path: RepoPath::new(path).unwrap(), kind: EntryKind::Executable, content }
    }

    #[test]
    fn writes_come_out_as_they_went_in_those_with_work_of_the_user_last() {
        let (kind, mtime, ctime) = (FileKind::File, Time(7), Time(-8));
        let stamp = Stamp { kind, dev: 1, ino: 2, size: 300, mtime, ctime, mode: 0o644 };
        let (oid, root, profile_code) = (Oid([3; 32]), NodeId([4; 32]), NonZeroU8::MIN);
        let tree = target("b", Wanted::Tree { oid, size: 1 << 40, profile_code, root });
        let unsaved = Some(RepoPath::new("a").unwrap());
        let mut writes = Writes::default();
        writes.push(Write {
            unsaved,
            ..Write::anew(target("a", Wanted::Chunk { oid, size: 5 }), None)
        });
        let former = Some((NodeId([9; 32]), 12));
        writes.push(Write { right: true, former, ..Write::anew(tree, Some(stamp)) });
        writes.push(Write::anew(target("c", Wanted::Inline(b"text".to_vec())), None));
        assert_eq!((writes.len(), writes.unsaved().len()), (3, 1));
        assert_eq!(writes.bytes(), (1 << 40) + 9);
        let out: Vec<Write> = writes.into_windows().flat_map(Result::unwrap).collect();
        let paths: Vec<&[u8]> = out.iter().map(|write| write.target.path.as_bytes()).collect();
        assert_eq!(paths, [b"b", b"c", b"a"]);
        let [first, second, third] = out.as_slice() else { unreachable!() };
        assert!(first.right && first.seen == Some(stamp) && first.former == former);
        assert_eq!((first.target.tree(), first.target.oid()), (Some((1, root)), oid));
        assert_eq!(first.target.kind, EntryKind::Executable);
        assert!(!second.right && second.seen.is_none() && second.former.is_none());
        assert_eq!(second.target.content, Wanted::Inline(b"text".to_vec()));
        assert_eq!(third.target.content, Wanted::Chunk { oid, size: 5 });
    }
}
