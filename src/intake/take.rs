//! One intake from start to durable packs.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};

use rayon::prelude::*;

use crate::cache::{
    CacheError, Held, Index, Layout, PackSink, PackState, Place, WrittenPack, places_of,
    record_written,
};
use crate::fs::{Dir, Time};
use crate::hash::{PackId, PackKind};
use crate::intake::claims::Claims;
use crate::intake::deltas::Deltas;
use crate::intake::error::IntakeError;
use crate::intake::frames::{OpenFormer, When};
use crate::intake::shared::Shared;
use crate::intake::spares::Spares;
use crate::intake::{FormerVersion, SMALL, Source, Stored, Taken, large, small};
use crate::pack::EncodedFrame;
use crate::progress::{Job, Kind};

/// Packs, and chunks in them, that are recorded together while files are still read. Each time most pages of the
/// index are written: of small chunks more are kept, some 16 MB.
const PACKS_TOGETHER: usize = 16;
const CHUNKS_TOGETHER: usize = 131_072;
/// Groups of frames that may wait for the pack writer.
const QUEUE: usize = 2;
/// A run of small files that one worker takes: at most this many bytes and files.
const RUN_BYTES: u64 = 4 << 20;
const RUN_FILES: usize = 256;

/// Byte counts of an intake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of all files read.
    pub read: u64,
    /// Bytes of chunks that were not known before.
    pub new: u64,
    /// Those of them that are stored as a delta to other chunks.
    pub delta: u64,
    /// Bytes of the packs that were written.
    pub stored: u64,
}

/// What an intake leaves: packs that are durable; the last of them, those with objects, are not yet indexed.
pub struct Intake {
    /// The packs that were written.
    pub packs: Vec<WrittenPack>,
    /// Where each new chunk lies that the index was not told of meanwhile.
    pub places: HashMap<[u8; 32], Place>,
    /// How much was read, new and stored.
    pub figures: Figures,
}

/// What need not be stored, and what must be although it seems that it need not.
#[derive(Clone, Copy)]
pub struct Exceptions<'k> {
    /// Packs of the index that count for nothing: what it places there is stored again.
    pub lost: &'k BTreeSet<PackId>,
    /// Chunks that the index does not know and the remote has.
    pub elsewhere: &'k HashMap<[u8; 32], Place>,
}

/// What is told of each pack once it is durable.
pub type Landed<'l> = &'l (dyn Fn(&WrittenPack) -> Result<(), CacheError> + Sync);

/// Takes in files of `total` bytes, some at a time: `next` is told what became of those it gave last, in their
/// order, and gives more, or none at the end. `began` is the file system's clock now.
pub fn take<E: From<IntakeError>>(
    (root, began): (&Dir, Time),
    (total, mut next): (u64, impl FnMut(Vec<Taken>) -> Result<Vec<Source>, E>),
    (layout, landed): (&Layout, Option<Landed>),
    (index, exceptions): (&Index, Exceptions),
    job: &Job,
) -> Result<Intake, E> {
    let task = job.begin(Kind::Add, Some(total));
    let claims = &Claims::new(index, exceptions).map_err(IntakeError::from)?;
    let (send, frames) = sync_channel(QUEUE);
    let deltas = Deltas::new(layout, index, claims);
    let spares = &Spares::default();
    let outlet = (send, spares);
    let shared = Shared::new(root, (job, &task), claims, outlet, (began, deltas));
    let (read, packs, new, delta) = std::thread::scope(|scope| {
        let ledger = Ledger { index, claims, landed, waiting: Vec::new(), done: Vec::new() };
        let writer = scope.spawn(move || write(layout, ledger, &frames, spares));
        let read = take_batches(&shared, &mut next);
        let new = shared.new_bytes.load(Ordering::Relaxed);
        let delta = shared.deltas.bytes();
        drop(shared);
        let packs = writer.join().map_err(|_| IntakeError::Defect("the pack writer died".into()));
        (read, packs, new, delta)
    });
    // A full disk shows in the writer first; what the workers say then is only the echo.
    let packs = packs?.map_err(IntakeError::from)?;
    let read = read?;
    let stored = packs.iter().map(|p| p.size).sum();
    let places = places_of(&packs).collect();
    Ok(Intake { packs, places, figures: Figures { read, new, delta, stored } })
}

/// Returns the bytes of all files.
fn take_batches<E: From<IntakeError>>(
    shared: &Shared,
    next: &mut impl FnMut(Vec<Taken>) -> Result<Vec<Source>, E>,
) -> Result<u64, E> {
    let (mut read, mut taken) = (0, Vec::new());
    loop {
        let sources = next(taken)?;
        if sources.is_empty() {
            return Ok(read);
        }
        taken = take_all(shared, &sources)?;
        read += taken.iter().map(|taken| taken.stamp.size).sum::<u64>();
    }
}

