//! One machine: it adds, pushes, fetches, drops refs, loses its cache, and runs gc.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use haul::cache::{Index, Layout};
use haul::fs::nonce::sow;
use haul::hash::RepoId;
use haul::progress::{Job, Silent};
use haul::remote::Remote;
use haul::transfer::{
    Avoid, Contact, Home, Purpose, PushRequest, Stage, TransferError, fetch_data, plan_fetch, push,
    remembered,
};

use super::content::{Draft, Version};
use super::gate::{Ask, Gate};
use super::gc::{Gc, gc};
use super::store::Store;
use super::world::World;
use crate::faulty::Chance;
use crate::store_faults::name_of;

/// How messages and the index call the store.
pub(super) const LABEL: &str = "simulated";
/// Chunks that any client may come upon by itself.
const COMMON: u64 = 12;
/// Push records that a client writes for nothing, so that they are put together.
const REPEATS: u64 = 32;

/// What a client does in a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) seed: u64,
    /// How many things it does.
    pub(super) works: u64,
    pub(super) role: Role,
    /// Whether it says why something failed.
    pub(super) trace: bool,
}

/// Whether a client pushes and fetches, or removes what nobody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Pusher,
    /// One that writes many push records first.
    Chatterer,
    Remover,
}

/// How often something came out in a certain way, and what must not be.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) ends: BTreeMap<String, u64>,
    pub(super) misses: Vec<String>,
}

pub(super) struct Client {
    pub(super) part: Part,
    pub(super) gate: Arc<Gate>,
    pub(super) layout: Layout,
    pub(super) chance: Chance,
    home: Home,
    fresh: u64,
    /// What it added or fetched once, with the number if it was pushed.
    known: Vec<(Arc<Version>, Option<usize>)>,
    outcome: Outcome,
}

