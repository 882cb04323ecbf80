//! Everything that roots need, each at a place that leads to all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use crate::cache::ObjectReader;
use crate::hash::{Key, PackId};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::stock::Stock;
use crate::transfer::nodes::walk;
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::walk::Spot;
use crate::transfer::walked::{Visited, Walked};

/// Frames that are needed, by pack and offset, with their lengths.
#[derive(Clone, Debug, Default)]
pub(in crate::transfer) struct Uses {
    pub(in crate::transfer) packs: BTreeMap<PackId, BTreeMap<u32, u32>>,
}

impl Uses {
    pub(super) fn add(&mut self, spot: Spot) {
        self.packs.entry(spot.pack).or_default().insert(spot.offset, spot.frame_len);
    }

    fn extend(&mut self, other: Self) {
        for (pack, frames) in other.packs {
            self.packs.entry(pack).or_default().extend(frames);
        }
    }

    pub(super) fn has(&self, spot: Spot) -> bool {
        self.packs.get(&spot.pack).is_some_and(|frames| frames.contains_key(&spot.offset))
    }

    /// Packs that are needed and not there.
    fn lacking(&self, stock: &Stock) -> BTreeSet<PackId> {
        let gone = |pack: PackId, frames: &BTreeMap<u32, u32>| {
            frames
                .iter()
                .any(|(&offset, &frame_len)| !stock.has(&Spot { pack, offset, frame_len, skip: 0 }))
        };
        self.packs.iter().filter(|(pack, f)| gone(**pack, f)).map(|(pack, _)| *pack).collect()
    }
}

/// A root and where the catalogue says that it lies, the best place first.
pub(in crate::transfer) struct Candidate {
    pub(super) wanted: Wanted,
    pub(super) key: Key,
    pub(super) places: Vec<Spot>,
    /// Places that a kept push record names: whatever they lead to is kept.
    pub(in crate::transfer) kept: BTreeSet<Spot>,
}

/// What candidates need.
#[derive(Default)]
pub(in crate::transfer) struct Closure {
    pub(in crate::transfer) uses: Uses,
    /// The nodes that say so.
    pub(super) nodes: Vec<Visited>,
    /// The place of each root that leads to all that is there.
    pub(in crate::transfer) chosen: BTreeMap<Key, (Wanted, Spot)>,
    /// Roots of which packs are missing, with one path each.
    pub(in crate::transfer) gaps: Vec<(Vec<u8>, PackId)>,
}

/// What came of one place of a root.
enum Outcome {
    /// All that it needs is there.
    Whole,
    /// All nodes were read, and of the packs that they name some are missing.
    Lacking(Uses, Vec<Visited>, PackId),
    /// A node could not be read, so that nobody can tell what is needed.
    Broken(TransferError),
}

/// Finds for each candidate the best place that leads to all of it.
///
/// A root of which some packs are missing keeps what is left of it. One that has no place from which
/// all of its nodes can be read is an error: what it needs cannot be told.
pub(in crate::transfer) fn close(
    candidates: &[Candidate],
    stock: &Stock,
    contact: &Contact,
    job: &Job,
) -> Result<Closure, TransferError> {
    let mut closing = Closing { stock, contact, out: Closure::default() };
    let mut outcomes: HashMap<(usize, Spot), Outcome> = HashMap::new();
    let first = |candidate: &Candidate| {
        let best = candidate.places.first().copied();
        candidate.kept.iter().copied().chain(best).collect::<BTreeSet<Spot>>()
    };
    let mut asked: Vec<(usize, Spot)> = candidates
        .iter()
        .enumerate()
        .flat_map(|(n, candidate)| first(candidate).into_iter().map(move |spot| (n, spot)))
        .collect();
    while !asked.is_empty() {
        let starts: Vec<(&Wanted, Spot)> = asked
            .iter()
            .filter_map(|(n, spot)| Some((&candidates.get(*n)?.wanted, *spot)))
            .collect();
        let results = closing.settle(&starts, job)?;
        outcomes.extend(asked.drain(..).zip(results));
        for (n, candidate) in candidates.iter().enumerate() {
            let tried = |spot: &Spot| outcomes.get(&(n, *spot));
            let whole = |spot: &&Spot| matches!(tried(spot), Some(Outcome::Whole));
            if candidate.places.iter().find(whole).is_none() {
                let next = candidate.places.iter().find(|spot| tried(spot).is_none());
                asked.extend(next.map(|spot| (n, *spot)));
            }
        }
    }
    for (n, candidate) in candidates.iter().enumerate() {
        closing.choose(n, candidate, &mut outcomes)?;
    }
    Ok(closing.out)
}

struct Closing<'c> {
    stock: &'c Stock,
    contact: &'c Contact<'c>,
    out: Closure,
}

