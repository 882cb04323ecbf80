//! Whole files in the cache, which worktrees share by reflink, hard link or symbolic link (ADR 0019).
//!
//! Somebody may have written to one through a link, so a file is believed only while its stamp is
//! the one that it had when its bytes were hashed last, by this clone.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use redb::{ReadOnlyTable, TableDefinition, TableError};

use crate::cache::error::CacheError;
use crate::cache::file_name::WholeName;
use crate::cache::folder::absent_is_none;
use crate::cache::index::Index;
use crate::cache::layout::Layout;
use crate::fs::{Dir, FileKind, FsError, IoResultExt, Stamp, TempFile, Time, failpoint};
use crate::hash::{By, Oid, hash_file};

const FILES: TableDefinition<&[u8], &[u8; ROW]> = TableDefinition::new("files 1");
const ROW: usize = 8 * 5 + 4;
/// How often a file that changes while it is read is read again.
const TRIES: u32 = 3;
/// Locks by which workers take turns at one file; others that share a lock wait too.
const TURNS: usize = 64;

/// How files of the worktree share bytes with the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// By the blocks of the disk, where the file system can: each may be written to.
    Reflink,
    /// As one file with two names, which nobody may write to.
    Hardlink,
    /// By a symbolic link to the file in the cache, which nobody may write to.
    Symlink,
    /// Not at all.
    Copy,
}

impl Link {
    /// Finds the value of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "reflink" => Some(Self::Reflink),
            "hardlink" => Some(Self::Hardlink),
            "symlink" => Some(Self::Symlink),
            "copy" => Some(Self::Copy),
            _ => None,
        }
    }
}

/// A whole file of the cache that is as its name says.
#[derive(Debug)]
pub struct WholeFile {
    /// Open for reading.
    pub file: File,
    /// The folder it lies in.
    pub dir: Dir,
    /// Its stamp.
    pub stamp: Stamp,
}

/// The whole files of the cache, and what this command learned of them.
pub struct WholeFiles<'i> {
    folder: PathBuf,
    cache: PathBuf,
    index: &'i Index,
    rows: Option<ReadOnlyTable<&'static [u8], &'static [u8; ROW]>>,
    there: AtomicBool,
    clones: OnceLock<bool>,
    learned: Mutex<HashMap<WholeName, Stamp>>,
    spoiled: Mutex<Vec<PathBuf>>,
    turns: [Mutex<()>; TURNS],
}

impl<'i> WholeFiles<'i> {
    /// Opens the folder of whole files; there may be none yet.
    pub fn open(layout: &Layout, index: &'i Index) -> Result<Self, CacheError> {
        let fail = |e: &dyn std::fmt::Display| index.db.failed(e);
        let folder = layout.files_folder();
        let txn = index.db.begin_read()?;
        let rows = match txn.open_table(FILES) {
            Ok(table) => Some(table),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(e) => return Err(fail(&e)),
        };
        let there = AtomicBool::new(folder.is_dir());
        let cache = layout.cache_path().to_owned();
        let clones = OnceLock::new();
        let (learned, spoiled) = (Mutex::default(), Mutex::default());
        let turns = std::array::from_fn(|_| Mutex::default());
        Ok(Self { folder, cache, index, rows, there, clones, learned, spoiled, turns })
    }

    /// Returns where a symbolic link to a file has to lead.
    pub fn path_of(&self, name: &WholeName) -> PathBuf {
        self.folder.join(name.place())
    }

    /// Opens a file without a look at its bytes.
    pub fn open_unproven(&self, name: &WholeName) -> Result<Option<WholeFile>, CacheError> {
        if !self.there.load(Ordering::Acquire) {
            return Ok(None);
        }
        let Some(root) = absent_is_none(Dir::open(&self.folder))? else { return Ok(None) };
        let text = name.to_string();
        let Some(dir) = absent_is_none(root.descend(name.prefix().as_bytes()))? else {
            return Ok(None);
        };
        match dir.stamp(text.as_bytes())? {
            Some(stamp) if stamp.kind == FileKind::File => {}
            _ => return Ok(None),
        }
        let opened = absent_is_none(dir.open_file(text.as_bytes()))?;
        Ok(opened.map(|(file, stamp)| WholeFile { file, dir, stamp }))
    }

