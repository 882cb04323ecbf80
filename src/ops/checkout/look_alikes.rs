//! Names that some file systems take for each other: of files in one tracked folder, and of links beside
//! it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::fs::FileKind;
use crate::ops::checkout::plan::Work;
use crate::ops::checkout::wanted::Target;
use crate::ops::error::OpError;
use crate::path::{CollisionKind, RepoPath, find_collisions, in_shell, show};
use crate::repo::Repo;

/// Refuses to write into a folder beside which lies a link of the same name in other letters: where
/// letter case does not count, whoever checks this out would write through the link.
pub(super) fn refuse_look_alikes(repo: &Repo, work: &Work) -> Result<(), OpError> {
    let mut beside: BTreeMap<Option<RepoPath>, Vec<RepoPath>> = BTreeMap::new();
    for folder in folders(work) {
        beside.entry(folder.parent()).or_default().push(folder);
    }
    for (parent, mut paths) in beside {
        let links = links_in(repo, parent.as_ref())?;
        let folders = paths.len();
        paths
            .extend(links.iter().filter(|link| !paths.contains(link)).cloned().collect::<Vec<_>>());
        if paths.len() == folders {
            continue;
        }
        let wanted: HashSet<RepoPath> = paths.iter().take(folders).cloned().collect();
        paths.sort_unstable();
        for collision in find_collisions(&paths) {
            let folder = collision.paths.iter().find(|path| wanted.contains(*path));
            let link = collision.paths.iter().find(|path| links.contains(*path));
            if let (Some(folder), Some(link)) = (folder, link) {
                return Err(refused(folder, link, &collision.kind.to_string()));
            }
        }
    }
    Ok(())
}

/// Refuses files of which the file system of the worktree would make one: the later one would take the
/// place of the earlier. What it does with names Git found out when the repository was made.
pub(super) fn refuse_one_name(repo: &Repo, targets: &[Target]) -> Result<(), OpError> {
    if targets.len() < 2 {
        return Ok(());
    }
    let case = repo.git().flag("core.ignoreCase")?;
    let unicode = repo.git().flag("core.precomposeUnicode")?;
    if !case && !unicode {
        return Ok(());
    }
    let paths: Vec<RepoPath> = targets.iter().map(|target| target.path.clone()).collect();
    let mixed = |kind: CollisionKind| match kind {
        CollisionKind::Case => case,
        CollisionKind::Unicode => unicode,
        CollisionKind::FileAndFolder | CollisionKind::ShortName => false,
    };
    let Some(found) = find_collisions(&paths).into_iter().find(|found| mixed(found.kind)) else {
        return Ok(());
    };
    let names: Vec<String> =
        found.paths.iter().map(|path| format!("`{}`", show(path.as_bytes()))).collect();
    let one = found.paths.first().map(|path| in_shell(path.as_bytes())).unwrap_or_default();
    Err(OpError::refused(
        format!(
            "nothing was changed: {} {}, and so they are here",
            names.join(" and "),
            found.kind
        ),
        format!("rename one of them, `haul mv {one} NAME`, which needs no data here"),
    ))
}

fn refused(folder: &RepoPath, link: &RepoPath, how: &str) -> OpError {
    let word = in_shell(link.as_bytes());
    let (folder, link) = (show(folder.as_bytes()), show(link.as_bytes()));
    OpError::refused(
        format!(
            "nothing was changed: `{folder}` holds tracked data, `{link}` is a symbolic link, and \
             they {how}"
        ),
        format!("rename one of them: `git mv {word} NAME`"),
    )
}

/// The tracked folders that are written to, and the folders above them.
fn folders(work: &Work) -> BTreeSet<RepoPath> {
    let tops: HashSet<&[u8]> = work.pointers.iter().map(|(path, _)| path.as_slice()).collect();
    let mut all: HashSet<RepoPath> = HashSet::new();
    for write in &work.writes {
        let mut next = write.target.path.parent();
        while let Some(folder) = next {
            next = folder.parent();
            if !all.insert(folder) {
                break;
            }
        }
    }
    let below_a_top = |folder: &RepoPath| {
        let mut above = std::iter::successors(folder.parent(), RepoPath::parent);
        above.any(|path| tops.contains(path.as_bytes()))
    };
    all.into_iter().filter(|folder| !below_a_top(folder)).collect()
}

fn links_in(repo: &Repo, folder: Option<&RepoPath>) -> Result<HashSet<RepoPath>, OpError> {
    let place = folder.map_or(&b""[..], RepoPath::as_bytes);
    // What is not there holds no links; what is no folder is refused when it is to be one.
    let Ok(dir) = repo.door().root().descend(place) else { return Ok(HashSet::new()) };
    let mut out = HashSet::new();
    for entry in dir.entries()? {
        let kind = match entry.kind {
            Some(kind) => Some(kind),
            None => dir.stamp(&entry.name)?.map(|stamp| stamp.kind),
        };
        let path = match folder {
            Some(folder) => [folder.as_bytes(), b"/", &entry.name].concat(),
            None => entry.name,
        };
        if kind == Some(FileKind::Symlink)
            && let Ok(path) = RepoPath::new(&path)
        {
            out.insert(path);
        }
    }
    Ok(out)
}
