use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{World, skipped};

/// A file system in a file; gone when dropped.
pub(crate) struct Disk {
    image: PathBuf,
    place: PathBuf,
}

impl Disk {
    /// Makes one of 400 MiB with `mkfs.KIND` and mounts it; nothing, and a line, where that is not to
    /// be had.
    pub(crate) fn make(outside: &World, (kind, options): (&str, &[&str])) -> Option<Self> {
        let disk = Self { image: outside.path("image"), place: outside.path("disk") };
        let image = std::fs::File::create(&disk.image).expect("makes a file");
        image.set_len(400 << 20).expect("has a length");
        std::fs::create_dir(&disk.place).expect("makes a folder");
        let made = Command::new(format!("mkfs.{kind}")).args(options).arg(&disk.image).output();
        if !made.is_ok_and(|output| output.status.success()) || !disk.mount() {
            skipped(&format!("no {kind} can be made and mounted"));
            return None;
        }
        Some(disk)
    }

    /// Returns the folder that it is mounted at.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Mounts it; says whether that worked.
    pub(crate) fn mount(&self) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-o", "loop"]).arg(&self.image).arg(&self.place);
        mount.output().is_ok_and(|output| output.status.success())
    }

    /// Takes it off.
    pub(crate) fn unmount(&self) {
        drop(Command::new("umount").arg(&self.place).output());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// Says whether a file shares blocks with another one, on a file system that can do that; nothing, and a line,
/// where no program tells.
pub(crate) fn shares_blocks(file: &Path) -> Option<bool> {
    let Ok(output) = Command::new("filefrag").arg("-sv").arg(file).output() else {
        skipped("there is no `filefrag` to see which blocks are shared");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8_lossy(&output.stdout).contains("shared"))
}

/// A file system of 32 MiB in memory; gone when dropped.
pub(crate) struct Small(PathBuf);

impl Small {
    /// Makes a folder and mounts one there; nothing, and a line, where that is not to be had.
    pub(crate) fn mount(place: PathBuf) -> Option<Self> {
        std::fs::create_dir(&place).expect("makes a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=32m,mode=755", "none"]).arg(&place);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            skipped("no small file system can be mounted");
            return None;
        }
        Some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}
