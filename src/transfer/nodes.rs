//! Walking trees wave by wave: nodes that are here cost nothing, the others of one level are
//! fetched together.

use std::collections::{HashMap, HashSet};

use crate::cache::{NodeAndPlacement, ObjectReader};
use crate::hash::{Digest, NodeId, PackId, PackKind};
use crate::pack::node_in;
use crate::progress::Job;
use crate::transfer::ahead::{Ahead, behind};
use crate::transfer::catalogue::Contact;
use crate::transfer::detour::{Detours, Lost};
use crate::transfer::error::TransferError;
use crate::transfer::filter::Filter;
use crate::transfer::land::{Flaw, Landed, Landing, Object, Orders, Part};
use crate::transfer::ranges::{Range, Slack};
use crate::transfer::root::{Root, Wanted};
use crate::transfer::sight::Sight;
use crate::transfer::survey::Lookout;
use crate::transfer::walk::{ChunkStep, NodeStep, Spot, expand};
use crate::transfer::walked::{ChunkCopy, Visited, Walked, copy_of};
use crate::transfer::wave::{Wave, single};

/// Decoded frames of one wave, by pack and offset.
type Frames = HashMap<(PackId, u32), Vec<u8>>;
/// What was wrong with objects, by their ids.
type Flaws = HashMap<[u8; 32], Flaw>;

/// Walks everything below the wanted roots: of what is here, and of each level that is fetched, in the order of
/// paths and bytes, so that a fetch brings first what is wanted first.
pub(super) fn walk(
    wanted: &[Wanted],
    reader: &mut ObjectReader,
    sight: Sight,
    job: &Job,
) -> Result<Walked, TransferError> {
    walk_and_look(wanted, reader, sight, None, job).map(|(walked, _)| walked)
}

/// As [`walk`]; with a lookout, what cannot be had is noted there and passed by, and so is what is
/// damaged, and chunks are not kept.
pub(super) fn walk_and_look<'w>(
    wanted: &'w [Wanted],
    reader: &'w mut ObjectReader,
    sight: Sight,
    lookout: Option<Lookout<'w>>,
    job: &Job,
) -> Result<(Walked, Option<Lookout<'w>>), TransferError> {
    let mut walker = Walker { lookout, ..Walker::new(wanted, reader, sight, Sharing::Once) };
    let mut level = walker.roots(sight);
    while !level.is_empty() {
        let mut absent = Vec::new();
        // It is taken from its end.
        level.reverse();
        while let Some(step) = level.pop() {
            job.check()?;
            if walker.seen(&step) || walker.passes_by(&step) {
                continue;
            }
            let here = match walker.here(&step, sight) {
                Err(e) if e.is_damage() && walker.lookout.is_some() => None,
                other => other.map_err(|e| e.needed_by(walker.path(step.wanted)))?,
            };
            match here {
                Some(((node, placement), at)) => {
                    let below = walker.visit(&step, (&node, &placement), at)?;
                    level.extend(below.into_iter().rev());
                }
                None => absent.push(step),
            }
        }
        if absent.is_empty() {
            break;
        }
        level = match sight.contact() {
            Some(contact) => walker.fetch(absent, contact, job)?,
            // What is not here is no damage.
            None if walker.lookout.is_some() => Vec::new(),
            None => return Err(walker.absent(absent.first(), "this machine")),
        };
    }
    Ok((walker.out, walker.lookout))
}

/// How often a walk comes to what several of the wanted have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Once for all of them.
    Once,
    /// Once for each.
    Each,
}

/// Walks trees, a wave at a time; used by [`walk`] and by comparisons.
pub(super) struct Walker<'w, 'c> {
    pub(super) wanted: &'w [Wanted],
    pub(super) reader: &'w mut ObjectReader<'c>,
    pub(super) out: Walked,
    sharing: Sharing,
    /// Whether copies are one as good as the other; if not, each counts.
    any_copy: bool,
    detours: bool,
    seen_nodes: HashSet<(NodeId, Option<PackId>, usize)>,
    seen_chunks: HashSet<ChunkCopy>,
    ahead: Ahead,
    lookout: Option<Lookout<'w>>,
}

