use std::io::Write;

use crate::cli::args::UntrackArgs;
use crate::cli::command::select::list;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, content, many, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::untrack::UntrackOptions;

pub(super) fn run(args: &UntrackArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = UntrackOptions { paths: args.paths.clone() };
    let plan = ops::untrack::plan(&repo, &options, &session.job)?;
    let paths = plan.paths.clone();
    let patterns = plan.patterns.clone();
    let count = match (paths.len() as u64, patterns.len() as u64) {
        (paths, 0) => many(paths, "path", "paths"),
        (0, patterns) => many(patterns, "pattern", "patterns"),
        (paths, patterns) => {
            let patterns = many(patterns, "pattern", "patterns");
            format!("{} and {patterns}", many(paths, "path", "paths"))
        }
    };
    let word = if args.dry_run { "would untrack" } else { "untracked" };
    let text = |out: &mut dyn Write| {
        list(word, &patterns, out)?;
        list(word, &paths, out)
    };
    if args.dry_run {
        let content = content(plan.files, plan.bytes);
        let line = format!("would untrack {count}, {content}");
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::untrack::run(&repo, plan, &session.job)?;
    if let Some(first) = report.released.first() {
        let (first, files) = (shown(first), many(report.released.len() as u64, "file", "files"));
        session.job.note(&format!(
            "Git holds pointers in place of {files} until they are added again: `git add --renormalize \
             {first}` puts the content into Git, `git rm --cached {first} && haul add {first}` a pointer \
             beside it"
        ));
    }
    let line = format!("untracked {count}; the data stays");
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}