    /// Opens a file that is as its name says: by its stamp, or by its bytes, which are read then.
    ///
    /// One that is not, because somebody wrote to it, loses its name here if it has others; what has
    /// no other may be somebody's work and is left, with a note ([`Self::spoiled`]).
    pub fn find(&self, name: &WholeName, size: u64) -> Result<Option<WholeFile>, CacheError> {
        let path = self.path_of(name);
        for _ in 0..TRIES {
            let Some(found) = self.open_unproven(name)? else { return Ok(None) };
            if self.row(name)? == Some(found.stamp) {
                return Ok(Some(found));
            }
            let same =
                found.stamp.size == size && oid_of(&found.file).at("read", &path)? == name.oid;
            if !same {
                self.set_apart(&found, name)?;
                return Ok(None);
            }
            let after = Dir::stamp_of(&found.file, &path)?;
            // Another name of it may have come or gone meanwhile.
            if after.still_is(&found.stamp) {
                self.note(name, after);
                return Ok(Some(WholeFile { stamp: after, ..found }));
            }
        }
        Ok(None)
    }

    fn set_apart(&self, found: &WholeFile, name: &WholeName) -> Result<(), CacheError> {
        let text = name.to_string();
        if found.dir.names_of(text.as_bytes())? > 1 {
            found.dir.remove_file(text.as_bytes())?;
        } else {
            let mut spoiled = self.spoiled.lock().unwrap_or_else(PoisonError::into_inner);
            spoiled.push(self.path_of(name));
        }
        Ok(())
    }

    /// Waits until no other worker of this command places this file, or builds it for the cache: the next
    /// one finds it there.
    pub fn turn(&self, name: &WholeName) -> Option<MutexGuard<'_, ()>> {
        let [first, ..] = name.oid.0;
        let turn = self.turns.get(usize::from(first) % TURNS)?;
        Some(turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the folder that a file has to lie in, and makes it; nothing if this user may not.
    pub fn folder_of(&self, name: &WholeName) -> Option<Dir> {
        let below = format!("files/{}", name.prefix());
        crate::fs::make_folder(&self.cache, false).ok()?;
        let folder = Dir::open(&self.cache).ok()?.descend_or_make_alike(below.as_bytes()).ok()?;
        self.there.store(true, Ordering::Release);
        Some(folder)
    }

    /// Says whether a file of the cache could share blocks with this one; tried once.
    pub fn can_clone(&self, file: &TempFile<'_>) -> bool {
        *self.clones.get_or_init(|| {
            let tried =
                Dir::open(&self.cache).and_then(|dir| Ok(dir.temp(false)?.reflink(file.file())));
            tried.unwrap_or(false)
        })
    }

    /// Notes that a file, seen with this stamp, has the bytes that its name says.
    pub fn note(&self, name: &WholeName, stamp: Stamp) {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.insert(*name, stamp);
    }

    /// As [`Self::note`], of a file that this command put there.
    pub fn note_kept(&self, name: &WholeName, stamp: Stamp) {
        self.index.note_file_added(stamp.size);
        self.note(name, stamp);
    }

    /// Returns files that somebody wrote to and that have no other name.
    pub fn spoiled(&self) -> Vec<PathBuf> {
        self.spoiled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes what was noted durable and remembers it, as far as a change after `now` would show.
    ///
    /// The bytes first: after a power cut a stamp must not vouch for what never reached the disk.
    pub fn save(&self, now: Time) -> Result<(), CacheError> {
        let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if learned.is_empty() {
            return Ok(());
        }
        Dir::open(&self.cache)?.sync()?;
        failpoint::hit("files.synced");
        self.index.write(|txn| {
            let mut table = txn.open_table(FILES)?;
            for (name, stamp) in learned.drain().filter(|(_, stamp)| stamp.is_settled_at(now)) {
                table.insert(name.to_string().as_bytes(), &encode(&stamp))?;
            }
            Ok(())
        })
    }

    /// Returns the newest time of what was noted.
    pub fn newest(&self) -> Option<Time> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.values().map(|stamp| stamp.mtime.max(stamp.ctime)).max()
    }

    fn row(&self, name: &WholeName) -> Result<Option<Stamp>, CacheError> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stamp) = learned.get(name) {
            return Ok(Some(*stamp));
        }
        drop(learned);
        let Some(rows) = &self.rows else { return Ok(None) };
        let row = rows.get(name.to_string().as_bytes());
        let row = row.map_err(|e| self.index.db.failed(&e))?;
        Ok(row.map(|row| decode(row.value())))
    }
}

