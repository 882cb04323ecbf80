//! What is explored: who takes part, and which rule is left out on purpose.

use crate::state::{NONE, OLD_NODES, OLD_ROOT, State, TRIES};

/// A rule of the protocol that a planted bug leaves out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bug {
    /// A push that does not list again after its record (push, step 9).
    NoSecondListing,
    /// A gc that does not read again before it deletes (gc, step 6).
    NoReread,
    /// A baseline that names only its own victims.
    NoCarryOver,
    /// A baseline that names only condemned packs that are still there.
    ForgetDeleted,
    /// A push that takes it for granted that packs of an earlier try are still there: neither asks
    /// for them nor looks whether they are condemned. Either would do.
    NoCheckOfOwn,
    /// A push that relies on a pack because it knows it, not because it is listed.
    UnconfirmedHit,
    /// A gc that takes a failed listing for an empty one.
    EmptyListing,
    /// A push that relies on push records of an older generation, and is content with one.
    OldGeneration,
    /// A push that is content with a root that one of two newest baselines lists.
    LocInOne,
    /// A gc that covers push records of the generation that it finds.
    CoverCurrent,
    /// A gc that reads refs before it lists.
    RefsFirst,
    /// A push that takes over a root although its tree needs a condemned pack.
    WeakRoot,
}

/// When a setting is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// Always.
    Short,
    /// By hand.
    Long,
}

/// Who takes part, and how far.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether something takes part")]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// The root that each pusher pushes.
    pub(crate) wants: &'static [u8],
    pub(crate) gcs: usize,
    /// Whether Git's refs reach the old root at first; they may drop it at any time.
    pub(crate) old_root_lives: bool,
    /// Whether the old node pack serves another root, which refs always reach.
    pub(crate) shared_nodes: bool,
    /// Whether somebody else pushed just before, so that there are records to put together.
    pub(crate) third: bool,
    /// Whether pushers put records together, from two lone ones on.
    pub(crate) runs: bool,
    /// Whether a gc that is about to remove reads refs a while after it listed.
    pub(crate) apart: bool,
    /// Whether a gc that ended early may start again; that it stands still for ever is always explored.
    pub(crate) gc_restarts: bool,
    /// Crashes of pushers in all, push records that each writes at most, and baselines begun in all.
    pub(crate) crashes: u8,
    pub(crate) rounds: u8,
    pub(crate) baselines: u8,
    pub(crate) bug: Option<Bug>,
}

impl Setting {
    /// Whether both pushers may do the same: they push one root, or each a new one.
    pub(crate) fn symmetric(&self) -> bool {
        matches!(self.wants, [a, b] if a == b || *a != OLD_ROOT && *b != OLD_ROOT)
    }

    /// The state with the roots of the two pushers changed about as well.
    pub(crate) fn swap_roots(&self, mut state: State) -> State {
        if let [a, b] = self.wants {
            let of = |root: u8| state.refs >> root & 1;
            let others = state.refs & !(1 << a | 1 << b);
            state.refs = others | of(*a) << b | of(*b) << a;
        }
        state
    }

    pub(crate) fn root_of(&self, pack: u8) -> Option<u8> {
        match pack {
            OLD_NODES => Some(OLD_ROOT),
            NONE => None,
            _ => {
                let pusher = (usize::from(pack) - 2) / (2 * TRIES);
                self.wants.get(pusher).copied()
            }
        }
    }

