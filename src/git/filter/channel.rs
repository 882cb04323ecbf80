//! Requests of Git and answers to them, in the order that both sides keep to.

use std::io::{self, Read, Write};

use super::packet::{self, ChannelError, Packet};

/// Lines of one list; Git sends half a dozen.
const MAX_LINES: usize = 64;

/// What Git wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What it is to store in place of a file's bytes, which follow.
    Clean,
    /// What a file is to hold for the bytes that it stored, which follow.
    Smudge {
        /// Whether the answer may be that it comes later.
        can_delay: bool,
    },
    /// Which of the delayed files are ready; nothing follows.
    Available,
}

/// A request. What follows it has to be read to its end before it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is wanted.
    pub wish: Wish,
    /// Path from the root of the worktree, raw bytes.
    pub path: Vec<u8>,
}

/// What an answer begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Bytes follow.
    Success,
    /// They come when Git asks what is ready.
    Delayed,
    /// It cannot be done for this file.
    Error,
}

/// The two pipes between Git and a filter.
pub struct Channel<R, W> {
    input: R,
    output: W,
    buffer: Vec<u8>,
    /// How much of the buffer was handed out, of a list of bytes that is being read.
    taken: usize,
    /// Whether the list of bytes that follows a request has been read to its end.
    ended: bool,
}

impl<R: Read, W: Write> Channel<R, W> {
    /// Agrees with Git on version and abilities.
    pub fn open(input: R, output: W) -> Result<Self, ChannelError> {
        let mut new = Self { input, output, buffer: Vec::new(), taken: 0, ended: true };
        let hello = new.list()?.unwrap_or_default();
        let mut hello = hello.iter().map(Vec::as_slice);
        if hello.next() != Some(b"git-filter-client") {
            return Err(ChannelError::Protocol("it does not begin as Git does"));
        }
        if !hello.any(|line| line == b"version=2") {
            return Err(ChannelError::Protocol("it speaks another version than 2"));
        }
        new.say(&["git-filter-server", "version=2"])?;
        let offered = new.list()?.unwrap_or_default();
        let known = ["capability=clean", "capability=smudge", "capability=delay"];
        let both =
            known.into_iter().filter(|own| offered.iter().any(|line| line == own.as_bytes()));
        let both: Vec<&str> = both.collect();
        new.say(&both)?;
        Ok(new)
    }

    /// Reads the next request; nothing once Git is done.
    pub fn request(&mut self) -> Result<Option<Request>, ChannelError> {
        let Some(lines) = self.list()? else { return Ok(None) };
        let value = |key: &[u8]| lines.iter().find_map(|line| line.strip_prefix(key));
        let path = value(b"pathname=").map(<[u8]>::to_vec);
        let can_delay = value(b"can-delay=") == Some(b"1");
        let wish = match value(b"command=") {
            Some(b"clean") => Wish::Clean,
            Some(b"smudge") => Wish::Smudge { can_delay },
            Some(b"list_available_blobs") => {
                return Ok(Some(Request { wish: Wish::Available, path: Vec::new() }));
            }
            _ => return Err(ChannelError::Protocol("it asks for what no filter does")),
        };
        let path = path.ok_or(ChannelError::Protocol("it names no path"))?;
        self.ended = false;
        Ok(Some(Request { wish, path }))
    }

    /// Returns the bytes that follow a request.
    pub fn content(&mut self) -> Content<'_, R, W> {
        Content { channel: self }
    }

    /// Answers with a verdict alone; what follows a request is passed over.
    pub fn answer(&mut self, verdict: Verdict) -> Result<(), ChannelError> {
        self.pass_over()?;
        let text = match verdict {
            Verdict::Success => "status=success",
            Verdict::Delayed => "status=delayed",
            Verdict::Error => "status=error",
        };
        self.say(&[text])
    }

    /// Answers with bytes. If they cannot be read to their end, Git is told that they are none.
    pub fn answer_with(&mut self, mut bytes: impl Read) -> Result<io::Result<()>, ChannelError> {
        self.answer(Verdict::Success)?;
        let mut part = vec![0; packet::CAPACITY];
        let read = loop {
            match bytes.read(&mut part) {
                Ok(0) => break Ok(()),
                Ok(len) => {
                    packet::write(&mut self.output, part.get(..len).unwrap_or_default())?;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => break Err(e),
            }
        };
        packet::flush(&mut self.output)?;
        if read.is_err() {
            packet::write(&mut self.output, b"status=error\n")?;
        }
        packet::flush(&mut self.output)?;
        Ok(read)
    }

    /// Answers with the paths that are ready.
    pub fn answer_paths(&mut self, paths: &[Vec<u8>]) -> Result<(), ChannelError> {
        for path in paths {
            packet::write(&mut self.output, &[b"pathname=", path.as_slice(), b"\n"].concat())?;
        }
        packet::flush(&mut self.output)?;
        self.say(&["status=success"])
    }

    fn say(&mut self, lines: &[&str]) -> Result<(), ChannelError> {
        for line in lines {
            packet::write(&mut self.output, format!("{line}\n").as_bytes())?;
        }
        packet::flush(&mut self.output)
    }

    /// Reads lines up to the end of their list; nothing if no list comes any more.
    fn list(&mut self) -> Result<Option<Vec<Vec<u8>>>, ChannelError> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        loop {
            match packet::read(&mut self.input, &mut self.buffer)? {
                Packet::Bytes if lines.len() < MAX_LINES => {
                    let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
                    lines.push(line.to_vec());
                }
                Packet::Bytes => return Err(ChannelError::Protocol("its list is too long")),
                Packet::Flush => return Ok(Some(lines)),
                Packet::End if lines.is_empty() => return Ok(None),
                Packet::End => return Err(ChannelError::Protocol("it ends in a list")),
            }
        }
    }

    fn pass_over(&mut self) -> Result<(), ChannelError> {
        while !self.ended {
            self.next_part()?;
        }
        Ok(())
    }

    /// Brings the next bytes that follow a request into the buffer.
    fn next_part(&mut self) -> Result<(), ChannelError> {
        self.taken = 0;
        match packet::read(&mut self.input, &mut self.buffer)? {
            Packet::Bytes => Ok(()),
            Packet::Flush => {
                self.ended = true;
                Ok(())
            }
            Packet::End => Err(ChannelError::Protocol("it ends in the bytes of a file")),
        }
    }
}

