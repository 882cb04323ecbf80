//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::fs::ahead::WriteAhead;
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::pages::write_all_at;
use crate::fs::plain::{Links, open_plain};
use crate::fs::{failpoint, planted};

/// What names of temporary files begin with.
pub(super) const PREFIX: &str = "haul-";
/// Age in seconds from which a temporary file is that of a run that died.
const ABANDONED: u64 = 24 * 60 * 60;

/// A file being written in a folder for temporary files; gone unless published.
#[derive(Debug)]
pub struct Temp {
    file: NamedTempFile,
    /// Who may do what with it once it is published, before the umask.
    mode: u32,
    ahead: WriteAhead,
}

impl Temp {
    /// Creates an empty file in `folder`, which is made if needed.
    pub fn new_in(folder: &Path) -> Result<Self, FsError> {
        fs::create_dir_all(folder).at("create the folder", folder)?;
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempfile_in(folder)
            .at("create a temporary file in", folder)?;
        Ok(Self { file, mode: 0o666, ahead: WriteAhead::default() })
    }

    /// Returns where the file lies until it is published.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the file for reading or writing at offsets.
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Writes a piece where it belongs.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        write_all_at(self.as_file(), offset, bytes).at("write", self.path())
    }

    /// Makes the bytes durable, then gives the file its name `target` and makes that durable.
    pub fn publish(self, target: &Path) -> Result<(), FsError> {
        self.place(target, true)
    }

    /// Gives the file its name without waiting for the disk: for what can be made again.
    pub fn publish_lazily(self, target: &Path) -> Result<(), FsError> {
        self.place(target, false)
    }

    fn place(self, target: &Path, durable: bool) -> Result<(), FsError> {
        let folder = target.parent().unwrap_or(Path::new("."));
        make_folder(folder, durable)?;
        failpoint::hit("fs.publish.written");
        let durable = durable && !planted::is("no-fsync");
        let late = planted::is("rename-before-sync");
        if durable && !late {
            self.file.as_file().sync_all().at("write", target)?;
        }
        failpoint::hit("fs.publish.synced");
        set_mode(self.file.as_file(), self.mode, target)?;
        let file = self.file.persist(target).map_err(|e| FsError {
            doing: "create",
            path: target.to_owned(),
            source: e.error,
        })?;
        if durable && late {
            file.sync_all().at("write", target)?;
        }
        failpoint::hit("fs.publish.renamed");
        if durable { sync_folder(folder) } else { Ok(()) }
    }
}

/// A folder for files that nobody needs any more once this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes an empty folder inside `parent`, which is made if needed.
    pub fn new_in(parent: &Path) -> Result<Self, FsError> {
        fs::create_dir_all(parent).at("create the folder", parent)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent);
        Ok(Self { folder: folder.at("create a temporary folder in", parent)? })
    }

    /// Returns where the folder lies.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Write for Temp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if written.is_ok() && planted::is("short-write-believed") {
            return Ok(bytes.len());
        }
        if let Ok(bytes) = written {
            self.ahead.wrote(self.file.as_file(), bytes as u64);
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Temporary files are private; what is published follows the user's umask as any new file does.
fn set_mode(file: &File, mode: u32, path: &Path) -> Result<(), FsError> {
    use rustix::fs::Mode;
    let umask = umask();
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode) - umask).at("set the mode of", path)
}

/// Reads the process's umask once; reading it means setting it for an instant.
fn umask() -> rustix::fs::Mode {
    static UMASK: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let raw = UMASK.get_or_init(|| {
        let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        rustix::process::umask(old);
        old.as_raw_mode()
    });
    rustix::fs::Mode::from_raw_mode(*raw)
}

/// Makes an empty folder in `folder` that is removed with all in it when the value is dropped.
pub fn temp_folder(folder: &Path) -> Result<tempfile::TempDir, FsError> {
    fs::create_dir_all(folder).at("create the folder", folder)?;
    let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder);
    made.at("create a temporary folder in", folder)
}

/// Writes `bytes` as the whole content of `target`, durably: after a crash it is old or new.
pub fn write_durably(target: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temp = Temp::new_in(folder)?;
    temp.write_all(bytes).at("write", target)?;
    temp.publish(target)
}

/// As [`write_durably`], of a program: who may read it may run it.
pub fn write_program(target: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temp = Temp::new_in(folder)?;
    temp.mode = 0o777;
    temp.write_all(bytes).at("write", target)?;
    temp.publish(target)
}

/// Writes `bytes` as the whole content of `target`, atomically but without waiting for the disk.
pub fn replace(target: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temp = Temp::new_in(folder)?;
    temp.write_all(bytes).at("write", target)?;
    temp.publish_lazily(target)
}

