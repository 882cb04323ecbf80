//! Errors of the system: one call, or every one of its kind from there on, fails or writes too little.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::errno::Errno;

use crate::args::Args;
use crate::figures::Figures;
use crate::real::cases::{self, guarded};
use crate::real::random::Random;
use crate::real::story::{self, Scene, Strike};
use crate::real::trace::{self, Act, Call, Kind};

/// What goes wrong, and with which calls.
struct Fault {
    name: &'static str,
    act: Act,
    kinds: &'static [Kind],
}

static FAULTS: &[Fault] = &[
    Fault {
        name: "ENOSPC",
        act: Act::Fail(Errno::ENOSPC),
        kinds: &[Kind::Create, Kind::Write, Kind::Name, Kind::Sync, Kind::Change],
    },
    Fault {
        name: "EIO",
        act: Act::Fail(Errno::EIO),
        kinds: &[Kind::Read, Kind::Write, Kind::Sync, Kind::SyncAll, Kind::Name, Kind::Remove],
    },
    Fault {
        name: "EACCES",
        act: Act::Fail(Errno::EACCES),
        kinds: &[Kind::Open, Kind::Create, Kind::Name, Kind::Remove],
    },
    Fault { name: "EMFILE", act: Act::Fail(Errno::EMFILE), kinds: &[Kind::Open, Kind::Create] },
    Fault {
        name: "EROFS",
        act: Act::Fail(Errno::EROFS),
        kinds: &[Kind::Create, Kind::Name, Kind::Remove, Kind::Change],
    },
    Fault { name: "short write", act: Act::Short, kinds: &[Kind::Write] },
];

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let mut calls = Listing::default();
    if let Err(why) = story::play(0, &mut calls) {
        figures.miss(format!("nothing was struck: {why}"));
        return figures;
    }
    let tally = Tally::default();
    let stories = args.cases(1000, 40).div_ceil(story::COMMANDS);
    cases::run(&mut figures, args, stories, |seed| {
        let random = Random::new(seed);
        let (calls, tally) = (&calls.0, &tally);
        let (variables, aim, log) = (&[][..], None, Vec::new());
        let mut failing = Failing { random, calls, tally, variables, aim, log };
        let outcome = guarded(|| story::play(seed, &mut failing));
        outcome.map_err(|why| format!("{why}\n  struck:\n    {}", failing.log.join("\n    ")))
    });
    figures.row("faults", tally.faults.load(Ordering::Relaxed));
    figures.row("refused", tally.refused.load(Ordering::Relaxed));
    figures.row("done all the same", tally.done.load(Ordering::Relaxed));
    figures
}

/// Plays stories with a bug, and short writes of what haul has in the making, until one is a miss.
pub(super) fn first_miss(seeds: std::ops::Range<u64>, bug: &str) -> Option<String> {
    let mut calls = Listing::default();
    story::play(0, &mut calls).ok()?;
    let (calls, tally) = (&calls.0, &Tally::default());
    let variables = &[("HAUL_PLANTED", bug)];
    // Of all calls those that write packs: any other is seldom the one that matters.
    let aim = Some((FAULTS.iter().find(|fault| fault.name == "short write")?, "/haul/tmp/"));
    seeds.into_iter().find_map(|seed| {
        let random = Random::new(seed);
        let mut failing = Failing { random, calls, tally, variables, aim, log: Vec::new() };
        guarded(|| story::play(seed, &mut failing)).err()
    })
}

/// Lists the calls of each command of a story: their kinds, and the files that they are about.
#[derive(Default)]
struct Listing(Vec<Vec<(Kind, PathBuf)>>);

impl Strike for Listing {
    fn strike(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let mut calls = Vec::new();
        let mut judge = |call: &Call| {
            calls.push((call.kind, call.path.clone()));
            Act::Go
        };
        let ended =
            trace::haul(scene.world, &scene.repo.path(""), (scene.arguments, &[]), &mut judge);
        self.0.push(calls);
        if ended.status == Some(0) { Ok(()) } else { Err(ended.to_string()) }
    }
}

#[derive(Default)]
struct Tally {
    faults: AtomicU64,
    refused: AtomicU64,
    done: AtomicU64,
}

struct Failing<'f> {
    random: Random,
    calls: &'f [Vec<(Kind, PathBuf)>],
    tally: &'f Tally,
    variables: &'f [(&'f str, &'f str)],
    /// One fault, of calls about files with this in their path; else any fault of any call.
    aim: Option<(&'static Fault, &'static str)>,
    log: Vec<String>,
}

impl Strike for Failing<'_> {
    fn strike(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let (fault, part) = self.aim.unwrap_or_else(|| (self.random.pick(FAULTS), ""));
        let meant = |kind: Kind, path: &Path| {
            fault.kinds.contains(&kind) && path.to_string_lossy().contains(part)
        };
        let onward = self.random.chance(30);
        let all = self.calls.get(scene.number).map(Vec::as_slice).unwrap_or_default();
        let count = all.iter().filter(|(kind, path)| meant(*kind, path)).count();
        let at = self.random.below(count.max(1));
        let (mut seen, mut place) = (0, None);
        let mut judge = |call: &Call| {
            if !meant(call.kind, &call.path) {
                return Act::Go;
            }
            seen += 1;
            if seen <= at || !onward && seen > at + 1 {
                return Act::Go;
            }
            place.get_or_insert_with(|| call.to_string());
            fault.act
        };
        let command = (scene.arguments, self.variables);
        let ended = trace::haul(scene.world, &scene.repo.path(""), command, &mut judge);
        let line = scene.arguments.join(" ");
        let (name, place) = (fault.name, place.unwrap_or_else(|| "not reached".to_owned()));
        let more = if onward { " and on" } else { "" };
        self.log.push(format!(
            "haul {line}: {name} at call {at}{more}, {place} -> {:?} {}",
            ended.status, ended.stderr
        ));
        self.tally.faults.fetch_add(1, Ordering::Relaxed);
        scene.check_files()?;
        match ended.status {
            // What follows in the story shows whether it is.
            Some(0) => {
                self.tally.done.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            // Nothing is damaged or missing here, so 4 would be a lie.
            Some(1 | 3) => {
                self.tally.refused.fetch_add(1, Ordering::Relaxed);
                let said = &ended.stderr;
                let honest = said.contains("error: ") && said.contains("hint: ");
                if !honest && !said.contains("`haul pull` brings it") {
                    return Err(format!("without an error and a hint: {ended}"));
                }
            }
            _ => return Err(format!("such an end is a defect: {ended}")),
        }
        let mut again = scene.run();
        if again.status() == Some(1) && again.stderr().contains("`haul pull` brings it") {
            // What was fetched and could not be written down has to be fetched again.
            scene.repo.haul(&["pull"]).ok();
            again = scene.run();
        }
        if again.status() == Some(0) { Ok(()) } else { Err(format!("again: {again}")) }
    }
}
