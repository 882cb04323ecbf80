//! Saving what is sound of a damaged pack, which is then put aside. What was not pushed is saved into
//! new packs that are not pushed either: what lies in the cache may be dropped by anyone.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cache::error::CacheError;
use crate::cache::examine::{LocalPack, Row};
use crate::cache::index::Index;
use crate::cache::layout::Layout;
use crate::cache::place::{Held, PackState, Place};
use crate::cache::reader::ObjectReader;
use crate::cache::sink::{PackSink, WrittenPack, places_of};
use crate::fs::{FsError, IoResultExt, Links, is_no_file, move_durably, open_plain};
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::pack::{
    Bases, Batcher, Codecs, EncodedFrame, MAX_FRAME_LEN, decode_frame, encode_data_frame,
    encode_node_frame, needs_own_frame,
};

/// Threads of one command may meet the same damage.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A frame of a damaged pack that is sound, as far as that can be told without its base.
struct Sound {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    bases: Option<Bases>,
}

impl Index {
    /// Puts a damaged pack aside and keeps what is sound of it, the frames at these offsets not among
    /// it: what was not pushed in a new pack, all else where it lay. Returns the objects that
    /// are lost. Holds one pack in memory. A disk that refuses to be read is an error, and nothing is
    /// put aside then.
    pub fn salvage(
        &self,
        layout: &Layout,
        pack: &LocalPack,
        bad: &BTreeSet<u32>,
    ) -> Result<BTreeSet<[u8; 32]>, CacheError> {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.rows_of(&HashSet::from([pack.pack]))?;
        let mut all: BTreeMap<[u8; 32], Place> = rows.into_values().flatten().collect();
        let footer = pack.footer()?;
        let footer_kind = footer.as_ref().map(|footer| footer.kind);
        if let Some(footer) = footer {
            // What the index finds elsewhere by now need not be kept.
            let view = self.reader()?;
            let unknown =
                footer.objects.into_iter().filter(|(id, _)| view.find_frame(id).is_none());
            let unknown: Vec<Row> = unknown.collect();
            all.extend(unknown);
        }
        let kind = self.all_packs()?.get(&pack.pack).and_then(|s| PackKind::from_byte(s.kind));
        let kind = kind.or(footer_kind).unwrap_or(PackKind::Data);
        let mut lost: BTreeSet<[u8; 32]> = all.keys().copied().collect();
        all.retain(|_, place| !bad.contains(&place.offset));
        let sound = sound_frames(&pack.path, kind, &all)?;
        if pack.held != Held::Unpushed {
            return self.in_its_place(layout, (pack, kind), sound, lost);
        }
        let sound = self.without_wrong_deltas(layout, pack.pack, sound)?;
        let packs = match kind {
            PackKind::Data => chunks_in_new_packs(layout, sound)?,
            PackKind::Nodes => nodes_in_new_packs(layout, sound)?,
        };
        let kept = self.replace(pack.pack, kind, &packs)?;
        move_aside(&pack.path, layout, pack.pack)?;
        for id in kept {
            lost.remove(&id);
        }
        Ok(lost)
    }

    /// Leaves out deltas that do not give their chunk. Those whose base is not here are kept.
    fn without_wrong_deltas(
        &self,
        layout: &Layout,
        pack: PackId,
        mut sound: Vec<Sound>,
    ) -> Result<Vec<Sound>, CacheError> {
        let mut reader = ObjectReader::observing(layout, self)?;
        sound.retain(|found| {
            let Some((id, _)) = found.bases.as_ref().and(found.rows.first()) else { return true };
            let own = reader.view().find_held(id).is_some_and(|(place, _)| place.pack == pack);
            // Where its base is what is damaged, it may be of use with another copy of that.
            let wrong =
                |e: &CacheError| matches!(e, CacheError::Damaged { object, .. } if object.0 == *id);
            !own || !reader.chunk(ChunkId(*id)).is_err_and(|e| wrong(&e))
        });
        Ok(sound)
    }