/// Appends a line to a file, made if needed; what a crash cuts short is for the reader to skip.
pub fn append_line(path: &Path, line: &str) -> Result<(), FsError> {
    if let Some(folder) = path.parent() {
        make_folder(folder, false)?;
    }
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).at("open", path)?;
    file.write_all(format!("{line}\n").as_bytes()).at("write", path)
}

/// Opens a file for a log, from its beginning; it is made if it is missing. Not durable.
pub fn open_log(path: &Path) -> Result<File, FsError> {
    fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)
        .at("write the log to", path)
}

/// Removes temporary files and folders that a run left in `folder` when it died, a day or more ago by the clock
/// of the file system. Costs one listing; what cannot be removed is left for another time.
pub fn sweep_abandoned(folder: &Path) -> Result<(), FsError> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.at("list", folder)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.at("list", folder)?;
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            found.push(entry.path());
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let written = |path: &Path| path.symlink_metadata().and_then(|m| m.modified());
    let clock = Temp::new_in(folder)?;
    let now = written(clock.path()).at("read", clock.path())?;
    for path in found {
        let age = written(&path).ok().and_then(|time| now.duration_since(time).ok());
        if age.is_some_and(|age| age.as_secs() >= ABANDONED) {
            // A folder is one that was for scratch.
            drop(fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)));
        }
    }
    Ok(())
}

/// Makes a folder and its parents; durably, if asked, up to the first that existed.
pub fn make_folder(folder: &Path, durable: bool) -> Result<(), FsError> {
    if folder.is_dir() {
        return Ok(());
    }
    let existing = folder.ancestors().find(|p| p.is_dir()).map(Path::to_owned);
    fs::create_dir_all(folder).at("create the folder", folder)?;
    if durable {
        let made = folder.ancestors().skip(1);
        for parent in made {
            sync_folder(parent)?;
            if Some(parent) == existing.as_deref() {
                break;
            }
        }
    }
    Ok(())
}

/// Renames `from` to `to` and makes both folders durable; copies where they are on two file systems,
/// and removes `from` only once the copy is durable.
pub fn move_durably(from: &Path, to: &Path) -> Result<(), FsError> {
    let folder = to.parent().unwrap_or(Path::new("."));
    make_folder(folder, true)?;
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let renamed = fs::rename(from, to);
    if renamed.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::CrossesDevices) {
        let mut temp = Temp::new_in(folder)?;
        io::copy(&mut File::open(from).at("read", from)?, &mut temp).at("write", to)?;
        temp.publish(to)?;
        return remove(from);
    }
    renamed.at("rename", from)?;
    failpoint::hit("fs.move.renamed");
    sync_folder(folder)?;
    sync_folder(from.parent().unwrap_or(Path::new(".")))
}

/// Removes a file; one that is not there is fine.
pub fn remove(path: &Path) -> Result<(), FsError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.at("remove", path),
    }
}

/// Removes a folder with everything in it; one that is not there is fine.
pub fn remove_tree(path: &Path) -> Result<(), FsError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.at("remove", path),
    }
}

/// Reads a whole file of at most `limit` bytes, but not through a link; nothing if there is none.
pub fn read_limited(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
    let file = match open_plain(path, Links::Refuse) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.at("read", path)?,
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).at("read", path)?;
    if bytes.len() as u64 > limit {
        let source = io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than the limit of {limit} bytes"),
        );
        return Err(FsError { doing: "read", path: path.to_owned(), source });
    }
    Ok(Some(bytes))
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), FsError> {
    if planted::is("no-fsync") {
        return Ok(());
    }
    let folder: PathBuf = if folder.as_os_str().is_empty() { ".".into() } else { folder.into() };
    File::open(&folder).and_then(|f| f.sync_all()).at("sync the folder", &folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_written_durably_replaces_the_old_one_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        write_durably(&path, b"one").unwrap();
        write_durably(&path, b"two").unwrap();
        assert_eq!(read_limited(&path, 3).unwrap().unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn only_temporary_files_of_the_day_before_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let day = std::time::Duration::from_secs(ABANDONED);
        for (name, age) in [("haul-old", day), ("haul-new", day / 2), ("other", day)] {
            let path = folder.path().join(name);
            write_durably(&path, b"").unwrap();
            let file = fs::OpenOptions::new().append(true).open(path).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - age).unwrap();
        }
        sweep_abandoned(folder.path()).unwrap();
        sweep_abandoned(&folder.path().join("none")).unwrap();
        let left = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort();
        assert_eq!(left, ["haul-new", "other"]);
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_durably(&path, b"1234").unwrap();
        assert!(read_limited(&path, 3).is_err());
        assert!(read_limited(&folder.path().join("none"), 3).unwrap().is_none());
    }
}
