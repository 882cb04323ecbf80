//! Names that some file systems take for each other: of files in one tracked folder, and of links beside
//! it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::cache::ObjectReader;
use crate::fs::{FileKind, Time};
use crate::ops::checkout::packed::Packed;
use crate::ops::checkout::plan::Work;
use crate::ops::checkout::wanted::{Target, targets};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::{Collision, CollisionKind, RepoPath, find_collisions, in_shell, show};
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::Knowledge;

/// Refuses to write into a folder beside which lies a link of the same name in other letters: where
/// letter case does not count, whoever checks this out would write through the link.
pub(super) fn refuse_look_alikes(repo: &Repo, work: &Work) -> Result<(), OpError> {
    let mut beside: BTreeMap<Option<RepoPath>, Vec<RepoPath>> = BTreeMap::new();
    for folder in folders(work)? {
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

/// What the file system of the worktree takes for one, as Git found out when the repository was made.
pub(crate) struct Mixed {
    case: bool,
    unicode: bool,
}

impl Mixed {
    /// Asks Git's settings; nothing where each name is one of its own.
    pub(crate) fn of(repo: &Repo) -> Result<Option<Self>, OpError> {
        let case = repo.git().flag("core.ignoreCase")?;
        let unicode = repo.git().flag("core.precomposeUnicode")?;
        Ok((case || unicode).then_some(Self { case, unicode }))
    }

    fn collisions(&self, paths: &[RepoPath]) -> impl Iterator<Item = Collision> {
        find_collisions(paths).into_iter().filter(|found| match found.kind {
            CollisionKind::Case => self.case,
            CollisionKind::Unicode => self.unicode,
            CollisionKind::FileAndFolder | CollisionKind::ShortName => false,
        })
    }

    /// Finds files of a tracked path of which the file system would make one: the later one would take the
    /// place of the earlier, which may have been placed before. Says which these are.
    pub(super) fn find(
        &self,
        repo: &Repo,
        (item, began): (&Chosen, Time),
        targets: &Packed<Target>,
    ) -> Result<Option<String>, OpError> {
        let mut paths = Vec::with_capacity(targets.len());
        for window in targets.windows() {
            paths.extend(window?.into_iter().map(|target| target.path));
        }
        if let Some(found) = self.collisions(&paths).next() {
            return Ok(Some(told(item, &found)));
        }
        if matches!(item.filter, Filter::All) {
            return Ok(None);
        }
        let knowledge = Knowledge::new(repo.stat()?.under(item.path.as_bytes())?, began);
        let named = paths.clone();
        paths.retain(|path| knowledge.last(path).is_none());
        if paths.is_empty() {
            return Ok(None);
        }
        let new =
            |path: &RepoPath| named.iter().any(|own| own == path || own.starts_with_dir(path));
        paths.extend(knowledge.stored_paths().filter_map(|(path, _)| RepoPath::new(path).ok()));
        paths.sort_unstable();
        for found in self.collisions(&paths).filter(|found| found.paths.iter().any(new)) {
            for placed in found.paths.iter().filter(|path| !new(path)) {
                if repo.door().has(placed)? && has(repo, item, placed)? {
                    return Ok(Some(told(item, &found)));
                }
            }
        }
        Ok(None)
    }
}

/// Says whether the manifest of a tracked path is known to have something at or below a path.
fn has(repo: &Repo, item: &Chosen, path: &RepoPath) -> Result<bool, OpError> {
    let Some(rest) = path.relative_to(&item.path) else { return Ok(false) };
    let filter = Filter::Some(vec![Choice::Under(rest.as_bytes().to_vec())]);
    let (pointer, bytes) = (item.pointer.clone(), Vec::new());
    let part = Chosen { path: item.path.clone(), by: item.by, pointer, bytes, filter };
    let found = targets(&part, &mut ObjectReader::new(repo.layout(), repo.index()?)?)?;
    Ok(found.is_some_and(|found| !found.is_empty()))
}

fn told(item: &Chosen, found: &Collision) -> String {
    let names: Vec<String> =
        found.paths.iter().map(|path| format!("`{}`", show(path.as_bytes()))).collect();
    let one = found.paths.first().map(|path| in_shell(path.as_bytes())).unwrap_or_default();
    format!(
        "`{}` is passed over: {} {}, and so they are here; rename one of them, `haul mv {one} NAME`, which \
         needs no data here",
        show(item.path.as_bytes()),
        names.join(" and "),
        found.kind
    )
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
fn folders(work: &Work) -> Result<BTreeSet<RepoPath>, OpError> {
    let tops: HashSet<&[u8]> = work.pointers.iter().map(|(path, _)| path.as_slice()).collect();
    let mut all: HashSet<RepoPath> = HashSet::new();
    work.writes.each(|write| {
        let mut next = write.target.path.parent();
        while let Some(folder) = next {
            next = folder.parent();
            if !all.insert(folder) {
                break;
            }
        }
        Ok(())
    })?;
    let below_a_top = |folder: &RepoPath| {
        let mut above = std::iter::successors(folder.parent(), RepoPath::parent);
        above.any(|path| tops.contains(path.as_bytes()))
    };
    Ok(all.into_iter().filter(|folder| !below_a_top(folder)).collect())
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
