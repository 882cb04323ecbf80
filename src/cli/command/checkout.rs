use std::io::{self, Write};
use std::path::Path;

use crate::cache::Link;
use crate::cli::args::{CheckoutArgs, LinkArg};
use crate::cli::command::select::{list, select};
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, checkout_line, files};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::checkout::{CheckoutOptions, CheckoutPlan, CheckoutReport};
use crate::ops::merge::Side;
use crate::ops::{Exit, OpError, Select};
use crate::path::show as path_shown;
use crate::repo::Repo;
use crate::units::{ByteSize, Count};

pub(super) fn run(args: &CheckoutArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    if let Some(to) = &args.to {
        return take_side(&repo, args, to, session);
    }
    let select = if args.back.is_empty() { select(&args.select, false) } else { back(args)? };
    if !args.back.is_empty() {
        ops::checkout::check_back(&repo, &select)?;
    }
    let link = args.link.map(link);
    let options = CheckoutOptions { select, force: args.force, link, ..CheckoutOptions::default() };
    let plan = ops::checkout::plan(&repo, &options, &session.job)?;
    if args.dry_run {
        let figures = Figures(session.started.elapsed()).close(&placing(&plan));
        plan.collisions().iter().for_each(|why| session.job.warn(why));
        let text = |out: &mut dyn Write| unplaced(&plan, out);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::checkout::run(&repo, plan, &session.job)?;
    let advice = if args.back.is_empty() {
        "`haul pull` brings it"
    } else {
        "`haul fetch --rev` brings it; the pointers stay as they are"
    };
    let whole = report.missing.is_empty() && report.colliding.is_empty();
    if !args.back.is_empty() && whole {
        ops::checkout::take_back(&repo, &options.select)?;
    }
    let figures = Figures(session.started.elapsed()).close(&checkout_line(&report));
    remarks(&report, advice, session);
    let text = |out: &mut dyn Write| left_out(&report, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(if whole { Exit::Done } else { Exit::No })
}

fn link(given: LinkArg) -> Link {
    match given {
        LinkArg::Reflink => Link::Reflink,
        LinkArg::Hardlink => Link::Hardlink,
        LinkArg::Symlink => Link::Symlink,
        LinkArg::Copy => Link::Copy,
    }
}

fn take_side(
    repo: &Repo,
    args: &CheckoutArgs,
    to: &Path,
    session: &Session<'_>,
) -> Result<Exit, Failure> {
    let side = match (args.ours, args.theirs) {
        (true, _) => Side::Ours,
        (_, true) => Side::Theirs,
        (false, false) => Side::Base,
    };
    let [path] = args.select.paths.as_slice() else {
        let (what, next) = ("one file is written at a time", "name one path, and `--to FILE`");
        return Err(OpError::Refused { what: what.to_owned(), next: next.to_owned() }.into());
    };
    let report = ops::merge::take_side(repo, side, (path, to), &session.job)?;
    let line = format!("wrote `{}`, {}", path_shown(report.to.as_bytes()), ByteSize(report.bytes));
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

/// Reads `REV -- PATH…`.
fn back(args: &CheckoutArgs) -> Result<Select, Failure> {
    let rev = match args.select.paths.as_slice() {
        [rev] => rev.to_str().map(str::to_owned),
        _ => None,
    };
    let rev = rev.ok_or_else(|| OpError::Refused {
        what: "one revision is wanted before `--`".to_owned(),
        next: "write `haul checkout REV -- PATH`, or leave out the `--`".to_owned(),
    })?;
    Ok(Select { paths: args.back.clone(), rev: Some(rev), ..Select::default() })
}

/// Lists what a checkout would refuse to replace, and what it lacks.
pub(super) fn unplaced(plan: &CheckoutPlan, out: &mut dyn Write) -> io::Result<()> {
    list("changed", &plan.refused, out)?;
    list("colliding", &plan.colliding, out)?;
    list("missing", &plan.missing, out)
}

/// Returns what a checkout would do.
pub(super) fn placing(plan: &CheckoutPlan) -> String {
    let line = format!(
        "would place {}, {}: {} removed, {} moved, {} unchanged",
        files(plan.write),
        ByteSize(plan.bytes),
        Count(plan.remove),
        Count(plan.r#move),
        Count(plan.keep)
    );
    match plan.refused.len() {
        0 => line,
        refused => format!("{line}; refused for {refused}, which you changed"),
    }
}

/// Says what to do about missing content; where changed files went, the verb itself said.
pub(super) fn remarks(report: &CheckoutReport, advice: &str, session: &Session<'_>) {
    if !report.missing.is_empty() {
        let count = report.missing.len();
        let what = if count == 1 { "1 path" } else { &format!("{count} paths") };
        session.job.warn(&format!("content is missing for {what}; {advice}"));
    }
}

/// Lists the paths that cannot stand here, and those whose content is nowhere to be had.
pub(super) fn left_out(report: &CheckoutReport, out: &mut dyn Write) -> io::Result<()> {
    list("colliding", &report.colliding, out)?;
    list("missing", &report.missing, out)
}
