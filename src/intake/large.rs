//! A file too large for memory: one thread reads and cuts, one hashes the file, the pool hashes and
//! compresses chunks, and the pack writer writes, with a block or two between them.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use rayon::prelude::*;

use crate::chunk::{Block, Profile, Windows};
use crate::fs::{Dir, IoResultExt, planted};
use crate::hash::{ChunkId, Oid};
use crate::intake::error::IntakeError;
use crate::intake::frames::{Fresh, OpenFormer, frames};
use crate::intake::shared::Shared;
use crate::intake::small::{INLINE, TRIES, split, take_run};
use crate::intake::{Source, Stored, Taken};
use crate::pack::EncodedFrame;
use crate::recipe::{ChunkEntry, Pairing};

/// Blocks that may wait between reading and hashing.
const AHEAD: usize = 2;
/// Blocks that the workers take together, so that they rarely wait for the last one of them.
const TOGETHER: usize = 2;
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
        let again = file.try_clone().at("read", &path)?;
        let (oid, chunks) = read(shared, source, former, file)?;
        let size = chunks.iter().map(|c| c.size).sum();
        let after = Dir::stamp_of(&again, &path)?;
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
    file: File,
) -> Result<(Oid, Vec<ChunkEntry>), IntakeError> {
    let (to_whole, for_whole) = sync_channel(AHEAD);
    let (to_workers, blocks) = sync_channel(AHEAD);
    // Buffers go back to the reader, which saves asking the system for new pages each time.
    let (give_back, spares) = channel();
    let profile: Profile = source.profile;
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut windows = Windows::new(profile, file);
            while let Some(block) = windows.next()? {
                let block = Arc::new(block);
                let gone = to_whole.send(Arc::clone(&block)).is_err();
                if gone || to_workers.send(block).is_err() {
                    break;
                }
                if let Ok(bytes) = spares.try_recv() {
                    windows.recycle(bytes);
                }
            }
            Ok::<(), std::io::Error>(())
        });
        let whole = scope.spawn({
            let give_back = give_back.clone();
            move || {
                let mut hasher = blake3::Hasher::new();
                for block in for_whole {
                    hasher.update(&block.bytes);
                    retire(block, &give_back);
                }
                Oid(*hasher.finalize().as_bytes())
            }
        });
        let chunks = digest(shared, former, &blocks, &give_back);
        drop(blocks);
        let died = |_| IntakeError::Defect("a thread that read the file died".into());
        let (read, oid) = (reader.join().map_err(died), whole.join().map_err(died));
        let chunks = chunks?;
        read?.at("read", &shared.root.path_of(&source.path))?;
        Ok((oid?, chunks))
    })
}

/// Gives the memory of a block back once both who needed it are done with it.
fn retire(block: Arc<Block>, give_back: &Sender<Vec<u8>>) {
    if let Some(block) = Arc::into_inner(block) {
        // At the end of the file nobody takes it any more.
        drop(give_back.send(block.bytes));
    }
}

fn digest(
    shared: &Shared,
    former: Option<&OpenFormer>,
    blocks: &Receiver<Arc<Block>>,
    give_back: &Sender<Vec<u8>>,
) -> Result<Vec<ChunkEntry>, IntakeError> {
    let mut pairing = former.map(|former| Pairing::new(&former.chunks));
    let mut chunks = Vec::new();
    while let Ok(first) = blocks.recv() {
        shared.job.check()?;
        let more = blocks.try_iter().take(TOGETHER - 1);
        let together: Vec<Arc<Block>> = std::iter::once(first).chain(more).collect();
        let (entries, frames) = match (former, &mut pairing) {
            (Some(former), Some(pairing)) => encode_paired(shared, &together, former, pairing)?,
            _ => encode(shared, &together)?,
        };
        chunks.extend(entries);
        shared.send(frames)?;
        for block in together {
            shared.task.advance(block.bytes.len() as u64);
            retire(block, give_back);
        }
    }
    Ok(chunks)
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

fn encode(shared: &Shared, blocks: &[Arc<Block>]) -> Result<Piece, IntakeError> {
    let pieces = blocks.iter().flat_map(|block| {
        block.chunks.chunks(PIECE).map(|ranges| (block.bytes.as_slice(), ranges))
    });
    let pieces: Vec<(&[u8], &[Range<usize>])> = pieces.collect();
    let done: Result<Vec<Piece>, IntakeError> = pieces
        .par_iter()
        .with_max_len(1)
        .map(|(bytes, ranges)| {
            shared.with_codecs(|codecs| {
                let mut out = Piece::default();
                for range in *ranges {
                    let bytes = bytes.get(range.clone()).unwrap_or_default();
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
    blocks: &[Arc<Block>],
    former: &OpenFormer,
    pairing: &mut Pairing,
) -> Result<Piece, IntakeError> {
    let chunks: Vec<&[u8]> = blocks.iter().flat_map(|block| pieces(block)).collect();
    let entries: Vec<ChunkEntry> =
        chunks.par_iter().with_min_len(PIECE).map(|bytes| entry_of(bytes)).collect();
    let (mut paired, mut rest) = (Vec::with_capacity(entries.len()), entries.as_slice());
    for block in blocks {
        let (own, others) = rest.split_at(block.chunks.len());
        paired.extend(pairing.pair(own));
        rest = others;
    }
    let chunks = entries.iter().zip(chunks).zip(paired);
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

/// Returns the bytes of each chunk of a block.
fn pieces(block: &Block) -> impl Iterator<Item = &[u8]> {
    block.chunks.iter().map(|range| block.bytes.get(range.clone()).unwrap_or_default())
}
