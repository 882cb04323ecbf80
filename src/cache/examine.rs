//! What lies in the folders of the cache, and what the index says of it, to compare one with the other.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use redb::ReadableTable;

use crate::cache::error::CacheError;
use crate::cache::index::{Index, OBJECTS};
use crate::cache::layout::Layout;
use crate::cache::place::{Held, PackState, Place};
use crate::cache::rebuild::{LocalFooter, packs_in, read_footer};
use crate::fs::IoResultExt;
use crate::hash::PackId;

/// A pack that lies on this machine, whole or in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPack {
    /// Its name.
    pub pack: PackId,
    /// The folder that it lies in, as a form of holding it.
    pub held: Held,
    /// The file.
    pub path: PathBuf,
    /// Bytes of the file.
    pub size: u64,
}

/// An object that the index places, and the place.
pub type Row = ([u8; 32], Place);

impl LocalPack {
    /// Lists the packs in `unpushed/`, `packs/` and `parts/`; a file with another name is left out.
    pub fn list(layout: &Layout) -> Result<Vec<Self>, CacheError> {
        let folders = [
            (layout.unpushed_folder(), Held::Unpushed),
            (layout.whole_folder(), Held::Whole),
            (layout.part_folder(), Held::Part),
        ];
        let mut out = Vec::new();
        for (folder, held) in folders {
            for (pack, path) in packs_in(&folder)? {
                let size = match std::fs::metadata(&path) {
                    Ok(found) => found.len(),
                    // Another process has moved or removed it meanwhile.
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(e) => return Err(e).at("read", &path)?,
                };
                out.push(Self { pack, held, path, size });
            }
        }
        Ok(out)
    }

    /// Reads its tables; nothing if they are not sound, or the file is gone.
    ///
    /// A disk or a limit that refuses says nothing about the pack, and is an error.
    pub fn footer(&self) -> Result<Option<LocalFooter>, CacheError> {
        read_footer(self.pack, &self.path)
    }
}

impl Index {
    /// Returns what is known of every pack.
    pub fn all_packs(&self) -> Result<HashMap<PackId, PackState>, CacheError> {
        let mut out = HashMap::new();
        for held in [Held::Unpushed, Held::Whole, Held::Part, Held::Gone] {
            out.extend(self.packs(held)?);
        }
        Ok(out)
    }

    /// Counts the objects that the index places in each pack.
    pub fn count_rows(&self) -> Result<HashMap<PackId, u64>, CacheError> {
        let mut out: HashMap<PackId, u64> = HashMap::new();
        self.each_row(|(_, place)| *out.entry(place.pack).or_default() += 1)?;
        Ok(out)
    }

    /// Returns the objects that the index places in these packs, in order of their ids. Costs a look at
    /// every row.
    pub fn rows_of(
        &self,
        packs: &HashSet<PackId>,
    ) -> Result<HashMap<PackId, Vec<Row>>, CacheError> {
        let mut out: HashMap<PackId, Vec<Row>> = HashMap::new();
        self.each_row(|(id, place)| {
            if packs.contains(&place.pack) {
                out.entry(place.pack).or_default().push((id, place));
            }
        })?;
        Ok(out)
    }

    fn each_row(&self, mut take: impl FnMut(Row)) -> Result<(), CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_read()?;
        let table = txn.open_table(OBJECTS).map_err(|e| fail(&e))?;
        for row in table.iter().map_err(|e| fail(&e))? {
            let (id, place) = row.map_err(|e| fail(&e))?;
            if let Some(place) = Place::decode(place.value()) {
                take((*id.value(), place));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_refuses_to_be_read_is_no_damaged_pack_and_nothing_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        // Its first bytes cannot be read: the system answers with an I/O error.
        let path = PathBuf::from("/proc/self/mem");
        let pack = LocalPack { pack: PackId([1; 16]), held: Held::Unpushed, path, size: 100 };
        assert!(matches!(pack.footer(), Err(CacheError::Fs(_))));
        let none = std::collections::BTreeSet::new();
        assert!(matches!(index.salvage(&layout, &pack, &none), Err(CacheError::Fs(_))));
        assert!(!layout.quarantine(pack.pack).exists());
    }
}
