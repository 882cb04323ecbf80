//! What the tests of this folder are made from.

pub(super) use std::sync::Arc;

pub(super) use crate::catalogue::{
    CoverRecord, HookRecord, Listed, LocRecord, Name, Object, ObjectKind, PackRecord,
    SOURCE_BASELINE, SOURCE_CONDEMNED, SOURCE_PUSH_RECORD, View,
};
pub(super) use crate::hash::Key;
pub(super) use crate::hash::PackId;
pub(super) use crate::hash::PackKind;
pub(super) use crate::hash::RepoId;

pub(super) const REPO: RepoId = RepoId([0xee; 16]);

pub(super) fn key(n: u8) -> Key {
    Key([n; 12])
}

pub(super) fn pack(n: u8) -> PackId {
    PackId([n; 16])
}

pub(super) fn loc(k: u8, p: u8, source: u32) -> LocRecord {
    LocRecord { key: key(k), pack: pack(p), offset: 24, frame_len: 1000, skip: 0, source }
}

pub(super) fn pack_record(n: u8) -> PackRecord {
    PackRecord { pack: pack(n), size: 5000, n_frames: 2, n_objects: 3, kind: PackKind::Data }
}

/// A push record with one root per key, all in the first pack, and a hook for each pack.
pub(super) fn push_record(generation: u32, nonce: u8, keys: &[u8], packs: &[u8]) -> Object {
    let mut object = Object::new(ObjectKind::PushRecord, generation, REPO, [nonce; 16]);
    let home = packs.first().copied().unwrap_or(0);
    object.locs = keys.iter().map(|&k| loc(k, home, SOURCE_PUSH_RECORD)).collect();
    object.packs = packs.iter().map(|&n| pack_record(n)).collect();
    object.hooks =
        (0..).zip(packs).map(|(pack_row, &n)| HookRecord { chunk: [n; 8], pack_row }).collect();
    object
}

pub(super) fn cover(name: &Name, stored_ms: u64) -> CoverRecord {
    CoverRecord { push_record: name.id, stored_ms, repo: REPO }
}

pub(super) fn baseline(
    generation: u32,
    covers: &[&Name],
    live: &[(u8, u8)],
    victims: &[u8],
) -> Object {
    let mut object =
        Object::new(ObjectKind::Baseline, generation, REPO, [generation.to_le_bytes()[0]; 16]);
    object.locs = live.iter().map(|&(k, p)| loc(k, p, SOURCE_BASELINE)).collect();
    object.packs = live.iter().map(|&(_, p)| pack_record(p)).collect();
    object.packs.sort();
    object.packs.dedup();
    object.covers = covers.iter().map(|name| cover(name, 10)).collect();
    object.victims = victims.iter().map(|&n| pack(n)).collect();
    object
}

/// A remote's catalogue in memory: what is listed, and what can be fetched.
#[derive(Default, Clone)]
pub(super) struct Fake {
    pub(super) listing: Vec<Listed>,
    pub(super) objects: Vec<(Name, Arc<Object>)>,
}

impl Fake {
    pub(super) fn put(&mut self, object: Object, modified_ms: u64) -> Name {
        let (name, bytes) = object.encode().unwrap();
        self.listing.push(Listed { name: name.to_string(), size: bytes.len() as u64, modified_ms });
        self.objects.push((name, Arc::new(Object::parse_named(&name, &bytes).unwrap())));
        name
    }

    pub(super) fn view(&self) -> View {
        View::build(self.listing.clone(), self.objects.clone()).unwrap()
    }

    /// A view before anything was fetched but the named objects.
    pub(super) fn view_with(&self, fetched: &[Name]) -> View {
        let objects = self.objects.iter().filter(|(name, _)| fetched.contains(name)).cloned();
        View::build(self.listing.clone(), objects).unwrap()
    }
}
