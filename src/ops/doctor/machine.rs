//! What the machine gives: Git, disk, links, clock.

use crate::config::Environment;
use crate::fs::{Dir, FsError, LinkKinds, make_folder};
use crate::git::version;
use crate::ops::doctor::notes::Notes;
use crate::ops::error::OpError;
use crate::repo::Repo;
use crate::units::ByteSize;

/// The oldest Git that is tested.
const GIT: (u32, u32) = (2, 34);
/// Free bytes below which the next `pull` or `add` may not find room.
const ROOM: u64 = 1 << 30;
/// Free bytes below which not even the index can grow.
const NO_ROOM: u64 = 16 << 20;
/// How far the clock of a file system may be from that of the machine, in ms.
const CLOCK_MS: u64 = 10_000;

/// Looks at Git itself.
pub(super) fn git(environment: &Environment, notes: &mut Notes) {
    match version(&environment.cwd, environment.search.as_deref()) {
        Err(error) => notes.failed("git", &error),
        Ok(text) => {
            let mut numbers = text.split('.').map(str::parse::<u32>);
            let found = match (numbers.next(), numbers.next()) {
                (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
                _ => (0, 0),
            };
            if found < GIT {
                let (major, minor) = GIT;
                notes.fails(
                    "git",
                    format!("it is version {text}"),
                    format!("install Git {major}.{minor} or later"),
                );
            } else {
                notes.works("git", format!("version {text}"));
            }
        }
    }
}

/// Looks at the file systems of the worktree and of the cache.
pub(super) fn disk(repo: &Repo, notes: &mut Notes) -> Result<(), OpError> {
    let root = repo.door().root();
    room("worktree", root, notes)?;
    let cache = cache(repo)?;
    room("cache", &cache, notes)?;
    links("links", (root, root), notes)?;
    links("cache links", (&cache, root), notes)
}

/// Opens the folder where content lies, which is made if it is missing.
fn cache(repo: &Repo) -> Result<Dir, OpError> {
    let folder = repo.layout().whole_folder();
    make_folder(&folder, false)?;
    Ok(Dir::open(&folder)?)
}

fn room(what: &'static str, dir: &Dir, notes: &mut Notes) -> Result<(), FsError> {
    let free = dir.free_bytes()?;
    let says = format!("{} free for `{}`", ByteSize(free), dir.path().display());
    if free < NO_ROOM {
        notes.fails(what, says, "free some space before anything else");
    } else if free < ROOM {
        notes.lacks(
            what,
            says,
            "`haul evict` frees what the remote has; `haul du` shows what it is",
        );
    } else {
        notes.works(what, says);
    }
    Ok(())
}

fn links(what: &'static str, (from, to): (&Dir, &Dir), notes: &mut Notes) -> Result<(), OpError> {
    let LinkKinds { reflink, hard_link, symlink } = from.link_kinds(to)?;
    let word = |has: bool, name: &str| format!("{}{name}", if has { "" } else { "no " });
    let kinds =
        [word(reflink, "reflinks"), word(hard_link, "hard links"), word(symlink, "symlinks")];
    let says = kinds.join(", ");
    if !symlink {
        notes.lacks(what, says, "symbolic links of tracked folders cannot be placed here");
    } else if !reflink {
        notes.lacks(
            what,
            says,
            "unchanged parts of large files are copied: Btrfs and XFS share them",
        );
    } else {
        notes.works(what, says);
    }
    Ok(())
}

/// Compares the machine's clock with that of the worktree's file system.
pub(super) fn clock(repo: &Repo, now_ms: u64, notes: &mut Notes) -> Result<(), OpError> {
    let there = repo.door().now()?.0 / 1_000_000;
    let there = u64::try_from(there).unwrap_or(0);
    let apart = there.abs_diff(now_ms);
    if apart > CLOCK_MS {
        notes.lacks(
            "file clock",
            format!("the worktree's file system is {} s from this machine's clock", apart / 1000),
            "haul goes by the file system's clock; set the one that is wrong",
        );
    } else {
        notes.works("file clock", "the file system and this machine agree");
    }
    Ok(())
}
