//! Random verbs against a map from commit and path to content.
//!
//! Two clones of one Git repository and one remote. After every command either the exit code is 0 and
//! the files are as the map says, or it is a refusal that the map predicts, and nothing is lost.

mod actor;
mod files;
mod git;
mod haul;
mod model;
mod place;

use std::sync::Mutex;

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::World;
use crate::real::cases::{self, guarded};
use crate::real::random::Random;
use crate::real::verbs::actor::Actor;
use crate::real::verbs::model::{Counts, Shared};

/// Steps of one case.
const STEPS: usize = 30;

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut figures = Figures::default();
    let total = Mutex::new(Counts::default());
    cases::run(&mut figures, args, args.cases(1000, 14), |seed| {
        let mut shared = Shared::default();
        let outcome = guarded(|| {
            case(seed, &mut shared);
            Ok(())
        });
        total.lock().expect("is sound").add(&shared.counts);
        outcome.map_err(|why| format!("{why}\n  steps:\n    {}", shared.steps.join("\n    ")))
    });
    let total = total.into_inner().expect("is sound");
    figures.row("haul commands", total.commands);
    figures.row("of them refused, as predicted", total.refused);
    figures.row("fresh clones compared", total.clones);
    figures
}

fn case(seed: u64, shared: &mut Shared) {
    let mut random = Random::new(seed);
    let world = World::new();
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let start = world.repo("start");
    start.haul(&["init"]).ok();
    start.haul(&["remote", "add", "origin", "../r"]).ok();
    start.git(&["add", "-A"]).ok();
    start.commit("settings");
    start.git(&["push", "--quiet", "../hub.git", "HEAD:main"]).ok();
    let mut actors = [Actor::clone(&world, "a", shared), Actor::clone(&world, "b", shared)];
    for _ in 0..STEPS {
        let number = usize::from(random.chance(30));
        actors.get_mut(number).expect("are two").step(&mut random, shared);
    }
    for actor in &mut actors {
        actor.settle(shared);
    }
}
