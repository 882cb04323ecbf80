//! Building a large file: all cores decode its chunks, or take unchanged bytes from the version that lies
//! in its place, while one of them hashes and one writes what came before.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::cache::{CacheError, ObjectReader};
use crate::fs::{FsError, PageBuffer, TempFile};
use crate::hash::Oid;
use crate::progress::{Job, Task};
use crate::recipe::{ChunkEntry, Former};
use crate::worktree::ahead::Arriving;
use crate::worktree::place::PlaceError;

/// From this many bytes on, all cores build one file.
pub(crate) const LARGE: u64 = 8 << 20;
/// Bytes of a file that are made, hashed and written together; twice that is in memory.
const WINDOW: u64 = 8 << 20;
/// Bytes that one core makes at a time.
const STRETCH: u64 = 512 << 10;

/// The version of a file that lies in its place: its chunks, and the open file.
pub(super) type InPlace<'a> = (&'a Former, &'a File);

/// Makes a reader that knows what the index says now.
pub(crate) type MakeReader<'a, 'c> = &'a (dyn Fn() -> Result<ObjectReader<'c>, CacheError> + Sync);

/// What it takes to build a file.
pub(super) struct Build<'a, 'c> {
    /// Makes the readers of all threads.
    pub(super) reader: MakeReader<'a, 'c>,
    /// Readers that no thread uses just now.
    pub(super) spare: Mutex<Vec<ObjectReader<'c>>>,
    pub(super) temp: &'a TempFile<'a>,
    pub(super) path: &'a Path,
    pub(super) task: &'a Task<'a>,
    pub(super) job: &'a Job<'a>,
    /// Whether each chunk is proved, so that the one at fault is named; else only the whole is.
    pub(super) proving: bool,
    /// Where chunks still arrive, what says so.
    pub(super) arriving: Option<&'a Arriving<'a>>,
}

/// Bytes of the new file that come from one place.
pub(super) struct Stretch {
    at: u64,
    len: u64,
    /// The chunks that they are.
    chunks: Range<usize>,
    /// Where the former version has them.
    former: Option<u64>,
}

/// Bytes on their way into the file.
#[derive(Default)]
struct Made {
    buffer: PageBuffer,
    /// Where they begin in the file.
    at: u64,
    /// Those that the file does not have yet, by their places among them.
    missing: Vec<Range<usize>>,
}

/// What a file is made from: its chunks, and the version that lies in its place.
pub(super) type From<'a> = (&'a [ChunkEntry], Option<InPlace<'a>>);

impl Build<'_, '_> {
    /// Fills the file; returns the hash and the number of its bytes.
    ///
    /// Bytes of the former version, and chunks unless they are to be proved, are taken as they are: the hash
    /// of the whole proves them.
    pub(super) fn run(
        &self,
        chunks: &[ChunkEntry],
        in_place: Option<InPlace<'_>>,
    ) -> Result<(Oid, u64), PlaceError> {
        let stretches = stretches(chunks, in_place.map(|(former, _)| former));
        let cloned = stretches.iter().any(Stretch::stays)
            && in_place.is_some_and(|(_, file)| self.temp.reflink(file));
        self.fill(&stretches, (chunks, in_place), cloned)
    }

    /// Fills the file, which is a clone of the version in its place or empty.
    pub(super) fn fill(
        &self,
        stretches: &[Stretch],
        from: From<'_>,
        cloned: bool,
    ) -> Result<(Oid, u64), PlaceError> {
        let mut whole = blake3::Hasher::new();
        let (mut before, mut spare) = (Made::default(), Made::default());
        for window in windows(stretches) {
            self.job.check()?;
            self.wait_for(window, from.0)?;
            // A file system lets one write to a file at a time, and others that want to use up their core.
            let (made, (written, _)) = rayon::join(
                || self.make_window(window, from, cloned, spare),
                || {
                    rayon::join(
                        || self.write(&before),
                        || whole.update_rayon(before.buffer.bytes()),
                    )
                },
            );
            written?;
            (spare, before) = (before, made?);
        }
        self.write(&before)?;
        whole.update_rayon(before.buffer.bytes());
        let size = from.0.iter().map(|chunk| chunk.size).sum();
        // One before may have made it longer.
        self.temp.end_at(size, self.path)?;
        Ok((Oid(*whole.finalize().as_bytes()), size))
    }

