//! Writing a growing file to the disk while it still grows, so that its last sync finds little left.

use std::fs::File;
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;

use crate::fs::planted;

/// Bytes after which the disk is told; a multiple of every block size.
const STEP: u64 = 2 << 20;

/// Has the disk begin with each 2 MiB that were written to a file, one behind the other, and waits for
/// nothing.
///
/// Nothing can be taken as durable because of this: the last sync remains, and tells of every error.
/// By `posix_fadvise`, whose `DONTNEED` begins to write on Linux what waits to be written. What was on the
/// disk already leaves memory for it, which is little: it was written a moment ago. A sync in the
/// background serves as well, but each of them waits for the journal and empties the cache of the disk.
/// Elsewhere than on Linux it does nothing.
#[derive(Debug, Default)]
pub(super) struct WriteAhead {
    told: u64,
    written: u64,
}

impl WriteAhead {
    /// Takes note that `bytes` more were written to `file`.
    pub(super) fn wrote(&mut self, file: &File, bytes: u64) {
        self.written += bytes;
        let waiting = self.written - self.told;
        if waiting >= STEP {
            begin(file, self.told, waiting);
            self.told = self.written;
        }
    }
}

/// Has the disk begin with `len` bytes from `at` on, as [`WriteAhead`] does.
pub(super) fn begin(file: &File, at: u64, len: u64) {
    // None would mean all that follows.
    if len == 0 || planted::is("no-fsync") {
        return;
    }
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(file, at, NonZeroU64::new(len), rustix::fs::Advice::DontNeed)
        .unwrap_or_default();
    #[cfg(not(target_os = "linux"))]
    let _ = (file, at, len);
}
