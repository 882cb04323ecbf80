//! Folding: states with the same future become one state.

use crate::state::{
    BASELINES, Baseline, GcAt, NONE, OLD_NODES, OLD_RECORD, PUSHERS, Packs, PushAt, Pusher,
    RECORDS, ROUNDS, Record, Run, Set, State, THIRD_RECORD, TRIES, bit, members, own_data,
    own_nodes, record_of,
};

impl State {
    /// Forgets what nobody can see any more, so that equal futures are equal states.
    pub(crate) fn tidy(&mut self) {
        if self.is_late() {
            self.forget_replaced();
        }
        self.forget_records();
        self.forget_orphans();
        self.forget_baselines();
        self.forget_names();
        self.forget_generations();
        self.sort_baselines();
    }

    /// Whether no baseline will be written any more, so that what is newest stays so.
    fn is_late(&self) -> bool {
        self.left == 0 && !self.gcs.iter().any(|gc| gc.holds())
    }

    /// Late, nobody can tell any more whether what the newest baselines stand for was deleted: push
    /// records that they cover count for nothing, nor do those alone that a run tells for ever; and an
    /// older baseline condemns what it condemns, whoever says so.
    fn forget_replaced(&mut self) {
        let covered = self.covered();
        let mut told: Set = 0;
        for run in &mut self.runs {
            run.there &= run.records & !covered != 0;
            told |= if run.there && run.records & covered == 0 { run.records } else { 0 };
        }
        for (i, record) in self.records.iter_mut().enumerate() {
            record.there &= (covered | told) >> i & 1 == 0;
        }
        let top = self.generation();
        let newest = self.newest().fold(0, |packs, b| packs | b.victims);
        let listed = self.gcs.iter().fold(0, |set: Set, gc| set | gc.baselines);
        let mut more = 0;
        for (i, baseline) in self.baselines.iter_mut().enumerate().filter(|(_, b)| b.there) {
            if baseline.generation == top {
                baseline.covers = covered;
            } else if listed >> i & 1 == 0 || baseline.victims & !newest == 0 {
                more |= baseline.victims & !newest;
                *baseline = Baseline::default();
            }
        }
        if more != 0 {
            let free = self.baselines.iter_mut().find(|b| !b.there);
            let older = Baseline { there: true, victims: more, ..Baseline::default() };
            if let Some(slot) = free {
                *slot = older;
            }
        }
    }

    /// Whether all that a pusher may do next is to crash, or to send packs that nobody will ever delete,
    /// and that are there already or that nobody knows of: it does not matter what others do before.
    pub(crate) fn sends_unseen(&self, i: usize) -> bool {
        let pusher = &self.pushers[i];
        if pusher.at != PushAt::Send || self.left > 0 {
            return false;
        }
        let mut doomed = self.baselines.iter().fold(0, |packs, b| packs | b.victims);
        doomed |= self.gcs.iter().fold(0, |packs, gc| packs | gc.victims);
        let mut known = 0;
        for record in &self.records {
            known |= record.packs | bit(record.loc);
        }
        for baseline in &self.baselines {
            known |= baseline.locs | baseline.packs;
        }
        let others = (0..PUSHERS).filter(|other| *other != i);
        known |= others.flat_map(|other| self.below[other]).fold(0, |set, p| set | bit(p));
        pusher.unsent & (doomed | known & !self.packs) == 0
    }

    fn forget_records(&mut self) {
        let mut named: Set = self.pushers.iter().fold(0, |set, pusher| set | pusher.run);
        for gc in &self.gcs {
            named |= gc.alive;
        }
        for run in &mut self.runs {
            if !run.there {
                *run = Run::default();
            }
            named |= run.records;
        }
        let mut known = named;
        for (i, record) in self.records.iter_mut().enumerate() {
            if record.there {
                known |= 1 << i;
            } else if named >> i & 1 == 0 {
                *record = Record { loc: NONE, ..Record::default() };
            }
        }
        for baseline in &mut self.baselines {
            baseline.covers &= known;
        }
        for pusher in &mut self.pushers {
            if matches!(pusher.at, PushAt::Done | PushAt::GaveUp) {
                *pusher = Pusher { at: PushAt::Done, loc: NONE, ..Pusher::default() };
            }
        }
        if self.pushers.iter().all(|pusher| pusher.at == PushAt::Done) {
            self.crashes = 0;
        }
    }

    /// A pack that no object lists and no pusher may send will never be of use to anybody: whether it is
    /// there, and whether it is condemned, does not matter.
    fn forget_orphans(&mut self) {
        let mut locs = 0;
        let mut useful = self.resendable() | bit(OLD_NODES);
        for record in &self.records {
            (locs, useful) = (locs | bit(record.loc), useful | record.packs);
        }
        for baseline in &self.baselines {
            (locs, useful) = (locs | baseline.locs, useful | baseline.packs);
        }
        for pusher in &self.pushers {
            locs |= bit(pusher.loc);
        }
        useful |= self.closures(locs & !bit(NONE));
        self.packs &= useful;
        self.baselines.iter_mut().for_each(|b| b.victims &= useful);
        self.gcs.iter_mut().filter(|gc| !gc.plans()).for_each(|gc| gc.victims &= useful);
    }

