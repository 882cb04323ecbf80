//! Names for shells to complete: tracked paths, and what tracked folders have, by what is on this machine.

use std::time::Duration;

use crate::cache::ObjectReader;
use crate::manifest::FileEntry;
use crate::node::OldTree;
use crate::path::RepoPath;
use crate::pointer::{Pointer, PointerKind};
use crate::repo::Repo;

/// Most names that are offered of one tracked folder.
const OFFERED: usize = 500;
/// How long a shell waits for another command that has the index.
const PATIENCE: Duration = Duration::from_millis(200);
/// Longest pointer, in bytes.
const POINTER: u64 = 4096;

/// Returns the paths that begin so, up to the next slash: tracked ones, those of Git's folders that hold
/// them, and those in tracked folders. What cannot be had at once is left out.
pub fn paths(repo: &Repo, start: &[u8]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for entry in repo.git().pointers().unwrap_or_default() {
        let path = RepoPath::new(&entry.path).and_then(|pointer| pointer.target_of_pointer());
        let Ok(path) = path else { continue };
        let own = path.as_bytes();
        if own.starts_with(start) {
            let value = up_to_slash(own, start.len()).to_vec();
            if out.last() != Some(&value) {
                out.push(value);
            }
        } else if let Some(rest) = start.strip_prefix(own).and_then(|rest| rest.strip_prefix(b"/"))
        {
            let inside = inside(repo, &path, rest).unwrap_or_default().into_iter();
            out.extend(inside.map(|name| [own, b"/", &name].concat()));
        }
    }
    out
}

/// Cuts a path behind the first slash that is not a part of its beginning.
fn up_to_slash(path: &[u8], start: usize) -> &[u8] {
    let more = path.get(start..).unwrap_or_default();
    let end = more.iter().position(|byte| *byte == b'/').map(|at| start + at + 1);
    end.and_then(|end| path.get(..end)).unwrap_or(path)
}

/// Finds names in a tracked folder, going from one to the next by the manifest's own order: as quick in a
/// folder of a million files.
fn inside(repo: &Repo, folder: &RepoPath, start: &[u8]) -> Option<Vec<Vec<u8>>> {
    let bytes = repo.door().read_small(&folder.pointer_path().ok()?, POINTER).ok()??;
    let pointer = Pointer::parse(&bytes).ok()?;
    let PointerKind::Dir { root, .. } = *pointer.kind() else { return None };
    repo.index_within(PATIENCE).ok().filter(|open| *open)?;
    let mut reader = ObjectReader::new(repo.layout(), repo.index().ok()?).ok()?;
    let mut tree = OldTree::<FileEntry, _>::open(root, |id| reader.node_bytes(id)).ok()?;
    let (mut out, mut from) = (Vec::new(), start.to_vec());
    while out.len() < OFFERED {
        let Ok((_, Some(entry))) = tree.at_or_after(&from) else { break };
        if !entry.path.starts_with(start) {
            break;
        }
        let name = up_to_slash(&entry.path, start.len()).to_vec();
        // The next name is behind all that lies in this one.
        from.clone_from(&name);
        match from.pop() {
            Some(b'/') => from.push(b'/' + 1),
            Some(last) => from.extend([last, 0]),
            None => break,
        }
        out.push(name);
    }
    Some(out)
}
