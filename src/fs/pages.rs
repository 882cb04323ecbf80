//! Reading and writing what files hold through memory that is filled fast.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Bytes of a page of memory.
const PAGE: usize = 4096;

/// Bytes that the system is given to write at a time. Of more it makes large pieces of its own memory, which it
/// takes from where none is in use. A virtual machine has mostly given that back to its host, and gets it again
/// slowly: 2 GiB took 0.6 s by 1 MiB, 0.7 by 512 KiB, and 1.1 to 5.4 s by 4 and 8 MiB.
const WRITTEN: usize = 512 << 10;

/// Memory for what is read, to be used again and again.
///
/// What is read begins where a page does. The system copies from whole pages, and some processors copy several
/// times as slowly to a place a few bytes behind the beginning of a page, which is where large buffers of the C
/// library begin: 2.5 in place of 12 GB/s were measured.
#[derive(Debug, Default)]
pub struct PageBuffer {
    memory: Vec<u8>,
    used: Range<usize>,
}

impl PageBuffer {
    /// Makes room for `before` bytes and, from where a page begins, `len` more. They hold anything.
    pub fn room(&mut self, before: usize, len: usize) -> &mut [u8] {
        let most = before.saturating_add(len).saturating_add(PAGE);
        if self.memory.len() < most {
            // Nobody needs a copy of what was there.
            self.memory = Vec::new();
            self.memory.resize(most, 0);
        }
        let from = self.memory.as_ptr().wrapping_add(before).align_offset(PAGE).min(PAGE);
        self.used = from..from + before + len;
        self.memory.get_mut(self.used.clone()).unwrap_or_default()
    }

    /// Returns how much memory it takes, in bytes.
    pub fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// Returns the bytes that room was made for.
    pub fn bytes(&self) -> &[u8] {
        self.memory.get(self.used.clone()).unwrap_or_default()
    }

    /// Drops what lies behind so many bytes.
    pub fn truncate(&mut self, len: usize) {
        self.used.end = self.used.end.min(self.used.start.saturating_add(len));
    }
}

/// Fills `bytes` with what a file has from `at` on; returns how many there are, fewer only where it ends.
pub fn read_up_to(file: &File, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Writes all bytes to a place of a file, some at a time.
pub(super) fn write_all_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    let mut at = at;
    for piece in bytes.chunks(WRITTEN) {
        file.write_all_at(piece, at)?;
        at += piece.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_read_begins_where_a_page_does() {
        let mut buffer = PageBuffer::default();
        for (before, len) in [(0, 1), (0, 4096), (1, 100_000), (4095, 3), (4096, 4096), (5, 9)] {
            let room = buffer.room(before, len);
            assert_eq!(room.len(), before + len);
            assert_eq!(room[before..].as_ptr().align_offset(PAGE), 0, "{before} {len}");
            room.fill(u8::try_from(len % 251).unwrap());
            assert!(buffer.bytes().iter().all(|byte| usize::from(*byte) == len % 251));
            buffer.truncate(3);
            assert_eq!(buffer.bytes().len(), (before + len).min(3));
        }
    }

    #[test]
    fn what_is_written_in_pieces_lies_where_it_belongs() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..2 * WRITTEN + 3).map(|i| u8::try_from(i % 251).unwrap()).collect();
        write_all_at(&file, 5, &bytes).unwrap();
        write_all_at(&file, 1, &[]).unwrap();
        let mut all = vec![1; bytes.len() + 9];
        assert_eq!(read_up_to(&file, 0, &mut all).unwrap(), bytes.len() + 5);
        assert!(all[..5] == [0; 5] && all[5..5 + bytes.len()] == bytes);
    }

    #[test]
    fn a_file_is_read_up_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut bytes = [b'-'; 4];
        for (at, expected) in [(0, "0123"), (6, "6789"), (8, "89"), (10, ""), (99, "")] {
            let count = read_up_to(&file, at, &mut bytes).unwrap();
            assert_eq!(&bytes[..count], expected.as_bytes());
        }
        assert_eq!(read_up_to(&file, 0, &mut []).unwrap(), 0);
    }
}