    pub(crate) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

/// Two gcs, one pusher that may crash once: the least in which every planted bug shows.
const ONE_PUSH: Setting = Setting {
    name: "1 push, 2 gcs, crashes",
    form: Form::Short,
    wants: &[1],
    gcs: 2,
    old_root_lives: true,
    shared_nodes: true,
    third: false,
    runs: false,
    apart: false,
    gc_restarts: false,
    crashes: 1,
    rounds: 3,
    baselines: 2,
    bug: None,
};

/// The old root again, which others drop meanwhile.
const OLD_AGAIN: Setting =
    Setting { name: "1 push of a root that others drop, 2 gcs, crashes", wants: &[0], ..ONE_PUSH };

const TWO_PUSHES: Setting = Setting {
    name: "2 pushes of one root, 1 gc, runs",
    wants: &[1, 1],
    gcs: 1,
    old_root_lives: false,
    runs: true,
    crashes: 0,
    rounds: 2,
    baselines: 1,
    ..ONE_PUSH
};

/// All that the model has, for one pusher.
const ALL_PUSH: Setting = Setting {
    name: "1 push, 2 gcs, 3 baselines, crashes",
    form: Form::Long,
    gc_restarts: true,
    baselines: 3,
    ..ONE_PUSH
};

/// All that the model has, for two pushers beside one gc.
const ALL_PUSHES: Setting = Setting {
    name: "2 pushes of one root, 1 gc, 2 baselines, runs, crashes",
    form: Form::Long,
    gc_restarts: true,
    crashes: 1,
    baselines: 2,
    ..TWO_PUSHES
};

/// Two pushers that do not crash, beside two gcs. Without a third there are no two records of one
/// generation to put together.
const CALM: Setting = Setting {
    name: "2 pushes of one root, 2 gcs, 2 baselines, no crash",
    crashes: 0,
    gcs: 2,
    ..ALL_PUSHES
};

/// Everything at once.
const ALL: Setting = Setting {
    name: "2 pushes of one root, 2 gcs, 2 baselines, runs, crashes",
    gcs: 2,
    ..ALL_PUSHES
};

/// What must hold.
pub(crate) const SETTINGS: &[Setting] = &[
    ONE_PUSH,
    OLD_AGAIN,
    TWO_PUSHES,
    Setting { name: "1 push, 2 gcs that list and read apart, crashes", apart: true, ..ONE_PUSH },
    Setting { name: "2 pushes of two roots, 1 gc, runs", wants: &[1, 2], ..TWO_PUSHES },
    Setting { name: "2 pushes, one of an old root, 1 gc, runs", wants: &[0, 1], ..TWO_PUSHES },
    Setting { name: "2 pushes of one root and a third, 1 gc, runs", third: true, ..TWO_PUSHES },
    ALL_PUSH,
    Setting {
        name: "1 push of a root that others drop, 2 gcs, 3 baselines, crashes",
        wants: &[0],
        ..ALL_PUSH
    },
    Setting {
        name: "1 push, unshared nodes, 2 gcs, 3 baselines, crashes",
        shared_nodes: false,
        ..ALL_PUSH
    },
    ALL_PUSHES,
    Setting {
        name: "2 pushes of two roots, 1 gc, 2 baselines, runs, crashes",
        wants: &[1, 2],
        ..ALL_PUSHES
    },
    Setting {
        name: "2 pushes, one of an old root, 1 gc, 2 baselines, runs, crashes",
        wants: &[0, 1],
        ..ALL_PUSHES
    },
    CALM,
    Setting { name: "2 pushes of two roots, 2 gcs, 2 baselines, no crash", wants: &[1, 2], ..CALM },
    Setting {
        name: "2 pushes, one of an old root, 2 gcs, 2 baselines, no crash",
        wants: &[0, 1],
        ..CALM
    },
    Setting {
        name: "2 pushes of one root, unshared nodes, 2 gcs, 2 baselines, no crash",
        shared_nodes: false,
        ..CALM
    },
    Setting {
        name: "2 pushes, one of an old root, unshared nodes, 2 gcs, 2 baselines, no crash",
        shared_nodes: false,
        wants: &[0, 1],
        ..CALM
    },
    Setting {
        name: "2 pushes of one root and a third, 2 gcs, 2 baselines, runs",
        third: true,
        ..CALM
    },
    Setting {
        name: "2 pushes, one of an old root, and a third, 2 gcs, 2 baselines, runs",
        third: true,
        wants: &[0, 1],
        ..CALM
    },
    ALL,
    Setting {
        name: "2 pushes of two roots, 2 gcs, 2 baselines, runs, crashes",
        wants: &[1, 2],
        ..ALL
    },
    Setting {
        name: "2 pushes, one of an old root, 2 gcs, 2 baselines, runs, crashes",
        wants: &[0, 1],
        ..ALL
    },
];

const fn planted(name: &'static str, bug: Bug, setting: Setting) -> Setting {
    Setting { name, bug: Some(bug), ..setting }
}

/// What must be found.
pub(crate) const PLANTED: &[Setting] = &[
    planted("push without the second listing", Bug::NoSecondListing, ONE_PUSH),
    planted("gc without reading again", Bug::NoReread, ONE_PUSH),
    planted("no carry-over of condemned packs", Bug::NoCarryOver, OLD_AGAIN),
    planted("condemned packs forgotten once deleted", Bug::ForgetDeleted, ONE_PUSH),
    planted("packs of an earlier try not checked", Bug::NoCheckOfOwn, ONE_PUSH),
    planted("a dedup hit not confirmed", Bug::UnconfirmedHit, ONE_PUSH),
    planted("an empty list believed", Bug::EmptyListing, ONE_PUSH),
    planted("records of an older generation believed", Bug::OldGeneration, ONE_PUSH),
    planted("a root believed that one of two baselines lists", Bug::LocInOne, OLD_AGAIN),
    planted("records covered in the generation they are of", Bug::CoverCurrent, ONE_PUSH),
    planted("refs read before the listing", Bug::RefsFirst, ONE_PUSH),
    planted("a root believed that needs a condemned pack", Bug::WeakRoot, OLD_AGAIN),
];
