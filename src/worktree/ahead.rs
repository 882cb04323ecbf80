//! Building a large file while its chunks still arrive; it gets its name later, or never.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cache::Arrivals;
use crate::fs::{Dir, Stamp, TempFile};
use crate::hash::Oid;
use crate::progress::{Job, Kind};
use crate::recipe::ChunkEntry;
use crate::worktree::build::{Build, MakeReader};
use crate::worktree::place::{PlaceError, Whole, finish, prove};
use crate::worktree::share::{Place, Sharing};

/// Chunks that somebody fetches meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Arriving<'a> {
    /// What is told of those that came.
    pub(crate) arrivals: &'a Arrivals,
    /// Whether nothing comes any more.
    pub(crate) over: &'a AtomicBool,
    /// Whether what came is of no use, as the rest did not.
    pub(crate) failed: &'a AtomicBool,
}

impl Arriving<'_> {
    /// Waits until these chunks are here: readers made from then on know of them. Fails with
    /// [`PlaceError::Absent`] once nothing comes any more, or is of use.
    pub(super) fn wait_for(
        &self,
        chunks: &[ChunkEntry],
        reader: MakeReader<'_, '_>,
        job: &Job,
    ) -> Result<(), PlaceError> {
        loop {
            // In this order: what came before the end, or before a wait, is seen.
            let (over, count) = (self.over.load(Ordering::Acquire), self.arrivals.count());
            let now = reader()?;
            let absent = |chunk: &&ChunkEntry| now.view().find_held(&chunk.id.0).is_none();
            let failed = self.failed.load(Ordering::Acquire);
            match chunks.iter().find(|chunk| failed || absent(chunk)) {
                None => return Ok(()),
                Some(chunk) if over => return Err(PlaceError::Absent(chunk.id)),
                Some(_) => {}
            }
            drop(now);
            job.check()?;
            self.arrivals.wait(count);
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
    /// Returns how many bytes it takes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Says whether it is what is wanted.
    pub(crate) fn is(&self, whole: &Whole) -> bool {
        (self.oid, self.size, self.executable) == (whole.oid, whole.size, whole.executable)
    }
}

/// Builds a file from chunks that may still arrive, on the file system of a folder; nothing where files must
/// have names.
pub(crate) fn build_ahead<'d>(
    reader: MakeReader<'_, '_>,
    (dir, path): (&'d Dir, &Path),
    (chunks, executable): (&[ChunkEntry], bool),
    arriving: &Arriving<'_>,
    job: &Job,
) -> Result<Option<Built<'d>>, PlaceError> {
    let Some(temp) = dir.nameless(executable) else { return Ok(None) };
    let (silent, spare, arriving) = (job.silently(), Mutex::default(), Some(arriving));
    let task = silent.begin(Kind::Place, None);
    let (task, proving) = (&task, false);
    let build = Build { reader, spare, temp: &temp, path, task, job, proving, arriving };
    let (oid, size) = build.run(chunks, None)?;
    Ok(Some(Built { temp, executable, oid, size }))
}

/// Gives a file that was built its name; nothing if the file system will not, and it is to be built again.
pub(crate) fn place_built(
    built: Built<'_>,
    place: Place<'_>,
    (whole, sharing): (&Whole, Option<&Sharing<'_>>),
) -> Result<Option<Stamp>, PlaceError> {
    prove((built.oid, built.size), whole, place)?;
    match finish(built.temp, place, (whole, sharing)) {
        Err(PlaceError::Fs(_)) => Ok(None),
        placed => placed.map(Some),
    }
}
