//! The order in which small files are written.

use rayon::prelude::*;

use crate::cache::IndexReader;
use crate::manifest::Content;
use crate::ops::checkout::writes::Write;

/// Sorts files so that each pack is read from its beginning to its end, and each of its frames decoded once,
/// whatever names the files have. Those that one chunk is not all of come first, in their own order.
pub(super) fn in_order_of_packs(writes: &mut [&Write], index: &IndexReader) {
    writes.par_sort_by_cached_key(|write| match &write.target.content {
        Content::Chunk { oid, .. } => {
            let place = index.find_frame(oid.as_bytes());
            place.map(|(place, _)| (place.pack, place.offset))
        }
        Content::Inline(_) | Content::Tree { .. } => None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Held, Index, Layout, PackState, Place};
    use crate::hash::{Oid, PackId, PackKind};
    use crate::manifest::EntryKind;
    use crate::ops::checkout::wanted::Target;
    use crate::path::RepoPath;

    #[test]
    fn files_come_as_packs_have_them_whatever_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let held = PackState { held: Held::Whole, kind: PackKind::Data.byte(), size: 0 };
        let packs = [PackId([1; 16]), PackId([2; 16])];
        let place = |pack: PackId, offset| Place {
            pack,
            offset,
            frame_len: 9,
            skip: 0,
            len: 9,
            delta: false,
        };
        // The name, and where its content lies.
        let files =
            [("a", 1, 700), ("b", 0, 16), ("c", 1, 16), ("d", 0, 700), ("e", 1, 16), ("f", 0, 16)];
        let oid = |name: &str| Oid::of(name.as_bytes());
        let mut places: Vec<([u8; 32], Place)> = files
            .iter()
            .map(|(name, pack, offset)| (*oid(name).as_bytes(), place(packs[*pack], *offset)))
            .collect();
        index.record(&packs.map(|pack| (pack, held)), &mut places, &[]).unwrap();
        let write = |name: &str, content| {
            let path = RepoPath::new(name).unwrap();
            Write::anew(Target { path, kind: EntryKind::File, content }, None)
        };
        let mut writes: Vec<Write> = files
            .iter()
            .map(|(name, ..)| write(name, Content::Chunk { oid: oid(name), size: 9 }))
            .collect();
        writes.push(write("y", Content::Chunk { oid: oid("nowhere"), size: 9 }));
        writes.push(write("z", Content::Inline(vec![1])));
        let mut order: Vec<&Write> = writes.iter().collect();
        in_order_of_packs(&mut order, &index.reader().unwrap());
        let names = order.iter().map(|write| write.target.path.as_bytes());
        assert_eq!(names.collect::<Vec<_>>().concat(), b"yzbfdcea");
    }
}
