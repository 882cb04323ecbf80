//! The packets of the protocol (draft-ietf-secsh-filexfer-02): a length, a type, an id, fields.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes that one request reads or writes; every server takes as many.
pub(super) const PIECE: u32 = 32 << 10;

/// Longest packet that is taken, in bytes: what servers send is a piece, or some names.
const MAX_PACKET: u32 = 256 << 10;

/// Flags for opening files.
pub(super) const READ: u32 = 0x01;
pub(super) const WRITE_NEW: u32 = 0x02 | 0x08 | 0x20;

const SIZE: u32 = 0x01;
const OWNER: u32 = 0x02;
const PERMISSIONS: u32 = 0x04;
const TIMES: u32 = 0x08;
const EXTENDED: u32 = 0x8000_0000;

/// What is asked; the number is the type of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Verb {
    Open = 3,
    Close = 4,
    Read = 5,
    Write = 6,
    Stat = 17,
    OpenFolder = 11,
    ReadFolder = 12,
    Remove = 13,
    MakeFolder = 14,
    Extended = 200,
}

/// A request without its id, which the line gives it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) fields: Vec<u8>,
}

impl Request {
    pub(super) fn new(verb: Verb) -> Self {
        Self { verb, fields: Vec::new() }
    }

    pub(super) fn number(mut self, value: u32) -> Self {
        self.fields.extend(value.to_be_bytes());
        self
    }

    pub(super) fn long(mut self, value: u64) -> Self {
        self.fields.extend(value.to_be_bytes());
        self
    }

    pub(super) fn text(self, bytes: &[u8]) -> Self {
        let mut with = self.number(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        with.fields.extend_from_slice(bytes);
        with
    }
}

/// What a server says of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) size: u64,
    /// Seconds since 1970; 0 if it does not say.
    modified: u32,
    mode: u32,
}

impl Facts {
    pub(super) fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    pub(super) fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Says whether it was changed before a time in ms since 1970; not if the server does not say.
    pub(super) fn is_before(&self, time_ms: u64) -> bool {
        self.modified != 0 && u64::from(self.modified) * 1000 < time_ms
    }

    pub(super) fn modified(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.modified.into())
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A code, 0 for success, and what the server says of it.
    Status(u32, String),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, Facts)>),
    Facts(Facts),
}

/// Reads the length of a packet; nothing if it cannot be one.
pub(super) fn length(bytes: [u8; 4]) -> Option<usize> {
    let length = u32::from_be_bytes(bytes);
    (1..=MAX_PACKET).contains(&length).then_some(length as usize)
}

/// Reads a packet behind its length; returns the id of the request that it answers.
pub(super) fn parse(packet: &[u8]) -> Option<(u32, Answer)> {
    let (kind, rest) = packet.split_first()?;
    let mut fields = Fields(rest);
    let id = fields.number()?;
    let answer = match kind {
        101 => {
            let code = fields.number()?;
            let text = fields.text().unwrap_or_default();
            Answer::Status(code, String::from_utf8_lossy(text).into_owned())
        }
        102 => Answer::Handle(fields.text()?.to_vec()),
        103 => Answer::Data(fields.text()?.to_vec()),
        104 => {
            let mut names = Vec::new();
            for _ in 0..fields.number()? {
                let name = fields.text()?.to_vec();
                fields.text()?;
                names.push((name, fields.facts()?));
            }
            Answer::Names(names)
        }
        105 => Answer::Facts(fields.facts()?),
        _ => return None,
    };
    Some((id, answer))
}

/// Reads the greeting: the version, and what the server offers besides.
pub(super) fn greeting(packet: &[u8]) -> Option<(u32, Vec<String>)> {
    let mut fields = Fields(packet.strip_prefix(&[2])?);
    let version = fields.number()?;
    let mut offers = Vec::new();
    while !fields.0.is_empty() {
        offers.push(String::from_utf8_lossy(fields.text()?).into_owned());
        fields.text()?;
    }
    Some((version, offers))
}

struct Fields<'p>(&'p [u8]);

impl<'p> Fields<'p> {
    fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    fn text(&mut self) -> Option<&'p [u8]> {
        let length = self.number()? as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn facts(&mut self) -> Option<Facts> {
        let flags = self.number()?;
        let mut facts = Facts::default();
        if flags & SIZE != 0 {
            facts.size = (u64::from(self.number()?) << 32) | u64::from(self.number()?);
        }
        if flags & OWNER != 0 {
            self.number()?;
            self.number()?;
        }
        if flags & PERMISSIONS != 0 {
            facts.mode = self.number()?;
        }
        if flags & TIMES != 0 {
            self.number()?;
            facts.modified = self.number()?;
        }
        if flags & EXTENDED != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Some(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_field_by_field() {
        let status = b"\x65\0\0\0\x07\0\0\0\x02\0\0\0\x04None\0\0\0\0";
        assert_eq!(parse(status), Some((7, Answer::Status(2, "None".into()))));
        assert_eq!(parse(b"\x67\0\0\0\x01\0\0\0\x02ab"), Some((1, Answer::Data(b"ab".to_vec()))));
        let mut names = b"\x68\0\0\0\x01\0\0\0\x01\0\0\0\x01x\0\0\0\x01-".to_vec();
        names.extend(b"\0\0\0\x0d\0\0\0\0\0\0\0\x05\0\0\x81\xa4\0\0\0\x01\0\0\0\x09");
        let Some((1, Answer::Names(found))) = parse(&names) else { panic!("is a list") };
        let facts = found[0].1;
        assert!(facts.is_file() && !facts.is_folder() && facts.size == 5 && facts.modified == 9);
        let hello = b"\x02\0\0\0\x03\0\0\0\x01a\0\0\0\x011";
        assert_eq!(greeting(hello), Some((3, vec!["a".to_owned()])));
    }

    #[test]
    fn whatever_a_server_sends_ends_in_an_answer_or_in_none() {
        let mut names = b"\x68\0\0\0\x01\xff\xff\xff\xff\0\0\0\x01x\0\0\0\x01-\0\0\0\0".to_vec();
        for cut in (0..names.len()).rev() {
            assert_eq!(parse(&names), None);
            names.truncate(cut);
        }
        assert_eq!(parse(b"\x67\0\0\0\x01\xff\xff\xff\xffab"), None);
        assert_eq!((length([0; 4]), length([0xff; 4])), (None, None));
        assert_eq!(length([0, 0, 1, 0]), Some(256));
    }
}
