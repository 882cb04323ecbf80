use std::io::Write;

use crate::cli::args::{CompletionsArgs, Shell};
use crate::cli::complete::write_script;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops::Exit;

pub(super) fn run(args: &CompletionsArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let shell = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let mut script = Vec::new();
    write_script(shell, &mut script)?;
    let script = String::from_utf8_lossy(&script).into_owned();
    let report = serde_json::json!({ "shell": shell, "script": script });
    session.show(&report, |out: &mut dyn Write| out.write_all(script.as_bytes()))?;
    Ok(Exit::Done)
}
