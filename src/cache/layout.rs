//! Where things lie on disk (`docs/format/local.md`).

use std::path::{Path, PathBuf};

use crate::cache::folder::CacheFolder;
use crate::hash::{PackId, RemoteId};

/// The folders of one repository's local state and of its cache.
#[derive(Clone, Debug)]
pub struct Layout {
    state: PathBuf,
    cache: PathBuf,
    stat: PathBuf,
}

impl Layout {
    /// Places state in `<common dir>/haul`, the stat cache in `<git dir>/haul` (it describes one
    /// worktree), and packs that can be fetched again in `cache`, by default beside the state.
    pub fn new(common_dir: &Path, git_dir: &Path, cache: Option<&Path>) -> Self {
        let state = common_dir.join("haul");
        let cache = cache.map_or_else(|| state.clone(), resolved);
        Self { state, cache, stat: git_dir.join("haul/stat.redb") }
    }

    /// Packs that are not confirmed on a remote; nothing ever evicts here.
    pub fn unpushed(&self, pack: PackId) -> PathBuf {
        nested(&self.unpushed_folder(), pack)
    }

    /// The folder of all packs that are not confirmed on a remote.
    pub fn unpushed_folder(&self) -> PathBuf {
        self.state.join("unpushed")
    }

    /// Whole packs that can be fetched again.
    pub fn whole(&self, pack: PackId) -> PathBuf {
        nested(&self.whole_folder(), pack)
    }

    /// The folder of all whole packs that can be fetched again.
    pub fn whole_folder(&self) -> PathBuf {
        self.cache.join("packs")
    }

    /// Files with the frames of a pack that were fetched, at their own offsets.
    pub fn part(&self, pack: PackId) -> PathBuf {
        nested(&self.cache.join("parts"), pack)
    }

    /// The folder of all partly fetched packs.
    pub fn part_folder(&self) -> PathBuf {
        self.cache.join("parts")
    }

    /// The folder of whole files, which worktrees share.
    pub fn files_folder(&self) -> PathBuf {
        self.cache.join("files")
    }

    /// What each worktree that shares whole files by symbolic links says of them.
    pub fn links_folder(&self) -> PathBuf {
        self.cache.join("links")
    }

    /// The folder of the cache.
    pub fn cache_path(&self) -> &Path {
        &self.cache
    }

    /// Where a damaged pack is put aside.
    pub fn quarantine(&self, pack: PackId) -> PathBuf {
        self.state.join("quarantine").join(pack.to_string())
    }

    /// Temporary files of `unpushed/`, on the same file system.
    pub fn temp(&self) -> PathBuf {
        self.state.join("tmp")
    }

    /// Files that Git's filter promised to keep, until they are in packs.
    pub fn spool(&self) -> PathBuf {
        self.state.join("spool")
    }

    /// The cache, without a way to what must be kept.
    pub fn cache_folder(&self) -> CacheFolder {
        CacheFolder::new(&self.cache)
    }

    /// Says whether the cache lies elsewhere than the state, so that others may use it too.
    pub fn is_shared(&self) -> bool {
        self.cache != self.state
    }

    /// The index of objects and packs.
    pub fn index(&self) -> PathBuf {
        self.state.join("index.redb")
    }

    /// The stat cache of this worktree.
    pub fn stat(&self) -> PathBuf {
        self.stat.clone()
    }

    /// Catalogue objects of a remote, kept as they were fetched.
    pub fn remote(&self, remote: RemoteId) -> PathBuf {
        self.state.join("remote").join(remote.to_string())
    }

    /// The lock that work on the state holds together.
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The folder of this repository's local state.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The random identity of a repository without a Git remote.
    pub fn identity(&self) -> PathBuf {
        self.state.join("identity")
    }

    /// Files that `--force` put aside, one folder per run.
    pub fn aside(&self) -> PathBuf {
        self.state.join("aside")
    }
}

/// Spells a folder, of which only a part may be there yet, without symbolic links: links into it are told
/// by their text.
fn resolved(folder: &Path) -> PathBuf {
    let there =
        folder.ancestors().find_map(|above| Some((above, std::fs::canonicalize(above).ok()?)));
    let joined = there.and_then(|(above, real)| {
        let rest = folder.strip_prefix(above).ok()?;
        Some(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
    });
    joined.unwrap_or_else(|| folder.to_owned())
}

fn nested(folder: &Path, pack: PackId) -> PathBuf {
    let name = pack.to_string();
    let prefix = name.get(..2).unwrap_or_default().to_owned();
    folder.join(prefix).join(name)
}
