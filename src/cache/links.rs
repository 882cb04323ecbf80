//! Which whole files of the cache are in use by symbolic links: each worktree that makes such links
//! says where, in a file of its own, and whoever evicts looks whether they still are there.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cache::error::CacheError;
use crate::cache::file_name::WholeName;
use crate::cache::layout::Layout;
use crate::fs::{FsError, is_ours, link_target, make_folder, read_limited, write_durably};

/// The longest file of this kind that is read, in bytes.
const LIMIT: u64 = 1 << 30;
/// Behind each path; none can hold it.
const END: u8 = 0;

/// Notes that links will stand at these paths of the worktree at `root`; before they are made.
pub fn note_links<'p>(
    layout: &Layout,
    root: &Path,
    paths: impl Iterator<Item = &'p [u8]>,
) -> Result<(), CacheError> {
    let top = root.as_os_str().as_bytes();
    let file = layout.links_folder().join(blake3::hash(top).to_hex().as_str());
    let old = read_limited(&file, LIMIT)?.unwrap_or_default();
    let known: BTreeSet<&[u8]> = old.split(|byte| *byte == END).skip(1).collect();
    let new: BTreeSet<&[u8]> = paths.filter(|path| !known.contains(path)).collect();
    if new.is_empty() {
        return Ok(());
    }
    // What leads into the cache no more goes with the next links that come.
    let folder = layout.files_folder();
    let leads = |path: &&&[u8]| leads_to(&folder, &root.join(OsStr::from_bytes(path))).is_some();
    let mut text = top.to_vec();
    for path in known.iter().filter(|path| !path.is_empty()).filter(leads).chain(&new) {
        text.push(END);
        text.extend_from_slice(path);
    }
    make_folder(&layout.links_folder(), true)?;
    Ok(write_durably(&file, &text)?)
}

/// Returns the whole files that some link leads to.
pub fn linked_files(layout: &Layout) -> Result<HashSet<WholeName>, CacheError> {
    let (folder, notes) = (layout.files_folder(), layout.links_folder());
    let mut out = HashSet::new();
    let listed = match std::fs::read_dir(&notes) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(out),
        other => other.map_err(|source| FsError { doing: "list", path: notes.clone(), source })?,
    };
    for entry in listed {
        let entry =
            entry.map_err(|source| FsError { doing: "list", path: notes.clone(), source })?;
        let text = read_limited(&entry.path(), LIMIT)?.unwrap_or_default();
        let mut parts = text.split(|byte| *byte == END);
        let root = PathBuf::from(OsStr::from_bytes(parts.next().unwrap_or_default()));
        out.extend(parts.filter_map(|p| leads_to(&folder, &root.join(OsStr::from_bytes(p)))));
    }
    Ok(out)
}

fn leads_to(folder: &Path, link: &Path) -> Option<WholeName> {
    // A path that cannot be looked at is no link of ours.
    let target = link_target(link).ok().flatten()?;
    let name = is_ours(&target, folder).then(|| target.file_name()).flatten()?;
    WholeName::parse(name.to_str()?)
}
