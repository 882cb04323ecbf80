//! What a remote holds and where each client stands, in some hundred bytes.

/// Clients that push, and machines that run gc.
pub(crate) const PUSHERS: usize = 2;
pub(crate) const GCS: usize = 2;
/// How often a pusher can write its packs under new names.
pub(crate) const TRIES: usize = 3;
/// Push records that one pusher can write.
pub(crate) const ROUNDS: usize = 3;
/// The old push record, those of each pusher, and one of somebody else.
pub(crate) const RECORDS: usize = 2 + PUSHERS * ROUNDS;
/// What somebody else pushed just before: the old root, once more.
pub(crate) const THIRD_RECORD: usize = RECORDS - 1;
pub(crate) const RUNS: usize = 2;
/// The baseline of the start, then those that can be begun; each has a slot of its own.
pub(crate) const BASELINES: usize = 4;

/// A set of packs, a bit each.
pub(crate) type Packs = u16;
/// A set of push records, runs, baselines or roots, a bit each.
pub(crate) type Set = u8;

/// The old node pack: it holds the root node of the old tree.
pub(crate) const OLD_NODES: u8 = 0;
/// The old data pack, which the old tree needs and new ones may share.
pub(crate) const OLD_DATA: u8 = 1;
/// The root of the old tree; the others are new.
pub(crate) const OLD_ROOT: u8 = 0;
/// Stands in refs for the old root as others keep it.
pub(crate) const OLD_REF: u8 = 7;
/// The push record that brought the old packs, more than 14 days ago.
pub(crate) const OLD_RECORD: usize = 0;
/// No pack.
pub(crate) const NONE: u8 = 15;

pub(crate) fn own_nodes(pusher: usize, attempt: usize) -> u8 {
    (2 + 2 * (pusher * TRIES + attempt)) as u8
}

pub(crate) fn own_data(pusher: usize, attempt: usize) -> u8 {
    own_nodes(pusher, attempt) + 1
}

pub(crate) fn record_of(pusher: usize, round: usize) -> usize {
    1 + pusher * ROUNDS + round
}

/// A push record: where its root lies, and the packs that it brought.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    /// Whether it lies on the remote alone.
    pub(crate) there: bool,
    pub(crate) generation: u8,
    /// The node pack that LOC names.
    pub(crate) loc: u8,
    pub(crate) packs: Packs,
}

/// Several push records put together.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub(crate) there: bool,
    pub(crate) records: Set,
}

/// What gc wrote, or is about to write.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Baseline {
    pub(crate) there: bool,
    pub(crate) generation: u8,
    /// The node packs that LOC names.
    pub(crate) locs: Packs,
    pub(crate) packs: Packs,
    pub(crate) covers: Set,
    pub(crate) victims: Packs,
}

/// Where a pusher stands; each state is left by one request.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum PushAt {
    #[default]
    Start,
    Send,
    WriteRun,
    WriteRecord,
    ListAgain,
    Done,
    GaveUp,
}

/// A pusher: what it remembers between two requests.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Pusher {
    pub(crate) at: PushAt,
    /// Push records written so far.
    pub(crate) rounds: u8,
    /// Which of its names the packs on this machine have, one more than its number; 0 without packs.
    pub(crate) packed: u8,
    /// Whether this process wrote a push record already.
    pub(crate) wrote: bool,
    /// Packs that the journal lists as sent; only a bug looks at it.
    pub(crate) sent: Packs,
    /// The node pack that the push record will name.
    pub(crate) loc: u8,
    /// The packs that this push uploads, and those of them that are not sent yet.
    pub(crate) own: Packs,
    pub(crate) unsent: Packs,
    /// The generation of the last listing.
    pub(crate) generation: u8,
    /// The push records that the run to be written will hold.
    pub(crate) run: Set,
}

/// Where a gc stands.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) enum GcAt {
    #[default]
    Idle,
    ReadRefs,
    WriteBaseline,
    ReadRefsAgain,
    DeletePacks,
    DeleteRecords,
    DeleteRuns,
    DeleteBaselines,
}

/// A gc: what it remembers between two requests.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Gc {
    pub(crate) at: GcAt,
    /// The slot of the baseline that it is about to write, or to go by.
    pub(crate) base: u8,
    /// Packs that it will delete; first, those that it may condemn.
    pub(crate) victims: Packs,
    /// Push records that it found alive.
    pub(crate) alive: Set,
    /// Catalogue objects that it will delete.
    pub(crate) records: Set,
    pub(crate) runs: Set,
    pub(crate) baselines: Set,
}

