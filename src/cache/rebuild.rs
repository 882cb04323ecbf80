//! Filling an empty index from the footers of the packs on disk.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::cache::error::CacheError;
use crate::cache::folder::{Form, is_sound};
use crate::cache::index::Index;
use crate::cache::layout::Layout;
use crate::cache::place::{Held, PackState, Place};
use crate::cache::salvage::move_aside;
use crate::fs::{IoResultExt, Links, is_not_plain, open_plain, remove_tree};
use crate::hash::{ChunkId, PackId, PackKind};
use crate::pack::{Bases, Footer, HEADER_LEN, Header, TRAILER_LEN};

/// Records every pack in `unpushed/` and `packs/`; drops `parts/`, whose frames nothing lists.
///
/// In a shared cache lies what other clones want: from there a pack is taken in when it is wanted.
pub(super) fn fill(index: &Index, layout: &Layout) -> Result<(), CacheError> {
    let own = (layout.unpushed_folder(), Held::Unpushed);
    let cached = (layout.whole_folder(), Held::Whole);
    let folders = if layout.is_shared() { vec![own] } else { vec![cached, own] };
    for (folder, held) in folders {
        for (pack, path) in packs_in(&folder)? {
            match read_footer(pack, &path)? {
                Some(mut footer) => {
                    let state = PackState { held, kind: footer.kind.byte(), size: footer.size };
                    index.record(&[(pack, state)], &mut footer.objects, &footer.deltas)?;
                }
                None => drop(move_aside(&path, layout, pack)?),
            }
        }
    }
    if !layout.is_shared() {
        remove_tree(&layout.part_folder())?;
    }
    Ok(())
}

impl Index {
    /// Takes in a whole pack that another clone put into a shared cache, if it is what its name says;
    /// says whether it did. One that is not is put aside, where this user may.
    pub fn adopt_cached(&self, layout: &Layout, pack: PackId) -> Result<bool, CacheError> {
        let held = self.reader()?.pack(pack).map(|state| state.held);
        if matches!(held, Some(Held::Unpushed | Held::Whole)) {
            return Ok(false);
        }
        let Ok(file) = layout.cache_folder().open(pack, Form::Whole) else { return Ok(false) };
        let footer = if is_sound(&file, pack) {
            whole_footer(pack, &file).at("read the pack", &layout.whole(pack))?
        } else {
            None
        };
        let Some(mut footer) = footer else {
            let moved = move_aside(&layout.whole(pack), layout, pack);
            return match moved {
                Err(e) if e.source.kind() != io::ErrorKind::PermissionDenied => Err(e.into()),
                Ok(_) | Err(_) => Ok(false),
            };
        };
        let state = PackState { held: Held::Whole, kind: footer.kind.byte(), size: footer.size };
        self.note_use(pack, &file);
        self.record(&[(pack, state)], &mut footer.objects, &footer.deltas)?;
        Ok(true)
    }
}

impl Index {
    /// Takes in packs in `unpushed/` that the index does not know, or takes for gone: those of a run that
    /// ended between writing packs and recording them, or before it had sent all that it recorded. What
    /// the index can find elsewhere stays where it is.
    ///
    /// Costs a listing of the folder; returns how many packs were taken in.
    pub fn adopt(&self, layout: &Layout) -> Result<usize, CacheError> {
        let view = self.reader()?;
        let mut adopted = 0;
        for (pack, path) in packs_in(&layout.unpushed_folder())? {
            if let Some(state) = view.pack(pack) {
                if state.held == Held::Gone {
                    self.set_held(&[pack], Held::Unpushed)?;
                    adopted += 1;
                }
                continue;
            }
            let Some(mut footer) = read_footer(pack, &path)? else {
                move_aside(&path, layout, pack)?;
                continue;
            };
            footer.objects.retain(|(id, _)| view.find_held(id).is_none());
            if !footer.objects.is_empty() {
                let kind = footer.kind.byte();
                let state = PackState { held: Held::Unpushed, kind, size: footer.size };
                self.record(&[(pack, state)], &mut footer.objects, &footer.deltas)?;
                adopted += 1;
            }
        }
        Ok(adopted)
    }
}