    fn forget_baselines(&mut self) {
        let lone =
            (0..RECORDS).filter(|i| self.records[*i].there).fold(0, |set: Set, i| set | 1 << i);
        let listed = self.baseline_set();
        let may_be_there = self.packs | self.resendable();
        for gc in &mut self.gcs {
            if !gc.plans() {
                gc.baselines &= listed;
                gc.records &= lone;
                gc.victims &= may_be_there;
            }
            gc.pass_empty();
        }
        let (gcs, top) = (self.gcs, self.generation());
        for (i, baseline) in self.baselines.iter_mut().enumerate() {
            let of = gcs.iter().find(|gc| gc.holds() && usize::from(gc.base) == i);
            let finished = of.map_or(baseline.there, |gc| gc.at == GcAt::WriteBaseline);
            if !baseline.there && of.is_none() {
                *baseline = Baseline::default();
            } else if finished && baseline.generation < top {
                // The newest is never deleted, so this one will not be the newest again.
                (baseline.locs, baseline.covers) = (0, 0);
            }
        }
    }

    /// Packs that a pusher may send yet, or once more: no other name comes back once it was deleted.
    fn resendable(&self) -> Packs {
        let mut packs = 0;
        for (i, pusher) in self.pushers.iter().enumerate() {
            packs |= pusher.own | pusher.unsent;
            if let Some(attempt) = pusher.packed.checked_sub(1) {
                packs |= bit(own_nodes(i, attempt.into())) | bit(own_data(i, attempt.into()));
            }
        }
        packs
    }

    /// The placement of a node pack that is nowhere any more does not matter.
    fn forget_names(&mut self) {
        let named = self.named();
        for (i, row) in self.below.iter_mut().enumerate() {
            for (k, below) in row.iter_mut().enumerate() {
                if named & bit(own_nodes(i, k)) == 0 {
                    *below = 0;
                }
            }
        }
    }

    /// Packs that are somewhere, or that something names.
    pub(crate) fn named(&self) -> Packs {
        let mut named = self.packs;
        for record in &self.records {
            named |= record.packs | bit(record.loc);
        }
        for baseline in &self.baselines {
            named |= baseline.locs | baseline.packs | baseline.victims;
        }
        for (i, pusher) in self.pushers.iter().enumerate() {
            named |= pusher.own | bit(pusher.loc);
            if let Some(attempt) = pusher.packed.checked_sub(1) {
                named |= bit(own_nodes(i, attempt.into())) | bit(own_data(i, attempt.into()));
            }
        }
        for gc in self.gcs.iter().filter(|gc| gc.at != GcAt::ReadRefs) {
            named |= gc.victims;
        }
        members(named).fold(named, |named, pack| match usize::from(pack) {
            at @ 2.. if pack % 2 == 0 && pack < NONE => {
                named | bit(self.below[(at - 2) / 2 / TRIES][(at - 2) / 2 % TRIES])
            }
            _ => named,
        })
    }

    /// Only what is newest matters, what is older, and what will be newer.
    fn forget_generations(&mut self) {
        let top = self.generation();
        let rank = |generation: u8| if generation < top { 0 } else { 1 + generation - top };
        let current = |generation: u8| u8::from(generation == top);
        self.records.iter_mut().for_each(|r| r.generation = current(r.generation));
        self.pushers.iter_mut().for_each(|p| p.generation = current(p.generation));
        self.baselines.iter_mut().for_each(|b| b.generation = rank(b.generation));
    }

    /// Which slot a baseline has does not matter.
    fn sort_baselines(&mut self) {
        for round in 1..BASELINES {
            for at in 0..BASELINES - round {
                if self.baselines[at].word() < self.baselines[at + 1].word() {
                    self.baselines.swap(at, at + 1);
                    for gc in &mut self.gcs {
                        let pair = gc.baselines >> at & 3;
                        gc.baselines =
                            gc.baselines & !(3 << at) | (pair << 1 & 2 | pair >> 1) << at;
                        gc.base = match usize::from(gc.base) {
                            _ if !gc.holds() => 0,
                            base if base == at => gc.base + 1,
                            base if base == at + 1 => gc.base - 1,
                            _ => gc.base,
                        };
                    }
                }
            }
        }
    }

    /// The same state with the two pushers changed about.
    pub(crate) fn swap_pushers(&self) -> Self {
        let mut out = *self;
        let width = 2 * TRIES;
        let low: Packs = ((1 << width) - 1) << 2;
        let swap =
            |set: Packs| set & !(low | low << width) | (set & low) << width | (set >> width) & low;
        let name = |pack: u8| match usize::from(pack) {
            2.. if pack == NONE => NONE,
            p @ 2.. if p < 2 + width => pack + width as u8,
            2.. => pack - width as u8,
            _ => pack,
        };
        let first: Set = ((1 << ROUNDS) - 1) << 1;
        let others: Set = 1 << OLD_RECORD | 1 << THIRD_RECORD;
        let records = |set: Set| set & others | (set & first) << ROUNDS | (set >> ROUNDS) & first;
        out.packs = swap(self.packs);
        out.below.swap(0, 1);
        out.below.iter_mut().flatten().for_each(|below| *below = name(*below));
        for round in 0..ROUNDS {
            out.records.swap(record_of(0, round), record_of(1, round));
        }
        for record in &mut out.records {
            (record.loc, record.packs) = (name(record.loc), swap(record.packs));
        }
        out.runs.iter_mut().for_each(|run| run.records = records(run.records));
        for baseline in &mut out.baselines {
            baseline.locs = swap(baseline.locs);
            baseline.packs = swap(baseline.packs);
            baseline.victims = swap(baseline.victims);
            baseline.covers = records(baseline.covers);
        }
        out.pushers.swap(0, 1);
        for pusher in &mut out.pushers {
            pusher.loc = name(pusher.loc);
            pusher.own = swap(pusher.own);
            (pusher.unsent, pusher.sent) = (swap(pusher.unsent), swap(pusher.sent));
            pusher.run = records(pusher.run);
        }
        for gc in &mut out.gcs {
            gc.victims = swap(gc.victims);
            (gc.alive, gc.records) = (records(gc.alive), records(gc.records));
        }
        out
    }
}
