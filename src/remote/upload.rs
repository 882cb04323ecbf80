//! Sends files: into folders by copies that the system makes, elsewhere in pieces, so that a wave of large
//! ones stays within its memory.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt};
use tokio::task::JoinSet;

use crate::fs::failpoint;
use crate::hash::{Digest, PackId};

use super::buffers::{Buffers, read_full};
use super::connect::Inner;
use super::error::{Action, RemoteError};
use super::runtime::blocking;

/// Bytes of a piece; files up to this size are sent in one.
pub(super) const PIECE: u64 = 8 << 20;

/// Pieces of one file on their way at once, besides the one that is being read.
const PIECES_IN_FLIGHT: usize = 2;

/// Whether storage takes one object in several requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    Taken,
    #[cfg_attr(not(feature = "network"), expect(dead_code, reason = "only services refuse"))]
    /// As web servers do: all of an object is in memory while it is sent.
    Refused,
}

/// A local file to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The key to write.
    pub key: String,
    /// The file to read.
    pub path: PathBuf,
    /// Its length in bytes; a file of any other length is not sent.
    pub size: u64,
    /// The name that its bytes hash to; others are not sent.
    pub name: PackId,
}

impl Upload {
    /// Returns the most bytes that sending this holds in memory.
    pub(super) fn cost(&self, parts: Parts) -> u64 {
        match parts {
            Parts::Taken => self.size.min(PIECE * (PIECES_IN_FLIGHT as u64 + 1)),
            Parts::Refused => self.size,
        }
    }
}

impl Inner {
    pub(super) async fn upload(
        &self,
        upload: &Upload,
        buffers: &Buffers,
    ) -> Result<(), RemoteError> {
        let path = upload.path.clone();
        let opened = blocking(move || File::open(path)).await;
        let file = opened.unwrap_or_else(stopped).map_err(|source| local(upload, source))?;
        if let Some(folder) = &self.folder {
            return self.copy(folder, upload, file).await;
        }
        let source = Source { file, hasher: blake3::Hasher::new() };
        if upload.size > PIECE && self.parts == Parts::Taken {
            return self.send_pieces(upload, source, buffers).await;
        }
        let (source, bytes) = source.piece(upload, upload.size, buffers).await?;
        source.end(upload).await?;
        self.put(&upload.key, bytes).await
    }

    async fn send_pieces(
        &self,
        upload: &Upload,
        source: Source,
        buffers: &Buffers,
    ) -> Result<(), RemoteError> {
        let key = upload.key.as_str();
        let site = self.site(Action::Write, key);
        let path = self.admit(Action::Write, key).await?;
        self.counts.put.add(1);
        failpoint::hit("remote.put.before");
        let sent = match self.store.put_multipart(&path).await {
            Ok(mut parts) => {
                let sent = self.pieces(upload, source, parts.as_mut(), buffers).await;
                if sent.is_err() {
                    // Best effort: what is left behind has no name that anybody reads.
                    drop(parts.abort().await);
                }
                sent
            }
            Err(e) => Err(site.store(&e)),
        };
        if let Err(error) = sent {
            self.settle(key, upload.size, None, error).await?;
        }
        failpoint::hit("remote.put.after");
        self.counts.sent.add(upload.size);
        Ok(())
    }

    /// Sends piece after piece by hand: the library's own writer replaces the reason of a failed
    /// completion, a full disk say, by that of the failed clean-up.
    async fn pieces(
        &self,
        upload: &Upload,
        mut source: Source,
        parts: &mut dyn MultipartUpload,
        buffers: &Buffers,
    ) -> Result<(), RemoteError> {
        let site = self.site(Action::Write, &upload.key);
        let mut flying: JoinSet<object_store::Result<()>> = JoinSet::new();
        let mut left = upload.size;
        while left > 0 {
            let (rest, bytes) = source.piece(upload, left.min(PIECE), buffers).await?;
            (source, left) = (rest, left - bytes.len() as u64);
            while flying.len() >= PIECES_IN_FLIGHT {
                landed(flying.join_next().await).map_err(|e| site.store(&e))?;
            }
            self.pace.wait(bytes.len() as u64).await;
            flying.spawn(parts.put_part(bytes.into()));
        }
        source.end(upload).await?;
        while !flying.is_empty() {
            landed(flying.join_next().await).map_err(|e| site.store(&e))?;
        }
        parts.complete().await.map_err(|e| site.store(&e))?;
        Ok(())
    }
}

fn landed(
    part: Option<Result<object_store::Result<()>, tokio::task::JoinError>>,
) -> object_store::Result<()> {
    match part {
        Some(Ok(result)) => result,
        Some(Err(source)) => Err(object_store::Error::JoinError { source }),
        None => Ok(()),
    }
}

/// A file being read, and the hash of what was read so far.
struct Source {
    file: File,
    hasher: blake3::Hasher,
}

impl Source {
    /// Reads exactly `length` bytes.
    async fn piece(
        mut self,
        upload: &Upload,
        length: u64,
        buffers: &Buffers,
    ) -> Result<(Self, Bytes), RemoteError> {
        let mut loan = buffers.take(usize::try_from(length).unwrap_or(0));
        let read = blocking(move || {
            let filled = read_full(&mut self.file, loan.bytes_mut())?;
            let bytes = loan.filled(filled);
            self.hasher.update(&bytes);
            Ok((self, bytes))
        });
        let (source, bytes) = read.await.unwrap_or_else(stopped).map_err(|e| local(upload, e))?;
        if bytes.len() as u64 == length { Ok((source, bytes)) } else { Err(changed(upload)) }
    }

    /// Fails unless the file ends here, and what was read is what it should be.
    async fn end(mut self, upload: &Upload) -> Result<(), RemoteError> {
        let ended = blocking(move || Ok((self.file.read(&mut [0])?, self.hasher)));
        match ended.await.unwrap_or_else(stopped).map_err(|e| local(upload, e))? {
            (0, hasher) => prove(upload, &hasher),
            _ => Err(changed(upload)),
        }
    }
}

/// Fails unless what was hashed is what the file should hold: a damaged one must not leave this machine.
pub(super) fn prove(upload: &Upload, hasher: &blake3::Hasher) -> Result<(), RemoteError> {
    let hash = Digest(*hasher.finalize().as_bytes());
    if PackId::from_digest(hash) == upload.name {
        return Ok(());
    }
    Err(RemoteError::Differs { path: upload.path.clone() })
}

fn stopped<T>() -> std::io::Result<T> {
    Err(std::io::Error::other("the reading thread ended early"))
}

pub(super) fn local(upload: &Upload, source: std::io::Error) -> RemoteError {
    RemoteError::Local { path: upload.path.clone(), source }
}

pub(super) fn changed(upload: &Upload) -> RemoteError {
    RemoteError::Changed { path: upload.path.clone(), expected: upload.size }
}
