//! Sends files into folders: the system copies them, and they get their names once their bytes are proven.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use crate::fs::{NotCopied, copy_durably, failpoint, planted};

use super::connect::Inner;
use super::error::{Action, RemoteError};
use super::folder::Folder;
use super::runtime::blocking;
use super::upload::{Upload, changed, local, prove};

/// Bytes that are read at once to be hashed.
const PIECE: usize = 256 << 10;

/// A copy that another thread makes. Dropped with the request that it belongs to, it ends the copy and waits until
/// nothing of it is left, for at most one step.
struct Under {
    wanted: Arc<AtomicBool>,
    /// Its other end goes with the copy.
    ended: Receiver<()>,
}

impl Drop for Under {
    fn drop(&mut self) {
        self.wanted.store(false, Ordering::Relaxed);
        self.ended.recv().unwrap_or_default();
    }
}

impl Inner {
    pub(super) async fn copy(
        &self,
        folder: &Folder,
        upload: &Upload,
        file: File,
    ) -> Result<(), RemoteError> {
        self.admit(Action::Write, &upload.key).await?;
        self.counts.put.add(1);
        failpoint::hit("remote.put.before");
        let wanted = Arc::new(AtomicBool::new(true));
        let (at_end, ended) = channel();
        let under = Under { wanted: Arc::clone(&wanted), ended };
        let target = folder.root.join(&upload.key);
        let mut proof = Proof { upload: upload.clone(), hasher: blake3::Hasher::new(), hashed: 0 };
        let pace = Arc::clone(&self.pace);
        let copied = blocking(move || {
            let size = proof.upload.size;
            let go_on = |copied| {
                let news = copied - proof.hashed;
                if pace.wait_here(news, || wanted.load(Ordering::Relaxed)) {
                    proof.reach(&file, copied).map(|()| true)
                } else {
                    Ok(false)
                }
            };
            let result = copy_durably(&file, size, &target, go_on);
            drop(at_end);
            result
        });
        let copied = copied.await;
        drop(under);
        let site = self.site(Action::Write, &upload.key);
        match copied {
            Some(Ok(())) => {}
            Some(Err(NotCopied::Target(_))) if planted::is("write-error-swallowed") => {}
            Some(Err(NotCopied::Source(source))) => return Err(local(upload, source)),
            Some(Err(NotCopied::Target(e))) => return Err(site.io(&e)),
            Some(Err(NotCopied::Changed)) => return Err(changed(upload)),
            Some(Err(NotCopied::Refused(error))) => return Err(error),
            Some(Err(NotCopied::Stopped)) | None => {
                return Err(site.unreachable("its copy ended early"));
            }
        }
        failpoint::hit("remote.put.after");
        self.counts.sent.add(upload.size);
        Ok(())
    }
}

/// The hash of the first `hashed` bytes of a file.
struct Proof {
    upload: Upload,
    hasher: blake3::Hasher,
    hashed: u64,
}

impl Proof {
    /// Hashes up to `end`, right after the system read these bytes; at the end of the file, they must be what
    /// they should be.
    fn reach(&mut self, file: &File, end: u64) -> Result<(), RemoteError> {
        let mut buffer = vec![0; PIECE];
        while self.hashed < end {
            let want = usize::try_from(end - self.hashed).unwrap_or(PIECE).min(PIECE);
            let piece = buffer.get_mut(..want).unwrap_or_default();
            match file.read_at(piece, self.hashed) {
                Ok(0) => return Err(changed(&self.upload)),
                Ok(count) => {
                    self.hasher.update(piece.get(..count).unwrap_or_default());
                    self.hashed += count as u64;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(local(&self.upload, e)),
            }
        }
        if end == self.upload.size { prove(&self.upload, &self.hasher) } else { Ok(()) }
    }
}
