//! Building a file from its chunks beside its target, proving it, and giving it its name.

use std::io::Write;

use crate::cache::{CacheError, ObjectReader};
use crate::fs::{Dir, FileKind, FsError, IoResultExt, Stamp, failpoint};
use crate::hash::{ChunkId, Oid};
use crate::progress::{Job, Stopped, Task};

/// Bytes gathered before a write reaches the file.
const BUFFER: usize = 1 << 20;

/// What is to stand at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// These bytes.
    Bytes(Vec<u8>),
    /// One chunk.
    Chunk(ChunkId),
    /// These chunks in order.
    Chunks(Vec<ChunkId>),
}

/// What the whole file must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    /// The hash of its bytes.
    pub(crate) oid: Oid,
    /// How many there are.
    pub(crate) size: u64,
    /// Whether it may be run.
    pub(crate) executable: bool,
}

/// Why a file did not get its name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The cache refused.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A chunk is not on this machine.
    #[error("chunk {0} is not on this machine")]
    Absent(ChunkId),
    /// The chunks are sound but the file they make is not the one that was named.
    #[error("the content hashes to {actual}, not to {expected}")]
    Wrong {
        /// The oid that the pointer or manifest names.
        expected: Oid,
        /// What the bytes hash to.
        actual: Oid,
    },
    /// The content is right, but its size is not the one that was named with it.
    #[error("the content has {actual} bytes, not {expected}")]
    WrongSize {
        /// The bytes that the pointer or manifest names.
        expected: u64,
        /// The bytes that there are.
        actual: u64,
    },
    /// The file in its place was changed while the new one was built; it was left as it is.
    #[error("it was changed while it was about to be replaced")]
    ChangedMeanwhile,
    /// The user asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Says whether what stands in the file's place now is what was seen when it was judged.
pub(crate) type StillAsSeen<'a> = &'a dyn Fn(Option<&Stamp>) -> bool;

/// Writes a file into `dir` under `name` once its size and whole hash are right; returns its stamp.
pub(crate) fn place_file(
    reader: &mut ObjectReader,
    (dir, name, still): (&Dir, &[u8], StillAsSeen<'_>),
    (recipe, whole): (&Recipe, Whole),
    task: &Task,
    job: &Job,
) -> Result<Stamp, PlaceError> {
    let temp = dir.temp(whole.executable)?;
    let path = dir.path_of(name);
    let mut hasher = blake3::Hasher::new();
    let mut out = std::io::BufWriter::with_capacity(BUFFER, temp.file());
    let mut put = |bytes: &[u8]| {
        hasher.update(bytes);
        task.advance(bytes.len() as u64);
        out.write_all(bytes).at("write", &path)
    };
    let chunks = match recipe {
        Recipe::Bytes(bytes) => {
            put(bytes)?;
            &[][..]
        }
        Recipe::Chunk(id) => std::slice::from_ref(id),
        Recipe::Chunks(ids) => ids,
    };
    for id in chunks {
        job.check()?;
        put(reader.chunk(*id)?.ok_or(PlaceError::Absent(*id))?)?;
    }
    out.flush().at("write", &path)?;
    drop(out);
    let actual = Oid(*hasher.finalize().as_bytes());
    if actual != whole.oid {
        return Err(PlaceError::Wrong { expected: whole.oid, actual });
    }
    let (expected, actual) = (whole.size, hasher.count());
    if actual != expected {
        return Err(PlaceError::WrongSize { expected, actual });
    }
    failpoint::hit("place.built");
    if !still(dir.stamp(name)?.as_ref()) {
        return Err(PlaceError::ChangedMeanwhile);
    }
    Ok(temp.place(name)?)
}

/// Makes a symbolic link in `dir` under `name`; returns its stamp.
pub(crate) fn place_link(
    target: &[u8],
    (dir, name, still): (&Dir, &[u8], StillAsSeen<'_>),
) -> Result<Option<Stamp>, PlaceError> {
    if dir.symlink(target, name, || Ok(still(dir.stamp(name)?.as_ref())))? {
        return Ok(dir.stamp(name)?);
    }
    Err(PlaceError::ChangedMeanwhile)
}

/// Makes an empty folder in `dir` under `name`, where a file or link may have to give way; returns
/// its stamp.
pub(crate) fn place_folder(
    (dir, name, still): (&Dir, &[u8], StillAsSeen<'_>),
) -> Result<Option<Stamp>, PlaceError> {
    failpoint::hit("place.folder");
    let now = dir.stamp(name)?;
    if !still(now.as_ref()) {
        return Err(PlaceError::ChangedMeanwhile);
    }
    if now.is_some_and(|s| s.kind != FileKind::Directory) {
        dir.remove_file(name)?;
    }
    dir.descend_or_make(name)?;
    Ok(dir.stamp(name)?)
}
