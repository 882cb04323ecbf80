//! Reading a file for its chunks alone: nothing is stored.

use std::fs::File;
use std::io;

use rayon::prelude::*;

use crate::chunk::{Profile, Windows};
use crate::hash::ChunkId;
use crate::recipe::ChunkEntry;

/// Cuts and hashes a file; hands its chunks over in the windows that an intake would take.
pub(super) fn survey<E: From<io::Error>>(
    file: File,
    profile: Profile,
    mut each: impl FnMut(Vec<ChunkEntry>) -> Result<(), E>,
) -> Result<(), E> {
    let mut windows = Windows::new(profile, file);
    while let Some(block) = windows.next()? {
        let entry = |range: &std::ops::Range<usize>| {
            let bytes = block.bytes.get(range.clone()).unwrap_or_default();
            ChunkEntry { id: ChunkId::of(bytes), size: bytes.len() as u64 }
        };
        each(block.chunks.par_iter().map(entry).collect())?;
        windows.recycle(block.bytes);
    }
    Ok(())
}
