use std::io::{self, Read};
use std::ops::Range;

use super::cutter::End;
use super::profile::Profile;

/// Bytes read before they are cut; large enough that the bytes carried over hardly count.
const BUFFER: usize = 4 << 20;

/// Buffers kept for reuse; more are dropped.
const SPARES: usize = 4;

/// A run of whole chunks of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The bytes of the chunks, at most 4 MiB.
    pub bytes: Vec<u8>,
    /// Where each chunk lies in `bytes`: in order, none empty, together all of `bytes`.
    pub chunks: Vec<Range<usize>>,
}

/// Cuts a reader into chunks and hands them out in blocks of about 4 MiB.
///
/// The cuts are those of [`super::cut`] over all bytes of the reader, however it delivers them.
/// Holds one buffer, the start of a chunk not yet complete, and up to four buffers given back.
#[derive(Debug)]
pub struct Windows<R> {
    reader: R,
    profile: Profile,
    expected: usize,
    /// Bytes read but not handed out: the start of the next block.
    carry: Vec<u8>,
    spares: Vec<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Windows<R> {
    /// Cuts `reader` from where it stands to its end.
    pub fn new(profile: Profile, reader: R) -> Self {
        let spares = Vec::new();
        Self { reader, profile, expected: BUFFER, carry: Vec::new(), spares, ended: false }
    }

    /// Tells how many bytes the reader will probably give, so that a small file costs a small
    /// buffer. A wrong number costs time only.
    #[must_use]
    pub fn expecting(mut self, bytes: u64) -> Self {
        // One more than expected, so that the end is seen without growing the buffer.
        let buffer = usize::try_from(bytes).unwrap_or(BUFFER).saturating_add(1);
        self.expected = buffer.min(BUFFER);
        self
    }

    /// Reads, cuts and returns the next block; nothing at the end of the reader.
    ///
    /// Cuts are known only with the look-ahead of [`Profile::max`], so a block ends up to that much
    /// before what has been read. After an error of the reader nothing is lost: another call goes
    /// on where it stopped.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator of results invites `flatten`, which would drop errors"
    )]
    pub fn next(&mut self) -> io::Result<Option<Block>> {
        if self.ended {
            return Ok(None);
        }
        let mut bytes = self.fill()?;
        let end = if self.ended { End::File } else { End::More };
        let mut chunks = Vec::with_capacity(bytes.len() / self.profile.target() + 1);
        let mut at = 0;
        while let Some(length) = self.profile.next_cut(bytes.get(at..).unwrap_or_default(), end) {
            chunks.push(at..at + length);
            at += length;
        }
        self.carry.extend_from_slice(bytes.get(at..).unwrap_or_default());
        bytes.truncate(at);
        Ok((!chunks.is_empty()).then_some(Block { bytes, chunks }))
    }

    /// Takes back the bytes of a block that is done with, to read into again.
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spares.len() < SPARES {
            self.spares.push(bytes);
        }
    }

    /// Returns what was carried over and as much as fits behind it; less only at the end.
    fn fill(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = self.buffer();
        let mut filled = self.carry.len();
        if let Some(start) = bytes.get_mut(..filled) {
            start.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        while !self.ended {
            if filled == bytes.len() {
                if filled >= BUFFER {
                    break;
                }
                self.expected = BUFFER;
                bytes.resize(BUFFER, 0);
            }
            match self.reader.read(bytes.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    bytes.truncate(filled);
                    self.carry = bytes;
                    return Err(error);
                }
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Returns a buffer of the expected size. Spares keep their old bytes, which saves zeroing.
    fn buffer(&mut self) -> Vec<u8> {
        let size = self.expected.max(self.carry.len());
        match self.spares.pop() {
            Some(mut spare) => {
                spare.resize(size, 0);
                spare
            }
            None => vec![0; size],
        }
    }
}
