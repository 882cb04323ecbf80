//! Crash points: every process of a command is killed at one of its system calls that change files;
//! the same command again completes the work.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::args::Args;
use crate::figures::Figures;
use crate::real::cases::{self, guarded};
use crate::real::random::Random;
use crate::real::story::{self, Scene, Strike};
use crate::real::trace::{self, Act, Call};

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let mut counts = Counting::default();
    if let Err(why) = story::play(0, &mut counts) {
        figures.miss(format!("nothing was struck: {why}"));
        return figures;
    }
    let tally = Tally::default();
    let stories = args.cases(1000, 60).div_ceil(story::COMMANDS);
    cases::run(&mut figures, args, stories, |seed| {
        let mut killing = Killing {
            random: Random::new(seed),
            counts: &counts.0,
            tally: &tally,
            variables: &[],
            log: Vec::new(),
        };
        let outcome = guarded(|| story::play(seed, &mut killing));
        outcome.map_err(|why| format!("{why}\n  struck:\n    {}", killing.log.join("\n    ")))
    });
    figures.row("system calls that change files, of one story", counts.0.iter().sum::<u64>());
    for (what, count) in [
        ("crashes", &tally.crashes),
        ("of them while recovering from one", &tally.double),
        ("of them with a lock left, which the same command removed", &tally.locks),
    ] {
        figures.row(what, count.load(Ordering::Relaxed));
    }
    figures
}

/// Plays stories with a bug until one is a miss.
pub(super) fn first_miss(seeds: std::ops::Range<u64>, bug: &str) -> Option<String> {
    let mut counts = Counting::default();
    story::play(0, &mut counts).ok()?;
    let (counts, tally) = (&counts.0, &Tally::default());
    let variables = &[("HAUL_PLANTED", bug)];
    seeds.into_iter().find_map(|seed| {
        let random = Random::new(seed);
        let mut killing = Killing { random, counts, tally, variables, log: Vec::new() };
        guarded(|| story::play(seed, &mut killing)).err()
    })
}

/// Counts the calls that change files, of each command of a story.
#[derive(Default)]
struct Counting(Vec<u64>);

impl Strike for Counting {
    fn strike(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        let mut count = 0;
        let mut judge = |call: &Call| {
            count += u64::from(call.changes());
            Act::Go
        };
        let command = (scene.arguments, &[][..]);
        let ended = trace::haul(scene.world, &scene.repo.path(""), command, &mut judge);
        self.0.push(count);
        if ended.status == Some(0) { Ok(()) } else { Err(ended.to_string()) }
    }
}

#[derive(Default)]
struct Tally {
    crashes: AtomicU64,
    double: AtomicU64,
    locks: AtomicU64,
}

/// Kills each command once or twice.
struct Killing<'k> {
    random: Random,
    counts: &'k [u64],
    tally: &'k Tally,
    variables: &'k [(&'k str, &'k str)],
    log: Vec<String>,
}

impl Killing<'_> {
    /// Kills the command somewhere; says whether it came there.
    fn kill(&mut self, scene: &Scene<'_>) -> Result<bool, String> {
        let count = self.counts.get(scene.number).copied().unwrap_or(1);
        let at = self.random.next() % count.max(1);
        let (mut seen, mut place) = (0, None);
        let mut judge = |call: &Call| {
            if !call.changes() {
                return Act::Go;
            }
            seen += 1;
            if seen <= at {
                return Act::Go;
            }
            place = Some(call.to_string());
            Act::Kill
        };
        let command = (scene.arguments, self.variables);
        let ended = trace::haul(scene.world, &scene.repo.path(""), command, &mut judge);
        let line = scene.arguments.join(" ");
        self.log.push(format!(
            "haul {line} at call {at}: {}",
            place.as_deref().unwrap_or("not reached")
        ));
        if place.is_none() && ended.status != Some(0) {
            return Err(ended.to_string());
        }
        scene.check_files()?;
        scene.check_pointers()?;
        self.tally.locks.fetch_add(u64::from(scene.check_lock().is_err()), Ordering::Relaxed);
        Ok(place.is_some())
    }
}

impl Strike for Killing<'_> {
    fn strike(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        if self.kill(scene)? {
            self.tally.crashes.fetch_add(1, Ordering::Relaxed);
            if self.random.chance(15) && self.kill(scene)? {
                self.tally.crashes.fetch_add(1, Ordering::Relaxed);
                self.tally.double.fetch_add(1, Ordering::Relaxed);
            }
        }
        let again = scene.run();
        if again.status() == Some(0) { Ok(()) } else { Err(format!("again: {again}")) }
    }
}
