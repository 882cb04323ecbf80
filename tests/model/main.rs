//! The push and gc protocol as a small model, of which every state is looked at.
//!
//! ```text
//! cargo test --test model                              the small settings, as CI runs them
//! cargo test --release --test model -- --long          all settings; some minutes, some GiB
//! cargo test --test model -- planted --trace           with the steps to each loss
//! cargo test --release --test model -- --long --levels with the states of each depth
//!                                                      --threads=N for more or fewer of them
//! ```
//!
//! A remote holds a node pack `M` and the data pack `D` below it, an old push record and a baseline.
//! Pushers push a root whose content lies in `D`, known or new; gcs begin, stop and take up each
//! other's work. Any time may pass between two requests, so every age that the protocol asks for may
//! have been reached or not; a request whose answer is lost is one after which a client crashes. A
//! pusher puts push records together from two on. After each step every pointer that Git's refs
//! reach must be found through the catalogue and complete. Then rules are left out one by one: each
//! of these planted bugs must show. Which rules there are is in `docs/format/protocol.md`.
//!
//! What keeps it small: states that differ by names only are one; what nobody can see any more is
//! forgotten (`fold`); once no gc can condemn anything new, packs that nobody knows of and nobody will
//! delete are sent at once. A search without that and the strongest folds came to the same verdicts for
//! all planted bugs in each of six small settings.
//!
//! Taken for granted: names are never used twice, a listing shows what was written before it, Git's
//! refs move with the listing that ends a push (a gc takes its record for young until then), and what
//! refs reach was pushed. A state is known by 64 bits of its hash: among 10^8 states one would be
//! missed with a chance of 3 in 10,000.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a defect of the model shows as a panic; numbers are small; figures are printed"
)]

mod catalogue;
mod fold;
mod gc;
mod push;
mod search;
mod setting;
mod state;
mod step;

use std::process::ExitCode;
use std::thread;

use search::{Found, search};
use setting::{Form, PLANTED, SETTINGS, Setting};

/// States after which a search gives up.
const LIMIT: usize = 300_000_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--list") {
        return ExitCode::SUCCESS;
    }
    let names: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let chosen = |kind: &str, setting: &Setting| {
        let named = |name: &&String| kind == *name || setting.name.contains(name.as_str());
        (names.is_empty() || names.iter().any(named))
            && (has("--long") || setting.form == Form::Short)
    };
    let threads = args.iter().find_map(|arg| arg.strip_prefix("--threads=")?.parse().ok());
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let mut wrong = 0;
    for setting in SETTINGS.iter().filter(|setting| chosen("sound", setting)) {
        let found = search(setting, (LIMIT, threads), has("--levels"));
        let verdict = match (&found.trace, found.complete) {
            (Some(_), _) => "LOSS",
            (None, true) => "no loss",
            (None, false) => "no loss, not complete",
        };
        print(setting, &found, verdict, found.trace.is_some());
        wrong += usize::from(found.trace.is_some() || !found.complete);
    }
    for setting in PLANTED.iter().filter(|setting| chosen("planted", setting)) {
        let found = search(setting, (LIMIT, threads), false);
        let verdict = if found.trace.is_some() { "found" } else { "MISSED" };
        print(setting, &found, verdict, has("--trace"));
        wrong += usize::from(found.trace.is_none());
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(setting: &Setting, found: &Found, verdict: &str, trace: bool) {
    let kind = if setting.bug.is_some() { "planted: " } else { "" };
    let seconds = found.time.as_secs_f64();
    println!(
        "{kind}{}: {} states, depth {}, {seconds:.1} s: {verdict}",
        setting.name, found.states, found.depth
    );
    for (at, step) in found.trace.iter().flatten().enumerate().filter(|_| trace) {
        println!("  {:2} {step}", at + 1);
    }
}
