use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder remote, seen from outside.
pub(crate) struct Remote {
    path: PathBuf,
}

impl Remote {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Looks at any folder in the same way.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the folder, as `haul remote add` takes it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder as an argument.
    pub(crate) fn as_arg(&self) -> &OsStr {
        self.path.as_os_str()
    }

    /// Lists the keys that start with `prefix`, sorted; none if there is no remote yet.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry.expect("is listed").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let key = path.strip_prefix(&self.path).expect("lies below");
                    keys.push(key.to_str().expect("keys are ASCII").to_owned());
                }
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        keys
    }

    /// Returns the bytes below the keys that start with `prefix`.
    pub(crate) fn bytes(&self, prefix: &str) -> u64 {
        let size = |key: &String| fs::metadata(self.path.join(key)).expect("is there").len();
        self.keys(prefix).iter().map(size).sum()
    }

    /// Reads an object.
    pub(crate) fn read(&self, key: &str) -> Vec<u8> {
        fs::read(self.path.join(key)).expect("is there")
    }

    /// Replaces an object, as damage would.
    pub(crate) fn write(&self, key: &str, bytes: &[u8]) {
        fs::write(self.path.join(key), bytes).expect("writes an object");
    }

    /// Flips the bits of one byte, as damage would.
    pub(crate) fn flip(&self, key: &str, at: usize) {
        let mut bytes = self.read(key);
        *bytes.get_mut(at).expect("is that long") ^= 0xff;
        self.write(key, &bytes);
    }

    /// Removes an object, as loss would.
    pub(crate) fn remove(&self, key: &str) {
        fs::remove_file(self.path.join(key)).expect("removes an object");
    }
}
