//! The stat cache: what a file's content was when its stamp was last seen, so that `status` reads
//! no bytes; and for each tracked path the pointer that haul last added or placed.
//!
//! It can be deleted at any time. An entry is kept only if a later change of the file would show in
//! its times (Git's racy-clean rule, see [`crate::fs::Time::settled`]).

use std::ops::Bound;
use std::path::Path;

use redb::{ReadableTable, TableDefinition};

use crate::cache::database::{Db, Opened, PATIENCE};
use crate::cache::error::CacheError;
use crate::fs::{FileKind, Stamp, Time, remove};
use crate::hash::{NodeId, Oid};

const FILES: TableDefinition<&[u8], &[u8; ENTRY]> = TableDefinition::new("files 1");
const POINTERS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("pointers 1");
const ENTRY: usize = 8 * 5 + 4 + 32 + 1 + 32 + 1;

/// Whether haul holds the content that an entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// `add` stored it or `checkout` placed it: it can be had again.
    Stored,
    /// Only read and hashed: the worktree may hold the only copy.
    Hashed,
}

/// The content of a file at the time of a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatEntry {
    /// What the file looked like.
    pub stamp: Stamp,
    /// The hash of its bytes; of a symbolic link, of its target.
    pub oid: Oid,
    /// The profile code and recipe root, if it is cut into more than one chunk.
    pub tree: Option<(u8, NodeId)>,
    /// Whether haul holds the content.
    pub known: Known,
}

impl StatEntry {
    fn encode(&self) -> [u8; ENTRY] {
        let mut out = Vec::with_capacity(ENTRY);
        out.extend(self.stamp.dev.to_le_bytes());
        out.extend(self.stamp.ino.to_le_bytes());
        out.extend(self.stamp.size.to_le_bytes());
        out.extend(self.stamp.mtime.0.to_le_bytes());
        out.extend(self.stamp.ctime.0.to_le_bytes());
        out.extend(self.stamp.mode.to_le_bytes());
        out.extend(self.oid.0);
        let (profile, root) = self.tree.map_or((0, [0; 32]), |(p, r)| (p, r.0));
        out.push(profile);
        out.extend(root);
        let link = u8::from(self.stamp.kind == FileKind::Symlink);
        out.push(u8::from(self.known == Known::Stored) | link << 1);
        out.try_into().unwrap_or([0; ENTRY])
    }

    fn decode(bytes: &[u8; ENTRY]) -> Option<Self> {
        let mut r = crate::wire::Reader::new(bytes);
        let mut word = || r.u64();
        let (dev, ino, size) = (word().ok()?, word().ok()?, word().ok()?);
        let (mtime, ctime) = (word().ok()?.cast_signed(), word().ok()?.cast_signed());
        let mode = r.u32().ok()?;
        let oid = Oid(r.array().ok()?);
        let profile = r.u8().ok()?;
        let root = NodeId(r.array().ok()?);
        let flags = r.u8().ok()?;
        let known = if flags & 1 == 1 { Known::Stored } else { Known::Hashed };
        let kind = if flags & 2 == 2 { FileKind::Symlink } else { FileKind::File };
        let stamp = Stamp { kind, dev, ino, size, mtime: Time(mtime), ctime: Time(ctime), mode };
        Some(Self { stamp, oid, tree: (profile != 0).then_some((profile, root)), known })
    }
}

/// A tracked path, and the bytes of its pointer.
pub type PathAndPointer = (Vec<u8>, Vec<u8>);

/// The open stat cache of one worktree; keys are repository paths.
pub struct StatCache {
    db: Db,
}

