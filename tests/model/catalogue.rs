//! What the catalogue says, by the rules of `docs/format/remote.md`.

use crate::setting::{Bug, Setting};
use crate::state::{
    BASELINES, Baseline, OLD_DATA, OLD_NODES, OLD_REF, OLD_ROOT, Packs, RECORDS, RUNS, Set, State,
    TRIES, bit, members,
};

/// The roots that refs reach.
pub(crate) fn roots(refs: Set) -> impl Iterator<Item = u8> {
    let others = refs >> OLD_REF << OLD_ROOT;
    members((refs & !(1 << OLD_REF) | others).into())
}

/// Those of these copies that are of one root.
pub(crate) fn of_root(setting: &Setting, locs: Packs, root: u8) -> Packs {
    let fits = |nodes: &u8| setting.root_of(*nodes) == Some(root);
    members(locs).filter(fits).fold(0, |locs, nodes| locs | bit(nodes))
}

impl State {
    /// The data pack that a node pack names.
    pub(crate) fn below(&self, nodes: u8) -> u8 {
        if nodes == OLD_NODES {
            return OLD_DATA;
        }
        let at = (usize::from(nodes) - 2) / 2;
        self.below[at / TRIES][at % TRIES]
    }

    /// The packs that a copy of a tree needs.
    pub(crate) fn closure(&self, nodes: u8) -> Packs {
        bit(nodes) | bit(self.below(nodes))
    }

    pub(crate) fn closures(&self, all: Packs) -> Packs {
        members(all).fold(0, |packs, nodes| packs | self.closure(nodes))
    }

    pub(crate) fn complete(&self, nodes: u8) -> bool {
        self.closure(nodes) & !self.packs == 0
    }

    pub(crate) fn listed_baselines(&self) -> impl Iterator<Item = (usize, &Baseline)> {
        self.baselines.iter().enumerate().filter(|(_, baseline)| baseline.there)
    }

    pub(crate) fn baseline_set(&self) -> Set {
        self.listed_baselines().fold(0, |set, (i, _)| set | 1 << i)
    }

    pub(crate) fn generation(&self) -> u8 {
        self.listed_baselines().map(|(_, baseline)| baseline.generation).max().unwrap_or(0)
    }

    pub(crate) fn newest(&self) -> impl Iterator<Item = &Baseline> {
        let top = self.generation();
        self.listed_baselines().map(|(_, b)| b).filter(move |b| b.generation == top)
    }

    /// Push records that lie on the remote, alone or in a run.
    pub(crate) fn written(&self) -> Set {
        let lone = (0..RECORDS).filter(|i| self.records[*i].there).fold(0, |set, i| set | 1 << i);
        self.runs.iter().filter(|run| run.there).fold(lone, |set, run| set | run.records)
    }

    pub(crate) fn covered(&self) -> Set {
        let mut all = self.newest().map(|baseline| baseline.covers);
        all.next().map_or(0, |first| all.fold(first, |set, covers| set & covers))
    }

    pub(crate) fn uncovered(&self) -> Set {
        self.written() & !self.covered()
    }

    /// Push records whose PACK counts: those alone, and those in runs of which none is covered.
    fn speaking(&self, setting: &Setting) -> Set {
        let covered = self.covered();
        let mut set = 0;
        for i in (0..RECORDS).filter(|i| self.records[*i].there) {
            set |= 1 << i;
        }
        for run in self.runs.iter().filter(|run| run.there && run.records & covered == 0) {
            set |= run.records;
        }
        let set = set & !covered;
        if setting.has(Bug::OldGeneration) {
            return set;
        }
        set & !self.older()
    }

    /// Push records of a generation before the newest baseline's.
    pub(crate) fn older(&self) -> Set {
        let top = self.generation();
        (0..RECORDS).filter(|i| self.records[*i].generation < top).fold(0, |set, i| set | 1 << i)
    }

    pub(crate) fn packs_of(&self, records: Set) -> Packs {
        members(records.into()).fold(0, |packs, i| packs | self.records[usize::from(i)].packs)
    }

    pub(crate) fn locs_of(&self, records: Set) -> Packs {
        members(records.into()).fold(0, |locs, i| locs | bit(self.records[usize::from(i)].loc))
    }

    fn in_newest(&self, of: impl Fn(&Baseline) -> Packs) -> Packs {
        let mut all = self.newest().map(of);
        all.next().map_or(0, |first| all.fold(first, |packs, more| packs & more))
    }

    pub(crate) fn condemned(&self) -> Packs {
        self.listed_baselines().fold(0, |packs, (_, baseline)| packs | baseline.victims)
    }

    /// Packs that a push may rely on.
    pub(crate) fn reliable(&self, setting: &Setting) -> Packs {
        let listed = self.in_newest(|b| b.packs) | self.packs_of(self.speaking(setting));
        listed & !self.condemned()
    }

    /// Copies of a root that a push may take over.
    pub(crate) fn found(&self, setting: &Setting, root: u8) -> Packs {
        let whole = |b: &Baseline, nodes: &u8| {
            setting.has(Bug::WeakRoot) || self.closure(*nodes) & b.victims == 0
        };
        let firm = |b: &Baseline| {
            members(b.locs).filter(|nodes| whole(b, nodes)).fold(0, |locs, nodes| locs | bit(nodes))
        };
        let from_newest = if setting.has(Bug::LocInOne) {
            self.newest().fold(0, |locs, b| locs | firm(b))
        } else {
            self.in_newest(firm)
        };
        let all = from_newest | self.locs_of(self.speaking(setting));
        of_root(setting, all & self.reliable(setting), root)
    }

    /// Copies of a root that readers find.
    pub(crate) fn locs(&self, setting: &Setting, root: u8) -> Packs {
        let newest = self.newest().fold(0, |locs, baseline| locs | baseline.locs);
        of_root(setting, newest | self.locs_of(self.uncovered()), root)
    }

    /// Says which pointer of Git's refs cannot be restored by somebody who lists now.
    pub(crate) fn lost(&self, setting: &Setting) -> Option<u8> {
        if setting.shared_nodes && self.packs & bit(OLD_NODES) == 0 {
            return Some(OLD_NODES);
        }
        roots(self.refs)
            .find(|root| !members(self.locs(setting, *root)).any(|nodes| self.complete(nodes)))
    }

    /// Whether there is room for another run, those on their way counted.
    pub(crate) fn has_free_run(&self) -> bool {
        let used = self.runs.iter().filter(|run| run.there).count();
        used + self.pushers.iter().filter(|pusher| pusher.run != 0).count() < RUNS
    }

    /// A slot for a baseline that is neither listed nor about to be.
    pub(crate) fn free_baseline(&self) -> Option<u8> {
        let used = |at: usize| self.gcs.iter().any(|gc| gc.holds() && usize::from(gc.base) == at);
        let free = (0..BASELINES as u8)
            .find(|at| !self.baselines[usize::from(*at)].there && !used((*at).into()));
        free.filter(|_| self.left > 0)
    }
}
