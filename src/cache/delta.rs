//! Reading chunks that are stored as a difference to others.

use crate::cache::error::CacheError;
use crate::cache::index::{Held, Place};
use crate::cache::reader::ObjectReader;
use crate::hash::ChunkId;
use crate::pack::{Bases, decode_delta_frame};

impl ObjectReader<'_> {
    /// Decodes the frame of a delta with its base and puts it in front; false if the base is not here.
    pub(super) fn load_delta(
        &mut self,
        id: ChunkId,
        place: Place,
        held: Held,
    ) -> Result<bool, CacheError> {
        if self.is_recent(place) {
            return Ok(true);
        }
        let bytes = self.read(&id.0, place, held)?;
        // The index took the names from this very frame, so that another answer is damage.
        let bases = match Bases::of_frame(&bytes) {
            Ok(Some(bases)) if self.view.bases(id).as_ref() == Some(&bases) => bases,
            Ok(_) => {
                return Err(self.set_aside(&id.0, place, held, "it names another base than it did"));
            }
            Err(e) => return Err(self.set_aside(&id.0, place, held, &e.to_string())),
        };
        let mut joined = std::mem::take(&mut self.base);
        joined.clear();
        for base in &bases.ids {
            let Some(bytes) = self.plain_chunk(*base)? else { return Ok(false) };
            joined.extend_from_slice(bytes);
        }
        let decoded = decode_delta_frame(&mut self.codecs, &bytes, &joined);
        self.base = joined;
        match decoded {
            Ok(frame) => {
                self.keep(place, frame);
                Ok(true)
            }
            // The chunks of the base were checked one by one: the damage is in this frame.
            Err(e) => Err(self.set_aside(&id.0, place, held, &e.to_string())),
        }
    }
}