impl<'w, 'c> Walker<'w, 'c> {
    pub(super) fn new(
        wanted: &'w [Wanted],
        reader: &'w mut ObjectReader<'c>,
        sight: Sight,
        sharing: Sharing,
    ) -> Self {
        Self {
            wanted,
            reader,
            out: Walked::default(),
            sharing,
            any_copy: sight.any_copy(),
            detours: sight.detours(),
            seen_nodes: HashSet::new(),
            seen_chunks: HashSet::new(),
            ahead: Ahead::default(),
            lookout: None,
        }
    }

    pub(super) fn roots(&mut self, sight: Sight) -> Vec<NodeStep> {
        let mut steps = Vec::new();
        let all = self.wanted;
        for (wanted, item) in all.iter().enumerate() {
            match &item.root {
                Root::Empty => self.out.files += 1,
                Root::Chunk { id, size } => {
                    self.out.files += 1;
                    self.out.bytes = self.out.bytes.saturating_add(*size);
                    let spot = sight.root(wanted, id.key());
                    let (id, size, bases, above) = (*id, *size, Vec::new(), None);
                    self.chunk(ChunkStep { wanted, id, size, spot, bases, above });
                }
                Root::Tree { id, expectation } => {
                    if expectation.kind == crate::node::Kind::Recipe {
                        self.out.files += 1;
                        let size = expectation.size.unwrap_or(0);
                        self.out.bytes = self.out.bytes.saturating_add(size);
                    }
                    let spot = sight.root(wanted, id.key());
                    let (id, expectation, above) = (*id, expectation.clone(), None);
                    let step =
                        NodeStep { wanted, id, expectation, spot, at: 0, first: true, above };
                    steps.push(step);
                }
            }
        }
        steps
    }

    fn copy(&self, spot: Option<Spot>) -> Option<PackId> {
        spot.map(|spot| spot.pack).filter(|_| !self.any_copy)
    }

    fn chunk(&mut self, step: ChunkStep) {
        if let Some(lookout) = &mut self.lookout {
            return lookout.look_at(&step);
        }
        // One delta, said to have its bases at other places, needs those as well.
        let bases = step.bases.iter().filter(|_| !self.any_copy).map(|base| base.pack);
        let copy = self.copy(step.spot);
        let of = Some(step.wanted).filter(|_| self.sharing == Sharing::Each);
        if self.seen_chunks.insert(copy_of(step.id, copy, bases, of)) {
            self.out.chunks.push(step);
        }
    }

    /// A node below two wanted filters is visited for each, but an unfiltered one only once.
    pub(super) fn seen(&mut self, step: &NodeStep) -> bool {
        let whole = matches!(self.filter(step.wanted), Filter::All);
        let once = whole && self.sharing == Sharing::Once;
        let filter = if once { usize::MAX } else { step.wanted };
        let key = (step.id, self.copy(step.spot), filter);
        let seen = !self.seen_nodes.insert(key);
        if let Some(lookout) = self.lookout.as_mut().filter(|_| seen) {
            lookout.meet_again(step);
        }
        seen
    }

    /// Notes a node that is known to be damaged; there is no use in reading it.
    fn passes_by(&mut self, step: &NodeStep) -> bool {
        self.lookout.as_mut().is_some_and(|lookout| lookout.knows(step))
    }

    /// Notes a node that cannot be had, if somebody looks out for such.
    fn notes(&mut self, step: &NodeStep) -> bool {
        let Some(lookout) = &mut self.lookout else { return false };
        lookout.note(step);
        true
    }

    fn filter(&self, wanted: usize) -> &Filter {
        self.wanted.get(wanted).map_or(&Filter::All, |w| &w.filter)
    }

