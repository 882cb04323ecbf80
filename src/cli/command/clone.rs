use crate::cli::args::CloneArgs;
use crate::cli::command::pull;
use crate::cli::command::select::fetch_options;
use crate::cli::failure::Failure;
use crate::cli::process::program;
use crate::cli::render::{Figures, content, shown};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::clone::CloneOptions;
use crate::ops::init::{GitHooks, InitOptions};
use crate::ops::pull::PullOptions;
use crate::ops::{Exit, Select};

pub(super) fn run(args: &CloneArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let hooks = if args.no_hooks { GitHooks::Leave } else { GitHooks::Install };
    let options = CloneOptions {
        url: args.url.clone(),
        folder: args.folder.clone(),
        branch: args.branch.clone(),
        depth: args.depth,
        init: InitOptions { haul: program(), hooks },
    };
    if args.dry_run {
        let plan = ops::clone::plan(session.environment, &options)?;
        let rest = if plan.uses_haul { "tracked by haul" } else { "tracked; no haul in it" };
        let content = content(plan.files, plan.bytes);
        let line = format!("would clone into `{}`: {content} {rest}", shown(&plan.folder));
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let (report, inside) = ops::clone::run(session.environment, &options, &session.job)?;
    let folder = shown(&report.folder);
    if args.no_pull || !report.uses_haul {
        let rest = if report.uses_haul { "its content is not here yet" } else { "no haul in it" };
        let line = format!("cloned into `{folder}`; {rest}");
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer_figures(&report, false, figures)?;
        return Ok(Exit::Done);
    }
    session.job.note(&format!("cloned into `{folder}`"));
    let within = Session { environment: &inside, job: session.job, ..*session };
    let fetch = fetch_options(Select::default(), &args.transfer);
    let repo = within.repo_at(args.transfer.limit_rate)?;
    pull::pull(&repo, &PullOptions { fetch, force: false }, &within).map_err(|failure| {
        session.job.note(&format!(
            "the clone in `{folder}` is complete but for its content: `{}` gets that, or with paths a \
             part of it",
            report.rest
        ));
        Failure::Cloned { source: Box::new(failure), rest: report.rest }
    })
}
