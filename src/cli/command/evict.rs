use std::io::{self, Write};

use crate::cli::args::EvictArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, evict_line, evict_plan_line, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::evict::{EvictPlan, EvictReport, Which};
use crate::ops::{Exit, Select};
use crate::units::ByteSize;

pub(super) fn run(args: &EvictArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let plan = ops::evict::plan(&repo, &which(args), &session.job)?;
    if !args.yes {
        let figures = Figures(session.started.elapsed()).close(&evict_plan_line(&plan));
        let text = |out: &mut dyn Write| paths(&plan, out);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::evict::run(&repo, plan, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&evict_line(&report));
    let text = |out: &mut dyn Write| kept(&report, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(if report.kept.is_empty() { Exit::Done } else { Exit::No })
}

fn which(args: &EvictArgs) -> Which {
    match args.max_size {
        Some(bytes) => Which::DownTo(bytes),
        None if args.all => Which::All,
        None if args.paths.is_empty() && args.rev.is_none() => Which::Surplus,
        None => {
            let (paths, rev) = (args.paths.clone(), args.rev.clone());
            Which::Of(Select { paths, rev, ..Select::default() })
        }
    }
}

/// A line for each path that was named.
fn paths(plan: &EvictPlan, out: &mut dyn Write) -> io::Result<()> {
    for row in &plan.paths {
        writeln!(out, "{:>10}  {}", ByteSize(row.bytes).to_string(), shown(&row.path))?;
    }
    Ok(())
}

/// Tabs part the columns: pack, bytes, why it stays.
fn kept(report: &EvictReport, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.kept {
        writeln!(out, "{}\t{}\t{}", row.pack, row.bytes, row.why)?;
    }
    Ok(())
}