/// The bytes that follow a request, as they come.
pub struct Content<'c, R, W> {
    channel: &'c mut Channel<R, W>,
}

impl<R: Read, W: Write> Read for Content<'_, R, W> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let channel = &mut *self.channel;
        while !channel.ended && channel.taken >= channel.buffer.len() {
            channel.next_part().map_err(|e| match e {
                ChannelError::Io(e) => e,
                other @ ChannelError::Protocol(_) => io::Error::other(other),
            })?;
        }
        let mut rest = channel.buffer.get(channel.taken..).unwrap_or_default();
        let len = rest.read(out)?;
        channel.taken += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(list: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in list {
            packet::write(&mut out, format!("{line}\n").as_bytes()).unwrap();
        }
        packet::flush(&mut out).unwrap();
        out
    }

    fn hello() -> Vec<u8> {
        let offered = ["capability=clean", "capability=smudge", "capability=delay", "capability=x"];
        [lines(&["git-filter-client", "version=2"]), lines(&offered)].concat()
    }

    #[test]
    fn a_whole_talk_keeps_bytes_and_order() {
        let body = vec![9; packet::CAPACITY + 10];
        let mut git = hello();
        git.extend(lines(&["command=clean", "pathname=a b=c"]));
        packet::write(&mut git, &body).unwrap();
        packet::flush(&mut git).unwrap();
        git.extend(lines(&["command=smudge", "pathname=d", "can-delay=1"]));
        git.extend(b"0005x0000");
        git.extend(lines(&["command=list_available_blobs"]));
        let mut answers = Vec::new();
        let mut channel = Channel::open(git.as_slice(), &mut answers).unwrap();
        let request = channel.request().unwrap().unwrap();
        assert_eq!(request, Request { wish: Wish::Clean, path: b"a b=c".to_vec() });
        let mut read = Vec::new();
        channel.content().read_to_end(&mut read).unwrap();
        assert_eq!(read, body);
        channel.answer_with(b"pointer".as_slice()).unwrap().unwrap();
        let request = channel.request().unwrap().unwrap();
        assert_eq!(request.wish, Wish::Smudge { can_delay: true });
        channel.answer(Verdict::Delayed).unwrap();
        assert_eq!(channel.request().unwrap().unwrap().wish, Wish::Available);
        channel.answer_paths(&[b"d".to_vec()]).unwrap();
        assert_eq!(channel.request().unwrap(), None);
        let text = String::from_utf8(answers).unwrap();
        assert!(text.contains("capability=delay") && !text.contains("capability=x"), "{text}");
        assert!(text.contains("000bpointer00000000"), "{text}");
        assert!(text.ends_with("pathname=d\n00000013status=success\n0000"), "{text}");
    }

    #[test]
    fn what_is_not_gits_is_refused() {
        let open = |bytes: &[u8]| Channel::open(bytes, Vec::new()).is_err();
        assert!(open(b"") && open(b"hello") && open(&lines(&["git-filter-client", "version=3"])));
        let request = |list: &[&str]| {
            let bytes = [hello(), lines(list)].concat();
            Channel::open(bytes.as_slice(), Vec::new()).unwrap().request().is_err()
        };
        assert!(request(&["command=clean"]) && request(&["command=rm", "pathname=x"]));
        assert!(request(&["x=y"; 65]) && request(&[]));
    }
}
