use std::io::{self, Write};

use crate::cli::args::FsckArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, fsck_line, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::fsck::{Depth, FindingRow, FsckOptions, NeedRow, Repair, Sides, State};
use crate::path::show;

pub(super) fn run(args: &FsckArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = FsckOptions {
        sides: match (args.local, &args.remote) {
            (true, _) => Sides::Local,
            (false, Some(_)) => Sides::Remote,
            (false, None) => Sides::Both,
        },
        depth: match (args.quick, args.sample) {
            (true, _) => Depth::Quick,
            (false, Some(share)) => Depth::Sample(share),
            (false, None) => Depth::Full,
        },
        remote: args.remote.clone().filter(|name| !name.is_empty()),
        repair: if args.repair { Repair::Yes } else { Repair::No },
        jobs: args.jobs.map(usize::from),
    };
    let report = ops::fsck::run(&repo, &options, &session.job)?;
    if !report.unreachable.is_empty() {
        session.job.warn(&format!("the remote was not checked: {}", report.unreachable));
    }
    let figures = Figures(session.started.elapsed()).close(&fsck_line(&report));
    let text = |out: &mut dyn Write| listing(&report.findings, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(report.exit())
}

fn listing(rows: &[FindingRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        let state = match row.state {
            State::Damaged => "damaged",
            State::Repaired => "repaired",
            State::Unneeded => "damaged, and no pointer needs it",
            State::Unread => "not read",
        };
        let [at, why] = [&row.at, &row.why].map(|text| show(text.as_bytes()).to_string());
        writeln!(out, "{} {} {}: {state}", row.side, row.kind, show(row.object.as_bytes()))?;
        writeln!(out, "  at: {at}")?;
        writeln!(out, "  cause: {why}")?;
        for id in row.contents.iter().take(3) {
            writeln!(out, "  object: {id}")?;
        }
        for need in &row.needed_by {
            needed(need, out)?;
        }
        for copy in &row.copies {
            writeln!(out, "  good copy: {}", show(copy.as_bytes()))?;
        }
        if row.copies.is_empty() && row.state == State::Damaged && !row.needed_by.is_empty() {
            writeln!(out, "  good copy: none is known")?;
        }
        if !row.next.is_empty() {
            writeln!(out, "  next: {}", row.next)?;
        }
    }
    Ok(())
}

fn needed(need: &NeedRow, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "  needed by: {}", shown(&need.path))?;
    if need.commit.is_empty() {
        write!(out, ", not committed")?;
    } else {
        write!(out, ", commit {}", need.commit)?;
    }
    if !need.refs.is_empty() {
        let refs: Vec<String> = need.refs.iter().map(|r| show(r.as_bytes()).to_string()).collect();
        write!(out, " ({})", refs.join(", "))?;
    }
    writeln!(out)?;
    for file in &need.files {
        writeln!(out, "    file: {}", shown(file))?;
    }
    Ok(())
}
