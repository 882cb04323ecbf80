//! Simulation: the real push, fetch and gc of several clients on one store in memory, one request at
//! a time. A seed decides who goes on, which answers are lost, who dies, and how the storage's clock
//! moves; whatever happens, a reader can restore what refs name after each change of the store.
//!
//! ```text
//! cargo test --test campaigns -- simulation --long              10,000 seeds
//! cargo test --test campaigns -- simulation --seed 7 --points 1 that seed alone, with `--trace` step by step
//! ```
//!
//! What a client does between two requests counts as one step. A ref may move as late after its push
//! as push records are kept, 14 days; whoever comes later moves it at once.

mod client;
mod content;
mod fate;
mod gate;
mod gc;
mod play;
mod restore;
mod store;
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use play::{Played, play};

use crate::args::Args;
use crate::figures::Figures;
use crate::plant::is_planted;

/// Seeds that are run twice, to see that they come out the same.
const TWICE: u64 = 3;
/// Misses after which no more seeds are run.
const ENOUGH: usize = 10;
/// Where files cost no disk.
const MEMORY: &str = "/dev/shm";

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let folder = folder();
    let (mut all, mut seeds) = (Played::default(), 0);
    for seed in args.seed..args.seed.saturating_add(args.cases(10_000, 60)) {
        seeds += 1;
        let played = play(seed, folder.path(), args.trace);
        for miss in &played.misses {
            figures.miss(format!("seed {seed}: {miss}"));
        }
        if seeds <= TWICE {
            let again = play(seed, folder.path(), false);
            if again.trace != played.trace {
                figures.miss(format!("seed {seed} is not the same when it is run again"));
            }
        }
        all.add(played);
        if figures.misses() >= if is_planted() { 1 } else { ENOUGH } {
            break;
        }
    }
    figures.row("seeds", seeds);
    let rows: BTreeMap<&str, u64> = all.counts;
    for (what, count) in rows {
        figures.row(what, count);
    }
    for (end, count) in all.ends {
        figures.row(end, count);
    }
    figures
}

fn folder() -> tempfile::TempDir {
    let memory = Path::new(MEMORY);
    let base = if memory.is_dir() { PathBuf::from(memory) } else { std::env::temp_dir() };
    tempfile::tempdir_in(base).expect("a temporary folder")
}
