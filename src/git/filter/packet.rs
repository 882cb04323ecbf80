//! Pkt-lines: four digits of length, then bytes; `0000` ends a list.

use std::io::{self, Read, Write};

use crate::hint::Hint;

/// The longest pkt-line, its four digits included.
const LONGEST: usize = 65_520;
/// The digits of a length.
const DIGITS: usize = 4;
/// The most bytes that one pkt-line carries.
pub(super) const CAPACITY: usize = LONGEST - DIGITS;

/// Why Git and haul do not understand each other.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The pipe broke.
    #[error("could not talk to Git")]
    Io(#[source] io::Error),
    /// The other side does not keep to the protocol.
    #[error("what came is no message of Git to a filter: {0}")]
    Protocol(&'static str),
}

impl Hint for ChannelError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(_) => Some("run the Git command again".to_owned()),
            Self::Protocol(_) => {
                Some("do not run `haul filter-process` by hand: Git does".to_owned())
            }
        }
    }
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// Bytes, which are in the buffer now.
    Bytes,
    /// The end of a list.
    Flush,
    /// Nothing more will come.
    End,
}

/// Reads one pkt-line into `buffer`, of which at most [`CAPACITY`] bytes are used.
pub(super) fn read(source: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Packet, ChannelError> {
    buffer.clear();
    let mut digits = [0; DIGITS];
    if !fill(source, &mut digits)? {
        return Ok(Packet::End);
    }
    let len = length(digits).ok_or(ChannelError::Protocol("its length is not four digits"))?;
    match len {
        0 => Ok(Packet::Flush),
        // Other signs of Git's, which a filter is never sent.
        1..DIGITS => Err(ChannelError::Protocol("its length is less than that of its digits")),
        DIGITS..=LONGEST => {
            buffer.resize(len - DIGITS, 0);
            if fill(source, buffer)? {
                return Ok(Packet::Bytes);
            }
            Err(ChannelError::Protocol("it ends in the middle"))
        }
        _ => Err(ChannelError::Protocol("it is longer than 65520 bytes")),
    }
}

/// Fills all of `bytes`; false if the source had ended already.
fn fill(source: &mut impl Read, bytes: &mut [u8]) -> Result<bool, ChannelError> {
    let mut have = 0;
    while let Some(rest) = bytes.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) if have == 0 => return Ok(false),
            Ok(0) => return Err(ChannelError::Protocol("it ends in the middle")),
            Ok(more) => have += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(ChannelError::Io(e)),
        }
    }
    Ok(true)
}

/// Reads four hexadecimal digits, and nothing that merely counts as a number, such as a sign.
fn length(digits: [u8; DIGITS]) -> Option<usize> {
    let mut len = 0;
    for digit in digits {
        let value = char::from(digit).to_digit(16)?;
        len = len * 16 + usize::try_from(value).ok()?;
    }
    Some(len)
}

/// Writes bytes as one pkt-line after the other, none of them empty.
pub(super) fn write(target: &mut impl Write, bytes: &[u8]) -> Result<(), ChannelError> {
    for part in bytes.chunks(CAPACITY) {
        let written =
            write!(target, "{:04x}", part.len() + DIGITS).and_then(|()| target.write_all(part));
        written.map_err(ChannelError::Io)?;
    }
    Ok(())
}

/// Ends a list.
pub(super) fn flush(target: &mut impl Write) -> Result<(), ChannelError> {
    target.write_all(b"0000").and_then(|()| target.flush()).map_err(ChannelError::Io)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut bytes: &[u8]) -> Result<Vec<Option<Vec<u8>>>, ChannelError> {
        let (mut out, mut buffer) = (Vec::new(), Vec::new());
        loop {
            match read(&mut bytes, &mut buffer)? {
                Packet::Bytes => out.push(Some(buffer.clone())),
                Packet::Flush => out.push(None),
                Packet::End => return Ok(out),
            }
        }
    }

    #[test]
    fn lengths_that_git_never_sends_are_refused_before_memory_is_taken() {
        let wrong = ["0001", "0002", "0003", "fff1", "ffff", "+005a", "-001", " 005a", "00_5a"];
        for text in wrong.into_iter().chain(["0", "000", "0005", "0009abc", "zzzz"]) {
            assert!(all(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(all(b"0004").unwrap(), [Some(Vec::new())]);
        let longest = [b"fff0".as_slice(), &vec![7; CAPACITY]].concat();
        assert_eq!(all(&longest).unwrap(), [Some(vec![7; CAPACITY])]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_within_bounds(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = Vec::new();
            let mut rest = bytes.as_slice();
            while let Ok(Packet::Bytes | Packet::Flush) = read(&mut rest, &mut buffer) {
                prop_assert!(buffer.len() <= CAPACITY);
            }
        }

        #[test]
        fn hostile_lengths_never_make_more_of_less(len in 0_u32..=0xffff, more in 0_usize..64) {
            let bytes = [format!("{len:04x}").into_bytes(), vec![1; more]].concat();
            let mut buffer = Vec::new();
            let read = read(&mut bytes.as_slice(), &mut buffer);
            let fits = len >= 4 && len as usize - 4 <= more;
            match read {
                Ok(Packet::Bytes) => prop_assert!(fits && buffer.len() == len as usize - 4),
                Ok(Packet::Flush) => prop_assert_eq!(len, 0),
                Ok(Packet::End) => prop_assert!(false, "there was something"),
                Err(_) => prop_assert!(len > 0 && !fits),
            }
        }

        #[test]
        fn what_is_written_is_read_again(bytes in prop::collection::vec(any::<u8>(), 0..200_000)) {
            let mut text = Vec::new();
            write(&mut text, &bytes).unwrap();
            flush(&mut text).unwrap();
            let read = all(&text).unwrap();
            prop_assert_eq!(read.last(), Some(&None));
            prop_assert_eq!(read.into_iter().flatten().flatten().collect::<Vec<u8>>(), bytes);
        }
    }
}
