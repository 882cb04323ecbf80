//! What is alive on a remote and which packs are not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::catalogue::{LocRecord, key};
use crate::hash::{Digest, Key, NodeId, PackId, PackKind};
use crate::node::{Expectation, Kind};
use crate::pack::{Codecs, decode_frame, first_node};
use crate::progress::Job;
use crate::remote::Fetch;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::filter::Filter;
use crate::transfer::gc::books::{Books, Cover};
use crate::transfer::gc::clock::{OLD_MS, is_older};
use crate::transfer::gc::closure::{Candidate, Closure, Uses, close};
use crate::transfer::gc::proof::prove;
use crate::transfer::gc::stock::Stock;
use crate::transfer::root::{Root, Wanted};
use crate::transfer::walk::Spot;

/// Roots that are a chunk, each with a place where it lies.
type Chunks = Vec<(Key, Spot)>;

/// Stands for the path where only a push record names a root.
const RECORD: &[u8] = b"a root of a push record";

/// Why nobody needs a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A push brought it, and nothing that is alive needs it.
    Unneeded,
    /// No push record names it, and it is older than 14 days.
    Orphan,
    /// An earlier gc condemned it.
    Condemned,
}

/// A pack that nobody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim {
    /// The pack.
    pub pack: PackId,
    /// Its size in bytes.
    pub bytes: u64,
    /// Why it is one.
    pub reason: Reason,
}

/// What is on a remote and what of it is alive.
pub struct Survey {
    /// Packs that nobody needs, in order of their names.
    pub victims: Vec<Victim>,
    /// Live roots that no object of the catalogue lists: they were never pushed.
    pub unlisted: Vec<Wanted>,
    /// Live roots of which a pack is missing: path and pack.
    pub gaps: Vec<(Vec<u8>, PackId)>,
    /// Packs on the remote, and their bytes.
    pub packs: (u64, u64),
    /// Of them those that are needed, and bytes of their frames that are.
    pub live: (u64, u64),
    /// Whether another baseline has to come first, because old push records are of the newest generation.
    pub held_back: bool,
    pub(super) stock: Stock,
    pub(super) closure: Closure,
    pub(super) kept: BTreeSet<PackId>,
    pub(super) condemned: BTreeSet<PackId>,
}

impl Survey {
    pub(super) fn is_live(&self, pack: PackId) -> bool {
        self.closure.uses.packs.contains_key(&pack) || self.kept.contains(&pack)
    }
}

/// Finds what is alive: the closure of `roots`, and of all roots of push records that are not old
/// enough to be covered. Changes nothing on the remote.
pub fn survey(
    roots: &[Wanted],
    contact: &Contact,
    now_ms: u64,
    job: &Job,
) -> Result<Survey, TransferError> {
    survey_as(roots, contact, Cover::Ahead { now_ms }, (now_ms, job))
}

/// As [`survey`], but what a baseline written now must not cover is alive as well.
pub fn survey_now(
    roots: &[Wanted],
    contact: &Contact,
    now_ms: u64,
    job: &Job,
) -> Result<Survey, TransferError> {
    survey_as(roots, contact, Cover::Now { now_ms }, (now_ms, job))
}

pub(super) fn survey_as(
    roots: &[Wanted],
    contact: &Contact,
    cover: Cover,
    (now_ms, job): (u64, &Job),
) -> Result<Survey, TransferError> {
    let books = Books::new(&contact.synced().view, cover);
    let stock = Stock::take(contact)?;
    let mut kept_locs: BTreeMap<Key, BTreeSet<Spot>> = BTreeMap::new();
    for loc in books.kept_locs().into_iter().map(|loc: LocRecord| (loc.key, Spot::from(loc))) {
        if loc.1.can_be() {
            kept_locs.entry(loc.0).or_default().insert(loc.1);
        }
    }
    let (mut candidates, mut unlisted) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for wanted in roots {
        let Some(key) = wanted.root.key().filter(|key| seen.insert(*key)) else { continue };
        let places = books.places(key);
        if places.is_empty() {
            unlisted.push(wanted.clone());
            continue;
        }
        let (wanted, kept) = (wanted.clone(), kept_locs.remove(&key).unwrap_or_default());
        candidates.push(Candidate { wanted, key, places, kept });
    }
    let (of_records, lone) = of_records(kept_locs, &stock, contact, job)?;
    candidates.extend(of_records);
    let mut closure = close(&candidates, &stock, contact, job)?;
    closure.gaps.extend(use_lone(lone, &stock, &mut closure.uses));
    prove(&closure.nodes, &closure.uses, (&stock, contact), job)?;
    let kept = books.kept_packs();
    let mut survey = Survey {
        victims: Vec::new(),
        unlisted,
        gaps: std::mem::take(&mut closure.gaps),
        packs: (stock.packs.len() as u64, stock.packs.values().map(|stored| stored.size).sum()),
        live: (0, 0),
        held_back: books.are_held_back(now_ms),
        stock,
        closure,
        kept,
        condemned: books.condemned(),
    };
    survey.count();
    survey.condemn(&books, now_ms);
    Ok(survey)
}

impl Survey {
    fn count(&mut self) {
        let live = self.stock.packs.keys().filter(|pack| self.is_live(**pack)).count();
        let frames = self.closure.uses.packs.values().flat_map(BTreeMap::values);
        self.live = (live as u64, frames.map(|len| u64::from(*len)).sum());
    }

