//! Building a file from its chunks beside its target, proving it, and giving it its name.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use crate::cache::{CacheError, ObjectReader, oid_of};
use crate::fs::{Dir, FileKind, FsError, IoResultExt, Stamp, TempFile, failpoint};
use crate::hash::{ChunkId, Oid};
use crate::progress::{Job, Stopped, Task};
use crate::recipe::{ChunkEntry, Former};
use crate::worktree::build::{Build, LARGE, MakeReader};
use crate::worktree::share::{Place, Sharing, copy_bytes, stands};

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
    Chunks(Vec<ChunkEntry>),
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

/// A file to place.
pub(crate) struct Wanted<'a> {
    /// What it is made from.
    pub(crate) recipe: &'a Recipe,
    /// What it must be.
    pub(crate) whole: Whole,
    /// The chunks of what lies in its place now, which it may have too.
    pub(crate) former: Option<Former>,
    /// How it is shared with the cache.
    pub(crate) sharing: Option<Sharing<'a>>,
}

/// Writes a file into a folder under a name once its size and whole hash are right; returns its stamp.
pub(crate) fn place_file(
    reader: &mut ObjectReader,
    place: Place<'_>,
    wanted: &Wanted<'_>,
    task: &Task,
    job: &Job,
) -> Result<Stamp, PlaceError> {
    let fill = |temp: &TempFile<'_>| build(reader, (temp, place), wanted, task, job);
    place_filled(place, (&wanted.whole, wanted.sharing.as_ref()), fill)
}

/// As [`place_file`], from the very file that stands there: it is right, and only to be shared with the
/// cache in another way.
pub(crate) fn place_standing(
    place: Place<'_>,
    (whole, sharing): (&Whole, Option<&Sharing<'_>>),
    job: &Job,
) -> Result<Stamp, PlaceError> {
    let fill = |temp: &TempFile<'_>| {
        let (dir, name, still) = place;
        let (file, stamp) = dir.open_file(name)?;
        if !still(Some(&stamp)) {
            return Err(PlaceError::ChangedMeanwhile);
        }
        let oid = if temp.reflink(&file) {
            oid_of(&file).at("read", &dir.path_of(name))?
        } else {
            copy_bytes(&file, (temp.file(), dir.path()), job)?
        };
        prove((oid, stamp.size), whole, place)
    };
    place_filled(place, (whole, sharing), fill)
}