impl Client {
    pub(super) fn new(part: Part, gate: &Arc<Gate>, folder: &Path) -> Self {
        let folder = folder.join(part.number.to_string());
        let seed = part.seed.wrapping_mul(31).wrapping_add(part.number as u64 + 1);
        let mut chance = Chance::new(seed);
        Self {
            part,
            gate: Arc::clone(gate),
            layout: Layout::new(&folder, &folder, None),
            home: if chance.below(5) == 0 { Home::No } else { Home::Yes },
            chance,
            fresh: 0,
            known: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Does its part; on a thread of its own.
    pub(super) fn run(mut self) -> Outcome {
        let Part { number, seed, works, role, .. } = self.part;
        sow(format!("{seed} {number}").as_bytes());
        for work in 0..works {
            self.gate.turn_now(number, Ask::Begin);
            let (what, result) = match (role, work) {
                (Role::Chatterer, 0) => ("push", self.chatter()),
                (Role::Remover, _) => ("gc", self.remove()),
                (Role::Pusher | Role::Chatterer, _) => match self.chance.below(12) {
                    0..=4 => ("push", self.push_new()),
                    5 | 6 => ("push again", self.push_again()),
                    7 | 8 => ("fetch", self.fetch()),
                    9 | 10 => ("drop a ref", self.drop_ref()),
                    _ => ("empty the cache", self.empty_cache()),
                },
            };
            let end = match result {
                // What it came to is counted already.
                Ok(()) if role == Role::Remover => continue,
                Ok(()) => format!("{what}: done"),
                Err(error) => {
                    if self.part.trace {
                        println!("client {number}: {what}: {error}");
                    }
                    format!("{what}: {}", name_of(&error))
                }
            };
            *self.outcome.ends.entry(end).or_default() += 1;
        }
        self.outcome
    }

    /// This machine's repository as the remote knows it.
    pub(super) fn repo(&self) -> (RepoId, Option<String>) {
        (RepoId([u8::try_from(self.part.number).unwrap_or(0); 16]), None)
    }

    pub(super) fn remote(&self) -> Remote {
        Remote::over(Arc::new(Store::of(&self.gate, self.part.number)), LABEL)
    }

    /// Reads the refs when the turn has come; those of a client that died meanwhile are none.
    pub(super) fn refs(&self) -> Result<Vec<(usize, Arc<Version>)>, TransferError> {
        if !self.gate.turn_now(self.part.number, Ask::ReadRefs).does() {
            return Err(self.dead());
        }
        let state = self.gate.lock();
        let World { refs, versions, .. } = &state.world;
        Ok(refs.iter().filter_map(|n| Some((*n, Arc::clone(versions.get(*n)?)))).collect())
    }

    fn dead(&self) -> TransferError {
        TransferError::Outrun { remote: format!("client {} is dead", self.part.number), rounds: 0 }
    }

    /// Adds something new, or the next version of something, and pushes it.
    fn push_new(&mut self) -> Result<(), TransferError> {
        let version = self.draw_version()?;
        self.known.push((version, None));
        self.push_known(self.known.len() - 1)
    }

    fn draw_version(&mut self) -> Result<Arc<Version>, TransferError> {
        let (chance, fresh) = (&mut self.chance, &mut self.fresh);
        let mut common = Chance::new(self.part.seed.wrapping_add(chance.below(1 << 30)));
        let own = (self.part.number as u64 + 1) << 20;
        let mut number = || {
            *fresh += 1;
            if common.below(3) == 0 { common.below(COMMON) } else { own + *fresh }
        };
        let draft = match usize::try_from(chance.below(self.known.len() as u64 + 1)) {
            Ok(n) if n < self.known.len() && chance.below(4) > 0 => {
                self.known.get(n).map(|(base, _)| base.draft.next(chance, &mut number))
            }
            _ => None,
        };
        let draft = draft.unwrap_or_else(|| Draft::new(chance, &mut number));
        let index = Index::open(&self.layout)?;
        let remote = remembered(&self.layout, LABEL)?;
        Ok(Arc::new(draft.add((&self.layout, &index), remote, &mut self.chance)?))
    }

    /// Pushes again what it has, be it published, dropped, or never pushed to the end.
    fn push_again(&mut self) -> Result<(), TransferError> {
        match usize::try_from(self.chance.below(self.known.len() as u64)) {
            Ok(which) if which < self.known.len() => self.push_known(which),
            _ => Ok(()),
        }
    }

    /// Writes so many push records that they are put together.
    fn chatter(&mut self) -> Result<(), TransferError> {
        let version = self.draw_version()?;
        self.known.push((version, None));
        for _ in 0..REPEATS {
            self.push_known(0)?;
        }
        Ok(())
    }

    /// Pushes, and moves a ref once that has ended well.
    fn push_known(&mut self, which: usize) -> Result<(), TransferError> {
        let Some((version, number)) = self.known.get(which).cloned() else { return Ok(()) };
        let refs = self.refs()?;
        let published = number.is_some_and(|number| refs.iter().any(|(n, _)| *n == number));
        // Many records for one ref, that others do not wait for.
        let repeats = self.part.role == Role::Chatterer && self.chance.below(4) > 0;
        let stage = if published && !repeats { Stage::Published } else { Stage::Unpublished };
        let earlier = self.known.iter().take(which).next_back();
        let stop = AtomicBool::new(false);
        let job = Job::new(&Silent, &stop);
        let index = Index::open(&self.layout)?;
        let here = (&self.layout, &index);
        let mut contact = Contact::make(self.remote(), here, 1, Purpose::Push, &job)?;
        let request = PushRequest {
            roots: vec![(version.wanted.clone(), stage)],
            earlier: earlier.iter().map(|(version, _)| version.wanted.clone()).collect(),
            repo: self.repo(),
            home: self.home,
            avoid: Avoid::Nothing,
            sent: BTreeMap::new(),
        };
        push(&request, &mut contact, &job)?;
        if stage == Stage::Unpublished {
            self.publish(which, &version, number);
        }
        Ok(())
    }

    fn publish(&mut self, which: usize, version: &Arc<Version>, number: Option<usize>) {
        let number = number.unwrap_or_else(|| {
            let versions = &mut self.gate.lock().world.versions;
            versions.push(Arc::clone(version));
            versions.len() - 1
        });
        if let Some((_, known)) = self.known.get_mut(which) {
            *known = Some(number);
        }
        if self.gate.turn_now(self.part.number, Ask::Publish(number)).does() {
            let world = &mut self.gate.lock().world;
            world.refs.insert(number);
            world.changed = true;
        }
    }

    /// Fetches what some ref names; what comes without an error must be right.
    fn fetch(&mut self) -> Result<(), TransferError> {
        let refs = self.refs()?;
        let which = usize::try_from(self.chance.below(refs.len() as u64)).unwrap_or(0);
        let Some((number, version)) = refs.get(which) else { return Ok(()) };
        let stop = AtomicBool::new(false);
        let job = Job::new(&Silent, &stop);
        let index = Index::open(&self.layout)?;
        let here = (&self.layout, &index);
        let mut contact = Contact::make(self.remote(), here, 1, Purpose::Read, &job)?;
        let plan = plan_fetch(vec![version.wanted.clone()], &mut contact, &job)?;
        fetch_data(&plan, &mut contact, &job)?;
        if let Err(why) = version.draft.compare(&self.layout, &index) {
            self.outcome.misses.push(format!("version {number} was fetched, and {why}"));
        }
        self.known.push((Arc::clone(version), Some(*number)));
        Ok(())
    }

    fn drop_ref(&mut self) -> Result<(), TransferError> {
        let refs = self.refs()?;
        let which = usize::try_from(self.chance.below(refs.len() as u64)).unwrap_or(0);
        let Some((number, _)) = refs.get(which) else { return Ok(()) };
        if self.gate.turn_now(self.part.number, Ask::Drop(*number)).does() {
            self.gate.lock().world.refs.remove(number);
        }
        Ok(())
    }

    /// Loses all that can be fetched again.
    #[expect(clippy::unnecessary_wraps, reason = "as all that a client does")]
    fn empty_cache(&mut self) -> Result<(), TransferError> {
        for folder in [self.layout.whole_folder(), self.layout.part_folder()] {
            drop(std::fs::remove_dir_all(folder));
        }
        Ok(())
    }

    fn remove(&mut self) -> Result<(), TransferError> {
        let how = Gc::draw(&mut self.chance);
        let end = gc(self, how)?;
        *self.outcome.ends.entry(format!("gc: {end}")).or_default() += 1;
        Ok(())
    }
}
