//! What a listing of the catalogue and its objects say together.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::hash::CatalogueId;
use crate::hash::Key;
use crate::hash::PackId;

use super::error::ViewError;
use super::name::{Entry, Feature, FeatureClass, Name, ObjectKind};
use super::object::Object;
use super::record::{LocRecord, PackRecord, SOURCE_BASELINE};

/// From this many lone push records on, a pusher puts them together into a run.
pub const LONE_LIMIT: usize = 32;
/// Most objects that a catalogue may have.
const MAX_LISTED: usize = 100_000;

/// One line of a listing of `i/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key below `i/`.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// When the store received it: milliseconds since 1970, by the store's clock.
    pub modified_ms: u64,
}

/// What the catalogue is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To find roots: the newest baselines and what they do not cover.
    Read,
    /// To rely on packs: older baselines as well, for what they condemn.
    Rely,
    /// To delete: every object, for what covered ones still name.
    Remove,
}

/// One place of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loc {
    /// The record.
    pub record: LocRecord,
    /// When the store received what names it, in milliseconds since 1970.
    pub stored_ms: u64,
    /// The generation of what names it.
    pub generation: u32,
    /// What names it.
    pub kind: ObjectKind,
}

/// What a listing says about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The size in bytes.
    pub size: u64,
    /// When the store received it: milliseconds since 1970, by the store's clock.
    pub modified_ms: u64,
}

struct Member {
    listing: Listing,
    object: Option<Arc<Object>>,
}

/// The catalogue as one listing shows it, with those of its objects that were fetched.
///
/// Look-ups are binary searches in the tables; nothing is copied. An answer about objects that were
/// not fetched is missing, never wrong: see [`View::missing`].
pub struct View {
    members: BTreeMap<Name, Member>,
    features: Vec<Feature>,
    unknown: Vec<String>,
    newest: Vec<Name>,
    /// Push records that lie in a run of which none is covered.
    in_runs: HashSet<CatalogueId>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("members", &self.members.keys())
            .field("features", &self.features)
            .field("unknown", &self.unknown)
            .finish_non_exhaustive()
    }
}

impl View {
    /// Puts a complete listing of `i/` and the objects fetched so far together.
    ///
    /// Objects that are not listed are left out. Refuses more than 100,000 names.
    pub fn build(
        listing: impl IntoIterator<Item = Listed>,
        objects: impl IntoIterator<Item = (Name, Arc<Object>)>,
    ) -> Result<Self, ViewError> {
        let mut members = BTreeMap::new();
        let (mut features, mut unknown) = (Vec::new(), Vec::new());
        for (at, listed) in listing.into_iter().enumerate() {
            if at >= MAX_LISTED {
                return Err(ViewError::TooMany { count: at + 1, limit: MAX_LISTED });
            }
            let Listed { name, size, modified_ms } = listed;
            match Entry::parse(&name) {
                Entry::Object(name) => {
                    let listing = Listing { size, modified_ms };
                    members.insert(name, Member { listing, object: None });
                }
                Entry::Feature(feature) => features.push(feature),
                Entry::Unknown(name) => unknown.push(name),
            }
        }
        for (name, object) in objects {
            if let Some(member) = members.get_mut(&name) {
                member.object = Some(object);
            }
        }
        let baselines = || members.keys().filter(|name| name.kind == ObjectKind::Baseline);
        let top = baselines().map(|name| name.generation).max();
        let newest = baselines().filter(|name| Some(name.generation) == top).copied().collect();
        let mut view = Self { members, features, unknown, newest, in_runs: HashSet::new() };
        view.in_runs = view.listed_by_whole_runs();
        Ok(view)
    }

    /// Returns what need not be looked at alone. A push record in a run with covered ones does not
    /// belong here: its own table of packs is the only one that can be believed.
    fn listed_by_whole_runs(&self) -> HashSet<CatalogueId> {
        let runs = self.members.iter().filter(|(name, _)| name.kind == ObjectKind::Run);
        runs.filter_map(|(_, member)| member.object.as_deref())
            .filter(|run| self.is_whole(run))
            .flat_map(|run| run.covers.iter().map(|cover| cover.push_record))
            .collect()
    }

    /// Refuses a class of work for which something is required that is not among `known`.
    ///
    /// Whoever writes must also be able to read, and gc must be able to do both. Unknown objects
    /// stop writing and gc, not reading.
    pub fn check_features(&self, class: FeatureClass, known: &[Feature]) -> Result<(), ViewError> {
        let newer = |name: String| Err(ViewError::Newer { class, name });
        let required = |feature: &&Feature| feature.class <= class && !known.contains(feature);
        if let Some(feature) = self.features.iter().find(required) {
            return newer(feature.to_string());
        }
        match (class, self.unknown.first()) {
            (FeatureClass::Read, _) | (_, None) => Ok(()),
            (FeatureClass::Write | FeatureClass::Gc, Some(name)) => newer(name.clone()),
        }
    }