/// Everything.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct State {
    pub(crate) packs: Packs,
    /// Roots that Git's refs reach.
    pub(crate) refs: Set,
    /// The data pack that each own node pack names.
    pub(crate) below: [[u8; TRIES]; PUSHERS],
    pub(crate) records: [Record; RECORDS],
    pub(crate) runs: [Run; RUNS],
    pub(crate) baselines: [Baseline; BASELINES],
    pub(crate) pushers: [Pusher; PUSHERS],
    pub(crate) gcs: [Gc; GCS],
    /// Baselines that may be begun yet, and crashes of pushers that may come.
    pub(crate) left: u8,
    pub(crate) crashes: u8,
}

/// The members of a set, lowest first.
pub(crate) fn members(set: u16) -> impl Iterator<Item = u8> {
    (0..16).filter(move |bit| set >> bit & 1 == 1)
}

pub(crate) fn bit(member: u8) -> u16 {
    1 << member
}

impl State {
    /// The whole state in words.
    pub(crate) fn words(&self) -> [u64; 20] {
        let mut out = [0; 20];
        let mut below = u64::from(self.packs) | u64::from(self.refs) << 16;
        for name in self.below.iter().flatten().chain([&self.left, &self.crashes]) {
            below = below << 4 | u64::from(*name);
        }
        out[0] = below;
        for (at, run) in self.runs.iter().enumerate() {
            out[1] |= (u64::from(run.there) | u64::from(run.records) << 1) << (16 * at);
        }
        for (at, record) in self.records.iter().enumerate() {
            out[2 + at] = u64::from(record.there)
                | u64::from(record.generation) << 8
                | u64::from(record.loc) << 16
                | u64::from(record.packs) << 24;
        }
        for (at, baseline) in self.baselines.iter().enumerate() {
            out[10 + at] = baseline.word();
        }
        for (at, p) in self.pushers.iter().enumerate() {
            out[14 + 2 * at] = p.at as u64
                | u64::from(p.rounds) << 8
                | u64::from(p.packed) << 12
                | u64::from(p.wrote) << 16
                | u64::from(p.loc) << 20
                | u64::from(p.generation) << 24
                | u64::from(p.run) << 32;
            out[15 + 2 * at] =
                u64::from(p.own) | u64::from(p.unsent) << 16 | u64::from(p.sent) << 32;
        }
        for (at, gc) in self.gcs.iter().enumerate() {
            out[18 + at] = gc.word();
        }
        out
    }
}

impl Baseline {
    pub(crate) fn word(&self) -> u64 {
        u64::from(self.there)
            | u64::from(self.generation) << 1
            | u64::from(self.covers) << 8
            | u64::from(self.locs) << 16
            | u64::from(self.packs) << 32
            | u64::from(self.victims) << 48
    }
}

impl Pusher {
    /// How far it is, whatever it calls its packs.
    pub(crate) fn stage(&self) -> (u8, u8, bool, bool) {
        (self.at as u8, self.rounds, self.wrote, self.packed > 0)
    }
}

impl Gc {
    pub(crate) fn word(self) -> u64 {
        self.at as u64
            | u64::from(self.base) << 4
            | u64::from(self.baselines) << 8
            | u64::from(self.records) << 16
            | u64::from(self.runs) << 24
            | u64::from(self.victims) << 32
            | u64::from(self.alive) << 48
    }

    /// Whether it holds a baseline that it has not written yet.
    pub(crate) fn plans(self) -> bool {
        matches!(self.at, GcAt::ReadRefs | GcAt::WriteBaseline)
    }

    /// Whether it remembers a baseline, be it listed or not.
    pub(crate) fn holds(self) -> bool {
        self.plans() || self.at == GcAt::ReadRefsAgain
    }

    /// Skips stages in which nothing is to be deleted.
    pub(crate) fn pass_empty(&mut self) {
        let stages = [
            (GcAt::DeletePacks, self.victims, GcAt::DeleteRecords),
            (GcAt::DeleteRecords, self.records.into(), GcAt::DeleteRuns),
            (GcAt::DeleteRuns, self.runs.into(), GcAt::DeleteBaselines),
            (GcAt::DeleteBaselines, self.baselines.into(), GcAt::Idle),
        ];
        for (at, left, behind) in stages {
            if self.at == at && left == 0 {
                self.at = behind;
            }
        }
        if self.at == GcAt::Idle {
            *self = Self::default();
        }
    }
}

impl std::hash::Hash for State {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.words().iter().for_each(|word| hasher.write_u64(*word));
    }
}
