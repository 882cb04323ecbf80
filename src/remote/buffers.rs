//! Memory for the large pieces of a wave, used again and again.
//!
//! Fresh memory for each piece would cost the system as much as the copy of its bytes, and the
//! allocator keeps some of it for each thread that ever asked.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Buffers that wait to be used again; more are let go.
const SPARES: usize = 8;

/// The buffers of one wave; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    spares: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// Lends a buffer of at least `length` bytes, with whatever was in it before.
    pub(super) fn take(&self, length: usize) -> Loan {
        let spare = self.spares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = spare.unwrap_or_default();
        if bytes.len() < length {
            bytes.resize(length, 0);
        }
        Loan { bytes, length, home: self.clone() }
    }
}

/// A buffer that goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Loan {
    bytes: Vec<u8>,
    length: usize,
    home: Buffers,
}

impl Loan {
    /// Returns the bytes that were asked for.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }

    /// Hands out the first `filled` bytes; the buffer goes back once nobody uses them.
    pub(super) fn filled(mut self, filled: usize) -> Bytes {
        self.length = filled.min(self.length);
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut spares = self.home.spares.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARES {
            spares.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Reads until the buffer is full or the reader ends; returns how much came.
pub(super) fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_the_last_clone_of_its_bytes_is_gone() {
        let buffers = Buffers::default();
        let mut loan = buffers.take(100);
        loan.bytes_mut().fill(7);
        let start = loan.as_ref().as_ptr();
        let bytes = loan.filled(50);
        let clone = bytes.clone();
        drop(bytes);
        assert_ne!(buffers.take(10).as_ref().as_ptr(), start);
        assert_eq!(clone[..], [7; 50]);
        drop(clone);
        assert_eq!(buffers.take(10).as_ref().as_ptr(), start);
    }

    #[test]
    fn what_was_in_a_buffer_is_never_handed_out_beyond_what_was_filled() {
        let buffers = Buffers::default();
        drop(buffers.take(100).filled(100));
        assert_eq!(buffers.take(20).filled(30).len(), 20);
    }
}
