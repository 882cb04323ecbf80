use std::io::Write;

use crate::cli::args::CheckIgnoreArgs;
use crate::cli::failure::Failure;
use crate::cli::render::shown;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::check_ignore::CheckIgnoreOptions;

pub(super) fn run(args: &CheckIgnoreArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = CheckIgnoreOptions { paths: args.paths.clone() };
    let report = ops::check_ignore::run(&repo, &options)?;
    for row in report.paths.iter().filter(|row| row.pointer.is_some() && !row.ignored) {
        let path = shown(&row.path);
        session.job.warn(&format!(
            "Git does not ignore `{path}`: `git add` would put its content into Git; `haul add` \
             writes the line that is missing"
        ));
    }
    session.show(&report, |out: &mut dyn Write| {
        for row in &report.paths {
            if let Some(pointer) = &row.pointer {
                writeln!(out, "{}\t{}", shown(&row.path), shown(pointer))?;
            }
        }
        Ok(())
    })?;
    Ok(if report.any { Exit::Done } else { Exit::No })
}
