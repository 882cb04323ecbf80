//! Sends files in pieces, so that a wave of large ones stays within its memory.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt};
use tokio::task::JoinSet;

use crate::fs::failpoint;

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
        if upload.size > PIECE && self.parts == Parts::Taken {
            return self.send_pieces(upload, file, buffers).await;
        }
        let (file, bytes) = read_piece(upload, file, upload.size, buffers).await?;
        expect_end(upload, file).await?;
        self.put(&upload.key, bytes).await
    }

    async fn send_pieces(
        &self,
        upload: &Upload,
        file: File,
        buffers: &Buffers,
    ) -> Result<(), RemoteError> {
        let key = upload.key.as_str();
        let site = self.site(Action::Write, key);
        let path = self.admit(Action::Write, key).await?;
        self.counts.put.add(1);
        failpoint::hit("remote.put.before");
        let sent = match self.store.put_multipart(&path).await {
            Ok(mut parts) => {
                let sent = self.pieces(upload, file, parts.as_mut(), buffers).await;
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
        mut file: File,
        parts: &mut dyn MultipartUpload,
        buffers: &Buffers,
    ) -> Result<(), RemoteError> {
        let site = self.site(Action::Write, &upload.key);
        let mut flying: JoinSet<object_store::Result<()>> = JoinSet::new();
        let mut left = upload.size;
        while left > 0 {
            let (rest, bytes) = read_piece(upload, file, left.min(PIECE), buffers).await?;
            (file, left) = (rest, left - bytes.len() as u64);
            while flying.len() >= PIECES_IN_FLIGHT {
                landed(flying.join_next().await).map_err(|e| site.store(&e))?;
            }
            flying.spawn(parts.put_part(bytes.into()));
        }
        expect_end(upload, file).await?;
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

/// Reads exactly `length` bytes.
async fn read_piece(
    upload: &Upload,
    mut file: File,
    length: u64,
    buffers: &Buffers,
) -> Result<(File, Bytes), RemoteError> {
    let mut loan = buffers.take(usize::try_from(length).unwrap_or(0));
    let read = blocking(move || {
        let filled = read_full(&mut file, loan.bytes_mut())?;
        Ok((file, loan.filled(filled)))
    });
    let (file, bytes) = read.await.unwrap_or_else(stopped).map_err(|e| local(upload, e))?;
    if bytes.len() as u64 == length { Ok((file, bytes)) } else { Err(changed(upload)) }
}

async fn expect_end(upload: &Upload, mut file: File) -> Result<(), RemoteError> {
    let more = blocking(move || file.read(&mut [0])).await;
    match more.unwrap_or_else(stopped).map_err(|e| local(upload, e))? {
        0 => Ok(()),
        _ => Err(changed(upload)),
    }
}

fn stopped<T>() -> std::io::Result<T> {
    Err(std::io::Error::other("the reading thread ended early"))
}

fn local(upload: &Upload, source: std::io::Error) -> RemoteError {
    RemoteError::Local { path: upload.path.clone(), source }
}

fn changed(upload: &Upload) -> RemoteError {
    RemoteError::Changed { path: upload.path.clone(), expected: upload.size }
}
