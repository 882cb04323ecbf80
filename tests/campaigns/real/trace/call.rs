//! System calls that touch files: what they are, and which files they mean.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::libc::{self, user_regs_struct};
use nix::unistd::Pid;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a file for reading.
    Open,
    /// Opens a file for writing, or makes it.
    Create,
    Read,
    Write,
    /// Gives a name to something: a rename, a link, a folder.
    Name,
    Remove,
    /// Waits until the disk has it: one file or folder.
    Sync,
    /// Waits until the disk has everything.
    SyncAll,
    /// Changes a length, a mode, times.
    Change,
}

/// A system call that a process is about to make.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    /// Its name, for reports.
    pub(crate) name: &'static str,
    /// The file it is about; of a rename or link the one that is there.
    pub(crate) path: PathBuf,
    /// The new name of a rename or link.
    pub(crate) target: Option<PathBuf>,
}

/// Where in the registers a call says which file it means.
#[derive(Clone, Copy)]
enum Place {
    /// An open file.
    File(usize),
    /// A path that begins at the working folder.
    Path(usize),
    /// A path that begins at an open folder: both.
    At(usize, usize),
}

use Place::{At, Path as At0};

impl Call {
    /// Reads a call that is of interest and about a file below `root`.
    pub(super) fn of(pid: Pid, registers: &user_regs_struct, root: &Path) -> Option<Self> {
        let number = registers.orig_rax.cast_signed();
        let (kind, name, place, target) = described(number, registers)?;
        let path = resolve(pid, registers, place)?;
        let target = target.and_then(|place| resolve(pid, registers, place));
        let ours = |path: &PathBuf| path.starts_with(root);
        (ours(&path) || target.as_ref().is_some_and(ours)).then_some(Self {
            kind,
            name,
            path,
            target,
        })
    }

    /// Says whether files differ after it.
    pub(crate) fn changes(&self) -> bool {
        !matches!(self.kind, Kind::Open | Kind::Read)
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.path.display())?;
        self.target.as_ref().map_or(Ok(()), |target| write!(f, " -> {}", target.display()))
    }
}

type Described = (Kind, &'static str, Place, Option<Place>);

fn described(number: i64, registers: &user_regs_struct) -> Option<Described> {
    use Kind::{Change, Name, Read, Remove, Sync, SyncAll, Write};
    use Place::File;
    Some(match number {
        libc::SYS_open => (opening(registers.rsi), "open", At0(0), None),
        libc::SYS_creat => (Kind::Create, "creat", At0(0), None),
        libc::SYS_openat => (opening(registers.rdx), "openat", At(0, 1), None),
        // Its flags lie in memory; haul opens for reading with it, and for making with a temporary name.
        libc::SYS_openat2 => (Kind::Open, "openat2", At(0, 1), None),
        libc::SYS_read => (Read, "read", File(0), None),
        libc::SYS_pread64 => (Read, "pread64", File(0), None),
        libc::SYS_readv => (Read, "readv", File(0), None),
        libc::SYS_write => (Write, "write", File(0), None),
        libc::SYS_pwrite64 => (Write, "pwrite64", File(0), None),
        libc::SYS_writev => (Write, "writev", File(0), None),
        libc::SYS_pwritev => (Write, "pwritev", File(0), None),
        libc::SYS_copy_file_range => (Write, "copy_file_range", File(2), None),
        libc::SYS_sendfile => (Write, "sendfile", File(0), None),
        libc::SYS_ioctl if registers.rsi == 0x4004_9409 => (Write, "ficlone", File(0), None),
        libc::SYS_rename => (Name, "rename", At0(0), Some(At0(1))),
        libc::SYS_renameat => (Name, "renameat", At(0, 1), Some(At(2, 3))),
        libc::SYS_renameat2 => (Name, "renameat2", At(0, 1), Some(At(2, 3))),
        libc::SYS_link => (Name, "link", At0(0), Some(At0(1))),
        libc::SYS_linkat => (Name, "linkat", At(0, 1), Some(At(2, 3))),
        libc::SYS_symlink => (Name, "symlink", At0(1), None),
        libc::SYS_symlinkat => (Name, "symlinkat", At(1, 2), None),
        libc::SYS_mkdir => (Name, "mkdir", At0(0), None),
        libc::SYS_mkdirat => (Name, "mkdirat", At(0, 1), None),
        libc::SYS_unlink => (Remove, "unlink", At0(0), None),
        libc::SYS_unlinkat => (Remove, "unlinkat", At(0, 1), None),
        libc::SYS_rmdir => (Remove, "rmdir", At0(0), None),
        libc::SYS_fsync => (Sync, "fsync", File(0), None),
        libc::SYS_fdatasync => (Sync, "fdatasync", File(0), None),
        libc::SYS_syncfs => (SyncAll, "syncfs", File(0), None),
        libc::SYS_ftruncate => (Change, "ftruncate", File(0), None),
        libc::SYS_truncate => (Change, "truncate", At0(0), None),
        libc::SYS_fallocate => (Change, "fallocate", File(0), None),
        libc::SYS_chmod => (Change, "chmod", At0(0), None),
        libc::SYS_fchmod => (Change, "fchmod", File(0), None),
        libc::SYS_fchmodat => (Change, "fchmodat", At(0, 1), None),
        libc::SYS_utimensat => (Change, "utimensat", At(0, 1), None),
        _ => return None,
    })
}

fn opening(flags: u64) -> Kind {
    let writes = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
    if flags & u64::from(writes.cast_unsigned()) == 0 { Kind::Open } else { Kind::Create }
}

fn register(registers: &user_regs_struct, number: usize) -> u64 {
    match number {
        0 => registers.rdi,
        1 => registers.rsi,
        2 => registers.rdx,
        _ => registers.r10,
    }
}

fn resolve(pid: Pid, registers: &user_regs_struct, place: Place) -> Option<PathBuf> {
    // Only the lower half of the register counts.
    let open = |number: usize| match register(registers, number) & 0xffff_ffff {
        folder if folder == u64::from(libc::AT_FDCWD.cast_unsigned()) => {
            std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
        }
        file => std::fs::read_link(format!("/proc/{pid}/fd/{file}")).ok(),
    };
    let text = |number: usize| text_at(pid, register(registers, number));
    let path = match place {
        Place::File(file) => open(file)?,
        At0(path) => {
            let path = text(path)?;
            if path.is_absolute() {
                path
            } else {
                std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?.join(path)
            }
        }
        At(folder, path) => match text(path)? {
            path if path.is_absolute() => path,
            path if path.as_os_str().is_empty() => open(folder)?,
            path => open(folder)?.join(path),
        },
    };
    Some(path)
}

/// Reads a string of another process.
fn text_at(pid: Pid, address: u64) -> Option<PathBuf> {
    if address == 0 {
        return Some(PathBuf::new());
    }
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut bytes = Vec::new();
    // Page by page: what lies behind the string need not be readable.
    let mut at = address;
    while bytes.len() < 4096 {
        let length = usize::try_from(4096 - at % 4096).ok()?;
        let mut piece = vec![0; length];
        memory.read_exact_at(&mut piece, at).ok()?;
        if let Some(end) = piece.iter().position(|byte| *byte == 0) {
            bytes.extend(piece.get(..end)?);
            return Some(PathBuf::from(OsStr::from_bytes(&bytes)));
        }
        bytes.extend(piece);
        at += length as u64;
    }
    None
}
