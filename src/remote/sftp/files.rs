//! What storage needs of files, as requests of the protocol.

use std::io;
use std::ops::Range;

use super::line::Line;
use super::packet::{Answer, Facts, PIECE, READ, Request, Verb, WRITE_NEW};
use crate::remote::io::MAX_LISTED;
use crate::remote::leftover::OwnKeys;

const POSIX_RENAME: &str = "posix-rename@openssh.com";
const HARD_LINK: &str = "hardlink@openssh.com";
const SYNC: &str = "fsync@openssh.com";

/// Most folders that are read at the same time.
const FOLDERS: usize = 64;

/// Longest name that is looked at, in bytes: no part of a key is longer.
const LONGEST: usize = 256;

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection is of no use any more.
    Line(io::Error),
    /// The server says so: a code of the protocol, and words.
    Status(u32, String),
    /// The folder of all of it is not there.
    Gone(&'static str),
    /// A listing goes on for longer than one of ours can.
    TooMany,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Line(error)
    }
}

impl Fault {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Status(2, _))
    }

    fn strange() -> Self {
        Self::Line(io::Error::other("its answer is none to what was asked"))
    }

    fn unsupported(name: &str) -> Self {
        Self::Status(8, format!("the server does not have `{name}`"))
    }
}

pub(super) type Done<T> = Result<T, Fault>;

/// A file or folder that a listing found.
pub(super) type Found = (String, Facts);

/// What of all that lies below a folder is looked at.
#[derive(Clone, Copy)]
pub(super) struct Below {
    /// How deep folders are entered.
    pub(super) depth: usize,
    /// Says whether a file of this name is looked for.
    pub(super) is_wanted: fn(&str) -> bool,
}

impl Below {
    /// What is written: a `#` is in the name of what is not yet.
    pub(super) const WHOLE: Self = Self { depth: 8, is_wanted: |name| !name.contains('#') };
}

/// What stands in one folder.
type Entries = Vec<(Vec<u8>, Facts)>;

fn settled(answer: Answer) -> Done<()> {
    match answer {
        Answer::Status(0, _) => Ok(()),
        Answer::Status(code, text) => Err(Fault::Status(code, text)),
        Answer::Handle(_) | Answer::Data(_) | Answer::Names(_) | Answer::Facts(_) => {
            Err(Fault::strange())
        }
    }
}

/// Says why an answer is not what was asked for.
fn other_than_asked(answer: Answer) -> Fault {
    settled(answer).err().unwrap_or_else(Fault::strange)
}

fn handle(answer: Answer) -> Done<Vec<u8>> {
    if let Answer::Handle(handle) = answer { Ok(handle) } else { Err(other_than_asked(answer)) }
}

fn open(path: &str, flags: u32) -> Request {
    Request::new(Verb::Open).text(path.as_bytes()).number(flags).number(0)
}

fn with(verb: Verb, handle: &[u8]) -> Request {
    Request::new(verb).text(handle)
}

fn close(handle: &[u8]) -> Request {
    with(Verb::Close, handle)
}

/// Says whether a name in a folder can be that of a key, or of what is not yet one.
fn can_be_own(name: &[u8]) -> bool {
    name.len() <= LONGEST && !matches!(name, b"." | b"..") && !name.contains(&b'/')
}

impl Line {
    pub(super) fn facts(&mut self, path: &str) -> Done<Facts> {
        let answer = self.ask_one(Request::new(Verb::Stat).text(path.as_bytes()))?;
        if let Answer::Facts(facts) = answer { Ok(facts) } else { Err(other_than_asked(answer)) }
    }

    /// Reads a range of a file; what lies behind its end is not there.
    pub(super) fn read(&mut self, path: &str, range: Range<u64>) -> Done<Vec<u8>> {
        let handle = handle(self.ask_one(open(path, READ))?)?;
        let read = self.read_all(&handle, range);
        settled(self.ask_one(close(&handle))?)?;
        read
    }

