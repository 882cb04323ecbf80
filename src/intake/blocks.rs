//! A large file, some megabytes at a time: all cores read and cut them.

use std::fs::File;
use std::io;
use std::ops::Range;

use rayon::prelude::*;

use crate::chunk::{End, Profile, cut_segments};
use crate::fs::{PageBuffer, read_up_to};

/// Bytes that are read together.
const TOGETHER: usize = 8 << 20;
/// Bytes that one core reads at a time.
const PIECE: usize = 512 << 10;
/// Bytes that one core cuts at a time; a chunk or two of each are looked for twice.
const SEGMENT: usize = 2 << 20;

/// A run of whole chunks of a file.
pub(super) struct Block {
    buffer: PageBuffer,
    /// Where each chunk lies, in order.
    chunks: Vec<Range<usize>>,
}

impl Block {
    /// Returns the bytes of each chunk.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.bytes();
        self.chunks.iter().map(|range| bytes.get(range.clone()).unwrap_or_default())
    }

    /// Returns the bytes of all chunks.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    /// Gives the memory back.
    pub(super) fn into_buffer(self) -> PageBuffer {
        self.buffer
    }
}

/// Reads a file from its beginning to its end.
pub(super) struct Blocks<'f> {
    file: &'f File,
    profile: Profile,
    /// Bytes read so far.
    read: u64,
    ended: bool,
    /// Bytes read behind the last cut that is known.
    carry: Vec<u8>,
}

impl<'f> Blocks<'f> {
    pub(super) fn new(profile: Profile, file: &'f File) -> Self {
        Self { file, profile, read: 0, ended: false, carry: Vec::new() }
    }

    /// Returns the next block, in memory that is no longer needed; nothing at the end of the file.
    pub(super) fn next(&mut self, mut buffer: PageBuffer) -> io::Result<Option<Block>> {
        if self.ended {
            return Ok(None);
        }
        let before = self.carry.len();
        let (carried, fresh) = buffer.room(before, TOGETHER).split_at_mut(before);
        carried.copy_from_slice(&self.carry);
        let len = self.fill(fresh)?;
        self.read += len as u64;
        self.ended = len < TOGETHER;
        self.expect_more();
        buffer.truncate(before + len);
        let end = if self.ended { End::File } else { End::More };
        let lengths = cut_segments(self.profile, (buffer.bytes(), end), SEGMENT);
        let mut at = 0;
        let range = |length: usize| {
            at += length;
            at - length..at
        };
        let chunks: Vec<Range<usize>> = lengths.into_iter().map(range).collect();
        self.carry.clear();
        self.carry.extend_from_slice(buffer.bytes().get(at..).unwrap_or_default());
        buffer.truncate(at);
        Ok((!chunks.is_empty()).then_some(Block { buffer, chunks }))
    }

    /// Reads on; returns how many bytes there are, fewer than asked for only at the end.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let pieces = bytes.par_chunks_mut(PIECE).enumerate();
        let read = pieces.map(|(number, piece)| {
            let at = self.read + (number * PIECE) as u64;
            Ok((read_up_to(self.file, at, piece)?, piece.len()))
        });
        let read: io::Result<Vec<(usize, usize)>> = read.collect();
        let mut filled = 0;
        for (count, wanted) in read? {
            filled += count;
            if count < wanted {
                // What lies behind it was written meanwhile.
                break;
            }
        }
        Ok(filled)
    }

    /// Has the system read what comes next, while others work on what is here.
    fn expect_more(&self) {
        #[cfg(target_os = "linux")]
        if !self.ended {
            let len = std::num::NonZeroU64::new(TOGETHER as u64);
            rustix::fs::fadvise(self.file, self.read, len, rustix::fs::Advice::WillNeed)
                .unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::cut;
    use std::io::Write;

    #[test]
    fn every_length_gives_the_bytes_and_the_cuts_of_the_file() {
        let max = Profile::M64.max();
        let lens = [0, 1, PIECE - 1, PIECE, PIECE + 1, TOGETHER - 1, TOGETHER, TOGETHER + 1];
        let lens = lens.into_iter().chain([TOGETHER + max, 2 * TOGETHER, 3 * TOGETHER + 5]);
        let mut bytes = vec![0; 3 * TOGETHER + 5];
        blake3::Hasher::new().update(b"blocks").finalize_xof().fill(&mut bytes);
        for len in lens {
            let bytes = &bytes[..len];
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            let mut blocks = Blocks::new(Profile::M64, &file);
            let (mut lengths, mut all) = (Vec::new(), Vec::<u8>::new());
            let mut spare = PageBuffer::default();
            while let Some(block) = blocks.next(std::mem::take(&mut spare)).unwrap() {
                lengths.extend(block.chunks().map(<[u8]>::len));
                all.extend(block.chunks().flatten());
                assert!(block.bytes().len() == block.chunks().map(<[u8]>::len).sum::<usize>());
                spare = block.into_buffer();
            }
            assert!(all == bytes, "{len}");
            assert_eq!(lengths, cut(Profile::M64, bytes), "{len}");
        }
    }
}
