//! The identity of a file that is read for nothing else.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use blake3::hazmat::{
    ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root,
};

use crate::fs::PageBuffer;
use crate::hash::Oid;

/// Bytes that one core reads and hashes at a time: a power of two that its own cache holds, and so a whole
/// subtree of BLAKE3 wherever it begins at a multiple of itself.
const PIECE: u64 = 256 << 10;
/// Bytes that the cores share out; a file is read in this order, as disks like it.
const BLOCK: u64 = 16 << 20;
/// Bytes of a file below which one core is done as soon.
const LARGE: u64 = 8 << 20;

/// Who hashes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The thread that asks, where others hash other files.
    OneCore,
    /// All cores of the pool.
    AllCores,
}

impl By {
    /// Who hashes a file of so many bytes soonest, where nothing else is to be done.
    pub fn alone(size: u64) -> Self {
        if size >= LARGE { Self::AllCores } else { Self::OneCore }
    }
}

/// Hashes the first `size` bytes of a file; `step` is told of bytes before they are read, and may stop it.
/// Takes 256 KiB of memory for each core. Fails with `UnexpectedEof` if the file has become shorter.
pub fn hash_file<E: Send>(
    file: &File,
    (size, by): (u64, By),
    failed: impl Fn(io::Error) -> E + Sync,
    step: impl FnMut(u64) -> Result<(), E>,
) -> Result<Oid, E> {
    let mut step = step;
    let reading = Reading { file, by, failed, buffers: Mutex::default() };
    if size <= PIECE {
        step(size)?;
        let hash = reading.with_bytes(0, size, |bytes| *blake3::hash(bytes).as_bytes());
        return hash.map(Oid);
    }
    let half = left_subtree_len(size);
    let left = reading.in_order((0, half), &mut step)?;
    let right = reading.in_order((half, size - half), &mut step)?;
    Ok(Oid(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()))
}

struct Reading<'f, F> {
    file: &'f File,
    by: By,
    failed: F,
    buffers: Mutex<Vec<PageBuffer>>,
}

impl<E: Send, F: Fn(io::Error) -> E + Sync> Reading<'_, F> {
    /// Hashes a subtree, block by block.
    fn in_order(
        &self,
        (at, len): (u64, u64),
        step: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<ChainingValue, E> {
        if len <= BLOCK {
            step(len)?;
            return self.side_by_side(at, len);
        }
        let half = left_subtree_len(len);
        let left = self.in_order((at, half), step)?;
        let right = self.in_order((at + half, len - half), step)?;
        Ok(merge_subtrees_non_root(&left, &right, Mode::Hash))
    }

    /// Hashes a subtree, its halves by whoever has time.
    fn side_by_side(&self, at: u64, len: u64) -> Result<ChainingValue, E> {
        if len <= PIECE {
            return self.with_bytes(at, len, |bytes| {
                blake3::Hasher::new().set_input_offset(at).update(bytes).finalize_non_root()
            });
        }
        let half = left_subtree_len(len);
        let halves = (|| self.side_by_side(at, half), || self.side_by_side(at + half, len - half));
        let (left, right) = match self.by {
            By::OneCore => (halves.0(), halves.1()),
            By::AllCores => rayon::join(halves.0, halves.1),
        };
        Ok(merge_subtrees_non_root(&left?, &right?, Mode::Hash))
    }

    fn with_bytes<R>(&self, at: u64, len: u64, work: impl FnOnce(&[u8]) -> R) -> Result<R, E> {
        let spare = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = spare.unwrap_or_default();
        let bytes = buffer.room(0, usize::try_from(len).unwrap_or(usize::MAX));
        self.file.read_exact_at(bytes, at).map_err(&self.failed)?;
        let result = work(bytes);
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn every_way_gives_the_identity() {
        let [piece, block] = [PIECE, BLOCK].map(|len| usize::try_from(len).unwrap());
        let lens = [0, 1, 1000, 1024, 1025, piece - 1, piece, piece + 1, 3 * piece + 5];
        for len in lens.into_iter().chain([block, block + 1, 2 * block, 5 * block + 3 * piece + 7])
        {
            let bytes: Vec<u8> = (0..len).map(|i| u8::try_from(i * i % 251).unwrap()).collect();
            let (file, size) = (file_of(&bytes), len as u64);
            for by in [By::OneCore, By::AllCores] {
                let mut told = 0;
                let step = |n| {
                    told += n;
                    Ok(())
                };
                let oid = hash_file(&file, (size, by), |e| e.to_string(), step).unwrap();
                assert_eq!((oid, told), (Oid::of(&bytes), size), "{len} {by:?}");
            }
        }
    }

    #[test]
    fn a_file_that_became_shorter_and_a_step_that_stops_end_it() {
        let file = file_of(&vec![7; 3 << 20]);
        for by in [By::OneCore, By::AllCores] {
            let (failed, longer) = (|e: io::Error| e.kind().to_string(), 4 << 20);
            let short = hash_file(&file, (longer, by), failed, |_| Ok(())).unwrap_err();
            assert_eq!(short, io::ErrorKind::UnexpectedEof.to_string());
            let stopped = hash_file(&file, (99, by), failed, |_| Err("stop".to_owned()));
            assert_eq!(stopped.unwrap_err(), "stop");
        }
    }
}