impl StatCache {
    /// Opens the file, making it anew if it is unusable.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        match Db::open(path, PATIENCE)? {
            Opened::Ready(db) => Ok(Self { db }),
            Opened::Unusable(_) => {
                remove(path)?;
                match Db::open(path, PATIENCE)? {
                    Opened::Ready(db) => Ok(Self { db }),
                    Opened::Unusable(why) => {
                        Err(CacheError::Database { path: path.to_owned(), why })
                    }
                }
            }
        }
    }

    /// Opens the file to look things up; nothing if there is none that can be used as it is. Fails where
    /// something is to be saved.
    pub fn open_to_look(path: &Path) -> Result<Option<Self>, CacheError> {
        Ok(Db::open_to_look(path, PATIENCE)?.map(|db| Self { db }))
    }

    /// Returns the entries at `path` and below the folder `path`, in path order.
    pub fn under(&self, path: &[u8]) -> Result<Vec<(Vec<u8>, StatEntry)>, CacheError> {
        self.under_where(path, |_, _| true)
    }

    /// As [`Self::under`], of the entries of which this is true.
    pub fn under_where(
        &self,
        path: &[u8],
        mut is_wanted: impl FnMut(&[u8], &StatEntry) -> bool,
    ) -> Result<Vec<(Vec<u8>, StatEntry)>, CacheError> {
        let mut out = Vec::new();
        let mut take = |path: &[u8], entry: StatEntry| {
            if is_wanted(path, &entry) {
                out.push((path.to_vec(), entry));
            }
        };
        self.each((Bound::Included(path), Bound::Included(path)), &mut take)?;
        let (from, to) = ([path, b"/"].concat(), [path, &[b'/' + 1]].concat());
        self.each((Bound::Included(&from), Bound::Excluded(&to)), &mut take)?;
        Ok(out)
    }

    /// Returns the entries from one path to another one, both included.
    pub fn between(
        &self,
        first: &[u8],
        last: &[u8],
    ) -> Result<Vec<(Vec<u8>, StatEntry)>, CacheError> {
        let mut out = Vec::new();
        self.each_between(first, last, |path, entry| out.push((path.to_vec(), entry)))?;
        Ok(out)
    }

    /// As [`Self::between`], of entries that are handed over one by one, in the order of paths.
    pub fn each_between(
        &self,
        first: &[u8],
        last: &[u8],
        take: impl FnMut(&[u8], StatEntry),
    ) -> Result<(), CacheError> {
        self.each((Bound::Included(first), Bound::Included(last)), take)
    }

    fn each(
        &self,
        paths: (Bound<&[u8]>, Bound<&[u8]>),
        mut take: impl FnMut(&[u8], StatEntry),
    ) -> Result<(), CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_read()?;
        let table = match txn.open_table(FILES) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(e) => return Err(fail(&e)),
        };
        for row in table.range::<&[u8]>(paths).map_err(|e| fail(&e))? {
            let (key, value) = row.map_err(|e| fail(&e))?;
            if let Some(entry) = StatEntry::decode(value.value()) {
                take(key.value(), entry);
            }
        }
        Ok(())
    }

    /// Returns the bytes of the pointers that haul last added or placed, by tracked path.
    pub fn pointers(&self) -> Result<Vec<PathAndPointer>, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_read()?;
        let table = match txn.open_table(POINTERS) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(e) => return Err(fail(&e)),
        };
        let rows = table.iter().map_err(|e| fail(&e))?;
        rows.map(|row| {
            let (key, value) = row.map_err(|e| fail(&e))?;
            Ok((key.value().to_vec(), value.value().to_vec()))
        })
        .collect()
    }

    /// Writes what changed in one step: file entries and pointers, `None` to forget.
    pub fn save<'a>(
        &self,
        files: impl IntoIterator<Item = (&'a [u8], Option<StatEntry>)>,
        pointers: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Result<(), CacheError> {
        self.save_made(files.into_iter().map(Ok), pointers)
    }

    /// As [`Self::save`], of entries that are made one by one; nothing is written if one cannot be made.
    pub fn save_made<'a, P: AsRef<[u8]>, E: From<CacheError>>(
        &self,
        files: impl IntoIterator<Item = Result<(P, Option<StatEntry>), E>>,
        pointers: impl IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) -> Result<(), E> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_write()?;
        {
            let mut table = txn.open_table(FILES).map_err(|e| fail(&e))?;
            for file in files {
                let (path, entry) = file?;
                let path = path.as_ref();
                match entry {
                    Some(entry) => drop(table.insert(path, &entry.encode()).map_err(|e| fail(&e))?),
                    None => drop(table.remove(path).map_err(|e| fail(&e))?),
                }
            }
            let mut table = txn.open_table(POINTERS).map_err(|e| fail(&e))?;
            for (path, bytes) in pointers {
                match bytes {
                    Some(bytes) => drop(table.insert(path, bytes).map_err(|e| fail(&e))?),
                    None => drop(table.remove(path).map_err(|e| fail(&e))?),
                }
            }
        }
        Ok(txn.commit().map_err(|e| fail(&e))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u8) -> StatEntry {
        let stamp = Stamp {
            kind: FileKind::File,
            dev: 1,
            ino: u64::from(n),
            size: 3,
            mtime: Time(-5),
            ctime: Time(7),
            mode: 0o644,
        };
        let tree = (n > 1).then_some((n, NodeId([n; 32])));
        StatEntry { stamp, oid: Oid([n; 32]), tree, known: Known::Stored }
    }

    #[test]
    fn entries_below_a_folder_are_found_and_neighbours_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = StatCache::open(&folder.path().join("stat.redb")).unwrap();
        let rows = [&b"a"[..], b"a/b", b"a/c/d", b"a.x", b"a0"];
        cache.save(rows.iter().zip(1..).map(|(p, n)| (*p, Some(entry(n)))), []).unwrap();
        let found = cache.under(b"a").unwrap();
        let paths: Vec<_> = found.iter().map(|(p, _)| p.as_slice()).collect();
        assert_eq!(paths, [&b"a"[..], b"a/b", b"a/c/d"]);
        assert_eq!(found[1].1, entry(2));
        cache.save([(&b"a/b"[..], None)], []).unwrap();
        assert_eq!(cache.under(b"a/b").unwrap(), []);
    }

    #[test]
    fn an_unusable_file_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stat.redb");
        crate::fs::write_durably(&path, &[7u8; 5000]).unwrap();
        let cache = StatCache::open(&path).unwrap();
        assert_eq!(cache.under(b"a").unwrap(), []);
    }
}
