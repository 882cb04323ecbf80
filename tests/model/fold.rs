//! Folding: states with the same future become one state.

use crate::state::{
    BASELINES, Baseline, GcAt, NONE, Packs, PushAt, Pusher, RECORDS, ROUNDS, Record, Run, Set,
    State, TRIES, bit, members, own_data, own_nodes, record_of,
};

impl State {
    /// Forgets what nobody can see any more, so that equal futures are equal states.
    pub(crate) fn tidy(&mut self) {
        self.forget_records();
        self.forget_baselines();
        self.forget_names();
        self.forget_generations();
        self.sort_baselines();
    }

    fn forget_records(&mut self) {
        let mut named: Set = self.pushers.iter().fold(0, |set, pusher| set | pusher.run);
        for gc in &self.gcs {
            named |= if gc.at == GcAt::ReadRefs { gc.records } else { 0 };
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
                *pusher = Pusher { at: pusher.at, loc: NONE, ..Pusher::default() };
            }
        }
    }

    fn forget_baselines(&mut self) {
        let lone =
            (0..RECORDS).filter(|i| self.records[*i].there).fold(0, |set: Set, i| set | 1 << i);
        let listed = (0..BASELINES).filter(|i| self.baselines[*i].there).fold(0, |s, i| s | 1 << i);
        for gc in &mut self.gcs {
            gc.seen &= listed;
            gc.records &= if gc.at == GcAt::ReadRefs { Set::MAX } else { lone };
            gc.pass_empty();
        }
        let gcs = self.gcs;
        for (i, baseline) in self.baselines.iter_mut().enumerate() {
            let used = gcs.iter().any(|gc| gc.at != GcAt::Idle && usize::from(gc.base) == i);
            if !baseline.there && !used {
                *baseline = Baseline::default();
            }
        }
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

    /// Only the order of generations matters, and whether a push record is of the newest.
    fn forget_generations(&mut self) {
        let top = self.generation();
        let mut used: Set = 0;
        for baseline in &self.baselines {
            used |= 1 << baseline.generation;
        }
        let rank = |generation: u8| (used & !1 & ((2 << generation) - 1)).count_ones() as u8;
        let current = |generation: u8| if generation == top { rank(top) } else { 0 };
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
                        let pair = gc.seen >> at & 3;
                        gc.seen = gc.seen & !(3 << at) | (pair << 1 & 2 | pair >> 1) << at;
                        gc.base = match usize::from(gc.base) {
                            _ if gc.at == GcAt::Idle => 0,
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
        let records = |set: Set| set & 1 | (set & first) << ROUNDS | (set >> ROUNDS) & first;
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
            (gc.victims, gc.records) = (swap(gc.victims), records(gc.records));
        }
        out
    }

    /// The same state with the two gcs changed about.
    pub(crate) fn swap_gcs(&self) -> Self {
        let mut out = *self;
        out.gcs.swap(0, 1);
        out
    }
}