    fn condemn(&mut self, books: &Books, now_ms: u64) {
        let rows = books.rows();
        let mut victims = Vec::new();
        for (pack, stored) in self.stock.packs.iter().filter(|(pack, _)| !self.is_live(**pack)) {
            // A live root that the catalogue lost may lie in a pack that it lost as well.
            let orphan = is_older(stored.modified_ms, OLD_MS, now_ms) && self.unlisted.is_empty();
            let reason = if self.condemned.contains(pack) {
                Reason::Condemned
            } else if rows.contains_key(pack) {
                Reason::Unneeded
            } else if orphan {
                Reason::Orphan
            } else {
                continue;
            };
            victims.push(Victim { pack: *pack, bytes: stored.size, reason });
        }
        self.victims = victims;
    }
}

/// Takes each root of one chunk for needed, wherever it lies whole. One that lies whole nowhere is told,
/// with a pack, and what is left of it stays.
fn use_lone(lone: Chunks, stock: &Stock, uses: &mut Uses) -> Vec<(Vec<u8>, PackId)> {
    let whole: BTreeSet<Key> =
        lone.iter().filter(|(_, spot)| stock.has(spot)).map(|(key, _)| *key).collect();
    let mut told = BTreeSet::new();
    let mut gaps = Vec::new();
    for (key, spot) in lone {
        if stock.has(&spot) || !whole.contains(&key) {
            uses.add(spot);
        }
        if !whole.contains(&key) && told.insert(key) {
            gaps.push((RECORD.to_vec(), spot.pack));
        }
    }
    gaps
}

/// Roots that only push records name. Those that are a chunk need their own frame and no more; their
/// packs are there, but may be shorter than that.
pub(in crate::transfer) fn of_records(
    locs: BTreeMap<Key, BTreeSet<Spot>>,
    stock: &Stock,
    contact: &Contact,
    job: &Job,
) -> Result<(Vec<Candidate>, Chunks), TransferError> {
    let kind = |spot: &Spot| stock.packs.get(&spot.pack).map(|stored| stored.kind);
    let nodes: Vec<Spot> = locs
        .values()
        .flatten()
        .filter(|spot| kind(spot) == Some(PackKind::Nodes))
        .copied()
        .collect();
    let heads = heads(&nodes, contact, job)?;
    let (mut candidates, mut lone) = (Vec::new(), Vec::new());
    for (key, places) in locs {
        let data = |spot: &&Spot| kind(spot) == Some(PackKind::Data);
        if places.iter().any(|spot| data(&spot)) {
            lone.extend(places.iter().filter(data).map(|spot| (key, *spot)));
            continue;
        }
        let head = places.iter().filter_map(|spot| heads.get(spot)).find(|(id, _)| id.key() == key);
        let Some((id, kind)) = head else {
            return Err(unreadable(key, &places, contact));
        };
        let root = Root::Tree { id: *id, expectation: Expectation::root(*kind) };
        let wanted = Wanted { path: RECORD.to_vec(), root, filter: Filter::All };
        let kept = places.clone();
        candidates.push(Candidate { wanted, key, places: places.into_iter().collect(), kept });
    }
    Ok((candidates, lone))
}

/// Says that nothing of a root can be read where records place it.
pub(in crate::transfer) fn unreadable(
    key: Key,
    places: &BTreeSet<Spot>,
    contact: &Contact,
) -> TransferError {
    let mut object = [0; 32];
    object.iter_mut().zip(key.0).for_each(|(slot, byte)| *slot = byte);
    let pack = places.first().map_or(PackId([0; 16]), |spot| spot.pack);
    let why = "no copy of it that a push record names can be read".to_owned();
    let (path, remote) = (RECORD.to_vec(), contact.label().to_owned());
    TransferError::Damaged { path, object: Digest(object), pack, remote, why }
}

/// Reads which nodes lie at some places, in one wave; what cannot be read is left out.
fn heads(
    spots: &[Spot],
    contact: &Contact,
    job: &Job,
) -> Result<HashMap<Spot, (NodeId, Kind)>, TransferError> {
    let fetches = spots.iter().map(|spot| {
        let (from, limit) = (u64::from(spot.offset), u64::from(spot.frame_len));
        let key = key::pack(PackKind::Nodes, spot.pack);
        Fetch { key, range: Some(from..from + limit), limit }
    });
    let (mut out, mut codecs) = (HashMap::new(), Codecs::new());
    contact.remote().get_ranges(fetches.collect(), contact.jobs(), job, |n, answer| {
        let bytes = match answer {
            Ok(bytes) => bytes,
            Err(e) if e.is_missing() || e.is_damaged() => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let frame = decode_frame(&mut codecs, PackKind::Nodes, &bytes).ok();
        let head = frame.as_ref().and_then(|frame| first_node(&frame.raw).ok());
        if let (Some(spot), Some((node, _))) = (spots.get(n), head) {
            let recipe = node.get(1) == Some(&Kind::Recipe.code());
            let kind = if recipe { Kind::Recipe } else { Kind::Manifest };
            out.insert(*spot, (NodeId::of(node), kind));
        }
        Ok::<(), TransferError>(())
    })?;
    Ok(out)
}
