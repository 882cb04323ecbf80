//! What a file looked like at one moment, without reading it.

use rustix::fs::{FileType, Stat};

/// A point in time of the file system's clock, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

impl Time {
    fn new(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The time by which a later change of a file with this time would show another time.
    ///
    /// File systems stamp with a clock that ticks every few milliseconds, some only every two
    /// seconds; the latter are told by a time without a fraction.
    #[must_use]
    pub fn settled(self) -> Self {
        let tick = if self.0 % 1_000_000_000 == 0 { 2_000_000_000 } else { 20_000_000 };
        Self(self.0.saturating_add(tick))
    }
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A socket, FIFO or device.
    Special,
}

/// Identity, size and times of a file: equal stamps mean "not changed since", but for the racy
/// moment that [`Time::settled`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What lies there.
    pub kind: FileKind,
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of content.
    pub mtime: Time,
    /// Time of the last change of the inode.
    pub ctime: Time,
    /// Permission bits.
    pub mode: u32,
}

impl Stamp {
    /// Says whether the owner may execute the file.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    /// Says whether this is still the file that was `seen` a moment ago.
    ///
    /// A file that several names share shows another time of its inode whenever one of them comes or
    /// goes; that is no change where nobody may write to it.
    pub fn still_is(&self, seen: &Self) -> bool {
        let shared = self.kind == FileKind::File && self.mode & 0o222 == 0;
        self == seen || shared && Self { ctime: seen.ctime, ..*self } == *seen
    }

    /// Says whether a change after `moment` would be visible in the times.
    pub fn is_settled_at(&self, moment: Time) -> bool {
        self.mtime.max(self.ctime).settled() <= moment
    }
}

impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Symlink,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => FileKind::Special,
        };
        let nanos = |n: u64| i64::try_from(n).unwrap_or(0);
        let (mtime, ctime) = (
            Time::new(stat.st_mtime, nanos(stat.st_mtime_nsec)),
            Time::new(stat.st_ctime, nanos(stat.st_ctime_nsec)),
        );
        Self {
            kind,
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime,
            ctime,
            mode: stat.st_mode & 0o7777,
        }
    }
}