    /// As [`Self::salvage`], of a pack of which it is only known that it is damaged, and maybe which frame.
    pub fn salvage_named(
        &self,
        layout: &Layout,
        (pack, held): (PackId, Held),
        bad: Option<u32>,
    ) -> Result<BTreeSet<[u8; 32]>, CacheError> {
        let path = match held {
            Held::Unpushed => layout.unpushed(pack),
            Held::Whole | Held::Gone => layout.whole(pack),
            Held::Part => layout.part(pack),
        };
        self.salvage(layout, &LocalPack { pack, held, path, size: 0 }, &bad.into_iter().collect())
    }

    /// Makes the index know new packs, which are durable, in place of an old one.
    fn replace(
        &self,
        old: PackId,
        kind: PackKind,
        packs: &[WrittenPack],
    ) -> Result<Vec<[u8; 32]>, CacheError> {
        let mut objects: Vec<Row> = places_of(packs).collect();
        let ids = objects.iter().map(|(id, _)| *id).collect();
        let state = |size: u64| {
            let (held, kind) = (Held::Unpushed, kind.byte());
            PackState { held, kind, size: u32::try_from(size).unwrap_or(0) }
        };
        let states: Vec<_> = packs.iter().map(|pack| (pack.id, state(pack.size))).collect();
        let deltas: Vec<_> = packs.iter().flat_map(|pack| pack.deltas.iter().cloned()).collect();
        self.forget(&[old])?;
        self.record(&states, &mut objects, &deltas)?;
        Ok(ids)
    }

    /// Keeps sound frames at their own places in `parts/`.
    fn in_its_place(
        &self,
        layout: &Layout,
        (pack, kind): (&LocalPack, PackKind),
        sound: Vec<Sound>,
        mut lost: BTreeSet<[u8; 32]>,
    ) -> Result<BTreeSet<[u8; 32]>, CacheError> {
        self.forget(&[pack.pack])?;
        move_aside(&pack.path, layout, pack.pack)?;
        if sound.is_empty() {
            return Ok(lost);
        }
        let file = layout.cache_folder().open_part(pack.pack)?;
        let (mut objects, mut deltas) = (Vec::new(), Vec::new());
        for found in sound {
            let Some((first, place)) = found.rows.first() else { continue };
            file.write_at(place.offset.into(), &found.bytes)?;
            deltas.extend(found.bases.map(|bases| (ChunkId(*first), bases)));
            for (id, _) in &found.rows {
                lost.remove(id);
            }
            objects.extend(found.rows);
        }
        let state = PackState { held: Held::Part, kind: kind.byte(), size: 0 };
        self.record(&[(pack.pack, state)], &mut objects, &deltas)?;
        Ok(lost)
    }

    /// Takes the rows of a pack from its own tables again.
    pub fn read_again(&self, layout: &Layout, pack: PackId, held: Held) -> Result<(), CacheError> {
        self.forget(&[pack])?;
        let Some(mut footer) = self.footer(layout, pack)? else { return Ok(()) };
        let state = PackState { held, kind: footer.kind.byte(), size: footer.size };
        self.record(&[(pack, state)], &mut footer.objects, &footer.deltas)
    }
}

fn refused(error: &impl ToString) -> CacheError {
    CacheError::Pack { why: error.to_string() }
}

fn chunks_in_new_packs(layout: &Layout, sound: Vec<Sound>) -> Result<Vec<WrittenPack>, CacheError> {
    let mut sink = PackSink::new(layout, PackKind::Data);
    let (mut codecs, mut batcher) = (Codecs::new(), Batcher::new());
    for found in sound {
        if let (Some(_), Some((id, _))) = (&found.bases, found.rows.first()) {
            if let Some(frame) = EncodedFrame::of_delta(ChunkId(*id), found.bytes) {
                sink.push(&frame)?;
            }
            continue;
        }
        let Ok(frame) = decode_frame(&mut codecs, PackKind::Data, &found.bytes) else { continue };
        for (id, place) in found.rows {
            let id = ChunkId(id);
            let Ok(bytes) = frame.chunk(place.skip, place.len, id) else { continue };
            if needs_own_frame(bytes.len()) {
                let frame = encode_data_frame(&mut codecs, &[(id, bytes)]);
                sink.push(&frame.map_err(|e| refused(&e))?)?;
            } else if let Some(batch) = batcher.push(id, bytes) {
                sink.push(&batch.encode(&mut codecs).map_err(|e| refused(&e))?)?;
            }
        }
    }
    if let Some(batch) = batcher.finish() {
        sink.push(&batch.encode(&mut codecs).map_err(|e| refused(&e))?)?;
    }
    sink.finish()
}

