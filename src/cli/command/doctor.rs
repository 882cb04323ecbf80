use std::io::{self, Write};

use crate::cli::args::DoctorArgs;
use crate::cli::failure::Failure;
use crate::cli::process::now_ms;
use crate::cli::render::{Figures, many};
use crate::cli::session::{Answer, Session};
use crate::cli::version::version;
use crate::ops;
use crate::ops::Exit;
use crate::ops::doctor::{DoctorOptions, Reach};
use crate::ops::remote::{Check, Outcome};
use crate::path::show;

pub(super) fn run(args: &DoctorArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let reach = match (args.offline, args.write) {
        (true, _) => Reach::Nothing,
        (false, true) => Reach::Write,
        (false, false) => Reach::Read,
    };
    let options = DoctorOptions { reach, now_ms: now_ms(), version: version().to_owned() };
    let report = ops::doctor::run(session.environment, &options, &session.job)?;
    let count = |outcome| report.checks.iter().filter(|c| c.outcome == outcome).count() as u64;
    let line = format!(
        "{}, {}, {} well",
        many(count(Outcome::Fails), "failure", "failures"),
        many(count(Outcome::Lacks), "warning", "warnings"),
        count(Outcome::Works)
    );
    let figures = Figures(session.started.elapsed()).close(&line);
    let text = |out: &mut dyn Write| lines(&report.checks, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(if report.sound { Exit::Done } else { Exit::No })
}

fn lines(checks: &[Check], out: &mut dyn Write) -> io::Result<()> {
    for check in checks {
        let mark = match check.outcome {
            Outcome::Works => "ok",
            Outcome::Lacks => "warn",
            Outcome::Fails => "FAIL",
        };
        writeln!(out, "{mark:<4}  {:<11}  {}", check.what, show(check.says.as_bytes()))?;
        if let Some(follows) = &check.follows {
            writeln!(out, "{:<19}{}", "", show(follows.as_bytes()))?;
        }
    }
    Ok(())
}
