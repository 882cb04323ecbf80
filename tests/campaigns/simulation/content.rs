//! What clients push: files of small chunks that versions share, some of them stored as a delta.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use haul::cache::{
    CacheError, Held, Index, Layout, NodeSink, ObjectReader, PackSink, Stale, WrittenPack,
    places_of,
};
use haul::chunk::Profile;
use haul::hash::{ChunkId, Oid, PackKind, RemoteId};
use haul::intake::{Figures, Intake};
use haul::manifest::{Content, EntryKind, FileEntry};
use haul::node::{Builder, Expectation, Kind};
use haul::pack::{Bases, Candidate, Codecs, EncodedFrame, encode_data_frame, encode_delta_frames};
use haul::recipe::{ChunkEntry, Shape};
use haul::transfer::{Filter, Root, Wanted};

use crate::faulty::Chance;

/// Bytes of a chunk at least; a recipe of shorter ones is refused.
const LEAST: u64 = 4096;
/// Bytes of a chunk that may be a base.
const LEAST_BASE: u64 = 32 << 10;
/// Chunks of numbers from here on are another chunk with a few bytes changed.
const VARIANTS: u64 = 1 << 40;

/// The bytes of the chunk of a number.
fn bytes_of(chunk: u64) -> Vec<u8> {
    let plain = chunk % VARIANTS;
    let least = if may_be_base(plain) { LEAST_BASE } else { LEAST };
    let mut bytes = vec![0; usize::try_from(least + plain % 500).expect("fits")];
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"haul simulated chunk").update(&plain.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    let variant = chunk / VARIANTS;
    let at = usize::try_from(variant % LEAST).expect("fits");
    for byte in bytes.iter_mut().skip(at).take(usize::from(variant > 0) * 8) {
        *byte ^= 0x55;
    }
    bytes
}

/// Says whether others may be a delta to a chunk, which then has a frame of its own.
fn may_be_base(chunk: u64) -> bool {
    chunk.is_multiple_of(4)
}

/// A file, as the numbers of its chunks.
type Chunks = Vec<u64>;

/// What is pushed: a folder of files, or a single file.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    files: BTreeMap<Vec<u8>, Chunks>,
    is_folder: bool,
}

/// A draft that was added: what its pointer names.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) draft: Draft,
    pub(super) wanted: Wanted,
}

impl Draft {
    /// Draws new content; `fresh` numbers chunks that nobody had before.
    pub(super) fn new(chance: &mut Chance, fresh: &mut impl FnMut() -> u64) -> Self {
        let is_folder = chance.below(3) > 0;
        let files = if is_folder { 1 + chance.below(4) } else { 1 };
        let file = |chance: &mut Chance, fresh: &mut dyn FnMut() -> u64| {
            (0..=chance.below(5)).map(|_| fresh()).collect()
        };
        let files = (0..files).map(|n| (format!("file-{n}").into_bytes(), file(chance, fresh)));
        Self { files: files.collect(), is_folder }
    }

    /// Draws the next version of it.
    pub(super) fn next(&self, chance: &mut Chance, fresh: &mut impl FnMut() -> u64) -> Self {
        let mut next = self.clone();
        for _ in 0..=chance.below(3) {
            let n = usize::try_from(chance.below(next.files.len() as u64)).expect("fits");
            let Some(chunks) = next.files.values_mut().nth(n) else { continue };
            let at = usize::try_from(chance.below(chunks.len() as u64)).expect("fits");
            match chance.below(6) {
                0 => chunks.push(fresh()),
                1 => chunks.insert(at, fresh()),
                2 if chunks.len() > 1 => drop(chunks.remove(at)),
                3 if next.is_folder => {
                    let name = format!("file-{}", chance.below(6)).into_bytes();
                    next.files.insert(name, vec![fresh()]);
                }
                _ => {
                    if let Some(chunk) = chunks.get_mut(at) {
                        *chunk = *chunk % VARIANTS + VARIANTS * (1 + chance.below(4000));
                    }
                }
            }
        }
        next
    }

