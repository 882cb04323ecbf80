//! Which chunks need not be stored: the index knows them, or somebody has met them before.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::cache::{CacheError, Index, IndexReader, Place, WrittenPack};
use crate::hash::ChunkId;
use crate::intake::take::Exceptions;

const SHARDS: usize = 64;

/// What the workers of one intake have met, and the index as far as packs of it are recorded there: memory
/// holds the chunks of the others only.
pub(super) struct Claims<'a> {
    index: &'a Index,
    view: RwLock<Arc<IndexReader>>,
    exceptions: Exceptions<'a>,
    met: Vec<Mutex<HashSet<ChunkId>>>,
    recorded: AtomicU64,
}

impl<'a> Claims<'a> {
    pub(super) fn new(index: &'a Index, exceptions: Exceptions<'a>) -> Result<Self, CacheError> {
        let met = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        let (view, recorded) = (RwLock::new(Arc::new(index.reader()?)), AtomicU64::new(0));
        Ok(Self { index, view, exceptions, met, recorded })
    }

    /// Says whether the caller is the first to meet this chunk and so has to store it.
    pub(super) fn claim(&self, id: ChunkId) -> bool {
        if self.is_elsewhere(id) {
            return false;
        }
        let Some(met) = self.shard(&id) else { return true };
        if !met.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return false;
        }
        let is_new = self.find(id).is_none();
        if !is_new {
            met.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        is_new
    }

    /// Goes by the index from now on for the chunks of packs that it has just learned of.
    pub(super) fn recorded(&self, packs: &[WrittenPack]) -> Result<(), CacheError> {
        let view = Arc::new(self.index.reader()?);
        // Before they are forgotten: at each moment one of the two knows them.
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
        self.recorded.fetch_add(1, Ordering::Release);
        for object in packs.iter().flat_map(|pack| &pack.objects) {
            let id = ChunkId(object.id);
            if let Some(met) = self.shard(&id) {
                met.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            }
        }
        Ok(())
    }

    /// Returns how often packs were recorded.
    pub(super) fn times_recorded(&self) -> u64 {
        self.recorded.load(Ordering::Acquire)
    }

    /// Returns where a chunk lies that the index knows, in a pack that counts.
    pub(super) fn find(&self, id: ChunkId) -> Option<Place> {
        self.view().find(&id.0).filter(|place| !self.exceptions.lost.contains(&place.pack))
    }

    /// Says whether the remote has a chunk that the index does not know.
    pub(super) fn is_elsewhere(&self, id: ChunkId) -> bool {
        self.exceptions.elsewhere.contains_key(&id.0)
    }

    pub(super) fn view(&self) -> Arc<IndexReader> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn shard(&self, id: &ChunkId) -> Option<&Mutex<HashSet<ChunkId>>> {
        self.met.get(usize::from(id.0.first().copied().unwrap_or(0)) % SHARDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashMap};

    use crate::cache::{Layout, record_written};
    use crate::hash::{PackId, PackKind};
    use crate::pack::ObjectPlace;

    fn pack(number: u8, ids: &[u8]) -> WrittenPack {
        let object = |id: &u8| ObjectPlace {
            id: [*id; 32],
            offset: 24,
            frame_len: 99,
            skip: 0,
            len: 70,
            has_base: false,
        };
        let objects: Vec<ObjectPlace> = ids.iter().map(object).collect();
        let (n_frames, n_objects) = (1, u32::try_from(ids.len()).unwrap());
        let (id, kind, deltas) = (PackId([number; 16]), PackKind::Data, Vec::new());
        WrittenPack { id, kind, size: 500, n_frames, n_objects, objects, deltas }
    }

    #[test]
    fn a_chunk_is_stored_once_whether_memory_knows_it_or_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        record_written(&index, &[pack(1, &[1, 2]), pack(2, &[3])]).unwrap();
        let lost = BTreeSet::from([PackId([2; 16])]);
        let place = index.reader().unwrap().find(&[1; 32]).unwrap();
        let elsewhere = HashMap::from([([9; 32], place)]);
        let exceptions = Exceptions { lost: &lost, elsewhere: &elsewhere };
        let claims = Claims::new(&index, exceptions).unwrap();
        let claim = |id: u8| claims.claim(ChunkId([id; 32]));
        let met = || claims.met.iter().map(|shard| shard.lock().unwrap().len()).sum::<usize>();
        // What the index has, what it has in a pack that is lost, what the remote has, what nobody has.
        assert_eq!([1, 3, 9, 4, 5].map(claim), [false, true, false, true, true]);
        assert_eq!(([1, 3, 9, 4, 5].map(claim), met()), ([false; 5], 3));
        let new = [pack(3, &[3, 4])];
        record_written(&index, &new).unwrap();
        claims.recorded(&new).unwrap();
        assert_eq!(met(), 1);
        assert_eq!(([1, 3, 9, 4, 5].map(claim), met()), ([false; 5], 1));
        assert!(claim(6));
    }
}