fn place_filled(
    place: Place<'_>,
    (whole, sharing): (&Whole, Option<&Sharing<'_>>),
    fill: impl FnOnce(&TempFile<'_>) -> Result<(), PlaceError>,
) -> Result<Stamp, PlaceError> {
    let (dir, _, _) = place;
    if let Some(sharing) = sharing
        && let Some(cache) = sharing.folder_for_link()
        // Who may not write there builds in the worktree.
        && let Ok(temp) = cache.temp(whole.executable)
    {
        fill(&temp)?;
        return sharing.place_linked((temp, &cache), place);
    }
    let temp = dir.temp(whole.executable)?;
    fill(&temp)?;
    finish(temp, place, (whole, sharing))
}

/// Gives a file that was filled and proved its name; the cache keeps it as well if it is to.
pub(super) fn finish(
    temp: TempFile<'_>,
    (dir, name, _): Place<'_>,
    (whole, sharing): (&Whole, Option<&Sharing<'_>>),
) -> Result<Stamp, PlaceError> {
    let kept = sharing.filter(|sharing| sharing.keep_built(&temp, whole.size));
    let stamp = temp.place_in(dir, name)?;
    if let Some(sharing) = kept {
        sharing.files.note_kept(&sharing.name, stamp);
    }
    Ok(stamp)
}

/// Requires the bytes that were named, and that what stands in their place is what was judged.
pub(super) fn prove(
    (actual, size): (Oid, u64),
    whole: &Whole,
    place: Place<'_>,
) -> Result<(), PlaceError> {
    if actual != whole.oid {
        return Err(PlaceError::Wrong { expected: whole.oid, actual });
    }
    if size != whole.size {
        return Err(PlaceError::WrongSize { expected: whole.size, actual: size });
    }
    failpoint::hit("place.built");
    if stands(place)? { Ok(()) } else { Err(PlaceError::ChangedMeanwhile) }
}

/// Fills a file, and proves it; what stands in its place must still be what was judged.
fn build(
    reader: &mut ObjectReader,
    (temp, place): (&TempFile<'_>, Place<'_>),
    wanted: &Wanted<'_>,
    task: &Task,
    job: &Job,
) -> Result<(), PlaceError> {
    let Wanted { recipe, whole, former, .. } = wanted;
    let (dir, name, still) = place;
    let path = dir.path_of(name);
    let (actual, size) = match recipe {
        Recipe::Chunks(chunks) if whole.size >= LARGE => {
            let (spare, proving, arriving) = (Mutex::default(), false, None);
            let reader: MakeReader<'_, '_> = &|| reader.another();
            let mut build =
                Build { reader, spare, temp, path: &path, task, job, proving, arriving };
            let there = former.as_ref().and_then(|former| {
                let (file, stamp) = dir.open_file(name).ok()?;
                still(Some(&stamp)).then_some((former, file))
            });
            let in_place = there.as_ref().map(|(former, file)| (*former, file));
            let first = build.run(chunks, in_place);
            let wrong = match &first {
                Ok((oid, _)) => *oid != whole.oid,
                Err(e) => matches!(e, PlaceError::WrongSize { .. }),
            };
            if wrong {
                // A chunk is damaged, or what lies there is not what the stat cache took it for.
                build.proving = true;
                build.run(chunks, None)?
            } else {
                first?
            }
        }
        Recipe::Bytes(_) | Recipe::Chunk(_) | Recipe::Chunks(_) => {
            write(reader, (temp.file(), &path), recipe, task, job)?
        }
    };
    prove((actual, size), whole, place)
}

/// Writes the bytes of a file in order; returns their hash and number.
fn write(
    reader: &mut ObjectReader,
    (file, path): (&File, &Path),
    recipe: &Recipe,
    task: &Task,
    job: &Job,
) -> Result<(Oid, u64), PlaceError> {
    let mut hasher = blake3::Hasher::new();
    let mut out = std::io::BufWriter::with_capacity(BUFFER, file);
    let mut put = |bytes: &[u8]| {
        hasher.update(bytes);
        task.advance(bytes.len() as u64);
        out.write_all(bytes).at("write", path)
    };
    let chunks = match recipe {
        Recipe::Bytes(bytes) => {
            put(bytes)?;
            &[][..]
        }
        Recipe::Chunk(id) => {
            put(reader.chunk(*id)?.ok_or(PlaceError::Absent(*id))?)?;
            &[][..]
        }
        Recipe::Chunks(chunks) => chunks,
    };
    for chunk in chunks {
        job.check()?;
        put(reader.chunk(chunk.id)?.ok_or(PlaceError::Absent(chunk.id))?)?;
    }
    out.flush().at("write", path)?;
    drop(out);
    Ok((Oid(*hasher.finalize().as_bytes()), hasher.count()))
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::cache::{Held, Index, Layout, PackSink, PackState, places_of};
    use crate::fs::read_up_to;
    use crate::hash::PackKind;
    use crate::pack::{Codecs, encode_data_frame};
    use crate::progress::{Kind, Silent};
    use crate::worktree::build::stretches;

    /// Some megabytes of chunks that are all different, in a cache below a folder.
    fn chunks_in(layout: &Layout, index: &Index) -> (Vec<ChunkEntry>, Vec<u8>) {
        let mut sink = PackSink::new(layout, PackKind::Data);
        let (mut chunks, mut whole, mut codecs) = (Vec::new(), Vec::new(), Codecs::new());
        for number in 0..150_u64 {
            let mut bytes = vec![0; 65_536];
            blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(&mut bytes);
            let id = ChunkId::of(&bytes);
            sink.push(&encode_data_frame(&mut codecs, &[(id, &bytes)]).unwrap()).unwrap();
            chunks.push(ChunkEntry { id, size: 65_536 });
            whole.extend(bytes);
        }
        let packs = sink.finish().unwrap();
        let state = |size| PackState { held: Held::Unpushed, kind: PackKind::Data.byte(), size };
        let states: Vec<_> = packs.iter().map(|pack| (pack.id, state(0))).collect();
        let mut places: Vec<_> = places_of(&packs).collect();
        index.record(&states, &mut places, &[]).unwrap();
        (chunks, whole)
    }

    #[test]
    fn a_file_in_its_place_that_is_not_what_it_was_taken_for_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let (chunks, bytes) = chunks_in(&layout, &index);
        let mut reader = ObjectReader::new(&layout, &index).unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let recipe = Recipe::Chunks(chunks.clone());
        let (oid, size) = (Oid::of(&bytes), bytes.len() as u64);
        let (stop, whole) = (AtomicBool::new(false), Whole { oid, size, executable: false });
        let job = Job::new(&Silent, &stop);
        let task = job.begin(Kind::Place, None);
        let mut spoiled = bytes.clone();
        spoiled[7_000_000] ^= 1;
        for there in [spoiled.as_slice(), &bytes[..6_000_000], &[]] {
            crate::fs::write_durably(&folder.path().join("x"), there).unwrap();
            let former = Some(Former::new(chunks.clone()));
            let wanted = Wanted { recipe: &recipe, whole, former, sharing: None };
            let still = |_: Option<&Stamp>| true;
            place_file(&mut reader, (&dir, b"x", &still), &wanted, &task, &job).unwrap();
            assert!(std::fs::read(folder.path().join("x")).unwrap() == bytes);
        }
    }

    #[test]
    fn what_a_clone_has_and_cannot_be_read_is_written_from_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let (chunks, bytes) = chunks_in(&layout, &index);
        let (dir, stop) = (Dir::open(folder.path()).unwrap(), AtomicBool::new(false));
        let (job, reader) = (Job::new(&Silent, &stop), || ObjectReader::new(&layout, &index));
        let (task, temp) = (&job.begin(Kind::Place, None), &dir.temp(false).unwrap());
        // The clone ends where the disk is at fault.
        let good = 6_000_000;
        let former = tempfile::tempfile().unwrap();
        for file in [&former, temp.file()] {
            (&*file).write_all(&bytes[..good]).unwrap();
        }
        let build = Build {
            reader: &reader,
            spare: Mutex::default(),
            temp,
            path: folder.path(),
            task,
            job: &job,
            proving: false,
            arriving: None,
        };
        let known = Former::new(chunks.clone());
        let stretches = stretches(&chunks, Some(&known));
        let from = (chunks.as_slice(), Some((&known, &former)));
        let (oid, size) = build.fill(&stretches, from, true).unwrap();
        assert_eq!((oid, size), (Oid::of(&bytes), bytes.len() as u64));
        let mut written = vec![0; bytes.len() + 1];
        assert_eq!(read_up_to(temp.file(), 0, &mut written).unwrap(), bytes.len());
        assert!(written[..bytes.len()] == bytes);
    }
}
