//! Planted bugs: a build that has them must be found out by the campaign that is there for it.

use haul::fs::planted::NAMES;

use crate::args::Args;
use crate::bit_flips;
use crate::figures::Figures;
use crate::harness::World;
use crate::real::cases::guarded;
use crate::real::{escapes, power, sync_order};

/// Cuts after which a bug counts as missed.
const CUTS: u64 = 12;

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    if !cfg!(feature = "planted-bugs") {
        figures.row("planted", "none: build with --features planted-bugs");
        return figures;
    }
    let mut found = 0;
    for name in NAMES {
        let Some(finder) = finder(name, args) else { continue };
        let what = finder.unwrap_or_else(|| "NOT FOUND".to_owned());
        if what == "NOT FOUND" {
            figures.miss(format!("`{name}` was planted and nothing was found"));
        } else {
            found += 1;
        }
        let what = what.replace(&std::env::temp_dir().display().to_string(), "");
        figures.row(name, what.lines().next().unwrap_or_default());
    }
    figures.row("planted bugs found", found);
    figures
}

/// Looks for a bug: what was found, if anything; nothing at all if no campaign here is for it.
fn finder(name: &str, args: &Args) -> Option<Option<String>> {
    let variables = [("HAUL_PLANTED", name)];
    match name {
        "no-fsync" => {
            let order = sync_order::watch(args.seed, &variables).1.into_iter().next();
            let cut = |seed| guarded(|| power::cut(seed, name, &power::Tally::default())).err();
            let cut = (args.seed..args.seed + CUTS).find_map(cut);
            // Both are there for it; the order alone is known without a file system of one's own.
            let lost = cut.or_else(|| (!can_cut()).then(|| "not cut".to_owned()));
            Some(order.zip(lost).map(|(order, lost)| format!("{order}; and after a cut: {lost}")))
        }
        "rename-before-sync" | "publish-before-upload" => {
            Some(sync_order::watch(args.seed, &variables).1.into_iter().next())
        }
        "symlink-followed" | "only-first-part-checked" => {
            Some(escapes::watch(&variables).1.into_iter().next())
        }
        "hash-check-off" | "size-cap-off" => Some(bit_flips::first_miss(name)),
        _ => None,
    }
}

fn can_cut() -> bool {
    power::can_cut(&World::new())
}
