//! Which kinds of links two folders can have between them, found by trying.

use std::io::Write;

use rustix::fs::AtFlags;

use crate::fs::dir::temp_name;
use crate::fs::{Dir, FsError, IoResultExt};

/// Bytes that are tried to be shared; a multiple of every block size.
const TRIED: usize = 64 << 10;

/// What worked between two folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkKinds {
    /// Two files can share the blocks of one until one of them changes.
    pub reflink: bool,
    /// One file can have a name in both.
    pub hard_link: bool,
    /// The second can hold a symbolic link.
    pub symlink: bool,
}

impl Dir {
    /// Tries links from this folder into another; nothing of it stays.
    pub fn link_kinds(&self, other: &Self) -> Result<LinkKinds, FsError> {
        let from = self.temp(false)?;
        let mut file = from.file();
        file.write_all(&vec![1; TRIED]).at("write", self.path())?;
        let reflink = other.temp(false)?.reflink(from.file());
        let name = temp_name();
        let there = (&other.fd, name.as_slice());
        let plain = AtFlags::empty();
        let hard_link =
            rustix::fs::linkat(&self.fd, from.name.as_slice(), there.0, there.1, plain).is_ok();
        if hard_link {
            other.remove_file(&name)?;
        }
        let symlink = rustix::fs::symlinkat("nowhere", there.0, there.1).is_ok();
        if symlink {
            other.remove_file(&name)?;
        }
        Ok(LinkKinds { reflink, hard_link, symlink })
    }
}
