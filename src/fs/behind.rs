//! Writing in a thread of its own: who makes the bytes does not wait for the system to take them.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;

/// Bytes gathered before a write reaches the file.
const BUFFER: usize = 1 << 20;
/// Full buffers that may wait for the writing thread.
const WAITING: usize = 2;
/// Bytes written before the disk is told to begin with them, so that it does not stand idle until
/// the end. More than a pack has, whose own end comes soon enough.
const EARLY: usize = 96 << 20;

/// A buffered writer to a file with a thread behind it; holds at most four mebibytes.
///
/// Less than a buffer's worth is written without a thread. What was written counts only after
/// [`Write::flush`], which waits for the thread and tells its error; it is not durable then.
#[derive(Debug)]
pub struct Behind {
    file: Arc<File>,
    buffer: Vec<u8>,
    thread: Option<Writing>,
}

#[derive(Debug)]
struct Writing {
    full: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Behind {
    /// Writes to `file` from where it stands, through a handle of its own.
    pub fn new(file: &File) -> io::Result<Self> {
        Ok(Self { file: Arc::new(file.try_clone()?), buffer: Vec::new(), thread: None })
    }

    fn start(&self) -> io::Result<Writing> {
        let file = Arc::clone(&self.file);
        let (full, buffers) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, spare) = channel();
        let work = move || {
            let mut early = Early::new(&file);
            for mut buffer in buffers {
                write(&file, &buffer)?;
                early.wrote(buffer.len())?;
                buffer.clear();
                // At the end nobody takes it any more.
                drop(give_back.send(buffer));
            }
            early.finish()
        };
        let thread = std::thread::Builder::new().name("haul-write".into()).spawn(work)?;
        Ok(Writing { full, spare, thread })
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let writing = match self.thread.take() {
            Some(writing) => writing,
            None => self.start()?,
        };
        let next = match writing.spare.try_recv() {
            Ok(buffer) => buffer,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Vec::with_capacity(BUFFER),
        };
        let full = std::mem::replace(&mut self.buffer, next);
        if writing.full.send(full).is_err() {
            return writing.finish();
        }
        self.thread = Some(writing);
        Ok(())
    }
}

impl Writing {
    fn finish(self) -> io::Result<()> {
        drop(self.full);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the writing thread died")))
    }
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BUFFER.saturating_sub(self.buffer.len()));
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        if self.buffer.len() >= BUFFER {
            self.hand_over()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(writing) = self.thread.take() {
            writing.finish()?;
        }
        write(&self.file, &self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// Has the disk begin while the rest is still being made.
struct Early<'f> {
    file: &'f Arc<File>,
    waiting: usize,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl<'f> Early<'f> {
    fn new(file: &'f Arc<File>) -> Self {
        Self { file, waiting: 0, thread: None }
    }

    fn wrote(&mut self, count: usize) -> io::Result<()> {
        self.waiting += count;
        let busy = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        if self.waiting < EARLY || busy {
            return Ok(());
        }
        self.join()?;
        self.waiting = 0;
        let file = Arc::clone(self.file);
        self.thread = Some(std::thread::spawn(move || file.sync_data()));
        Ok(())
    }

    /// The system tells an error of the disk once: it must not be lost here.
    fn join(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the syncing thread died")))
    }

    fn finish(mut self) -> io::Result<()> {
        self.join()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_arrive_in_order_whatever_their_number() {
        let folder = tempfile::tempdir().unwrap();
        for size in [0, 1, BUFFER - 1, BUFFER, 9 * BUFFER + 7] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            let path = folder.path().join("file");
            #[expect(clippy::disallowed_methods, reason = "a file of the test")]
            let mut out = Behind::new(&File::create(&path).unwrap()).unwrap();
            for piece in bytes.chunks(70_001) {
                out.write_all(piece).unwrap();
            }
            out.flush().unwrap();
            assert!(std::fs::read(&path).unwrap() == bytes, "{size} bytes");
        }
    }

    #[test]
    fn an_error_of_the_thread_is_told_at_the_end() {
        for size in [10, 20 * BUFFER] {
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            let mut out = Behind::new(&full).unwrap();
            let written = out.write_all(&vec![1; size]).and_then(|()| out.flush());
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
