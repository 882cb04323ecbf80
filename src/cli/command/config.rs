use std::io::Write;

use crate::cli::args::ConfigArgs;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::config::{ConfigReport, Scope};
use crate::path::show;

pub(super) fn run(args: &ConfigArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let scope = match (args.user, args.shared) {
        (true, _) => Scope::User,
        (_, true) => Scope::Shared,
        (false, false) => Scope::Local,
    };
    if let Some(key) = args.key.as_deref().filter(|_| args.unset || args.value.is_some()) {
        let change = ops::config::set(&repo, scope, (key, args.value.as_deref()))?;
        if let Some(origin) = &change.overridden_by {
            let origin = show(origin.as_bytes());
            session.job.warn(&format!("`{key}` has no effect here: {origin} overrides it"));
        }
        session.show(&change, |_: &mut dyn Write| Ok(()))?;
        return Ok(Exit::Done);
    }
    let report = ops::config::list(&repo, args.key.as_deref())?;
    match &args.key {
        Some(key) if report.settings.iter().all(|row| row.value.is_none()) => {
            Err(ops::config::not_set(key).into())
        }
        Some(_) => {
            session.show(&report, |out: &mut dyn Write| {
                let values = report.settings.iter().filter_map(|row| row.value.as_ref());
                values.into_iter().try_for_each(|v| writeln!(out, "{}", show(v.as_bytes())))
            })?;
            Ok(Exit::Done)
        }
        None => {
            session.show(&report, |out: &mut dyn Write| table(&report, out))?;
            Ok(Exit::Done)
        }
    }
}

/// Name, value, origin; of what is not set the default, in words.
fn table(report: &ConfigReport, out: &mut dyn Write) -> std::io::Result<()> {
    for row in &report.settings {
        let value = row.value.as_deref().unwrap_or(row.default).replace('`', "");
        let (value, origin) = (show(value.as_bytes()), show(row.origin.as_bytes()));
        writeln!(out, "{}\t{value}\t{origin}", show(row.name.as_bytes()))?;
    }
    Ok(())
}