    /// Returns what the listing says of an object; zeros if it does not list it.
    pub fn listing(&self, name: &Name) -> Listing {
        let none = Listing { size: 0, modified_ms: 0 };
        self.members.get(name).map_or(none, |member| member.listing)
    }

    /// Returns the generation of the newest baselines, or 0 without any.
    pub fn generation(&self) -> u32 {
        self.newest.first().map_or(0, |name| name.generation)
    }

    /// Returns all listed baselines, so that two listings can be compared for new ones.
    pub fn baselines(&self) -> impl Iterator<Item = &Name> {
        self.members.keys().filter(|name| name.kind == ObjectKind::Baseline)
    }

    /// Returns the newest baselines: none, one, or two if two runs of gc raced.
    pub fn newest_baselines(&self) -> &[Name] {
        &self.newest
    }

    /// Returns the objects that still have to be fetched, with their sizes.
    ///
    /// As long as baselines and runs are missing, so is what they may turn out to cover; a caller
    /// fetches all of these in one wave, or the baselines first.
    pub fn missing(&self, need: Need) -> Vec<(Name, u64)> {
        let counts = |name: &Name| match (need, name.kind) {
            (Need::Remove, _)
            | (Need::Read | Need::Rely, ObjectKind::Run)
            | (Need::Rely, ObjectKind::Baseline) => true,
            (Need::Read | Need::Rely, ObjectKind::PushRecord) => self.is_lone(name),
            (Need::Read, ObjectKind::Baseline) => self.newest.contains(name),
        };
        self.members
            .iter()
            .filter(|(name, member)| member.object.is_none() && counts(name))
            .map(|(name, member)| (*name, member.listing.size))
            .collect()
    }

    /// Returns the places of an object, newest first, each once.
    pub fn locs(&self, key: Key) -> Vec<Loc> {
        let mut found = self.all_locs(key);
        let mut seen = HashSet::new();
        found.retain(|loc| seen.insert(place(&loc.record)));
        found
    }

    /// As [`View::locs`], and each place as often as it is named.
    fn all_locs(&self, key: Key) -> Vec<Loc> {
        let mut found = Vec::new();
        for (name, listing, object) in self.counting() {
            let start = object.locs.partition_point(|loc| loc.key < key);
            let same = object.locs.iter().skip(start).take_while(|loc| loc.key == key);
            for record in same {
                let stored_ms = match name.kind {
                    ObjectKind::PushRecord | ObjectKind::Baseline => listing.modified_ms,
                    ObjectKind::Run => match object.covers.get(record.source as usize) {
                        Some(cover) if !self.is_covered(cover.push_record) => cover.stored_ms,
                        Some(_) | None => continue,
                    },
                };
                let (generation, kind) = (name.generation, name.kind);
                found.push(Loc { record: *record, stored_ms, generation, kind });
            }
        }
        found.sort_by_key(|loc| std::cmp::Reverse((loc.stored_ms, loc.record.pack)));
        found
    }

    /// Says whether the catalogue lists the pack as present: each newest baseline does, or an
    /// uncovered push record.
    ///
    /// The packs of a run cannot be told apart by push record, so a run counts here only if none of
    /// its push records is covered: a pack that gc may have deleted is never taken for present.
    pub fn packs_listed(&self, pack: PackId) -> bool {
        self.pack_record(pack).is_some()
    }

    /// Returns what the catalogue lists about a pack, by the rule of [`View::packs_listed`].
    pub fn pack_record(&self, pack: PackId) -> Option<&PackRecord> {
        let newest = self.newest.iter().map(|name| row_of(self.object(name)?, pack));
        let in_all: Option<Vec<_>> = newest.collect();
        in_all.and_then(|rows| rows.first().copied()).or_else(|| {
            self.counting()
                .filter(|(name, _, object)| {
                    name.kind != ObjectKind::Baseline && self.is_whole(object)
                })
                .find_map(|(_, _, object)| row_of(object, pack))
        })
    }

    /// Says whether a fetched baseline, old or new, condemns the pack.
    pub fn condemned(&self, pack: PackId) -> bool {
        let baselines = self.baselines().filter_map(|name| self.object(name));
        baselines.into_iter().any(|object| object.victims.binary_search(&pack).is_ok())
    }

