//! A file too large for memory: one thread reads and cuts, the pool hashes and compresses, and the
//! pack writer writes, with a block or two between them.

use std::fs::File;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use rayon::prelude::*;

use crate::chunk::{Block, Profile, Windows};
use crate::fs::{Dir, IoResultExt};
use crate::hash::{ChunkId, Oid};
use crate::intake::error::IntakeError;
use crate::intake::shared::Shared;
use crate::intake::small::{TRIES, split};
use crate::intake::{Source, Stored, Taken};
use crate::pack::EncodedFrame;
use crate::recipe::ChunkEntry;

/// Blocks that may wait between reading and hashing.
const AHEAD: usize = 2;
/// Chunks that one worker takes at a time.
const PIECE: usize = 8;

/// Takes in one file, reading it again if it changes meanwhile.
pub(super) fn take_large(shared: &Shared, source: &Source) -> Result<Taken, IntakeError> {
    let path = shared.root.path_of(&source.path);
    let (parent, name) = split(&source.path);
    let folder = shared.root.descend(parent)?;
    for _ in 0..TRIES {
        let (file, before) = folder.open_file(name)?;
        let again = file.try_clone().at("read", &path)?;
        let (oid, chunks) = read(shared, source, file)?;
        let size = chunks.iter().map(|c| c.size).sum();
        let after = Dir::stamp_of(&again, &path)?;
        if before == after && size == after.size {
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
    file: File,
) -> Result<(Oid, Vec<ChunkEntry>), IntakeError> {
    let (send, blocks) = sync_channel(AHEAD);
    // Buffers go back to the reader, which saves asking the system for new pages each time.
    let (give_back, spares) = channel();
    let profile: Profile = source.profile;
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut windows = Windows::new(profile, file);
            while let Some(block) = windows.next()? {
                if send.send(block).is_err() {
                    break;
                }
                for bytes in spares.try_iter() {
                    windows.recycle(bytes);
                }
            }
            Ok::<(), std::io::Error>(())
        });
        let result = digest(shared, &blocks, &give_back);
        drop(blocks);
        let read = reader.join().map_err(|_| IntakeError::Defect("the reading thread died".into()));
        let result = result?;
        read?.at("read", &shared.root.path_of(&source.path))?;
        Ok(result)
    })
}

fn digest(
    shared: &Shared,
    blocks: &Receiver<Block>,
    give_back: &Sender<Vec<u8>>,
) -> Result<(Oid, Vec<ChunkEntry>), IntakeError> {
    let mut whole = blake3::Hasher::new();
    let mut chunks = Vec::new();
    for block in blocks {
        shared.job.check()?;
        let (_, done) =
            rayon::join(|| whole.update(&block.bytes).count(), || encode(shared, &block));
        let mut frames = Vec::new();
        for (entry, frame) in done? {
            chunks.push(entry);
            frames.extend(frame);
        }
        shared.send(frames)?;
        shared.task.advance(block.bytes.len() as u64);
        // At the end of the file nobody takes it any more.
        drop(give_back.send(block.bytes));
    }
    Ok((Oid(*whole.finalize().as_bytes()), chunks))
}

type Piece = Vec<(ChunkEntry, Option<EncodedFrame>)>;

fn encode(shared: &Shared, block: &Block) -> Result<Piece, IntakeError> {
    let pieces: Result<Vec<Piece>, IntakeError> = block
        .chunks
        .par_chunks(PIECE)
        .map(|ranges| {
            shared.with_codecs(|codecs| {
                let mut out = Piece::with_capacity(ranges.len());
                for range in ranges {
                    let bytes = block.bytes.get(range.clone()).unwrap_or_default();
                    let id = ChunkId::of(bytes);
                    let new = shared.claim(id, bytes.len());
                    let frame = new.then(|| Shared::frame(codecs, id, bytes)).transpose()?;
                    out.push((ChunkEntry { id, size: bytes.len() as u64 }, frame));
                }
                Ok(out)
            })
        })
        .collect();
    Ok(pieces?.into_iter().flatten().collect())
}
