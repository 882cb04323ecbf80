//! Memory of frames that were written, for the next ones: fresh memory costs a page fault for every
//! 4 KiB, and comes from another thread than the one that gives it back.

use std::sync::{Mutex, PoisonError};

/// Bytes of buffers kept.
const KEPT: usize = 32 << 20;

#[derive(Debug, Default)]
pub(super) struct Spares {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

impl Spares {
    /// Takes buffers that nobody needs any more; what is too much is freed.
    pub(super) fn give(&self, buffers: impl IntoIterator<Item = Vec<u8>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for buffer in buffers {
            if kept.bytes + buffer.capacity() <= KEPT {
                kept.bytes += buffer.capacity();
                kept.buffers.push(buffer);
            }
        }
    }

    /// Returns up to `count` buffers.
    pub(super) fn take(&self, count: usize) -> Vec<Vec<u8>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let from = kept.buffers.len().saturating_sub(count);
        let taken = kept.buffers.split_off(from);
        kept.bytes -= taken.iter().map(Vec::capacity).sum::<usize>();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_and_too_many_are_freed() {
        let spares = Spares::default();
        let buffer = || Vec::with_capacity(1 << 20);
        spares.give(std::iter::repeat_with(buffer).take(40));
        assert_eq!(spares.take(10).len(), 10);
        assert_eq!(spares.take(100).len(), 22);
        assert!(spares.take(1).is_empty());
        spares.give(std::iter::repeat_with(buffer).take(40));
        assert_eq!(spares.take(100).len(), 32);
    }
}