impl Closing<'_> {
    /// Walks from all starts together; where something is wrong, from halves of them, to tell which.
    fn settle(
        &mut self,
        starts: &[(&Wanted, Spot)],
        job: &Job,
    ) -> Result<Vec<Outcome>, TransferError> {
        let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
        let mut open: Vec<Range<usize>> = Vec::new();
        open.push(0..starts.len());
        while let Some(range) = open.pop() {
            job.check()?;
            let wanted: Vec<Wanted> =
                range.clone().filter_map(|n| starts.get(n)).map(|(w, _)| (*w).clone()).collect();
            let spots: Vec<Spot> =
                range.clone().filter_map(|n| starts.get(n)).map(|(_, spot)| *spot).collect();
            let outcome = self.one_walk(&wanted, &spots, job)?;
            match outcome {
                Outcome::Whole => outcomes.extend(range.map(|n| (n, Outcome::Whole))),
                Outcome::Lacking(..) | Outcome::Broken(_) if range.len() <= 1 => {
                    outcomes.insert(range.start, outcome);
                }
                Outcome::Lacking(..) | Outcome::Broken(_) => {
                    let middle = range.start + range.len() / 2;
                    open.extend([range.start..middle, middle..range.end]);
                }
            }
        }
        Ok(outcomes.into_values().collect())
    }

    fn one_walk(
        &mut self,
        wanted: &[Wanted],
        spots: &[Spot],
        job: &Job,
    ) -> Result<Outcome, TransferError> {
        let mut reader = ObjectReader::new(self.contact.layout(), self.contact.index())?;
        let walked = match walk(wanted, &mut reader, Sight::At(self.contact, spots), job) {
            Ok(walked) => walked,
            Err(e) if e.is_damage() => return Ok(Outcome::Broken(e)),
            Err(e) => return Err(e),
        };
        let uses = match self.uses(wanted, &walked) {
            Ok(uses) => uses,
            Err(e) => return Ok(Outcome::Broken(e)),
        };
        if let Some(pack) = uses.lacking(self.stock).first() {
            return Ok(Outcome::Lacking(uses, walked.nodes, *pack));
        }
        self.out.uses.extend(uses);
        self.out.nodes.extend(walked.nodes);
        Ok(Outcome::Whole)
    }

    fn uses(&self, wanted: &[Wanted], walked: &Walked) -> Result<Uses, TransferError> {
        let mut uses = Uses::default();
        for node in &walked.nodes {
            uses.add(node.at);
        }
        for step in walked.chunks.iter() {
            // Without a placement a reader goes by the catalogue, which a baseline rewrites.
            let spot = step.spot;
            let spot =
                spot.ok_or_else(|| self.contact.nobody_pushed(wanted, step.wanted, &step.id.0))?;
            uses.add(spot);
            for base in &step.bases {
                uses.add(*base);
            }
        }
        Ok(uses)
    }

    fn choose(
        &mut self,
        n: usize,
        candidate: &Candidate,
        outcomes: &mut HashMap<(usize, Spot), Outcome>,
    ) -> Result<(), TransferError> {
        let (mut whole, mut lacking, mut broken) = (None, None, None);
        for spot in &candidate.places {
            match outcomes.remove(&(n, *spot)) {
                Some(Outcome::Whole) => whole = whole.or(Some(*spot)),
                Some(Outcome::Lacking(uses, nodes, pack)) => {
                    lacking = lacking.or(Some((*spot, pack)));
                    self.out.uses.extend(uses);
                    self.out.nodes.extend(nodes);
                }
                Some(Outcome::Broken(e)) => broken = broken.or(Some(e)),
                None => {}
            }
        }
        if let (None, Some((_, pack))) = (whole, lacking) {
            self.out.gaps.push((candidate.wanted.path.clone(), pack));
        }
        match (whole.or(lacking.map(|(spot, _)| spot)), broken) {
            (Some(spot), _) => {
                self.out.chosen.insert(candidate.key, (candidate.wanted.clone(), spot));
                Ok(())
            }
            (None, Some(e)) => Err(e),
            (None, None) => Ok(()),
        }
    }
}

/// Returns those roots, each at its place, that need one of some packs.
pub(super) fn needing(
    roots: &[(Wanted, Spot)],
    packs: &BTreeSet<PackId>,
    contact: &Contact,
    job: &Job,
) -> Result<Vec<Wanted>, TransferError> {
    let (mut out, mut open) = (Vec::new(), vec![roots]);
    while let Some(group) = open.pop() {
        job.check()?;
        let (wanted, spots): (Vec<Wanted>, Vec<Spot>) = group.iter().cloned().unzip();
        let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
        let walked = walk(&wanted, &mut reader, Sight::At(contact, &spots), job)?;
        let nodes = walked.nodes.iter().map(|node| node.at.pack);
        let chunks = walked.chunks.iter().flat_map(|step| step.spot.into_iter().chain(step.bases));
        if !nodes.chain(chunks.map(|spot| spot.pack)).any(|pack| packs.contains(&pack)) {
            continue;
        }
        match group {
            [_] => out.extend(wanted),
            more => {
                let (front, back) = more.split_at(more.len() / 2);
                open.extend([front, back]);
            }
        }
    }
    Ok(out)
}
