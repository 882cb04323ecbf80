//! Reading frames of packs on this machine, and what becomes of packs that are lost or damaged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use crate::cache::error::CacheError;
use crate::cache::folder::Form;
use crate::cache::place::{Held, Place};
use crate::cache::reader::ObjectReader;
use crate::cache::salvage::move_aside;
use crate::fs::{FsError, Links, is_no_file, open_plain};
use crate::hash::{ChunkId, Digest, PackId};
use crate::pack::FRAME_HEADER_LEN;

/// Open pack files kept at a time.
const OPEN_PACKS: usize = 8;

impl ObjectReader<'_> {
    /// Reads a frame; nothing if it is not here any more: what can be fetched again may be removed
    /// at any time, by eviction, by another clone or by hand.
    pub(super) fn read(
        &mut self,
        id: &[u8; 32],
        place: Place,
        held: Held,
    ) -> Result<Option<Vec<u8>>, CacheError> {
        let mut bytes = vec![0; place.frame_len as usize];
        let may_be_gone = held != Held::Unpushed && !self.observing;
        let in_part = may_be_gone && held == Held::Part;
        let refused = match self.file(place.pack, held) {
            Ok(file) => match file.read_exact_at(&mut bytes, place.offset.into()) {
                // Where nothing was written, or another clone began the file anew.
                Ok(()) if in_part && is_hole(&bytes) => return self.lost(place.pack),
                Ok(()) => return Ok(Some(bytes)),
                Err(e) if in_part && e.kind() == ErrorKind::UnexpectedEof => {
                    return self.lost(place.pack);
                }
                Err(e) => e,
            },
            Err(e) if may_be_gone && is_no_file(&e) => return self.lost(place.pack),
            Err(e) => e,
        };
        // Only what is short, not there or no file is damage; a disk that refuses may relent.
        if is_no_file(&refused) || refused.kind() == ErrorKind::UnexpectedEof {
            return Err(self.set_aside(id, place, held, &refused.to_string()));
        }
        let (path, source) = (self.layout.whole(place.pack), refused);
        Err(FsError { doing: "read the pack", path, source }.into())
    }

    /// Notes that a pack of the cache is not there any more, so that it is fetched again.
    fn lost<T>(&mut self, pack: PackId) -> Result<Option<T>, CacheError> {
        self.index.set_held(&[pack], Held::Gone)?;
        self.view = self.index.reader()?;
        Ok(None)
    }

    /// Places what a pack that is here whole holds in it again, where the index places it in a pack that
    /// is not here. Says whether there was anything to place.
    pub fn restate(&mut self, pack: PackId) -> Result<bool, CacheError> {
        let held = self.view.pack(pack).map(|state| state.held);
        if !matches!(held, Some(Held::Unpushed | Held::Whole)) {
            return Ok(false);
        }
        let Some(mut footer) = self.index.footer(self.layout, pack)? else { return Ok(false) };
        footer.objects.retain(|(id, _)| self.view.find_frame(id).is_none());
        if footer.objects.is_empty() {
            return Ok(false);
        }
        self.index.record(&[], &mut footer.objects, &footer.deltas)?;
        self.view = self.index.reader()?;
        Ok(true)
    }

    /// Says whether the packs of these chunks and of their bases are here, with a look at each pack;
    /// one that is not there any more is noted as gone.
    pub fn are_here(&mut self, ids: impl Iterator<Item = ChunkId>) -> Result<bool, CacheError> {
        let mut packs = BTreeMap::new();
        let mut all = true;
        for id in ids {
            let Some((place, held)) = self.view.find_held(&id.0) else {
                all = false;
                continue;
            };
            packs.insert(place.pack, held);
            let bases = if place.delta { self.view.base_places(id) } else { None };
            for base in bases.into_iter().flatten() {
                packs.extend(self.view.pack(base.pack).map(|state| (base.pack, state.held)));
            }
        }
        let cache = self.layout.cache_folder();
        let gone = packs.into_iter().filter(|(pack, held)| match held {
            Held::Unpushed | Held::Gone => false,
            Held::Whole => !cache.has(*pack, Form::Whole),
            Held::Part => !cache.has(*pack, Form::Part) && !cache.has(*pack, Form::Whole),
        });
        let gone: Vec<PackId> = gone.map(|(pack, _)| pack).collect();
        if gone.is_empty() {
            return Ok(all);
        }
        self.index.set_held(&gone, Held::Gone)?;
        self.view = self.index.reader()?;
        Ok(false)
    }

    pub(super) fn file(&mut self, pack: PackId, held: Held) -> io::Result<&File> {
        if let Some(at) = self.files.iter().position(|(p, h, _)| *p == pack && *h == held) {
            if at > 0 {
                self.files.swap(0, at);
            }
        } else {
            let cache = self.layout.cache_folder();
            // One that cannot be opened would not be found elsewhere, and be taken for lost.
            let elsewhere = |e: io::Error, form| {
                if e.kind() == ErrorKind::NotFound { cache.open(pack, form) } else { Err(e) }
            };
            let file = match held {
                // A push in another process may have moved it since the view was taken.
                Held::Unpushed => {
                    let own = open_plain(&self.layout.unpushed(pack), Links::Refuse);
                    own.or_else(|e| elsewhere(e, Form::Whole))?
                }
                Held::Whole | Held::Gone => cache.open(pack, Form::Whole)?,
                Held::Part => {
                    let part = cache.open(pack, Form::Part);
                    part.or_else(|e| elsewhere(e, Form::Whole))?
                }
            };
            if held != Held::Unpushed {
                self.index.note_use(pack, &file);
            }
            self.files.truncate(OPEN_PACKS - 1);
            self.files.push_front((pack, held, file));
        }
        self.files.front().map(|(.., f)| f).ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Moves a damaged pack out of the way and forgets it, so that the next run fetches a good one. Of a
    /// pack that was not pushed everything that is sound is kept.
    pub(super) fn set_aside(
        &mut self,
        id: &[u8; 32],
        place: Place,
        held: Held,
        why: &str,
    ) -> CacheError {
        let (object, pack, why) = (Digest(*id), place.pack, why.to_owned());
        let unpushed = held == Held::Unpushed;
        let aside = self.layout.quarantine(pack);
        if self.observing {
            let aside = Some(aside);
            return CacheError::Damaged { object, pack, why, aside, unpushed };
        }
        self.files.clear();
        self.recent.clear();
        let from = match held {
            Held::Unpushed => {
                if let Err(e) =
                    self.index.salvage_named(self.layout, (pack, held), Some(place.offset))
                {
                    return e;
                }
                let aside = Some(aside);
                return CacheError::Damaged { object, pack, why, aside, unpushed };
            }
            Held::Whole | Held::Gone => self.layout.whole(place.pack),
            Held::Part => self.layout.part(place.pack),
        };
        let aside = match move_aside(&from, self.layout, pack) {
            // In a shared cache it may be another user's: it is passed over.
            Err(e) if e.source.kind() == ErrorKind::PermissionDenied => None,
            Err(e) => return e.into(),
            Ok(aside) => Some(aside),
        };
        if let Err(e) = self.index.forget(&[place.pack]) {
            return e;
        }
        CacheError::Damaged { object, pack, why, aside, unpushed }
    }
}

/// Says whether nothing was ever written where a frame should begin.
fn is_hole(frame: &[u8]) -> bool {
    frame.iter().take(FRAME_HEADER_LEN as usize).all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::testing::{NODE, OneNode, state};

    #[test]
    fn a_copy_in_a_pack_that_is_here_takes_the_place_of_one_that_was_evicted() {
        let OneNode { layout, index, id, pack, place: own, _folder } = &OneNode::new();
        let (pack, evicted) = (*pack, PackId([7; 16]));
        let mut elsewhere = [(id.0, Place { pack: evicted, ..*own })];
        let states = [(pack, state(Held::Unpushed)), (evicted, state(Held::Gone))];
        index.record(&states, &mut elsewhere, &[]).unwrap();

        let mut reader = ObjectReader::new(layout, index).unwrap();
        assert_eq!(reader.node(*id).unwrap(), None);
        assert!(!reader.restate(evicted).unwrap());
        assert!(reader.restate(pack).unwrap());
        assert_eq!(reader.node(*id).unwrap().unwrap().0, NODE);
        assert!(!reader.restate(pack).unwrap(), "nothing is left to place");
    }
}
