//! Line faults: one request of twenty goes wrong between haul and a real server, and nobody notices.
//!
//! The binary itself pushes and pulls, so that what it tries again by itself counts.

use std::time::Instant;

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::{Repo, World, data};
use crate::proxy::{Chance, Proxy};
use crate::server::Server;

/// Packs of content, each with one of nodes: so many requests make a push, and a pull.
const PACKS: u64 = 30;
/// How many of a hundred requests go wrong.
const PERCENT: u64 = 5;
/// How often a command is run again before that counts as never ending well.
const TRIES: u32 = 5;
/// Of a thousand runs, as many must end well without help.
const WITHOUT_HELP: u64 = 999;

/// Runs the campaign: a push and a pull a round, until there were enough requests.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let Some(mut server) = Server::find("garage") else { return figures };
    let wanted = args.cases(100_000, 10_000);
    let proxy = Proxy::start(server.the("ENDPOINT"));
    server.reach_by(&format!("http://{}", proxy.address));
    let world = World::new();
    let a = server.repo(&world, "a");
    for number in 0..PACKS {
        let name = format!("{number}.bin");
        a.write(&name, &data::bytes(args.seed * 1000 + number, 150_000));
        a.haul(&["add", &name]).ok();
    }
    a.commit("data");
    let place = server.url();
    let (mut requests, mut faults, mut rounds, mut slowest) = (0, 0, 0, 0.0_f64);
    let (mut runs, mut helped) = (0, 0);
    while requests < wanted {
        rounds += 1;
        // Each round has a place of its own, and draws of its own.
        let url = format!("{place}/{rounds}");
        let chance = Chance { percent: PERCENT, seed: args.seed.wrapping_mul(1_000_003) + rounds };
        proxy.set_chance(chance);
        let clone = a.clone_as(&format!("clone-{rounds}"));
        for (repo, verb) in [(&a, "push"), (&clone, "pull")] {
            let start = Instant::now();
            let case = format!("round {rounds}, seed {}, {verb}", args.seed);
            runs += 1;
            match until(&server, (repo, verb, &url)) {
                Ok(0) => {}
                Ok(_) => helped += 1,
                Err(why) => figures.miss(format!("{case}: {why}")),
            }
            slowest = slowest.max(start.elapsed().as_secs_f64());
        }
        requests += proxy.requests() as u64;
        faults += proxy.faults() as u64;
        for number in 0..PACKS {
            let name = format!("{number}.bin");
            if !clone.has(&name) || clone.read(&name) != a.read(&name) {
                figures.miss(format!("round {rounds}, seed {}: wrong bytes in {name}", args.seed));
            }
        }
        std::fs::remove_dir_all(clone.path("")).expect("is there");
    }
    figures.row("pushes and pulls", runs);
    figures.row("requests", requests);
    figures.row("requests that went wrong", faults);
    figures.row("runs that had to be run again", helped);
    figures.row("slowest run in seconds", format!("{slowest:.1}"));
    let meant = requests * PERCENT / 100;
    if faults * 2 < meant {
        figures.miss(format!("{faults} requests went wrong, and about {meant} should have"));
    }
    if helped * 1000 > runs * (1000 - WITHOUT_HELP) {
        figures.miss(format!("{helped} of {runs} runs needed help"));
    }
    figures
}

/// Runs a command until it ends well; returns how often it did not.
fn until(server: &Server, (repo, verb, url): (&Repo<'_>, &str, &str)) -> Result<u32, String> {
    let accepted = format!("{url}?endpoint={}", server.the("ENDPOINT"));
    let own = [("HAUL_REMOTES_ORIGIN_URL", url), ("HAUL_ACCEPT_REMOTE", &accepted)];
    let variables = [&server.variables()[..], &own].concat();
    let mut said = String::new();
    for tried in 0..TRIES {
        let output = repo.haul_with(&[verb, "--jobs", "16"], &variables);
        if output.status() == Some(0) {
            return Ok(tried);
        }
        said = output.to_string();
        println!("{said}");
    }
    Err(format!("failed {TRIES} times: {said}"))
}
