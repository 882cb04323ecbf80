//! Reading a file for its chunks alone: nothing is stored.

use std::fs::File;

use rayon::prelude::*;

use crate::chunk::Profile;
use crate::fs::{Dir, PageBuffer};
use crate::hash::ChunkId;
use crate::intake::Source;
use crate::intake::blocks::Blocks;
use crate::intake::small::split;
use crate::progress::{Job, Stopped};
use crate::recipe::{ChunkEntry, Former, Pairing};

/// Cuts and hashes a file; hands its chunks over in the blocks that an intake of a large file takes.
/// False if it could not be read to its end.
pub(super) fn survey(
    file: &File,
    profile: Profile,
    job: &Job,
    mut each: impl FnMut(Vec<ChunkEntry>),
) -> Result<bool, Stopped> {
    let (mut blocks, mut spare) = (Blocks::new(profile, file), PageBuffer::default());
    loop {
        job.check()?;
        let block = match blocks.next(spare) {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(true),
            Err(_) => return Ok(false),
        };
        let chunks: Vec<&[u8]> = block.chunks().collect();
        let entry = |bytes: &&[u8]| ChunkEntry { id: ChunkId::of(bytes), size: bytes.len() as u64 };
        each(chunks.par_iter().map(entry).collect());
        spare = block.into_buffer();
    }
}

/// Reads a source and tells of each of its chunks, in order, with which chunks of a former version an
/// intake would compare it: with none if that version has it, or has nothing in its place.
///
/// What cannot be read is not told of: the intake will say so.
pub fn compare(
    root: &Dir,
    source: &Source,
    former: &Former,
    job: &Job,
    mut each: impl FnMut(ChunkEntry, Vec<ChunkId>),
) -> Result<(), Stopped> {
    let (parent, name) = split(&source.path);
    let Ok((file, _)) = root.descend(parent).and_then(|folder| folder.open_file(name)) else {
        return Ok(());
    };
    let mut pairing = Pairing::new(former);
    survey(&file, source.profile, job, |window| {
        let paired = pairing.pair(&window);
        for (chunk, range) in window.into_iter().zip(paired) {
            let bases = range.map(|range| former.covering(&range)).unwrap_or_default();
            let ids = bases.filter_map(|at| former.get(at)).map(|(_, base)| base.id);
            each(chunk, ids.collect());
        }
    })
    .map(drop)
}