    /// Makes the bytes of a window, and says which of them the file does not have.
    fn make_window(
        &self,
        window: &[Stretch],
        from: From<'_>,
        cloned: bool,
        mut made: Made,
    ) -> Result<Made, PlaceError> {
        let len: u64 = window.iter().map(|stretch| stretch.len).sum();
        let mut rest = made.buffer.room(0, in_memory(len));
        let mut work = Vec::with_capacity(window.len());
        for stretch in window {
            let (bytes, others) =
                rest.split_at_mut_checked(in_memory(stretch.len)).unwrap_or_default();
            work.push((stretch, bytes));
            rest = others;
        }
        let there: Result<Vec<bool>, PlaceError> = work
            .into_par_iter()
            .with_max_len(1)
            .map(|(stretch, bytes)| {
                let as_before = self.make(stretch, from, bytes)?;
                self.task.advance(stretch.len);
                Ok(cloned && stretch.stays() && as_before)
            })
            .collect();
        made.at = window.first().map_or(0, |stretch| stretch.at);
        made.missing.clear();
        let mut at = 0;
        for (stretch, there) in window.iter().zip(there?) {
            let place = at..at + in_memory(stretch.len);
            at = place.end;
            match made.missing.last_mut().filter(|last| last.end == place.start) {
                _ if there => {}
                Some(last) => last.end = place.end,
                None => made.missing.push(place),
            }
        }
        Ok(made)
    }

    fn write(&self, made: &Made) -> Result<(), FsError> {
        for place in &made.missing {
            let bytes = made.buffer.bytes().get(place.clone()).unwrap_or_default();
            self.temp.write_at(made.at + place.start as u64, bytes, self.path)?;
        }
        Ok(())
    }

    /// Waits until the chunks of a window are here, if they still arrive. Readers from before do not know all
    /// of them, and keep the index from using its space again.
    fn wait_for(&self, window: &[Stretch], chunks: &[ChunkEntry]) -> Result<(), PlaceError> {
        let (Some(arriving), [first, .., last] | [first @ last]) = (self.arriving, window) else {
            return Ok(());
        };
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let chunks = chunks.get(first.chunks.start..last.chunks.end).unwrap_or_default();
        arriving.wait_for(chunks, self.reader, self.job)
    }

    /// Makes the bytes of a stretch; where the former version cannot be read, from the cache, and says so.
    fn make(
        &self,
        stretch: &Stretch,
        (chunks, in_place): From<'_>,
        bytes: &mut [u8],
    ) -> Result<bool, PlaceError> {
        if let (Some(from), Some((_, file))) = (stretch.former, in_place)
            && file.read_exact_at(bytes, from).is_ok()
        {
            return Ok(true);
        }
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = spare.map_or_else(self.reader, Ok)?;
        let (mut rest, mut actual) = (bytes, 0);
        for chunk in chunks.get(stretch.chunks.clone()).unwrap_or_default() {
            self.job.check()?;
            let found = if self.proving {
                reader.chunk(chunk.id)?
            } else {
                reader.unproven_chunk(chunk.id)?
            };
            let found = found.ok_or(PlaceError::Absent(chunk.id))?;
            actual += found.len() as u64;
            let (room, others) = rest.split_at_mut_checked(found.len()).unwrap_or_default();
            if room.len() == found.len() {
                room.copy_from_slice(found);
            }
            rest = others;
        }
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        if actual == stretch.len {
            return Ok(false);
        }
        Err(PlaceError::WrongSize { expected: stretch.len, actual })
    }
}

