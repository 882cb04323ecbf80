//! Which whole files of the cache are in use by symbolic links: each worktree that makes such links
//! says where, in a file of its own, and whoever evicts looks whether they still are there.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cache::error::CacheError;
use crate::cache::file_name::WholeName;
use crate::cache::layout::Layout;
use crate::fs::{FsError, OwnLink, link_target, make_folder, read_limited, write_durably};

/// The longest file of this kind that is read, in bytes.
const LIMIT: u64 = 1 << 30;
/// Behind each path; none can hold it.
const END: u8 = 0;

/// Notes that links stand, or will stand, at these paths of the worktree at `root`.
pub fn note_links<'p>(
    layout: &Layout,
    root: &Path,
    paths: impl Iterator<Item = &'p [u8]>,
) -> Result<(), CacheError> {
    let top = root.as_os_str().as_bytes();
    let file = layout.links_folder().join(blake3::hash(top).to_hex().as_str());
    let old = read_limited(&file, LIMIT)?.unwrap_or_default();
    let known: BTreeSet<&[u8]> = old.split(|byte| *byte == END).skip(1).collect();
    let given: BTreeSet<&[u8]> = paths.collect();
    if given.is_subset(&known) {
        return Ok(());
    }
    // What leads into the cache no more goes with the next links that come, unless it is one of them.
    let folder = layout.files_folder();
    let gone =
        |path: &[u8]| matches!(leads_to(&folder, &root.join(OsStr::from_bytes(path))), Ok(None));
    let old = known.difference(&given).filter(|path| !path.is_empty() && !gone(path));
    let mut text = top.to_vec();
    for path in old.chain(&given) {
        text.push(END);
        text.extend_from_slice(path);
    }
    make_folder(&layout.links_folder(), true)?;
    Ok(write_durably(&file, &text)?)
}

/// Returns the links that were noted and still lead to whole files, each with its path. Fails if that
/// cannot be seen of one: it may be in use.
pub fn noted_links(layout: &Layout) -> Result<Vec<(WholeName, PathBuf)>, CacheError> {
    let (folder, notes) = (layout.files_folder(), layout.links_folder());
    let mut out = Vec::new();
    let listed = match std::fs::read_dir(&notes) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(out),
        other => other.map_err(|source| FsError { doing: "list", path: notes.clone(), source })?,
    };
    for entry in listed {
        let entry =
            entry.map_err(|source| FsError { doing: "list", path: notes.clone(), source })?;
        let text = read_limited(&entry.path(), LIMIT)?.unwrap_or_default();
        let mut parts = text.split(|byte| *byte == END);
        let root = PathBuf::from(OsStr::from_bytes(parts.next().unwrap_or_default()));
        for part in parts {
            let link = root.join(OsStr::from_bytes(part));
            if let Some(name) = leads_to(&folder, &link)? {
                out.push((name, link));
            }
        }
    }
    Ok(out)
}

/// Returns the whole file that a path is a link to; nothing if it is no link of ours, or not there.
fn leads_to(folder: &Path, link: &Path) -> Result<Option<WholeName>, FsError> {
    let target = match link_target(link) {
        Err(e) if e.source.kind() == ErrorKind::NotADirectory => None,
        other => other?,
    };
    Ok(target.and_then(|target| WholeName::of_link(&OwnLink::of(&target, folder)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_to_be_a_link_again_stays_noted_and_what_cannot_be_seen_is_no_answer() {
        let folder = tempfile::tempdir().unwrap();
        let (root, layout) = (folder.path(), Layout::new(folder.path(), folder.path(), None));
        let name = format!("{0}/{1}", "ab", "ab".repeat(32));
        let link = |at: &str| {
            std::os::unix::fs::symlink(layout.files_folder().join(&name), root.join(at)).unwrap();
        };
        let note = |paths: &[&str]| {
            note_links(&layout, root, paths.iter().map(|path| path.as_bytes())).unwrap();
        };
        let noted = || noted_links(&layout).map(|all| all.len());
        note(&["x"]);
        note(&["x", "y"]);
        assert_eq!(noted().unwrap(), 0, "nothing stands there yet");
        link("x");
        link("y");
        assert_eq!(noted().unwrap(), 2);
        // One that is gone goes with the next that comes.
        crate::fs::remove(&root.join("x")).unwrap();
        note(&["z"]);
        link("x");
        assert_eq!(noted().unwrap(), 1);
        note(&["loop/w"]);
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        assert!(noted().is_err(), "nobody knows what is there");
        note(&["x"]);
        assert!(noted().is_err(), "it stays noted");
    }
}