/// Nodes keep their placements, which may name the old pack: a push writes such nodes afresh.
fn nodes_in_new_packs(layout: &Layout, sound: Vec<Sound>) -> Result<Vec<WrittenPack>, CacheError> {
    let mut sink = PackSink::new(layout, PackKind::Nodes);
    let mut codecs = Codecs::new();
    for found in sound {
        let Ok(frame) = decode_frame(&mut codecs, PackKind::Nodes, &found.bytes) else { continue };
        for (id, _) in found.rows {
            let Ok((node, placement)) = frame.node(NodeId(id)) else { continue };
            let again = encode_node_frame(&mut codecs, NodeId(id), node, placement);
            sink.push(&again.map_err(|e| refused(&e))?)?;
        }
    }
    sink.finish()
}

/// Reads the frames of these objects; what is not sound is left out.
fn sound_frames(
    path: &Path,
    kind: PackKind,
    rows: &BTreeMap<[u8; 32], Place>,
) -> Result<Vec<Sound>, CacheError> {
    let file = match open_plain(path, Links::Refuse) {
        Err(e) if is_no_file(&e) => return Ok(Vec::new()),
        other => other.at("read", path)?,
    };
    let mut frames: BTreeMap<u32, Vec<Row>> = BTreeMap::new();
    for (id, place) in rows {
        frames.entry(place.offset).or_default().push((*id, *place));
    }
    let mut codecs = Codecs::new();
    let mut out = Vec::new();
    for (offset, rows) in frames {
        let Some(len) = rows.first().map(|(_, place)| place.frame_len.min(MAX_FRAME_LEN)) else {
            continue;
        };
        let mut bytes = vec![0; len as usize];
        match file.read_exact_at(&mut bytes, offset.into()) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => continue,
            other => other.at("read", path)?,
        }
        let Ok(bases) = Bases::of_frame(&bytes) else { continue };
        if bases.is_some() {
            out.push(Sound { bytes, rows, bases });
            continue;
        }
        let Ok(frame) = decode_frame(&mut codecs, kind, &bytes) else { continue };
        let whole = |(id, place): &Row| match kind {
            PackKind::Data => frame.chunk(place.skip, place.len, ChunkId(*id)).is_ok(),
            PackKind::Nodes => frame.node(NodeId(*id)).is_ok(),
        };
        let rows: Vec<Row> = rows.into_iter().filter(whole).collect();
        if !rows.is_empty() {
            out.push(Sound { bytes, rows, bases: None });
        }
    }
    Ok(out)
}

/// Moves a pack into `quarantine/`, under a name that is free, and returns that; nothing is there to be
/// moved if it is gone.
pub(super) fn move_aside(path: &Path, layout: &Layout, pack: PackId) -> Result<PathBuf, FsError> {
    let aside = free(&layout.quarantine(pack));
    match move_durably(path, &aside) {
        Err(e) if e.source.kind() != ErrorKind::NotFound || path.exists() => Err(e),
        Ok(()) | Err(_) => Ok(aside),
    }
}

/// Moves a damaged file that is no pack into `quarantine/`, under a name that is free, and returns that.
pub fn quarantine(path: &Path, layout: &Layout) -> Result<PathBuf, FsError> {
    let name = path.file_name().unwrap_or_default();
    let aside = free(&layout.state().join("quarantine").join(name));
    move_durably(path, &aside)?;
    Ok(aside)
}

/// Returns a name for a file of `quarantine/` that nothing has.
fn free(path: &Path) -> PathBuf {
    let other = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("-{n}"));
        PathBuf::from(name)
    };
    let others = (1..).map(other);
    let mut all = std::iter::once(path.to_owned()).chain(others);
    all.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| path.to_owned())
}
