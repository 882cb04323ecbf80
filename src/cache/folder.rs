//! The folder of the cache: packs, whole or in parts, that can be fetched again. Other clones and
//! users may have put them there, so nothing in it is believed before it was checked.
//!
//! Knows no path of what must be kept.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::fs::{
    Dir, FileKind, FsError, Hold, IoResultExt, Links, Lock, SparseFile, Time, failpoint,
    make_folder, open_plain, remove,
};
use crate::hash::{Digest, PackId};

/// The file that is locked.
const LOCK: &[u8] = b"in-use";
const STEP: Duration = Duration::from_millis(10);

/// In which form the cache has a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Whole.
    Whole,
    /// Some frames at their own offsets.
    Part,
}

impl Form {
    const ALL: [Self; 2] = [Self::Whole, Self::Part];

    fn folder(self) -> &'static str {
        match self {
            Self::Whole => "packs",
            Self::Part => "parts",
        }
    }
}

/// A pack that lies in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedPack {
    /// Its name.
    pub pack: PackId,
    /// Whether all of it is there.
    pub form: Form,
    /// Bytes that it takes on this disk.
    pub bytes: u64,
    /// When somebody used it last.
    pub used: Time,
}

/// What became of a pack that was to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// It was used or written since it was listed, and stays.
    UsedMeanwhile,
    /// Another user's, which this one may not remove.
    NotAllowed,
}

/// What became of a pack that was to be moved into the cache.
#[derive(Debug)]
pub enum TakenIn {
    /// It lies there now, this copy or one as good that was there.
    There,
    /// It could not be moved there, and stays where it was.
    Not(FsError),
}

/// The open door to the folder of the cache.
#[derive(Clone, Debug)]
pub struct CacheFolder {
    path: PathBuf,
}

