//! Writing a growing file to the disk while it still grows, so that its last sync finds little left.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::fs::planted;

/// Bytes between two syncs; less than this is not worth a thread.
const STEP: u64 = 8 << 20;

/// Syncs a file in the background, each time another 8 MiB of it are written.
///
/// Nothing can be taken as durable because of this: the last sync remains. An error of the disk is told
/// once for an open file, here or there, so [`Self::finish`] is part of it. Elsewhere than on Linux it does
/// nothing: a sync there may mean to empty the whole cache of the disk.
#[derive(Debug, Default)]
pub(super) struct EarlySync {
    pending: u64,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    wake: SyncSender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl EarlySync {
    /// Takes note that `bytes` more were written to `file`.
    pub(super) fn wrote(&mut self, file: &File, bytes: u64) {
        self.pending += bytes;
        if self.pending < STEP || cfg!(not(target_os = "linux")) || planted::is("no-fsync") {
            return;
        }
        self.pending = 0;
        if self.running.is_none() {
            self.running = Running::start(file);
        }
        if let Some(running) = &self.running {
            // If it is still busy with what was written before, the next step includes this one.
            running.wake.try_send(()).unwrap_or_default();
        }
    }

    /// Waits for the sync under way, if any, and tells what went wrong so far.
    pub(super) fn finish(self) -> io::Result<()> {
        let Some(Running { wake, thread }) = self.running else { return Ok(()) };
        drop(wake);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that syncs died")))
    }
}

impl Running {
    /// Returns nothing if there is no room for another open file or thread: then the last sync does it all.
    fn start(file: &File) -> Option<Self> {
        let file = file.try_clone().ok()?;
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::Builder::new().spawn(move || sync(&file, &woken)).ok()?;
        Some(Self { wake, thread })
    }
}

fn sync(file: &File, woken: &Receiver<()>) -> io::Result<()> {
    while woken.recv().is_ok() {
        file.sync_data()?;
    }
    Ok(())
}
