//! The program as its users meet it: every test runs the real `haul` in a world of its own.
//!
//! # How to write a test
//!
//! One file per verb, one test per behaviour, named as a sentence. The harness in short:
//!
//! ```text
//! let world = World::new();                       // temp folder, own HOME, own Git settings
//! let remote = world.remote("shared");            // a folder remote, not made yet
//! let a = world.repo("a");                        // `git init`, nothing else
//! a.write("data/x.bin", &data::bytes(1, 200_000));
//! a.haul(&["init"]).ok();                         // `.ok()`: exit code 0, or the test shows all output
//! a.haul(&["add", "data"]).ok();
//! a.commit("data");                               // `git commit` of what is staged
//! a.haul(&["push"]).fails_with(1).says("remote"); // exit code, and words on stderr
//! let report = a.haul(&["status", "--json"]).ok().json();
//! let b = a.clone_as("b");                        // `git clone`
//! b.tree().assert_same(&a.tree());                // every path, kind, mode and byte, but `.git`
//! assert_eq!(remote.keys("p/").len(), 1);         // what lies on the remote
//! a.haul_with(&["add", "data"], &[("HAUL_FAILPOINT", "name")]).dies();
//! let mut push = a.pause_haul(&["push"], "push.before-record"); // stands there; then, say,
//! push.interrupt(Signal::INT);
//! push.let_go().fails_with(130);
//! ```
//!
//! Git's hooks do not fire, unless `a.git_hooked(…)` lets them.
//!
//! Data comes from [`harness::data`]: the same bytes for the same seed, everywhere. Nothing of the
//! user's settings, home or environment reaches a test, and a test leaves nothing behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes plain files"
)]

mod add;
mod add_push;
mod ask;
mod astray;
mod bad_add;
mod bad_bases;
mod bad_input;
mod bad_remote;
mod below;
mod change;
mod checkout;
mod ci;
mod ci_templates;
mod clone;
mod completions;
mod config;
mod crashes;
mod cut_moves;
mod data_follows;
mod dedup;
mod deltas;
mod diff;
mod diff_driver;
mod doctor;
mod du;
mod every_verb;
mod evict;
mod filter;
mod filter_absent;
mod filter_git;
mod filter_hard;
mod filter_modes;
mod filter_own;
mod foreign;
mod foreign_refused;
mod foreign_rules;
mod forge;
mod former;
mod fsck;
mod gc;
mod gc_beside;
mod gc_keeps;
mod gc_repack;
mod gc_scene;
mod hard_times;
mod harness;
mod harness_itself;
mod haulignore;
mod help;
mod hook_managers;
mod hooks;
mod hostile;
mod hostile_bombs;
mod hostile_git;
mod hostile_names;
mod hostile_places;
mod hostile_settings;
mod hostile_table;
mod ignore_file;
mod index_lock;
mod init;
mod inside;
mod inside_moves;
mod interrupts;
mod json_page;
mod large_files;
mod left_alone;
mod look;
mod many_files;
mod merge;
mod merge_branches;
mod mount_point;
mod moved;
mod mv_goal;
mod mv_refused;
mod names;
mod other_places;
mod own_links;
mod pipes;
mod plans;
mod pre_commit;
mod pre_push;
mod progress;
mod protocol;
mod pull;
mod pull_ahead;
mod push;
mod real_files;
mod remote_look;
mod remote_verbs;
mod salvage;
mod scarce;
mod scene;
mod several_remotes;
mod shape_kinds;
mod shapes;
mod shared_cache;
mod siblings;
mod sizes;
mod stale;
mod status;
mod stopped;
mod touched;
mod track;
mod turns;
mod unsaved;
mod usage;
mod verify;
mod views;
mod web;
mod whole_files;
mod whole_files_limits;
