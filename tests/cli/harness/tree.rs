use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Everything below a folder: each path with its kind, mode and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    entries: BTreeMap<PathBuf, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    File {
        executable: bool,
        size: u64,
        hash: blake3::Hash,
    },
    Link {
        target: PathBuf,
    },
    Folder,
    /// A socket, FIFO or device.
    Special,
}

impl Tree {
    /// Takes a folder in, but for `.git` at its top; links are not followed.
    pub(crate) fn of(root: &Path) -> Self {
        let mut tree = Self::default();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let path = root.join(&folder);
            let entries =
                fs::read_dir(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
            for entry in entries {
                let name = folder.join(entry.expect("is listed").file_name());
                if name == Path::new(".git") {
                    continue;
                }
                let entry = Entry::of(&root.join(&name));
                if entry == Entry::Folder {
                    folders.push(name.clone());
                }
                tree.entries.insert(name, entry);
            }
        }
        tree
    }

    /// Returns the paths, sorted.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.entries.keys().map(|path| path.to_str().expect("is UTF-8")).collect()
    }

    /// Leaves out what is below a path and the path itself.
    pub(crate) fn without(mut self, path: impl AsRef<Path>) -> Self {
        self.entries.retain(|name, _| !name.starts_with(path.as_ref()));
        self
    }

    /// Takes over one entry of another tree under a name of its own.
    pub(crate) fn adopt(&mut self, name: &str, other: &Self, path: &str) {
        let entry = other.entries.get(Path::new(path)).expect("is in the tree");
        self.entries.insert(PathBuf::from(name), entry.clone());
    }

    /// Requires that two trees are alike in every path, kind, mode and byte.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self) {
        let differences = self.differences(other);
        assert!(differences.is_empty(), "the trees differ:\n{}", differences.join("\n"));
    }

    /// Returns a line for each path that differs.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let paths = self.entries.keys().chain(other.entries.keys());
        let paths: std::collections::BTreeSet<&PathBuf> = paths.collect();
        let differ = |path: &&PathBuf| self.entries.get(*path) != other.entries.get(*path);
        let line = |path: &PathBuf| {
            let (a, b) = (self.entries.get(path), other.entries.get(path));
            format!("`{}`: {a:?} here, {b:?} there", path.display())
        };
        paths.into_iter().filter(differ).map(line).collect()
    }
}

impl Entry {
    fn of(path: &Path) -> Self {
        let metadata = path.symlink_metadata().expect("is there");
        if metadata.is_symlink() {
            return Self::Link { target: fs::read_link(path).expect("is a link") };
        }
        if metadata.is_dir() {
            return Self::Folder;
        }
        if !metadata.is_file() {
            return Self::Special;
        }
        let hash = blake3::hash(&fs::read(path).expect("is readable"));
        let executable = metadata.permissions().mode() & 0o111 != 0;
        Self::File { executable, size: metadata.len(), hash }
    }
}