/// More than memory holds is refused when it is asked for.
fn in_memory(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Says where the bytes of a file come from, in order.
pub(super) fn stretches(chunks: &[ChunkEntry], former: Option<&Former>) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    let (mut at, mut expected) = (0, 0);
    for (number, chunk) in chunks.iter().enumerate() {
        let found = former.and_then(|former| {
            let found = former.find(chunk, expected)?;
            Some((found, former.get(found)?.0))
        });
        if let Some((found, _)) = found {
            expected = found + 1;
        }
        let place = found.map(|(_, place)| place);
        if let Some(last) = out.last_mut().filter(|last| last.goes_on(chunk.size, place)) {
            last.len += chunk.size;
            last.chunks.end = number + 1;
        } else {
            out.push(Stretch { at, len: chunk.size, chunks: number..number + 1, former: place });
        }
        at += chunk.size;
    }
    out
}

impl Stretch {
    /// Says whether the former version has it in the very place.
    fn stays(&self) -> bool {
        self.former == Some(self.at)
    }

    /// Says whether a chunk of so many bytes at this place of the former version belongs to it.
    fn goes_on(&self, size: u64, place: Option<u64>) -> bool {
        self.len + size <= STRETCH && self.former.map(|from| from + self.len) == place
    }
}

/// Groups stretches into windows.
fn windows(stretches: &[Stretch]) -> impl Iterator<Item = &[Stretch]> {
    let mut bytes = 0;
    stretches.chunk_by(move |_, next| {
        bytes += next.len;
        let fits = bytes < WINDOW;
        if !fits {
            bytes = 0;
        }
        fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::ChunkId;

    fn chunk(number: u8, size: u64) -> ChunkEntry {
        ChunkEntry { id: ChunkId([number; 32]), size }
    }

    fn shape(stretches: &[Stretch]) -> Vec<(u64, u64, Range<usize>, Option<u64>)> {
        stretches.iter().map(|s| (s.at, s.len, s.chunks.clone(), s.former)).collect()
    }

    #[test]
    fn runs_that_the_former_version_has_are_taken_together() {
        let former = Former::new(vec![chunk(1, 10), chunk(2, 20), chunk(3, 30), chunk(4, 40)]);
        let new =
            [chunk(1, 10), chunk(2, 20), chunk(9, 5), chunk(8, 6), chunk(3, 30), chunk(4, 40)];
        let expected = [(0, 30, 0..2, Some(0)), (30, 11, 2..4, None), (41, 70, 4..6, Some(30))];
        assert_eq!(shape(&stretches(&new, Some(&former))), expected);
        assert_eq!(shape(&stretches(&new, None)), [(0, 111, 0..6, None)]);
    }

    #[test]
    fn what_moved_is_no_run_with_what_stayed() {
        let former = Former::new(vec![chunk(1, 10), chunk(2, 10), chunk(3, 10)]);
        let new = [chunk(3, 10), chunk(1, 10), chunk(2, 10)];
        let expected = [(0, 10, 0..1, Some(20)), (10, 20, 1..3, Some(0))];
        assert_eq!(shape(&stretches(&new, Some(&former))), expected);
    }

    #[test]
    fn neither_stretches_nor_windows_grow_beyond_their_bounds() {
        let chunks: Vec<ChunkEntry> = (0..1000).map(|_| chunk(0, 65_536)).collect();
        let all = stretches(&chunks, None);
        assert!(all.iter().all(|s| s.len <= STRETCH));
        let sizes: Vec<u64> =
            windows(&all).map(|window| window.iter().map(|s| s.len).sum()).collect();
        assert_eq!(sizes.iter().sum::<u64>(), 65_536_000);
        assert!(sizes.iter().all(|size| *size <= WINDOW + STRETCH), "{sizes:?}");
        assert!(sizes.len() < 12, "{sizes:?}");
    }
}
