//! Why files could not be taken in.

use std::path::PathBuf;

use crate::cache::CacheError;
use crate::fs::FsError;
use crate::hint::Hint;
use crate::progress::Stopped;

/// Why files could not be taken in; packs written so far stay and are used by the next run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// A file could not be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A file changed each time while it was read.
    #[error("`{}` kept changing while it was read, {tries} times", path.display())]
    Changing {
        /// The file.
        path: PathBuf,
        /// How often it was read.
        tries: u32,
    },
    /// The content could not be stored.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Something that cannot happen did.
    #[error("a defect in haul: {0}")]
    Defect(String),
    /// The user asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Hint for IntakeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fs(e) => e.hint(),
            Self::Cache(e) => e.hint(),
            Self::Changing { .. } => Some(
                "wait until the program that writes it is done, then run `haul add` again".into(),
            ),
            Self::Defect(_) => Some("report this with the command that you ran".to_owned()),
            Self::Stopped(_) => None,
        }
    }
}
