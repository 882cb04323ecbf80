//! Reading objects out of local packs, each checked against its id.

use std::collections::VecDeque;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use crate::cache::error::CacheError;
use crate::cache::index::{Index, IndexReader};
use crate::cache::layout::Layout;
use crate::cache::place::{Held, Place};
use crate::fs::FsError;
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::pack::{
    Codecs, FRAME_HEADER_LEN, Frame, FrameError, MAX_FRAME_LEN, declared_len, decode_frame,
};
use crate::progress::StopFlag;

/// Decoded frames kept at a time: neighbours share the chunks of their bases.
const RECENT: usize = 6;

/// The bytes of a node, and those of its placement.
pub type NodeAndPlacement = (Vec<u8>, Vec<u8>);

/// Reads objects; one per thread, as it keeps open files and decoded frames.
pub struct ObjectReader<'c> {
    pub(super) layout: &'c Layout,
    pub(super) index: &'c Index,
    pub(super) view: IndexReader,
    pub(super) codecs: Codecs,
    pub(super) files: VecDeque<(PackId, Held, File)>,
    /// The frames decoded last, the very last one in front.
    pub(super) recent: VecDeque<Recent>,
    /// Where the chunks of a base are joined.
    pub(super) base: Vec<u8>,
    /// Whether damaged packs stay where they are.
    pub(super) observing: bool,
}

/// A decoded frame.
pub(super) struct Recent {
    pack: PackId,
    offset: u32,
    frame: Frame,
    /// A chunk in it that was checked against its id already.
    checked: Option<ChunkId>,
}

impl<'c> ObjectReader<'c> {
    /// Reads what the index knows now.
    pub fn new(layout: &'c Layout, index: &'c Index) -> Result<Self, CacheError> {
        let view = index.reader()?;
        let (files, recent) = (VecDeque::new(), VecDeque::new());
        let (codecs, base, observing) = (Codecs::new(), Vec::new(), false);
        Ok(Self { layout, index, view, codecs, files, recent, base, observing })
    }

    /// Returns the wish to stop, for walks over trees with very many entries.
    pub fn stop(&self) -> StopFlag {
        self.index.stop
    }

    /// Makes a reader like this one, for another thread.
    pub fn another(&self) -> Result<Self, CacheError> {
        Ok(Self { observing: self.observing, ..Self::new(self.layout, self.index)? })
    }

    /// As [`Self::new`], and changes nothing: a damaged pack stays where it is, and known.
    pub fn observing(layout: &'c Layout, index: &'c Index) -> Result<Self, CacheError> {
        Ok(Self { observing: true, ..Self::new(layout, index)? })
    }

    /// Returns the look-up side of this reader.
    pub fn view(&self) -> &IndexReader {
        &self.view
    }

    /// Returns the bytes of a chunk, checked; nothing if they are not on this machine.
    pub fn chunk(&mut self, id: ChunkId) -> Result<Option<&[u8]>, CacheError> {
        let Some((place, held)) = self.load_chunk(id)? else { return Ok(None) };
        self.check(id, place, held)?;
        Ok(self.front(place))
    }

    /// As [`Self::chunk`], but not checked against its id: for who proves the whole that it is a part of, and
    /// asks for each chunk again where that turns out wrong.
    pub fn unproven_chunk(&mut self, id: ChunkId) -> Result<Option<&[u8]>, CacheError> {
        let Some((place, held)) = self.load_chunk(id)? else { return Ok(None) };
        if self.front(place).is_none() {
            self.check(id, place, held)?;
        }
        Ok(self.front(place))
    }

    /// Brings the frame of a chunk to the front, unless it is not on this machine.
    fn load_chunk(&mut self, id: ChunkId) -> Result<Option<(Place, Held)>, CacheError> {
        let Some((place, held)) = self.view.find_held(&id.0) else { return Ok(None) };
        let here = if place.delta {
            self.load_delta(id, place, held)?
        } else {
            self.load(&id.0, place, held, PackKind::Data)?
        };
        Ok(here.then_some((place, held)))
    }

    /// Returns the bytes of a chunk that may serve as a base; nothing if they are not on this machine
    /// or are stored as a delta themselves.
    pub fn plain_chunk(&mut self, id: ChunkId) -> Result<Option<&[u8]>, CacheError> {
        let Some((place, held)) = self.view.find_held(&id.0) else { return Ok(None) };
        if place.delta || !self.load(&id.0, place, held, PackKind::Data)? {
            return Ok(None);
        }
        self.check(id, place, held)?;
        Ok(self.front(place))
    }

    /// Checks a chunk of the frame in front against its id, once.
    fn check(&mut self, id: ChunkId, place: Place, held: Held) -> Result<(), CacheError> {
        let Some(recent) = self.recent.front_mut() else { return Ok(()) };
        if recent.checked == Some(id) {
            return Ok(());
        }
        match recent.frame.chunk(place.skip, place.len, id) {
            Ok(_) => {
                recent.checked = Some(id);
                Ok(())
            }
            Err(e) => Err(self.set_aside(&id.0, place, held, &e.to_string())),
        }
    }

    fn front(&self, place: Place) -> Option<&[u8]> {
        let from = place.skip as usize;
        let range = from..from.saturating_add(place.len as usize);
        self.recent.front().and_then(|recent| recent.frame.raw.get(range))
    }

