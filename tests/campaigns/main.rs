//! Campaigns: many small cases of one kind of misfortune, and a table of figures at the end.
//!
//! ```text
//! cargo test --test campaigns                          the short form of all, as CI runs it
//! cargo test --test campaigns -- bit-flips             the short form of one
//! cargo test --test campaigns -- bit-flips --long      all cases
//! cargo test --test campaigns -- bit-flips --seed 7    another sample
//! cargo test --test campaigns -- crash --points 200     as many cases
//! ```
//!
//! A campaign is a function from [`Args`] to [`Figures`], in a file of its own with a row in
//! `CAMPAIGNS`. A miss is a case that broke a promise; one miss makes the exit code 1.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a campaign prints its figures, and makes plain files"
)]

mod args;
mod bit_flips;
mod counting;
mod eight_processes;
#[path = "../stores/fault.rs"]
#[expect(dead_code, reason = "the tests of stores use more of it")]
mod fault;
mod faulty;
mod figures;
mod plant;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod real;

#[path = "../cli/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the command line use more of it")]
mod harness;
mod line_faults;
#[path = "../stores/proxy.rs"]
#[expect(dead_code, reason = "the tests of stores use more of it")]
mod proxy;
mod requests;
#[path = "../stores/server.rs"]
#[expect(dead_code, reason = "the tests of stores use more of it")]
mod server;
mod simulation;
mod store_faults;

use std::process::ExitCode;
use std::time::Instant;

use args::Args;
use figures::Figures;

/// One campaign: its name, what it does in a line, and how it is run.
struct Campaign {
    name: &'static str,
    about: &'static str,
    run: fn(&Args) -> Figures,
}

/// All campaigns, in the order in which they run.
const CAMPAIGNS: &[Campaign] = &[
    Campaign {
        name: "bit-flips",
        about: "bytes of pointers, packs and catalogue objects are changed one at a time",
        run: bit_flips::run,
    },
    Campaign {
        name: "eight-processes",
        about: "eight processes at a time work on one repository, its clones and one shared cache",
        run: eight_processes::run,
    },
    Campaign {
        name: "line-faults",
        about: "the binary pushes to and pulls from a real server, and every twentieth request fails",
        run: line_faults::run,
    },
    Campaign {
        name: "requests",
        about: "many small files are pushed and pulled, and every request is counted",
        run: requests::run,
    },
    Campaign {
        name: "simulation",
        about: "several clients and gc on one store, request by request, with a clock that jumps",
        run: simulation::run,
    },
    Campaign {
        name: "store-faults",
        about: "pushes and fetches over storage that fails, loses answers and gives wrong bytes",
        run: store_faults::run,
    },
];

/// Those that need the system calls of this one.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const REAL: &[Campaign] = real::CAMPAIGNS;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
const REAL: &[Campaign] = &[];

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            println!("{why}");
            return ExitCode::from(2);
        }
    };
    plant::plant();
    if args.list {
        for campaign in CAMPAIGNS.iter().chain(REAL) {
            println!("{}: {}", campaign.name, campaign.about);
        }
        return ExitCode::SUCCESS;
    }
    let mut misses = 0;
    let chosen = CAMPAIGNS.iter().chain(REAL).filter(|campaign| args.chooses(campaign.name));
    for campaign in chosen {
        let start = Instant::now();
        let figures = (campaign.run)(&args);
        misses += figures.print(campaign.name, start.elapsed());
    }
    if misses == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
