//! Campaigns against the real program: it is killed, lied to and left without room, and what it did is
//! compared with a model.

mod cases;
mod crash;
mod hostile;
mod random;
mod story;
mod trace;
mod verbs;

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
        name: "hostile",
        about: "names, pointers and settings that try to get out, with every verb",
        run: hostile::run,
    },
];