    /// Returns the bytes of a node, checked, and its placement; nothing if not on this machine.
    pub fn node(&mut self, id: NodeId) -> Result<Option<NodeAndPlacement>, CacheError> {
        let Some((place, held)) = self.view.find_held(&id.0) else { return Ok(None) };
        if !self.load(&id.0, place, held, PackKind::Nodes)? {
            return Ok(None);
        }
        let found = match self.recent.front() {
            Some(recent) => recent.frame.node(id).map(|(n, p)| (n.to_vec(), p.to_vec())),
            None => return Ok(None),
        };
        found.map(Some).map_err(|e| self.set_aside(&id.0, place, held, &e.to_string()))
    }

    /// As [`Self::node`], of the copy that is said to lie at a place; nothing if it does not.
    ///
    /// Who says so may be out of date or lie, so a mismatch tells nothing about the pack. Only where
    /// the index itself places the node is a mismatch damage.
    pub fn node_at(
        &mut self,
        id: NodeId,
        pack: PackId,
        offset: u32,
        frame_len: u32,
    ) -> Result<Option<NodeAndPlacement>, CacheError> {
        let own = self.view.find_held(&id.0).map(|(place, _)| place);
        if own.is_some_and(|own| (own.pack, own.offset) == (pack, offset)) {
            return self.node(id);
        }
        let held = self.view.pack(pack).map_or(Held::Gone, |state| state.held);
        if held == Held::Gone || frame_len > MAX_FRAME_LEN {
            return Ok(None);
        }
        let mut bytes = vec![0; frame_len as usize];
        let file = self.file(pack, held);
        match file.and_then(|f| f.read_exact_at(&mut bytes, offset.into())) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::NotFound) => {
                return Ok(None);
            }
            Err(source) => {
                let path = self.layout.whole(pack);
                return Err(FsError { doing: "read the pack", path, source }.into());
            }
        }
        let frame = decode_frame(&mut self.codecs, PackKind::Nodes, &bytes).ok();
        Ok(frame.and_then(|f| f.node(id).ok().map(|(n, p)| (n.to_vec(), p.to_vec()))))
    }

    /// Decodes a frame and puts it in front; false if it is not here any more.
    fn load(
        &mut self,
        id: &[u8; 32],
        place: Place,
        held: Held,
        kind: PackKind,
    ) -> Result<bool, CacheError> {
        if self.is_recent(place) {
            return Ok(true);
        }
        let Some(bytes) = self.read(id, place, held)? else { return Ok(false) };
        let decoded: Result<Frame, FrameError> = decode_frame(&mut self.codecs, kind, &bytes);
        match decoded {
            Ok(frame) => {
                self.keep(place, frame);
                Ok(true)
            }
            Err(e) => Err(self.set_aside(id, place, held, &e.to_string())),
        }
    }

    /// Says whether the frame at a place seems to be on this machine. Of a pack that is here in parts
    /// that is told by its first bytes, so that it is a guess.
    pub fn has_frame(&mut self, pack: PackId, offset: u32, frame_len: u32) -> bool {
        let held = self.view.pack(pack).map_or(Held::Gone, |state| state.held);
        match held {
            Held::Unpushed | Held::Whole => true,
            Held::Gone => false,
            Held::Part => {
                let mut prefix = [0; FRAME_HEADER_LEN as usize];
                let file = self.file(pack, held);
                file.and_then(|f| f.read_exact_at(&mut prefix, offset.into())).is_ok()
                    && declared_len(&prefix) == Some(frame_len.into())
            }
        }
    }

    /// Brings a frame to the front if it is among the recent ones.
    pub(super) fn is_recent(&mut self, place: Place) -> bool {
        let same = |r: &Recent| r.pack == place.pack && r.offset == place.offset;
        let Some(at) = self.recent.iter().position(same) else { return false };
        if at > 0
            && let Some(recent) = self.recent.remove(at)
        {
            self.recent.push_front(recent);
        }
        true
    }

    /// Puts a decoded frame in front.
    pub(super) fn keep(&mut self, place: Place, frame: Frame) {
        self.recent.truncate(RECENT - 1);
        let Place { pack, offset, .. } = place;
        self.recent.push_front(Recent { pack, offset, frame, checked: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::testing::{NODE, OneNode, state};

    #[test]
    fn a_place_that_is_wrong_puts_no_pack_aside_and_a_damaged_pack_is_put_aside() {
        let OneNode { layout, index, id, pack, place: own, _folder } = OneNode::new();
        index.record(&[(pack, state(Held::Unpushed))], &mut [(id.0, own)], &[]).unwrap();

        let mut reader = ObjectReader::new(&layout, &index).unwrap();
        let other = NodeId([7; 32]);
        let (offset, len) = (own.offset, own.frame_len);
        for (id, offset, len) in [
            (other, offset, len),
            (other, offset + 1, len),
            (other, offset, len - 1),
            (id, offset + 1, len),
            (other, 1 << 20, len),
            (other, offset, u32::MAX),
        ] {
            let found = reader.node_at(id, pack, offset, len).unwrap();
            assert!(found.is_none(), "{id} {offset} {len}");
        }
        assert!(layout.unpushed(pack).exists());
        assert_eq!(reader.node_at(id, pack, offset, len).unwrap().unwrap().0, NODE);

        let mut bytes = std::fs::read(layout.unpushed(pack)).unwrap();
        bytes[own.offset as usize + 20] ^= 1;
        crate::fs::write_durably(&layout.unpushed(pack), &bytes).unwrap();
        let mut reader = ObjectReader::new(&layout, &index).unwrap();
        let damaged = reader.node_at(id, pack, offset, len);
        assert!(matches!(damaged, Err(CacheError::Damaged { .. })));
        assert!(layout.quarantine(pack).exists() && !layout.unpushed(pack).exists());
    }
}
