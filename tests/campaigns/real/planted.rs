//! Planted bugs: a build that has them must be found out by the campaign that is there for it.

use haul::fs::planted::NAMES;

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::World;
use crate::plant::first_miss;
use crate::real::cases::guarded;
use crate::real::{crash, errno, escapes, full_disk, power, races, sync_order};

/// Seeds after which a bug counts as missed.
const SEEDS: &str = "2000";
/// Cuts after which a bug counts as missed.
const CUTS: u64 = 12;
/// Tries of eight processes after which a bug counts as missed.
const TRIES: u64 = 30;
/// Stories after which a bug counts as missed.
const STORIES: u64 = 12;

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    if !cfg!(feature = "planted-bugs") {
        figures.row("planted", "none: build with --features planted-bugs");
        return figures;
    }
    let mut found = 0;
    for name in NAMES.iter().copied() {
        let what = match look_for(name, args) {
            Search::NotHere => continue,
            Search::Missed => {
                figures.miss(format!("`{name}` was planted and nothing was found"));
                continue;
            }
            Search::Found(what) => what,
        };
        found += 1;
        let what = what.replace(&std::env::temp_dir().display().to_string(), "");
        figures.row(name, what.lines().next().unwrap_or_default());
    }
    figures.row("planted bugs found", found);
    figures
}

/// What came of looking for a bug.
enum Search {
    /// No campaign here is for it.
    NotHere,
    Missed,
    Found(String),
}

/// Runs what is there to find a bug.
fn look_for(name: &str, args: &Args) -> Search {
    let variables = [("HAUL_PLANTED", name)];
    let order = || sync_order::watch(args.seed, &variables).1.into_iter().next();
    let found = match name {
        "no-fsync" => {
            let cut = |seed| guarded(|| power::cut(seed, name, &power::Tally::default())).err();
            let cut = (args.seed..args.seed + CUTS).find_map(cut);
            // Both are there for it; the order alone is known without a file system of one's own.
            let lost = cut.or_else(|| (!can_cut()).then(|| "not cut".to_owned()));
            order().zip(lost).map(|(order, lost)| format!("{order}; and after a cut: {lost}"))
        }
        "rename-before-sync" | "publish-before-upload" => order(),
        "symlink-followed" | "only-first-part-checked" => {
            escapes::watch(&variables).1.into_iter().next()
        }
        "pointer-before-content" => crash::first_miss(args.seed..args.seed + STORIES, name),
        "short-write-believed" => errno::first_miss(args.seed..args.seed + STORIES, name),
        "write-error-swallowed" => full_disk::first_miss(name),
        "stamp-not-compared" => races::first_miss(name),
        "size-cap-off" => first_miss("bit-flips", name, &[]),
        // Two are there for it.
        "hash-check-off" => first_miss("bit-flips", name, &[])
            .zip(first_miss("store-faults", name, &[]))
            .map(|(flip, fault)| format!("{flip}; and over a faulty store: {fault}")),
        "dedup-hit-unconfirmed" | "empty-list-believed" | "gc-without-reread" => {
            first_miss("simulation", name, &["--points", SEEDS])
        }
        "size-tells-all" => first_miss("verbs", name, &["--points", "100"]),
        // Processes meet as they like: some tries are needed.
        "pointers-read-early" => (1..=TRIES).find_map(|seed| {
            let seed = seed.to_string();
            first_miss("eight-processes", name, &["--seconds", "12", "--seed", &seed])
        }),
        _ => return Search::NotHere,
    };
    found.map_or(Search::Missed, Search::Found)
}

fn can_cut() -> bool {
    power::can_cut(&World::new())
}