    fn read_all(&mut self, handle: &[u8], range: Range<u64>) -> Done<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut at = range.start;
        // A server may give less than was asked for: then it is asked again from there.
        while at < range.end {
            let starts = (at..range.end).step_by(PIECE as usize);
            let pieces = starts.map(|start| {
                let length = u32::try_from(range.end - start).unwrap_or(PIECE).min(PIECE);
                (start, length)
            });
            let request = |(start, length)| with(Verb::Read, handle).long(start).number(length);
            let answers = self.ask(pieces.clone().map(request))?;
            for ((_, length), answer) in pieces.zip(answers) {
                match answer {
                    Answer::Data(data) if data.len() <= length as usize => {
                        at += data.len() as u64;
                        bytes.extend_from_slice(&data);
                        if data.len() < length as usize {
                            break;
                        }
                    }
                    Answer::Status(1, _) => return Ok(bytes),
                    Answer::Status(..)
                    | Answer::Handle(_)
                    | Answer::Data(_)
                    | Answer::Names(_)
                    | Answer::Facts(_) => return Err(other_than_asked(answer)),
                }
            }
        }
        Ok(bytes)
    }

    /// Writes a new file, and waits until it is on disk where the server can say so.
    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Done<()> {
        let handle = handle(self.ask_one(open(path, WRITE_NEW))?)?;
        let starts = (0u64..).step_by(PIECE as usize);
        let pieces = starts.zip(bytes.chunks(PIECE as usize));
        let request = |(at, piece): (u64, &[u8])| with(Verb::Write, &handle).long(at).text(piece);
        let written = self.ask(pieces.map(request))?;
        let synced = if self.offers(SYNC) {
            let request = Request::new(Verb::Extended).text(SYNC.as_bytes()).text(&handle);
            settled(self.ask_one(request)?)
        } else {
            Ok(())
        };
        settled(self.ask_one(close(&handle))?)?;
        written.into_iter().try_for_each(settled)?;
        synced
    }

    /// Gives a file a name, in place of what has it.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Done<()> {
        self.extended(POSIX_RENAME, from, to)
    }

    /// Gives a file one more name, which nothing must have yet.
    pub(super) fn link(&mut self, from: &str, to: &str) -> Done<()> {
        self.extended(HARD_LINK, from, to)
    }

    fn extended(&mut self, name: &str, from: &str, to: &str) -> Done<()> {
        if !self.offers(name) {
            return Err(Fault::unsupported(name));
        }
        let request = Request::new(Verb::Extended).text(name.as_bytes());
        settled(self.ask_one(request.text(from.as_bytes()).text(to.as_bytes()))?)
    }

    pub(super) fn remove(&mut self, path: &str) -> Done<()> {
        settled(self.ask_one(Request::new(Verb::Remove).text(path.as_bytes()))?)
    }

    /// Makes a folder and those between it and `top`, which has to be there; without one, all above
    /// it. What is there is fine.
    pub(super) fn make_folders(&mut self, top: &str, path: &str) -> Done<()> {
        if !top.is_empty() {
            self.facts(top)?;
        }
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let below = ends.filter(|end| *end > top.len());
        let folders = below.filter_map(|end| path.get(..end));
        let make = |folder: &str| Request::new(Verb::MakeFolder).text(folder.as_bytes()).number(0);
        // Those that are there fail, and servers do not say why: what counts is the last one.
        self.ask(folders.map(make))?;
        match self.facts(path) {
            Ok(facts) if facts.is_folder() => Ok(()),
            Err(fault) if !fault.is_absent() => Err(fault),
            Ok(_) | Err(_) => Err(Fault::Status(4, format!("no folder can be made at `{path}`"))),
        }
    }

    /// Lists what is looked for below a folder, each by its path below it; none if there is no folder.
    pub(super) fn list(&mut self, top: &str, most: usize, below: Below) -> Done<Vec<Found>> {
        let (mut files, mut left) = (Vec::new(), most);
        let mut folders = vec![String::new()];
        while !folders.is_empty() {
            let now = folders.split_off(folders.len().saturating_sub(FOLDERS));
            for (folder, found) in self.entries(top, now, &mut left)? {
                for (name, facts) in found {
                    let Ok(name) = String::from_utf8(name) else { continue };
                    let path =
                        if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                    let depth = path.matches('/').count();
                    if facts.is_folder() && !name.contains('#') && depth < below.depth {
                        folders.push(path);
                    } else if facts.is_file() && (below.is_wanted)(&name) {
                        files.push((path, facts));
                    }
                }
            }
        }
        Ok(files)
    }

    /// Lists files of unfinished writes in a folder of keys, each by its path below the top of them all.
    pub(super) fn leftovers(&mut self, top: &str, folder: &str, keys: OwnKeys) -> Done<Vec<Found>> {
        let below = Below { depth: OwnKeys::depth(folder), is_wanted: |name| name.contains('#') };
        let whole = |path: &str| match folder {
            "" => path.to_owned(),
            folder => format!("{folder}/{path}"),
        };
        let found =
            self.list(format!("{top}/{folder}").trim_end_matches('/'), MAX_LISTED, below)?;
        let found = found.into_iter().map(|(path, facts)| (whole(&path), facts));
        Ok(found.filter(|(path, _)| keys.is_leftover(path)).collect())
    }

    /// Reads some folders at the same time, and no more of them than is left of a limit: a server may go
    /// on for ever.
    fn entries(
        &mut self,
        top: &str,
        folders: Vec<String>,
        left: &mut usize,
    ) -> Done<Vec<(String, Entries)>> {
        let whole = |folder: &String| match folder.as_str() {
            "" => top.to_owned(),
            folder => format!("{top}/{folder}"),
        };
        let opening: Vec<Request> = folders
            .iter()
            .map(|folder| Request::new(Verb::OpenFolder).text(whole(folder).as_bytes()))
            .collect();
        let mut open = Vec::new();
        let mut out = Vec::new();
        for (folder, answer) in folders.into_iter().zip(self.ask(opening)?) {
            match handle(answer) {
                Ok(handle) => {
                    open.push((out.len(), handle));
                    out.push((folder, Vec::new()));
                }
                // It was never made, or went meanwhile.
                Err(fault) if fault.is_absent() => {}
                Err(fault) => return Err(fault),
            }
        }
        let handles: Vec<Vec<u8>> = open.iter().map(|(_, handle)| handle.clone()).collect();
        while !open.is_empty() {
            let reading: Vec<Request> =
                open.iter().map(|(_, handle)| with(Verb::ReadFolder, handle)).collect();
            let answers = self.ask(reading)?;
            let mut more = Vec::new();
            for ((number, handle), answer) in open.into_iter().zip(answers) {
                match answer {
                    Answer::Names(names) => {
                        let rest = left.checked_sub(names.len().max(1));
                        *left = rest.ok_or(Fault::TooMany)?;
                        if let Some((_, found)) = out.get_mut(number) {
                            found.extend(names.into_iter().filter(|(name, _)| can_be_own(name)));
                        }
                        more.push((number, handle));
                    }
                    Answer::Status(1, _) => {}
                    Answer::Status(..) | Answer::Handle(_) | Answer::Data(_) | Answer::Facts(_) => {
                        return Err(other_than_asked(answer));
                    }
                }
            }
            open = more;
        }
        self.ask(handles.iter().map(|handle| close(handle)))?;
        Ok(out)
    }
}
