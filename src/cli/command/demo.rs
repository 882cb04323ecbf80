use crate::cli::args::DemoArgs;
use crate::cli::demo::{self, Options};
use crate::cli::failure::Failure;
use crate::cli::session::{Answer, Session};
use crate::ops::Exit;

pub(super) fn run(args: &DemoArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let options = Options { folder: args.dir.clone(), keep: args.keep };
    let report = demo::run(&options, session.talk, session.job)?;
    let figures = report.line();
    let text = |out: &mut dyn std::io::Write| report.table(out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}