impl CacheFolder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Lists what lies there, without what has another name or is no regular file. Costs a look at
    /// each pack.
    pub fn list(&self) -> Result<Vec<CachedPack>, FsError> {
        let mut out = Vec::new();
        let Some(root) = absent_is_none(Dir::open(&self.path))? else { return Ok(out) };
        for form in Form::ALL {
            let Some(all) = absent_is_none(root.descend(form.folder().as_bytes()))? else {
                continue;
            };
            for nested in all.entries()? {
                let Some(folder) = absent_is_none(all.descend(&nested.name))? else { continue };
                for entry in folder.entries()? {
                    out.extend(cached(&folder, (&nested.name, &entry.name), form)?);
                }
            }
        }
        Ok(out)
    }

    /// Opens a pack for reading.
    pub fn open(&self, pack: PackId, form: Form) -> io::Result<File> {
        let (folder, name) = place(pack, form);
        open_plain(&self.path.join(folder).join(name), Links::Refuse)
    }

    /// Says whether a regular file lies there.
    pub fn has(&self, pack: PackId, form: Form) -> bool {
        let (folder, name) = place(pack, form);
        let found = self.path.join(folder).join(name).symlink_metadata();
        found.is_ok_and(|found| found.is_file())
    }

    /// Opens the file of a pack's frames, or makes it.
    pub fn open_part(&self, pack: PackId) -> Result<SparseFile, FsError> {
        let (folder, name) = place(pack, Form::Part);
        self.make(&folder)?.open_pieces(name.as_bytes())
    }

    /// Moves a whole pack into the cache. One that is there already stays, if it is sound.
    pub fn take_in(&self, from: &Path, pack: PackId) -> Result<TakenIn, FsError> {
        let (folder, name) = place(pack, Form::Whole);
        let dir = self.make(&folder)?;
        if let Ok(file) = self.open(pack, Form::Whole)
            && is_sound(&file, pack)
        {
            remove(from)?;
            return Ok(TakenIn::There);
        }
        let moved = dir.clear(name.as_bytes()).and_then(|()| {
            let file = open_plain(from, Links::Refuse).at("read", from)?;
            dir.share(&file)?;
            if dir.move_in(from, name.as_bytes())? {
                return dir.sync_names();
            }
            let temp = dir.temp(false)?;
            io::copy(&mut &file, &mut temp.file()).at("write", dir.path())?;
            dir.share(temp.file())?;
            temp.file().sync_all().at("write", dir.path())?;
            temp.place(name.as_bytes())?;
            dir.sync_names()?;
            remove(from)
        });
        Ok(moved.map_or_else(TakenIn::Not, |()| TakenIn::There))
    }

    /// Removes a pack that was listed, unless it was used since.
    pub fn remove(&self, cached: &CachedPack) -> Result<Removal, FsError> {
        let (folder, name) = place(cached.pack, cached.form);
        let name = name.as_bytes();
        let Some(dir) =
            absent_is_none(Dir::open(&self.path).and_then(|d| d.descend(folder.as_bytes())))?
        else {
            return Ok(Removal::Removed);
        };
        match dir.stamp(name)? {
            None => return Ok(Removal::Removed),
            Some(stamp) if stamp.kind != FileKind::File || stamp.mtime != cached.used => {
                return Ok(Removal::UsedMeanwhile);
            }
            Some(_) => {}
        }
        match dir.remove_file(name) {
            Err(e) if e.source.kind() == io::ErrorKind::PermissionDenied => Ok(Removal::NotAllowed),
            other => other.map(|()| {
                failpoint::hit("evict.removed");
                Removal::Removed
            }),
        }
    }

    /// Takes the lock of the cache, which work holds together and eviction alone; waits for at most
    /// `patience`, and goes without it then: nothing in the cache is needed for being right.
    pub fn lock(&self, hold: Hold, patience: Duration) -> Result<Option<Lock>, FsError> {
        make_folder(&self.path, false)?;
        let dir = Dir::open(&self.path)?;
        let begun = Instant::now();
        loop {
            let Some(file) = dir.open_lock(LOCK) else { return Ok(None) };
            if let Some(lock) = Lock::try_of(file, hold, &self.path)? {
                return Ok(Some(lock));
            }
            if begun.elapsed() >= patience {
                return Ok(None);
            }
            std::thread::sleep(STEP);
        }
    }

    fn make(&self, folder: &str) -> Result<Dir, FsError> {
        make_folder(&self.path, false)?;
        Dir::open(&self.path)?.descend_or_make_alike(folder.as_bytes())
    }
}

fn place(pack: PackId, form: Form) -> (String, String) {
    let name = pack.to_string();
    let prefix = name.get(..2).unwrap_or_default();
    (format!("{}/{prefix}", form.folder()), name)
}

/// What is not there, or is no folder, holds nothing.
pub(super) fn absent_is_none<T>(result: Result<T, FsError>) -> Result<Option<T>, FsError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.is_missing() || e.is_link() => Ok(None),
        Err(e) if e.source.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(e) => Err(e),
    }
}

fn cached(
    folder: &Dir,
    (prefix, name): (&[u8], &[u8]),
    form: Form,
) -> Result<Option<CachedPack>, FsError> {
    let text = str::from_utf8(name).ok().filter(|text| text.as_bytes().starts_with(prefix));
    let Some(pack) = text.and_then(|text| text.parse::<PackId>().ok()) else { return Ok(None) };
    let (_, right) = place(pack, form);
    let Some((stamp, taken)) = folder.measure(name)? else { return Ok(None) };
    if stamp.kind != FileKind::File || right.as_bytes() != name || prefix.len() != 2 {
        return Ok(None);
    }
    let bytes = match form {
        Form::Whole => stamp.size,
        Form::Part => taken,
    };
    Ok(Some(CachedPack { pack, form, bytes, used: stamp.mtime }))
}

/// Says whether a file is the pack that its name says.
pub(super) fn is_sound(file: &File, pack: PackId) -> bool {
    let mut hasher = blake3::Hasher::new();
    let read = hasher.update_reader(file);
    read.is_ok() && PackId::from_digest(Digest(*hasher.finalize().as_bytes())) == pack
}