impl Index {
    /// Notes of packs in the cache that somebody removed, which is allowed, that they are gone.
    ///
    /// Costs one look at each pack.
    pub fn notice_removed(&self, layout: &Layout) -> Result<(), CacheError> {
        let cache = layout.cache_folder();
        let whole = self.packs(Held::Whole)?.into_iter().map(|(pack, _)| pack);
        let removed =
            |pack: &PackId| !cache.has(*pack, Form::Whole) && !layout.unpushed(*pack).exists();
        let mut gone: Vec<PackId> = whole.filter(removed).collect();
        let parts = self.packs(Held::Part)?.into_iter().map(|(pack, _)| pack);
        let removed =
            |pack: &PackId| !cache.has(*pack, Form::Part) && !cache.has(*pack, Form::Whole);
        gone.extend(parts.filter(removed));
        if gone.is_empty() { Ok(()) } else { self.set_held(&gone, Held::Gone) }
    }
}

pub(super) fn packs_in(folder: &Path) -> Result<Vec<(PackId, PathBuf)>, CacheError> {
    let mut out = Vec::new();
    for nested in list(folder)? {
        for path in list(&nested)? {
            let name = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok());
            if let Some(pack) = name {
                out.push((pack, path));
            }
        }
    }
    Ok(out)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, CacheError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).at("list", folder)? {
        out.push(entry.at("list", folder)?.path());
    }
    Ok(out)
}

/// What the footer of a local pack says.
pub struct LocalFooter {
    /// Data or nodes.
    pub kind: PackKind,
    /// Size of the pack in bytes.
    pub size: u32,
    /// How many frames it has.
    pub n_frames: u32,
    /// Its objects and where they lie.
    pub objects: Vec<([u8; 32], Place)>,
    /// The chunks among them that are stored as a delta, and to what.
    pub deltas: Vec<(ChunkId, Bases)>,
}

/// Reads what a pack holds from its own tables; nothing if there is none, or they are not sound.
///
/// A disk or a limit that refuses says nothing about the pack, and is an error.
pub(super) fn read_footer(pack: PackId, path: &Path) -> Result<Option<LocalFooter>, CacheError> {
    let read = open_plain(path, Links::Refuse).and_then(|file| whole_footer(pack, &file));
    match read {
        Err(e) if is_not_plain(&e) || e.kind() == io::ErrorKind::NotFound => Ok(None),
        other => Ok(other.at("read the pack", path)?),
    }
}

/// As [`footer_of`]; a pack that is too short is not sound.
fn whole_footer(pack: PackId, file: &File) -> io::Result<Option<LocalFooter>> {
    match footer_of(pack, file) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        other => other,
    }
}

fn footer_of(pack: PackId, file: &File) -> io::Result<Option<LocalFooter>> {
    let size = file.metadata()?.len();
    let read = |at: Option<u64>, bytes: &mut [u8]| match at {
        Some(at) => file.read_exact_at(bytes, at),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    };
    let mut head = [0; HEADER_LEN as usize];
    read(Some(0), &mut head)?;
    let Ok(Header { kind, .. }) = Header::parse(&head) else { return Ok(None) };
    let mut trailer = [0; TRAILER_LEN as usize];
    read(size.checked_sub(TRAILER_LEN.into()), &mut trailer)?;
    let Ok(tail_len) = Footer::tail_len(&trailer, size) else { return Ok(None) };
    let mut tail = vec![0; tail_len as usize];
    read(size.checked_sub(tail_len.into()), &mut tail)?;
    let Ok(footer) = Footer::parse(kind, &tail, size) else { return Ok(None) };
    let objects = footer.objects.iter().map(|o| {
        let (offset, frame_len) = (o.offset, o.frame_len);
        let (skip, len, delta) = (o.skip, o.len, o.has_base);
        (o.id, Place { pack, offset, frame_len, skip, len, delta })
    });
    let mut deltas = Vec::new();
    for object in footer.objects.iter().filter(|object| object.has_base) {
        let mut prefix = vec![0; Bases::MAX_PREFIX.min(object.frame_len as usize)];
        read(Some(object.offset.into()), &mut prefix)?;
        let Ok(Some(bases)) = Bases::of_frame(&prefix) else { return Ok(None) };
        deltas.push((ChunkId(object.id), bases));
    }
    let counts = (u32::try_from(size), u32::try_from(footer.frames.len()));
    let (Ok(size), Ok(n_frames)) = counts else { return Ok(None) };
    Ok(Some(LocalFooter { kind, size, n_frames, objects: objects.collect(), deltas }))
}

impl Index {
    /// Reads the footer of a pack that is here whole; nothing if it is not, or not sound.
    pub fn footer(&self, layout: &Layout, pack: PackId) -> Result<Option<LocalFooter>, CacheError> {
        let paths = [layout.unpushed(pack), layout.whole(pack)];
        for path in &paths {
            if let Some(footer) = read_footer(pack, path)? {
                return Ok(Some(footer));
            }
        }
        Ok(None)
    }
}