impl Index {
    /// Forgets files of the cache.
    pub fn forget_files(&self, names: &[WholeName]) -> Result<(), CacheError> {
        if names.is_empty() {
            return Ok(());
        }
        self.write(|txn| {
            let mut table = txn.open_table(FILES)?;
            for name in names {
                table.remove(name.to_string().as_bytes())?;
            }
            Ok(())
        })
    }
}

/// Hashes a whole file; of one that becomes shorter meanwhile it returns zeros, which no file hashes to. By one core:
/// who asks may hold a lock that the others wait for.
pub fn oid_of(file: &File) -> std::io::Result<Oid> {
    let size = file.metadata()?.len();
    match hash_file(file, (size, By::OneCore), |e| e, |_| Ok(())) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(Oid([0; 32])),
        other => other,
    }
}

fn encode(stamp: &Stamp) -> [u8; ROW] {
    let mut out = Vec::with_capacity(ROW);
    for number in [stamp.dev, stamp.ino, stamp.size] {
        out.extend(number.to_le_bytes());
    }
    out.extend(stamp.mtime.0.to_le_bytes());
    out.extend(stamp.ctime.0.to_le_bytes());
    out.extend(stamp.mode.to_le_bytes());
    out.try_into().unwrap_or([0; ROW])
}

fn decode(row: &[u8; ROW]) -> Stamp {
    let (words, mode) = row.split_at(40);
    let mut words = words.chunks_exact(8).map(|w| w.try_into().unwrap_or([0; 8]));
    let mut word = || words.next().unwrap_or([0; 8]);
    let (dev, ino, size) =
        (u64::from_le_bytes(word()), u64::from_le_bytes(word()), u64::from_le_bytes(word()));
    let (mtime, ctime) = (Time(i64::from_le_bytes(word())), Time(i64::from_le_bytes(word())));
    let mode = u32::from_le_bytes(mode.try_into().unwrap_or([0; 4]));
    Stamp { kind: FileKind::File, dev, ino, size, mtime, ctime, mode }
}

/// A whole file that lies in the cache and that no worktree shares by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleFile {
    /// What it is.
    pub name: WholeName,
    /// Its bytes.
    pub bytes: u64,
    /// When it was placed somewhere last.
    pub used: Time,
    /// Where it lies.
    pub path: PathBuf,
    /// Its device and inode, which its other names have too.
    pub inode: (u64, u64),
}

/// Lists whole files below `folder` with the number of names each has. Costs a look at each.
pub fn list_files(folder: &Path) -> Result<Vec<(IdleFile, u64)>, FsError> {
    let mut out = Vec::new();
    let Some(root) = absent_is_none(Dir::open(folder))? else { return Ok(out) };
    for nested in root.entries()? {
        let Some(dir) = absent_is_none(root.descend(&nested.name))? else { continue };
        for entry in dir.entries()? {
            let name = str::from_utf8(&entry.name).ok().and_then(WholeName::parse);
            let Some(name) = name.filter(|name| name.prefix().as_bytes() == nested.name) else {
                continue;
            };
            let Some(stamp) = dir.stamp(&entry.name)? else { continue };
            if stamp.kind == FileKind::File {
                let path = dir.path_of(&entry.name);
                let (bytes, used, inode) = (stamp.size, stamp.ctime, (stamp.dev, stamp.ino));
                let file = IdleFile { name, bytes, used, path, inode };
                out.push((file, dir.names_of(&entry.name)?));
            }
        }
    }
    Ok(out)
}
