//! Reading chunks that are stored as a delta to others.

use crate::cache::error::CacheError;
use crate::cache::place::{Held, Place};
use crate::cache::reader::ObjectReader;
use crate::hash::ChunkId;
use crate::pack::{Bases, Frame, FrameError, decode_delta_frame};

/// Why a delta gave no bytes.
enum Failure {
    /// The frame itself is at fault.
    Frame(FrameError),
    /// This chunk of its base is not on this machine, or is a delta too.
    Base(ChunkId),
}

/// What is wrong with a delta that is not known to the index yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaFault {
    /// The reason.
    pub why: String,
    /// Which chunk of its base is at fault, by its number; nothing if it is the frame itself.
    pub base: Option<usize>,
}

impl ObjectReader<'_> {
    /// Decodes the frame of a delta and puts it in front; false if its base is not here.
    pub(super) fn load_delta(
        &mut self,
        id: ChunkId,
        place: Place,
        held: Held,
    ) -> Result<bool, CacheError> {
        if self.is_recent(place) {
            return Ok(true);
        }
        let Some(bytes) = self.read(&id.0, place, held)? else { return Ok(false) };
        match self.decode_delta(&bytes)? {
            Ok((_, frame)) => {
                self.keep(place, frame);
                Ok(true)
            }
            // The index took the names of the base from this very frame: if it names another one
            // now, that cannot be found, and the frame is damaged.
            Err(Failure::Base(base)) if self.names(id, base) => Ok(false),
            Err(Failure::Base(_)) => {
                Err(self.set_aside(&id.0, place, held, "it names another base than it did"))
            }
            // Each chunk of the base was checked against its id: the fault is not there.
            Err(Failure::Frame(e)) => Err(self.set_aside(&id.0, place, held, &e.to_string())),
        }
    }

    fn names(&self, id: ChunkId, base: ChunkId) -> bool {
        self.view.bases(id).is_some_and(|bases| bases.ids.contains(&base))
    }

    /// Returns the frame of a chunk that is stored as a delta, as it lies in its pack; nothing if
    /// it is not, or is not here. Checked as far as its base is here.
    pub fn delta_frame(&mut self, id: ChunkId) -> Result<Option<Vec<u8>>, CacheError> {
        let Some((place, held)) = self.view.find_frame(&id.0) else { return Ok(None) };
        if !place.delta {
            return Ok(None);
        }
        self.chunk(id)?;
        self.read(&id.0, place, held)
    }

    /// Checks a delta, which the index does not know yet, against its id. Returns what it is a
    /// delta to, or what is wrong with it; nothing is put aside.
    pub fn prove_delta(
        &mut self,
        id: ChunkId,
        bytes: &[u8],
    ) -> Result<Result<Bases, DeltaFault>, CacheError> {
        let (bases, frame) = match self.decode_delta(bytes)? {
            Ok(decoded) => decoded,
            Err(Failure::Frame(e)) => return Ok(Err(own_fault(&e))),
            Err(Failure::Base(id)) => {
                let ids = Bases::of_frame(bytes).ok().flatten().map(|bases| bases.ids);
                let base = ids.and_then(|ids| ids.iter().position(|other| *other == id));
                let why = format!("it does not hold chunk {id}, to which that is a delta");
                return Ok(Err(DeltaFault { why, base }));
            }
        };
        let len = u32::try_from(frame.raw.len()).unwrap_or(u32::MAX);
        Ok(frame.chunk(0, len, id).map(|_| bases).map_err(|e| own_fault(&e)))
    }

    fn decode_delta(
        &mut self,
        bytes: &[u8],
    ) -> Result<Result<(Bases, Frame), Failure>, CacheError> {
        let bases = match Bases::of_frame(bytes) {
            Ok(Some(bases)) => bases,
            Ok(None) => {
                let why = FrameError::Malformed("it names no base, which it was said to need");
                return Ok(Err(Failure::Frame(why)));
            }
            Err(e) => return Ok(Err(Failure::Frame(e))),
        };
        let mut joined = std::mem::take(&mut self.base);
        joined.clear();
        for base in &bases.ids {
            let Some(bytes) = self.plain_chunk(*base)? else {
                return Ok(Err(Failure::Base(*base)));
            };
            joined.extend_from_slice(bytes);
        }
        let decoded = decode_delta_frame(&mut self.codecs, bytes, &joined);
        self.base = joined;
        Ok(decoded.map(|frame| (bases, frame)).map_err(Failure::Frame))
    }
}

fn own_fault(error: &FrameError) -> DeltaFault {
    DeltaFault { why: error.to_string(), base: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{Index, Layout, PackState};
    use crate::hash::PackId;

    fn place(pack: u8, delta: bool) -> Place {
        let pack = PackId([pack; 16]);
        Place { pack, offset: 24, frame_len: 9, skip: 0, len: 40_000, delta }
    }

    fn state(pack: u8, held: Held) -> (PackId, PackState) {
        (PackId([pack; 16]), PackState { held, kind: 1, size: 0 })
    }

    #[test]
    fn a_chunk_that_is_here_whole_is_not_replaced_by_a_delta_and_stays_a_base() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let [one, two, base] = [1, 2, 3].map(|n| ChunkId([n; 32]));
        let to = |id: ChunkId| Bases { ids: vec![id], skip: 7 };
        let whole = [state(1, Held::Part), state(2, Held::Part)];
        index
            .record(&whole, &mut [(two.0, place(1, false)), (base.0, place(2, false))], &[])
            .unwrap();
        index.record(&[], &mut [(one.0, place(2, true))], &[(one, to(two))]).unwrap();
        // Another file of another clone has the second chunk as a delta.
        index.record(&[], &mut [(two.0, place(2, true))], &[(two, to(base))]).unwrap();
        let view = index.reader().unwrap();
        assert_eq!(view.find(&two.0), Some(place(1, false)));
        assert_eq!((view.bases(one), view.bases(two)), (Some(to(two)), None));
        assert!(view.find_held(&one.0).is_some());
        // Once it is gone the delta is all there is, and what hangs on it is not.
        index.set_held(&[PackId([1; 16])], Held::Gone).unwrap();
        index.record(&[], &mut [(two.0, place(2, true))], &[(two, to(base))]).unwrap();
        let view = index.reader().unwrap();
        assert_eq!((view.find(&two.0), view.bases(two)), (Some(place(2, true)), Some(to(base))));
        assert_eq!((view.find(&one.0), view.find_held(&one.0)), (None, None));
    }

    #[test]
    fn what_is_said_of_a_pack_that_is_here_whole_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let [one, base, other] = [1, 2, 3].map(|n| ChunkId([n; 32]));
        let to = |id: ChunkId| Bases { ids: vec![id], skip: 0 };
        let own = [state(1, Held::Unpushed)];
        let mut objects = [(one.0, place(1, true)), (base.0, place(1, false))];
        index.record(&own, &mut objects, &[(one, to(base))]).unwrap();
        let said = Place { offset: 99, ..place(1, true) };
        index.record(&[state(1, Held::Part)], &mut [(one.0, said)], &[(one, to(other))]).unwrap();
        let view = index.reader().unwrap();
        assert_eq!((view.find(&one.0), view.bases(one)), (Some(place(1, true)), Some(to(base))));
    }
}
