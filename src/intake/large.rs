//! A file too large for memory: all cores read and cut its next block while they hash and compress the chunks
//! of the one before, and the pack writer writes.

use std::fs::File;

use rayon::prelude::*;

use crate::fs::{Dir, IoResultExt, PageBuffer, planted};
use crate::hash::{ChunkId, Oid};
use crate::intake::blocks::{Block, Blocks};
use crate::intake::error::IntakeError;
use crate::intake::frames::{Fresh, OpenFormer, frames};
use crate::intake::shared::Shared;
use crate::intake::small::{INLINE, TRIES, split, take_run};
use crate::intake::{Source, Stored, Taken};
use crate::pack::EncodedFrame;
use crate::recipe::{ChunkEntry, Pairing};

/// Chunks that one worker takes at a time.
const PIECE: usize = 4;
/// The same for chunks with bases: what is set up for a group of them is dear.
const PAIRED: usize = 8;

/// Takes in one file, reading it again if it changes meanwhile.
pub(super) fn take_large(
    shared: &Shared,
    source: &Source,
    former: Option<&OpenFormer>,
) -> Result<Taken, IntakeError> {
    let path = shared.root.path_of(&source.path);
    let (parent, name) = split(&source.path);
    let folder = shared.root.descend(parent)?;
    for _ in 0..TRIES {
        let (file, before) = folder.open_file(name)?;
        if before.size <= INLINE as u64 {
            // It became so small since it was listed that it may have to lie in the manifest.
            let taken = take_run(shared, std::slice::from_ref(source))?.pop();
            return taken.ok_or_else(|| IntakeError::Defect("a file was not taken".into()));
        }
        let (oid, chunks) = read(shared, source, former, &file)?;
        let size = chunks.iter().map(|c| c.size).sum();
        let after = Dir::stamp_of(&file, &path)?;
        let same = before == after && size == after.size;
        if same || planted::is("stamp-not-compared") {
            let stored = match chunks.len() {
                0 => Stored::Bytes(Vec::new()),
                1 => Stored::Chunk { size },
                _ => Stored::Chunks { size, profile: source.profile, chunks },
            };
            let settled = after.is_settled_at(shared.began);
            return Ok(Taken { oid, stored, stamp: after, settled });
        }
    }
    Err(IntakeError::Changing { path, tries: TRIES })
}

fn read(
    shared: &Shared,
    source: &Source,
    former: Option<&OpenFormer>,
    file: &File,
) -> Result<(Oid, Vec<ChunkEntry>), IntakeError> {
    let failed = |e| Err(e).at("read", &shared.root.path_of(&source.path));
    let mut blocks = Blocks::new(source.profile, file);
    let mut former = former.map(|former| (former, Pairing::new(&former.chunks)));
    let (mut whole, mut chunks) = (blake3::Hasher::new(), Vec::new());
    let (mut now, mut spare) = (blocks.next(PageBuffer::default()), PageBuffer::default());
    while let Some(block) = now.or_else(failed)? {
        shared.job.check()?;
        let encode = || match &mut former {
            Some((former, pairing)) => encode_paired(shared, &block, former, pairing),
            None => encode(shared, &block),
        };
        let (next, (encoded, _)) = rayon::join(
            || blocks.next(std::mem::take(&mut spare)),
            || rayon::join(encode, || whole.update_rayon(block.bytes())),
        );
        let (entries, frames) = encoded?;
        chunks.extend(entries);
        shared.send(frames)?;
        shared.task.advance(block.bytes().len() as u64);
        (now, spare) = (next, block.into_buffer());
    }
    Ok((Oid(*whole.finalize().as_bytes()), chunks))
}

/// Chunks in order, and frames of those that are new.
type Piece = (Vec<ChunkEntry>, Vec<EncodedFrame>);

fn join(pieces: Vec<Piece>) -> Piece {
    let mut out = Piece::default();
    for (entries, frames) in pieces {
        out.0.extend(entries);
        out.1.extend(frames);
    }
    out
}

fn entry_of(bytes: &[u8]) -> ChunkEntry {
    ChunkEntry { id: ChunkId::of(bytes), size: bytes.len() as u64 }
}

fn encode(shared: &Shared, block: &Block) -> Result<Piece, IntakeError> {
    let chunks: Vec<&[u8]> = block.chunks().collect();
    let done: Result<Vec<Piece>, IntakeError> = chunks
        .par_chunks(PIECE)
        .with_max_len(1)
        .map(|chunks| {
            shared.with_codecs(|codecs| {
                let mut out = Piece::default();
                for bytes in chunks {
                    let entry = entry_of(bytes);
                    if shared.claim(entry.id, bytes.len()) {
                        out.1.push(Shared::frame(codecs, entry.id, bytes)?);
                    }
                    out.0.push(entry);
                }
                Ok(out)
            })
        })
        .collect();
    Ok(join(done?))
}

/// As [`encode`], where a former version is there to be compared with: which of its bytes a chunk
/// stands for is known once all chunks of its block are.
fn encode_paired(
    shared: &Shared,
    block: &Block,
    former: &OpenFormer,
    pairing: &mut Pairing,
) -> Result<Piece, IntakeError> {
    let chunks: Vec<&[u8]> = block.chunks().collect();
    let entries: Vec<ChunkEntry> =
        chunks.par_iter().with_min_len(PIECE).map(|bytes| entry_of(bytes)).collect();
    let chunks = entries.iter().zip(chunks).zip(pairing.pair(&entries));
    let new = chunks.filter(|((entry, bytes), _)| shared.claim(entry.id, bytes.len()));
    let new: Vec<Fresh> =
        new.map(|((entry, bytes), former)| Fresh { id: entry.id, bytes, former }).collect();
    let frames: Result<Vec<Vec<EncodedFrame>>, IntakeError> = new
        .par_chunks(PAIRED)
        .with_max_len(1)
        .map(|fresh| shared.with_codecs(|codecs| frames(shared, codecs, Some(former), fresh)))
        .collect();
    Ok((entries, frames?.into_iter().flatten().collect()))
}
