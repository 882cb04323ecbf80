//! Writing large pieces of packs while those that came next are checked.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{JoinHandle, spawn};

use bytes::Bytes;

use crate::fs::{FsError, SparseFile};

/// Pieces from so many bytes on are worth a thread.
const LARGE: usize = 1 << 20;
/// Pieces that may wait while one is written.
const WAITING: usize = 1;

/// Bytes, and where in which file they belong.
type Piece = (Arc<SparseFile>, u64, Bytes);

/// The thread that writes, and what became of it.
type Written = JoinHandle<Result<(), FsError>>;

/// Writes pieces on a thread of its own; what was given is written once [`Self::flush`] says so.
#[derive(Default)]
pub(super) struct Behind {
    thread: Option<(SyncSender<Piece>, Written)>,
}

impl Behind {
    /// Takes a piece, and writes a small one at once. Fails with what went wrong with one before, too.
    pub(super) fn write(
        &mut self,
        file: &Arc<SparseFile>,
        offset: u64,
        bytes: Bytes,
    ) -> Result<(), FsError> {
        if bytes.len() < LARGE {
            return file.write_at(offset, &bytes);
        }
        let (give, _) = self.thread.get_or_insert_with(|| {
            let (give, pieces) = sync_channel::<Piece>(WAITING);
            let mut pieces = pieces.into_iter();
            let work =
                move || pieces.try_for_each(|(file, offset, bytes)| file.write_at(offset, &bytes));
            (give, spawn(work))
        });
        if give.send((Arc::clone(file), offset, bytes)).is_ok() {
            return Ok(());
        }
        self.flush()
    }

    /// Waits until all is written.
    pub(super) fn flush(&mut self) -> Result<(), FsError> {
        let Some((give, thread)) = self.thread.take() else { return Ok(()) };
        drop(give);
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // Who did not ask has no use for it.
        if let Some((give, thread)) = self.thread.take() {
            drop(give);
            drop(thread.join());
        }
    }
}