    /// Stores what the index does not know, as `haul add` does, and says what a pointer would name.
    pub(super) fn add(
        &self,
        (layout, index): (&Layout, &Index),
        remote: Option<RemoteId>,
        chance: &mut Chance,
    ) -> Result<Version, CacheError> {
        index.adopt(layout)?;
        index.notice_removed(layout)?;
        let lost = index.out_of_reach(remote)?;
        let view = index.reader()?;
        let known = |id: &ChunkId| view.find(&id.0).filter(|place| !lost.contains(&place.pack));
        let mut adding = Adding { codecs: Codecs::new(), frames: Vec::new(), group: Vec::new() };
        let all: BTreeSet<u64> = self.files.values().flatten().copied().collect();
        for chunk in all {
            let bytes = bytes_of(chunk);
            let id = ChunkId::of(&bytes);
            if known(&id).is_some() {
                continue;
            }
            let base = bytes_of(chunk % VARIANTS);
            let base_id = ChunkId::of(&base);
            let serves =
                may_be_base(chunk % VARIANTS) && known(&base_id).is_some_and(|place| !place.delta);
            if chunk >= VARIANTS && serves {
                adding.delta((id, &bytes), (base_id, &base));
            } else if may_be_base(chunk) {
                adding.close();
                adding.whole(id, bytes);
                adding.close();
            } else {
                adding.whole(id, bytes);
            }
            if chance.below(3) == 0 {
                adding.close();
            }
        }
        adding.close();
        let mut sink = PackSink::new(layout, PackKind::Data);
        for frame in &adding.frames {
            sink.push(frame)?;
        }
        let packs = sink.finish()?;
        let places = places_of(&packs).collect();
        let stale = Stale { packs: &lost, ..Stale::NONE };
        let mut sink = NodeSink::new(layout, &view, &places, stale).with_deltas(&packs);
        let root = self.build(&mut sink);
        let nodes: Vec<WrittenPack> = sink.finish()?;
        let intake = Intake { packs, places, figures: Figures::default() };
        intake.record(index, Held::Unpushed, &nodes).expect("the index takes what was added");
        let wanted = Wanted { path: b"data".to_vec(), root, filter: Filter::All };
        Ok(Version { draft: self.clone(), wanted })
    }

    fn build(&self, sink: &mut NodeSink) -> Root {
        let mut entries = Vec::new();
        for (path, chunks) in &self.files {
            let (oid, shape) = recipe(chunks, sink);
            let size = shape.size();
            let content = match shape {
                Shape::Tree(summary) => {
                    let profile_code = NonZeroU8::new(Profile::M16.code()).expect("is a code");
                    Content::Tree { oid, size, profile_code, root: summary.root }
                }
                Shape::Chunk(_) | Shape::Empty => Content::Chunk { oid, size },
            };
            if !self.is_folder {
                return match shape {
                    Shape::Tree(summary) => {
                        let expectation = Expectation::root(Kind::Recipe).with_size(size);
                        Root::Tree { id: summary.root, expectation }
                    }
                    Shape::Chunk(entry) => Root::Chunk { id: entry.id, size },
                    Shape::Empty => Root::Empty,
                };
            }
            entries.push(FileEntry { path: path.clone(), kind: EntryKind::File, content });
        }
        let mut builder = Builder::new(|node| sink.put(&node));
        for entry in entries {
            builder.push(entry).expect("paths are in order");
        }
        let built = builder.finish().expect("a manifest");
        let expectation = Expectation::root(Kind::Manifest);
        let expectation = expectation.with_size(built.size).with_count(built.count);
        Root::Tree { id: built.root, expectation }
    }

    /// Reads all of it out of a cache and compares it byte for byte.
    pub(super) fn compare(&self, layout: &Layout, index: &Index) -> Result<(), String> {
        let mut reader = ObjectReader::new(layout, index).map_err(|e| e.to_string())?;
        for chunk in self.files.values().flatten() {
            let bytes = bytes_of(*chunk);
            let id = ChunkId::of(&bytes);
            match reader.chunk(id) {
                Ok(Some(found)) if found == bytes => {}
                Ok(Some(_)) => return Err(format!("chunk {id} has other bytes")),
                Ok(None) => return Err(format!("chunk {id} is not here")),
                Err(e) => return Err(format!("chunk {id}: {e}")),
            }
        }
        Ok(())
    }
}

/// Chunks on their way into frames.
struct Adding {
    codecs: Codecs,
    frames: Vec<EncodedFrame>,
    group: Vec<(ChunkId, Vec<u8>)>,
}

impl Adding {
    fn whole(&mut self, id: ChunkId, bytes: Vec<u8>) {
        self.group.push((id, bytes));
    }

    fn delta(&mut self, (id, raw): (ChunkId, &[u8]), (base_id, base): (ChunkId, &[u8])) {
        let bases = &Bases { ids: vec![base_id], skip: 0 };
        let frames = encode_delta_frames(&mut self.codecs, &[Candidate { id, raw, bases, base }]);
        self.frames.extend(frames.expect("a frame"));
    }

    /// Puts the chunks gathered so far into one frame.
    fn close(&mut self) {
        let group = std::mem::take(&mut self.group);
        let parts: Vec<(ChunkId, &[u8])> =
            group.iter().map(|(id, b)| (*id, b.as_slice())).collect();
        if !parts.is_empty() {
            self.frames.push(encode_data_frame(&mut self.codecs, &parts).expect("a frame"));
        }
    }
}

fn recipe(chunks: &Chunks, sink: &mut NodeSink) -> (Oid, Shape) {
    let mut whole = Vec::new();
    let mut builder = haul::recipe::Builder::new(|node| sink.put(&node));
    for chunk in chunks {
        let bytes = bytes_of(*chunk);
        let entry = ChunkEntry { id: ChunkId::of(&bytes), size: bytes.len() as u64 };
        builder.push(entry).expect("a chunk");
        whole.extend(bytes);
    }
    (Oid::of(&whole), builder.finish().expect("a recipe"))
}
