//! Building a large file while its chunks still arrive; it gets its name later, or never.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cache::{Arrivals, ObjectReader};
use crate::fs::{Dir, Stamp, TempFile};
use crate::hash::Oid;
use crate::progress::{Job, Kind};
use crate::recipe::ChunkEntry;
use crate::worktree::build::Build;
use crate::worktree::place::{PlaceError, Whole, finish, prove};
use crate::worktree::share::{Place, Sharing};

/// Chunks that somebody fetches meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Arriving<'a> {
    /// What is told of those that came.
    pub(crate) arrivals: &'a Arrivals,
    /// Whether nothing comes any more.
    pub(crate) over: &'a AtomicBool,
}

impl Arriving<'_> {
    /// Waits until these chunks are here; returns how often the index had been written by then. Fails with
    /// [`PlaceError::Absent`] once nothing comes any more.
    pub(super) fn wait_for(
        &self,
        chunks: &[ChunkEntry],
        reader: &ObjectReader,
        job: &Job,
    ) -> Result<u64, PlaceError> {
        let mut count = self.arrivals.count();
        loop {
            // In this order: what came before the end is seen.
            let over = self.over.load(Ordering::Acquire);
            let now = reader.another()?;
            let absent = |chunk: &&ChunkEntry| now.view().find_held(&chunk.id.0).is_none();
            match chunks.iter().find(absent) {
                None => return Ok(count),
                Some(chunk) if over => return Err(PlaceError::Absent(chunk.id)),
                Some(_) => {}
            }
            job.check()?;
            count = self.arrivals.wait(count);
        }
    }
}

/// A file without a name, and what its bytes are.
pub(crate) struct Built<'d> {
    temp: TempFile<'d>,
    executable: bool,
    oid: Oid,
    size: u64,
}

impl Built<'_> {
    /// Says whether it is what is wanted.
    pub(crate) fn is(&self, whole: &Whole) -> bool {
        (self.oid, self.size, self.executable) == (whole.oid, whole.size, whole.executable)
    }
}

/// Builds a file in a folder from chunks that may still arrive.
pub(crate) fn build_ahead<'d>(
    reader: &ObjectReader,
    (dir, path): (&'d Dir, &Path),
    (chunks, executable): (&[ChunkEntry], bool),
    arriving: &Arriving<'_>,
    job: &Job,
) -> Result<Built<'d>, PlaceError> {
    let temp = dir.temp(executable)?;
    let (silent, spare, arriving) = (job.silently(), Mutex::default(), Some(arriving));
    let task = silent.begin(Kind::Place, None);
    let (task, proving) = (&task, false);
    let build = Build { reader, spare, temp: &temp, path, task, job, proving, arriving };
    let (oid, size) = build.run(chunks, None)?;
    Ok(Built { temp, executable, oid, size })
}

/// Gives a file that was built its name, which must be on the same file system.
pub(crate) fn place_built(
    built: Built<'_>,
    place: Place<'_>,
    (whole, sharing): (&Whole, Option<&Sharing<'_>>),
) -> Result<Stamp, PlaceError> {
    prove((built.oid, built.size), whole, place)?;
    finish(built.temp, place, (whole, sharing))
}
