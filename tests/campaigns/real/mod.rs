//! Campaigns against the real program: it is killed, lied to and left without room, and what it did is
//! compared with a model.

mod cases;
mod crash;
mod errno;
mod escapes;
mod full_disk;
mod hostile;
mod planted;
mod power;
mod races;
mod random;
mod story;
mod sync_order;
mod trace;
mod verbs;

#[path = "../../cli/forge.rs"]
#[expect(dead_code, reason = "the tests of the command line use more of it")]
mod forge;

use crate::Campaign;

/// The campaigns of this folder.
pub(crate) const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "verbs",
        about: "random verbs against a map from commit and path to content",
        run: verbs::run,
    },
    Campaign {
        name: "crash",
        about: "death at a system call that changes files, and the same command again",
        run: crash::run,
    },
    Campaign {
        name: "errno",
        about: "a system call answers with an error or writes too little",
        run: errno::run,
    },
    Campaign { name: "races", about: "files change while they are added", run: races::run },
    Campaign { name: "full-disk", about: "no room, then enough", run: full_disk::run },
    Campaign {
        name: "power",
        about: "power cuts on ext4 and XFS: nothing that was acknowledged is lost",
        run: power::run,
    },
    Campaign { name: "escapes", about: "ways out of the worktree", run: escapes::run },
    Campaign { name: "planted", about: "bugs that must be found", run: planted::run },
    Campaign {
        name: "sync-order",
        about: "bytes before names, folders before the end, packs before their record",
        run: sync_order::run,
    },
    Campaign {
        name: "hostile",
        about: "names, pointers and settings that try to get out, with every verb",
        run: hostile::run,
    },
];
