use crate::cli::args::InitArgs;
use crate::cli::failure::Failure;
use crate::cli::process::program;
use crate::cli::render::Figures;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::hooks::HooksReport;
use crate::ops::init::{GitHooks, InitOptions, InitPlan, InitReport};
use crate::path::show;

pub(super) fn run(args: &InitArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    if args.global {
        let report = ops::init::global(session.environment, &program())?;
        let line = "Git calls haul for files that repositories hand over, wherever you are";
        let figures = Figures(session.started.elapsed()).close(line);
        session.answer_figures(&report, false, figures)?;
        return Ok(Exit::Done);
    }
    let hooks = if args.no_hooks { GitHooks::Leave } else { GitHooks::Install };
    let options = InitOptions { haul: program(), hooks };
    let plan = ops::init::plan(session.environment, &options)?;
    if args.dry_run {
        let figures = Figures(session.started.elapsed()).close(&planned(&plan));
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = ops::init::run(plan, &session.job)?;
    for row in report.hooks.iter().flat_map(|report| &report.hooks) {
        if let Some(advice) = &row.advice {
            session.job.warn(&format!("the Git hook `{}` does not call haul: {advice}", row.name));
        }
    }
    let figures = Figures(session.started.elapsed()).close(&line(&report));
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

fn names(names: &[String]) -> String {
    let names: Vec<String> =
        names.iter().map(|name| format!("`{}`", show(name.as_bytes()))).collect();
    names.join(", ")
}

fn planned(plan: &InitPlan) -> String {
    let root = show(plan.root.as_bytes());
    let mut parts = Vec::new();
    for (word, list) in [("create", &plan.created), ("change", &plan.changed)] {
        if !list.is_empty() {
            parts.push(format!("{word} {}", names(list)));
        }
    }
    if let Some(count) = plan.hooks.as_ref().map(HooksReport::changed).filter(|count| *count > 0) {
        parts.push(format!("have {count} Git hooks call haul"));
    }
    if parts.is_empty() {
        return format!("`{root}` is set up already, nothing to do");
    }
    format!("would set up haul in `{root}`: {}", parts.join("; "))
}

fn line(report: &InitReport) -> String {
    let root = show(report.root.as_bytes());
    let created = format!("created {}", names(&report.created));
    let changed = format!("changed {}", names(&report.changed));
    let hooks = match report.hooks.as_ref().map(HooksReport::changed) {
        None | Some(0) => String::new(),
        Some(count) => format!("; {count} Git hooks call haul from now on"),
    };
    match (report.created.is_empty(), report.changed.is_empty()) {
        (true, true) if hooks.is_empty() => format!("`{root}` was set up already, nothing to do"),
        (true, true) => format!("`{root}` was set up already{hooks}"),
        (false, true) => format!("set up haul in `{root}`: {created}{hooks}"),
        (true, false) => format!("set up haul in `{root}`: {changed}{hooks}"),
        (false, false) => format!("set up haul in `{root}`: {created}; {changed}{hooks}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_what_was_made_and_what_was_changed() {
        let report = |created: &[&str], changed: &[&str]| InitReport {
            root: "/r".to_owned(),
            created: created.iter().map(|&name| name.to_owned()).collect(),
            changed: changed.iter().map(|&name| name.to_owned()).collect(),
            hooks: None,
        };
        assert_eq!(line(&report(&[], &[])), "`/r` was set up already, nothing to do");
        assert_eq!(
            line(&report(&["haul.toml", "a"], &["b"])),
            "set up haul in `/r`: created `haul.toml`, `a`; changed `b`"
        );
    }
}