    pub(super) fn path(&self, wanted: usize) -> &[u8] {
        self.wanted.get(wanted).map_or(&[], |item| &item.path)
    }

    /// Reads a node that is on this machine, in a copy that this walk may read.
    pub(super) fn here(
        &mut self,
        step: &NodeStep,
        sight: Sight,
    ) -> Result<Option<(NodeAndPlacement, Spot)>, TransferError> {
        let held = self.reader.view().find_held(&step.id.0).map(|(place, _)| place);
        match (step.spot, held) {
            (Some(spot), Some(place))
                if !sight.any_copy() && (spot.pack, spot.offset) != (place.pack, place.offset) =>
            {
                let read = self.reader.node_at(step.id, spot.pack, spot.offset, spot.frame_len)?;
                Ok(read.map(|pair| (pair, spot)))
            }
            (_, Some(place)) => Ok(self.reader.node(step.id)?.map(|pair| (pair, place.into()))),
            // What is to be placed from here must be known to the index, not only lie there.
            (Some(spot), None) if sight.any_copy() => {
                self.reader.restate(spot.pack)?;
                let held = self.reader.view().find_held(&step.id.0).map(|(place, _)| place);
                let Some(place) = held else { return Ok(None) };
                Ok(self.reader.node(step.id)?.map(|pair| (pair, place.into())))
            }
            (Some(spot), None) => {
                let read = self.reader.node_at(step.id, spot.pack, spot.offset, spot.frame_len)?;
                Ok(read.map(|pair| (pair, spot)))
            }
            (None, None) => Ok(None),
        }
    }

    pub(super) fn visit(
        &mut self,
        step: &NodeStep,
        node: (&[u8], &[u8]),
        at: Spot,
    ) -> Result<Vec<NodeStep>, TransferError> {
        let mut below = match expand(step, node, Some(at.pack), self.filter(step.wanted)) {
            Ok(below) => below,
            Err(_) if self.notes(step) => return Ok(Vec::new()),
            Err(source) => {
                let path = self.path(step.wanted).to_vec();
                return Err(TransferError::Tree { path, source });
            }
        };
        let number = u32::try_from(self.out.nodes.len()).ok();
        let (id, wanted, above) = (step.id, step.wanted, step.above);
        self.out.nodes.push(Visited { id, at, wanted, above });
        self.out.first_chunks.extend(below.first_chunk);
        self.out.files += below.files;
        self.out.bytes = self.out.bytes.saturating_add(below.bytes);
        for chunk in below.chunks {
            self.chunk(ChunkStep { above: number, ..chunk });
        }
        for node in &mut below.nodes {
            node.above = number;
        }
        Ok(below.nodes)
    }

    pub(super) fn absent(&self, step: Option<&NodeStep>, remote: &str) -> TransferError {
        let path =
            step.and_then(|s| self.wanted.get(s.wanted)).map_or(Vec::new(), |w| w.path.clone());
        let root = Digest(step.map_or([0; 32], |s| s.id.0));
        TransferError::NobodyPushed { path, root, remote: remote.to_owned() }
    }

