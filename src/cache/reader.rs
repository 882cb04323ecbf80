//! Reading objects out of local packs, each checked against its id.

use std::collections::VecDeque;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use crate::cache::error::CacheError;
use crate::cache::index::{Held, Index, IndexReader, Place};
use crate::cache::layout::Layout;
use crate::fs::{FsError, move_durably};
use crate::hash::{ChunkId, Digest, NodeId, PackId, PackKind};
use crate::pack::{Codecs, Frame, FrameError, decode_frame};

/// Open pack files kept at a time.
const OPEN_PACKS: usize = 8;

/// The bytes of a node, and those of its placement.
pub type NodeAndPlacement = (Vec<u8>, Vec<u8>);

/// Reads objects; one per thread, as it keeps open files and the last decoded frame.
pub struct ObjectReader<'c> {
    layout: &'c Layout,
    index: &'c Index,
    view: IndexReader,
    codecs: Codecs,
    files: VecDeque<(PackId, Held, File)>,
    last: Option<(PackId, u32, Frame)>,
}

impl<'c> ObjectReader<'c> {
    /// Reads what the index knows now.
    pub fn new(layout: &'c Layout, index: &'c Index) -> Result<Self, CacheError> {
        let view = index.reader()?;
        Ok(Self { layout, index, view, codecs: Codecs::new(), files: VecDeque::new(), last: None })
    }

    /// Returns the look-up side of this reader.
    pub fn view(&self) -> &IndexReader {
        &self.view
    }

    /// Returns the bytes of a chunk, checked; nothing if they are not on this machine.
    pub fn chunk(&mut self, id: ChunkId) -> Result<Option<&[u8]>, CacheError> {
        let Some((place, held)) = self.view.find_held(&id.0) else { return Ok(None) };
        self.load(&id.0, place, held, PackKind::Data)?;
        // Checked here for the damage, and again below for the bytes: the borrow must end between.
        let whole = self.last.as_ref().map(|(.., f)| f.chunk(place.skip, place.len, id).map(drop));
        if let Some(Err(e)) = whole {
            return Err(self.set_aside(&id.0, place, held, &e.to_string()));
        }
        let from = place.skip as usize;
        let range = from..from.saturating_add(place.len as usize);
        Ok(self.last.as_ref().and_then(|(.., frame)| frame.raw.get(range)))
    }

    /// Returns the bytes of a node, checked, and its placement; nothing if not on this machine.
    pub fn node(&mut self, id: NodeId) -> Result<Option<NodeAndPlacement>, CacheError> {
        let Some((place, held)) = self.view.find_held(&id.0) else { return Ok(None) };
        self.load(&id.0, place, held, PackKind::Nodes)?;
        let found = match &self.last {
            Some((.., frame)) => frame.node(id).map(|(n, p)| (n.to_vec(), p.to_vec())),
            None => return Ok(None),
        };
        found.map(Some).map_err(|e| self.set_aside(&id.0, place, held, &e.to_string()))
    }

    /// As [`Self::node`], of the copy that lies at a given place; nothing if that copy is not here.
    pub fn node_at(
        &mut self,
        id: NodeId,
        pack: PackId,
        offset: u32,
        frame_len: u32,
    ) -> Result<Option<NodeAndPlacement>, CacheError> {
        let Some(state) = self.view.pack(pack) else { return Ok(None) };
        let place = Place { pack, offset, frame_len, skip: 0, len: 0 };
        match state.held {
            Held::Gone => return Ok(None),
            Held::Unpushed | Held::Whole => {
                self.load(&id.0, place, state.held, PackKind::Nodes)?;
            }
            // Only some frames are here, and nothing says which: a hole is no damage.
            Held::Part => {
                let mut bytes = vec![0; frame_len as usize];
                let file = File::open(self.layout.part(pack));
                if file.and_then(|f| f.read_exact_at(&mut bytes, offset.into())).is_err() {
                    return Ok(None);
                }
                let decoded = decode_frame(&mut self.codecs, PackKind::Nodes, &bytes);
                let Ok(frame) = decoded else { return Ok(None) };
                return Ok(frame.node(id).ok().map(|(n, p)| (n.to_vec(), p.to_vec())));
            }
        }
        let found = match &self.last {
            Some((.., frame)) => frame.node(id).map(|(n, p)| (n.to_vec(), p.to_vec())),
            None => return Ok(None),
        };
        found.map(Some).map_err(|e| self.set_aside(&id.0, place, state.held, &e.to_string()))
    }

    fn load(
        &mut self,
        id: &[u8; 32],
        place: Place,
        held: Held,
        kind: PackKind,
    ) -> Result<(), CacheError> {
        if matches!(&self.last, Some((p, o, _)) if *p == place.pack && *o == place.offset) {
            return Ok(());
        }
        let bytes = self.read(id, place, held)?;
        let decoded: Result<Frame, FrameError> = decode_frame(&mut self.codecs, kind, &bytes);
        match decoded {
            Ok(frame) => {
                self.last = Some((place.pack, place.offset, frame));
                Ok(())
            }
            Err(e) => Err(self.set_aside(id, place, held, &e.to_string())),
        }
    }

    fn read(&mut self, id: &[u8; 32], place: Place, held: Held) -> Result<Vec<u8>, CacheError> {
        let mut bytes = vec![0; place.frame_len as usize];
        let result = match self.file(place.pack, held) {
            Ok(file) => file.read_exact_at(&mut bytes, place.offset.into()),
            Err(e) => Err(e),
        };
        match result {
            Ok(()) => Ok(bytes),
            // Only what is short or not there is damage; a disk or a limit that refuses may relent.
            Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::NotFound) => {
                Err(self.set_aside(id, place, held, &e.to_string()))
            }
            Err(source) => {
                let path = self.layout.whole(place.pack);
                Err(FsError { doing: "read the pack", path, source }.into())
            }
        }
    }

    fn file(&mut self, pack: PackId, held: Held) -> std::io::Result<&File> {
        if let Some(at) = self.files.iter().position(|(p, h, _)| *p == pack && *h == held) {
            if at > 0 {
                self.files.swap(0, at);
            }
        } else {
            let path = match held {
                Held::Unpushed => self.layout.unpushed(pack),
                Held::Whole | Held::Gone => self.layout.whole(pack),
                Held::Part => self.layout.part(pack),
            };
            // A push in another process may have moved it since the view was taken.
            let file = File::open(&path).or_else(|_| File::open(self.layout.whole(pack)))?;
            self.files.truncate(OPEN_PACKS - 1);
            self.files.push_front((pack, held, file));
        }
        self.files.front().map(|(.., f)| f).ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Moves a damaged pack out of the way and forgets it, so that the next run fetches a good one.
    fn set_aside(&mut self, id: &[u8; 32], place: Place, held: Held, why: &str) -> CacheError {
        let aside = self.layout.quarantine(place.pack);
        let from = match held {
            Held::Unpushed => self.layout.unpushed(place.pack),
            Held::Whole | Held::Gone => self.layout.whole(place.pack),
            Held::Part => self.layout.part(place.pack),
        };
        self.files.clear();
        self.last = None;
        if from.exists()
            && let Err(e) = move_durably(&from, &aside)
        {
            return e.into();
        }
        if let Err(e) = self.index.forget(&[place.pack]) {
            return e;
        }
        CacheError::Damaged {
            object: Digest(*id),
            pack: place.pack,
            why: why.to_owned(),
            aside,
            unpushed: held == Held::Unpushed,
        }
    }
}
