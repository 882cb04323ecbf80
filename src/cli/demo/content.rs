//! The data of the demo: made, remembered by hash, and compared.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use blake3::{Hash, Hasher};

use crate::cli::demo::{DemoError, images, model, table};
use crate::fs::IoResultExt;

/// How much is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    pub(super) rows: u64,
    pub(super) tensors: u64,
    /// Rows and columns of each tensor.
    pub(super) side: u64,
    pub(super) images: u64,
}

impl Amounts {
    /// A table of some 100 MB, a model of 64 MiB and 5,000 images of some 85 MB together.
    pub(super) const FULL: Self = Self { rows: 1_650_000, tensors: 16, side: 1024, images: 5_000 };
}

/// What a version holds: each file with its hash and size.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    files: BTreeMap<String, (Hash, u64)>,
}

pub(super) const TABLE: &str = "table.csv";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const IMAGES: &str = "images";

impl Content {
    /// Makes the first version in `folder`.
    pub(super) fn make(amounts: Amounts, folder: &Path) -> Result<Self, DemoError> {
        let mut content = Self::default();
        content.change(amounts, 1, folder)?;
        for image in 0..amounts.images {
            let name = format!("{IMAGES}/{}", images::name(image));
            content.file(&name, folder, |out| images::write(image, out))?;
        }
        Ok(content)
    }

    /// Writes the table and the model anew, as the given version has them.
    pub(super) fn change(
        &mut self,
        amounts: Amounts,
        version: u64,
        folder: &Path,
    ) -> Result<(), DemoError> {
        let shape = (amounts.tensors, amounts.side);
        self.file(TABLE, folder, |out| table::write(amounts.rows, version, out))?;
        self.file(MODEL, folder, |out| model::write(shape, version, out))
    }

    fn file(
        &mut self,
        name: &str,
        folder: &Path,
        write: impl FnOnce(&mut BufWriter<Hashing>) -> io::Result<()>,
    ) -> Result<(), DemoError> {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).at("create the folder", parent)?;
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file = file.at("create", &path)?;
        let hashing = Hashing { file, hasher: Hasher::new(), size: 0 };
        let mut out = BufWriter::with_capacity(1 << 16, hashing);
        write(&mut out).at("write", &path)?;
        let hashing = out.into_inner().map_err(io::IntoInnerError::into_error);
        let hashing = hashing.at("write", &path)?;
        self.files.insert(name.to_owned(), (hashing.hasher.finalize(), hashing.size));
        Ok(())
    }

    /// Returns the bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.files.values().map(|(_, size)| size).sum()
    }

    /// Compares every file below `folder` with what was made; returns how many there are.
    pub(super) fn compare(&self, folder: &Path) -> Result<u64, DemoError> {
        for (name, (hash, _)) in &self.files {
            let path = folder.join(name);
            let mut hasher = Hasher::new();
            let file = File::open(&path).at("read", &path)?;
            hasher.update_reader(file).at("read", &path)?;
            if hasher.finalize() != *hash {
                return Err(DemoError::Differs { path });
            }
        }
        let images = folder.join(IMAGES);
        let found = count_files(&images)?;
        let made = self.files.keys().filter(|name| name.starts_with(IMAGES)).count();
        if found != made {
            return Err(DemoError::Count { path: images, found, made });
        }
        Ok(u64::try_from(self.files.len()).unwrap_or(u64::MAX))
    }
}

fn count_files(folder: &Path) -> Result<usize, DemoError> {
    let mut count = 0;
    visit(folder, &mut |_| count += 1)?;
    Ok(count)
}

/// Returns the bytes of all files below a folder.
pub(super) fn disk_bytes(folder: &Path) -> Result<u64, DemoError> {
    let mut bytes = 0;
    visit(folder, &mut |size| bytes += size)?;
    Ok(bytes)
}

fn visit(folder: &Path, each: &mut impl FnMut(u64)) -> Result<(), DemoError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).at("list", &folder)? {
            let entry = entry.at("list", &folder)?;
            let metadata = entry.metadata().at("read", &entry.path())?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                each(metadata.len());
            }
        }
    }
    Ok(())
}

/// A file that is hashed while it is written.
struct Hashing {
    file: File,
    hasher: Hasher,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        self.size += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: Amounts = Amounts { rows: 500, tensors: 6, side: 8, images: 5 };

    #[test]
    fn what_was_made_compares_equal_until_a_byte_or_a_file_changes() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let old = Content::make(FEW, folder.path()).expect("makes data");
        assert_eq!(old.compare(folder.path()).expect("is equal"), 7);
        assert_eq!(old.bytes(), disk_bytes(folder.path()).expect("is readable"));

        let mut new = old.clone();
        new.change(FEW, 2, folder.path()).expect("changes data");
        assert_eq!(new.compare(folder.path()).expect("is equal"), 7);
        assert!(matches!(old.compare(folder.path()), Err(DemoError::Differs { .. })));

        let image = folder.path().join(IMAGES).join(images::name(0));
        fs::copy(&image, image.with_extension("more")).expect("copies");
        assert!(matches!(new.compare(folder.path()), Err(DemoError::Count { found: 6, .. })));
    }
}