    /// Fetches one level of nodes in one wave and visits them; returns the next level.
    pub(super) fn fetch(
        &mut self,
        mut steps: Vec<NodeStep>,
        contact: &Contact,
        job: &Job,
    ) -> Result<Vec<NodeStep>, TransferError> {
        for step in &mut steps {
            step.spot = step.spot.or_else(|| contact.locate(step.id.key()));
        }
        let (mut next, mut flaws) = (Vec::new(), Flaws::new());
        let mut lost = self.arrive(steps, (&mut next, &mut flaws), contact, job)?;
        if lost.is_empty() {
            return Ok(next);
        }
        let steps: Vec<Lost> = lost.iter().map(Lost::of_node).collect();
        let mut detours = if self.detours {
            Some(Detours::find(contact, &self.out.nodes, &steps, job)?)
        } else {
            None
        };
        while !lost.is_empty() {
            for step in &mut lost {
                let way = match &mut detours {
                    Some(detours) => detours.next(step.id.0, contact, job)?,
                    None => None,
                };
                step.spot = way.map(|(spot, _)| spot);
                if step.spot.is_none() && !self.notes(step) {
                    let flaw = flaws.remove(&step.id.0);
                    return Err(match flaw {
                        Some(flaw) => contact.flawed(self.wanted, flaw),
                        None => self.absent(Some(step), contact.label()),
                    });
                }
            }
            lost.retain(|step| step.spot.is_some());
            lost = self.arrive(lost, (&mut next, &mut flaws), contact, job)?;
        }
        Ok(next)
    }

    /// Visits nodes at their places, here or fetched in one wave; returns those that are not there.
    fn arrive(
        &mut self,
        steps: Vec<NodeStep>,
        (next, flaws): (&mut Vec<NodeStep>, &mut Flaws),
        contact: &Contact,
        job: &Job,
    ) -> Result<Vec<NodeStep>, TransferError> {
        let frames = self.wave(&steps, flaws, contact, job)?;
        let mut lost = Vec::new();
        for step in steps {
            let raw =
                step.spot.and_then(|spot| Some((spot, frames.get(&(spot.pack, spot.offset))?)));
            let pair = raw.and_then(|(spot, raw)| {
                let (node, placement) = node_in(raw, step.id).ok()?;
                Some((spot, node, placement))
            });
            match pair {
                Some((spot, node, placement)) => {
                    next.extend(self.visit(&step, (node, placement), spot)?);
                }
                None => lost.push(step),
            }
        }
        Ok(lost)
    }

    fn wave(
        &mut self,
        steps: &[NodeStep],
        flaws: &mut Flaws,
        contact: &Contact,
        job: &Job,
    ) -> Result<Frames, TransferError> {
        let mut orders = Orders::new();
        for step in steps {
            let Some(spot) = step.spot else { continue };
            let (id, wanted, part) = (step.id.0, step.wanted, Part::Whole);
            let object = Object { id, skip: 0, len: 0, wanted, part };
            orders.entry((spot.pack, spot.offset)).or_default().push(object);
        }
        let whole = steps.iter().all(|s| matches!(self.filter(s.wanted), Filter::All));
        let behind = behind(steps.len(), whole);
        let slack = if behind == 0 { Slack::Little } else { Slack::Usual };
        let (ready, missing): (Vec<Spot>, Vec<Spot>) =
            steps.iter().filter_map(|s| s.spot).partition(|s| self.ahead.at(*s).is_some());
        let mut frames = Frames::new();
        let mut take = |range: &Range, landed: Vec<Landed>| {
            for (span, landed) in range.frames.iter().zip(landed) {
                flaws.extend(landed.flaws.into_iter().map(|flaw| (flaw.object.id, flaw)));
                frames.extend(landed.raw.map(|raw| ((range.pack, span.offset), raw)));
            }
        };
        let mut landing = Landing::new(contact.layout(), contact.index(), PackKind::Nodes);
        for spot in ready {
            let Some(bytes) = self.ahead.at(spot) else { continue };
            let range = single(spot);
            let landed = landing.land(&range, &bytes, &orders)?;
            take(&range, landed);
        }
        landing.record()?;
        let wave = Wave { contact, kind: PackKind::Nodes, slack, behind, orders: &orders };
        let ahead = &mut self.ahead;
        let refused = wave.fetch(missing, job, |(range, from, bytes, landed)| {
            take(range, landed);
            if behind > 0 {
                ahead.keep(range.pack, from, bytes);
            }
        })?;
        flaws.extend(refused.into_iter().map(|flaw| (flaw.object.id, flaw)));
        Ok(frames)
    }
}
