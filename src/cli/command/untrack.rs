use std::io::Write;

use crate::cli::args::UntrackArgs;
use crate::cli::command::select::list;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, content, many};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::untrack::UntrackOptions;

pub(super) fn run(args: &UntrackArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = UntrackOptions { paths: args.paths.clone() };
    let plan = ops::untrack::plan(&repo, &options, &session.job)?;
    let paths = plan.paths.clone();
    let count = many(paths.len() as u64, "path", "paths");
    let text = |out: &mut dyn Write| list("untracked", &paths, out);
    if args.dry_run {
        let content = content(plan.files, plan.bytes);
        let line = format!("would untrack {count}, {content}");
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::untrack::run(&repo, plan, &session.job)?;
    let line = format!("untracked {count}; the data stays");
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}
