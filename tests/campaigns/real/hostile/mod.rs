//! Hostile inputs: each row of `fixtures/hostile/cases.tsv` in every way that it can come, with every
//! verb and every way to place files. Nothing may get out, and nothing harmless be refused.

mod carriers;
#[path = "../../../support/hostile.rs"]
mod table;
mod yard;

use crate::args::Args;
use crate::figures::Figures;
use crate::real::random::Random;
use carriers::{Trial, trials};
use yard::{Verdict, Yard};

/// Rows in the short form, for each way that they can come.
const SHORT: u64 = 40;

/// Ways to place files: a name, and the variables that ask for it.
const LINK_MODES: &[(&str, &[(&str, &str)])] = &[("copy", &[])];

/// Runs the campaign.
pub(crate) fn run(args: &Args) -> Figures {
    let mut all = trials();
    let total = all.len() as u64;
    let wanted = args.cases(total, SHORT).min(total);
    let mut random = Random::new(args.seed);
    while all.len() as u64 > wanted {
        all.swap_remove(random.below(all.len()));
    }
    let mut score = Score::default();
    let mut figures = Figures::default();
    for (mode, variables) in LINK_MODES {
        for trial in &all {
            score.trials += 1;
            for miss in attempt(trial, variables, &mut score) {
                figures.miss(format!("{mode}: {trial:?}: {miss}"));
            }
        }
    }
    figures.row("rows and ways that they come", format!("{wanted} of {total}"));
    figures
        .row("link modes", LINK_MODES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "));
    figures.row("trials", score.trials);
    figures.row("runs of haul", score.runs);
    figures.row("refused", score.refused);
    figures.row("legal names kept byte for byte", score.kept);
    figures.row("escapes", score.escapes);
    figures.row("legal names refused", score.legal_refused);
    figures.row("hostile names let in", score.let_in);
    figures.row("deaths, hangs, raw control characters", score.flaws);
    figures
}

#[derive(Default)]
struct Score {
    trials: u64,
    runs: u64,
    refused: u64,
    kept: u64,
    escapes: u64,
    legal_refused: u64,
    let_in: u64,
    flaws: u64,
}

/// Runs every verb against one trial in a yard of its own; returns what went wrong.
fn attempt(trial: &Trial, variables: &[(&str, &str)], score: &mut Score) -> Vec<String> {
    let yard = Yard::new();
    let lines = trial.lay(&yard);
    let mut misses = Vec::new();
    for line in lines {
        let before = yard.outside();
        let output = yard.haul(&line.words, variables);
        score.runs += u64::from(!yard::is_no_verb(&output));
        if let Some(flaw) = yard::flaw(&output) {
            score.flaws += 1;
            misses.push(format!("{flaw}: {output}"));
        }
        let escaped = before.differences(&yard.outside());
        if !escaped.is_empty() {
            score.escapes += 1;
            misses.push(format!("escaped: {escaped:?}: {output}"));
        }
        match (line.verdict)(&output) {
            Verdict::Kept => score.kept += 1,
            Verdict::Refused => score.refused += 1,
            Verdict::Unasked => {}
            Verdict::LegalRefused => {
                score.legal_refused += 1;
                misses.push(format!("a legal name was refused: {output}"));
            }
            Verdict::LetIn => {
                score.let_in += 1;
                misses.push(format!("let in: {output}"));
            }
        }
    }
    misses
}
