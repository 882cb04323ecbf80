use std::io::Write;

use crate::cli::args::RmArgs;
use crate::cli::command::select::list;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, content, files, many};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::rm::RmOptions;

pub(super) fn run(args: &RmArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = RmOptions { paths: args.paths.clone(), force: args.force };
    let plan = ops::rm::plan(&repo, &options, &session.job)?;
    let count = many(plan.paths.len() as u64, "path", "paths");
    if args.dry_run {
        let content = content(plan.files, plan.bytes);
        let line = format!("would remove {count}, {content}");
        let figures = Figures(session.started.elapsed()).close(&line);
        let text = |out: &mut dyn Write| {
            list("would remove", &plan.paths, out)?;
            list("changed", &plan.unsaved, out)?;
            list("in no commit", &plan.uncommitted, out)
        };
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::rm::run(&repo, plan, &session.job)?;
    let line = format!("removed {count}, {} of the worktree", files(report.removed));
    let figures = Figures(session.started.elapsed()).close(&line);
    let text = |out: &mut dyn Write| list("removed", &report.paths, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}