fn take_all(shared: &Shared, sources: &[Source]) -> Result<Vec<Taken>, IntakeError> {
    let mut out: Vec<Option<Taken>> = vec![None; sources.len()];
    let runs = runs(sources);
    let done: Result<Vec<_>, IntakeError> = runs
        .par_iter()
        .map(|run| {
            Ok((run.start, small::take_run(shared, sources.get(run.clone()).unwrap_or_default())?))
        })
        .collect();
    for (start, taken) in done? {
        for (slot, taken) in out.iter_mut().skip(start).zip(taken) {
            *slot = Some(taken);
        }
    }
    for (i, source) in sources.iter().enumerate().filter(|(_, s)| s.size > SMALL) {
        // Lives as long as its file is read: it may be the list of many chunks.
        let former = former(shared, source, (sources, &out))?;
        let taken = large::take_large(shared, source, former.as_ref())?;
        out.get_mut(i).map(|slot| slot.insert(taken));
    }
    let all: Option<Vec<Taken>> = out.into_iter().collect();
    all.ok_or_else(|| IntakeError::Defect("a file was not taken in".into()))
}

/// Opens the former version of a large file.
fn former(
    shared: &Shared,
    source: &Source,
    (sources, taken): (&[Source], &[Option<Taken>]),
) -> Result<Option<OpenFormer>, IntakeError> {
    match &source.former {
        None => Ok(None),
        Some(FormerVersion::Stored { root, size, profile, path }) => {
            OpenFormer::stored(shared, (*root, *size, *profile), path.as_deref())
        }
        Some(FormerVersion::Source(i)) => {
            let stored = taken.get(*i).and_then(Option::as_ref).map(|taken| &taken.stored);
            Ok(match (stored, sources.get(*i)) {
                (Some(Stored::Chunks { chunks, .. }), Some(other)) => {
                    let path = Some(other.path.as_slice());
                    Some(OpenFormer::of(shared, chunks.clone(), path, When::JustNow))
                }
                _ => None,
            })
        }
    }
}

/// Groups small files, in order, into runs for one worker each; large files lie between runs.
fn runs(sources: &[Source]) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (i, source) in sources.iter().enumerate().filter(|(_, s)| s.size <= SMALL) {
        match out.last_mut() {
            Some(run)
                if run.end == i && bytes + source.size <= RUN_BYTES && run.len() < RUN_FILES =>
            {
                run.end = i + 1;
                bytes += source.size;
            }
            _ => {
                out.push(i..i + 1);
                bytes = source.size;
            }
        }
    }
    out
}

fn write(
    layout: &Layout,
    mut ledger: Ledger,
    frames: &Receiver<Vec<EncodedFrame>>,
    spares: &Spares,
) -> Result<Vec<WrittenPack>, CacheError> {
    let mut sink = PackSink::new(layout, PackKind::Data);
    for group in frames {
        for frame in &group {
            sink.push(frame)?;
        }
        ledger.enter(sink.take_durable())?;
        spares.give(group.into_iter().map(EncodedFrame::into_bytes));
    }
    ledger.enter(sink.finish()?)?;
    Ok(ledger.done.into_iter().chain(ledger.waiting).collect())
}

/// Durable packs of an intake that goes on.
struct Ledger<'a> {
    index: &'a Index,
    claims: &'a Claims<'a>,
    landed: Option<Landed<'a>>,
    /// Those that the index does not know yet.
    waiting: Vec<WrittenPack>,
    /// The others, without their tables.
    done: Vec<WrittenPack>,
}

impl Ledger<'_> {
    fn enter(&mut self, packs: Vec<WrittenPack>) -> Result<(), CacheError> {
        if let Some(landed) = self.landed {
            packs.iter().try_for_each(landed)?;
        }
        self.waiting.extend(packs);
        // Of packs that are sent away and do not stay, the index is told once all are sent.
        if self.landed.is_some() {
            return Ok(());
        }
        let chunks: usize = self.waiting.iter().map(|pack| pack.objects.len()).sum();
        let many = self.waiting.len() >= PACKS_TOGETHER || chunks >= CHUNKS_TOGETHER;
        if many { self.record() } else { Ok(()) }
    }

    /// Has the index keep what the packs hold, so that memory need not.
    fn record(&mut self) -> Result<(), CacheError> {
        record_written(self.index, &self.waiting)?;
        self.claims.recorded(&self.waiting)?;
        let bare = |pack| WrittenPack { objects: Vec::new(), deltas: Vec::new(), ..pack };
        self.done.extend(self.waiting.drain(..).map(bare));
        Ok(())
    }
}

impl Intake {
    /// Records packs of this intake that the index does not know, and how they are held, and its node packs.
    pub fn record(
        &self,
        index: &Index,
        held: Held,
        nodes: &[WrittenPack],
    ) -> Result<(), IntakeError> {
        // Of those without objects it knows already, and somebody may have pushed them since.
        let packs = self.packs.iter().filter(|p| !p.objects.is_empty()).map(|p| (p, held));
        let packs = packs.chain(nodes.iter().map(|p| (p, Held::Unpushed)));
        let states: Vec<_> = packs
            .map(|(p, held)| {
                let size = u32::try_from(p.size).unwrap_or(0);
                (p.id, PackState { held, kind: p.kind.byte(), size })
            })
            .collect();
        let mut objects: Vec<_> = self.places.iter().map(|(id, place)| (*id, *place)).collect();
        objects.extend(places_of(nodes));
        let deltas: Vec<_> =
            self.packs.iter().flat_map(|pack| pack.deltas.iter().cloned()).collect();
        Ok(index.record(&states, &mut objects, &deltas)?)
    }
}