    /// Says whether a push may rely on a pack that it did not upload itself: each newest baseline lists
    /// it, or a push record of the newest generation. One of an older generation may be of a push that
    /// slept through a gc and ended before it looked.
    ///
    /// Always no while a baseline was not fetched, since it might condemn the pack.
    pub fn may_rely_on(&self, pack: PackId) -> bool {
        let complete = self.baselines().all(|name| self.object(name).is_some());
        let mut newest = self.newest.iter().map(|name| self.object(name));
        let in_all = !self.newest.is_empty()
            && newest.all(|object| object.is_some_and(|object| row_of(object, pack).is_some()));
        let current = || {
            self.counting().any(|(name, _, object)| {
                name.kind != ObjectKind::Baseline
                    && name.generation == self.generation()
                    && self.is_whole(object)
                    && row_of(object, pack).is_some()
            })
        };
        complete && (in_all || current()) && !self.condemned(pack)
    }

    /// Returns every hook, as the first bytes of a chunk id and a pack that should hold the chunk:
    /// hints, to be checked with [`View::may_rely_on`].
    pub fn hooks(&self) -> impl Iterator<Item = ([u8; 8], PackId)> {
        self.counting().flat_map(|(_, _, object)| {
            object.hooks.iter().filter_map(|hook| {
                Some((hook.chunk, object.packs.get(hook.pack_row as usize)?.pack))
            })
        })
    }

    /// Counts the uncovered push records that no run makes superfluous.
    pub fn lone_push_records(&self) -> usize {
        self.members.keys().filter(|name| self.is_lone(name)).count()
    }

    /// Returns every fetched object, whether it counts or not, in the order of their names.
    pub fn all(&self) -> impl Iterator<Item = (&Name, &Listing, &Object)> {
        self.members
            .iter()
            .filter_map(|(name, member)| Some((name, &member.listing, member.object.as_deref()?)))
    }

    /// Returns the places of an object that a push record of the newest generation names, or each newest
    /// baseline: whoever wrote it had seen what is condemned now. Of two gcs at a time one may have let
    /// go what the other had still seen in use. Left out is what needs a condemned pack.
    pub fn current_locs(&self, key: Key) -> impl Iterator<Item = LocRecord> {
        let all = self.all_locs(key);
        let named = |baseline: &Name, at: &LocRecord| {
            let locs = self.object(baseline).map_or(&[][..], |object| &object.locs);
            let same = locs.iter().skip(locs.partition_point(|loc| loc.key < key));
            let mut same = same.take_while(|loc| loc.key == key);
            same.any(|loc| place(loc) == place(at) && loc.source == SOURCE_BASELINE)
        };
        let current = |loc: &&Loc| match loc.kind {
            ObjectKind::PushRecord | ObjectKind::Run => loc.generation == self.generation(),
            ObjectKind::Baseline => self.newest.iter().all(|name| named(name, &loc.record)),
        };
        let mut seen = HashSet::new();
        let mut found: Vec<LocRecord> = all.iter().filter(current).map(|loc| loc.record).collect();
        found.retain(|record| seen.insert(place(record)));
        found.into_iter()
    }

    /// Returns the fetched objects that count, in the order of their names.
    ///
    /// A run is among them as long as one of its push records is not covered. Whoever deletes must
    /// keep all packs of such a run, though [`View::packs_listed`] believes none of them.
    pub fn counting(&self) -> impl Iterator<Item = (&Name, &Listing, &Object)> {
        self.members.iter().filter_map(|(name, member)| {
            let object = member.object.as_deref()?;
            let counts = match name.kind {
                ObjectKind::PushRecord => self.is_lone(name),
                ObjectKind::Run => {
                    !object.covers.iter().all(|cover| self.is_covered(cover.push_record))
                }
                ObjectKind::Baseline => self.newest.contains(name),
            };
            counts.then_some((name, &member.listing, object))
        })
    }

    /// Says whether all newest baselines cover the push record.
    pub fn is_covered(&self, push_record: CatalogueId) -> bool {
        let covers = |name: &Name| {
            self.object(name).is_some_and(|object| {
                object.covers.binary_search_by_key(&push_record, |c| c.push_record).is_ok()
            })
        };
        !self.newest.is_empty() && self.newest.iter().all(covers)
    }

    /// Says whether no push record of a run is covered; true for a lone push record.
    pub(super) fn is_whole(&self, object: &Object) -> bool {
        !object.covers.iter().any(|cover| self.is_covered(cover.push_record))
    }

    /// Says whether a push record counts on its own.
    fn is_lone(&self, name: &Name) -> bool {
        name.kind == ObjectKind::PushRecord
            && !self.is_covered(name.id)
            && !self.in_runs.contains(&name.id)
    }

    fn object(&self, name: &Name) -> Option<&Object> {
        self.members.get(name)?.object.as_deref()
    }
}

/// Where an object lies, without who says so.
fn place(loc: &LocRecord) -> (PackId, u32, u32) {
    (loc.pack, loc.offset, loc.skip)
}

fn row_of(object: &Object, pack: PackId) -> Option<&PackRecord> {
    let row = object.packs.binary_search_by_key(&pack, |record| record.pack).ok()?;
    object.packs.get(row)
}
