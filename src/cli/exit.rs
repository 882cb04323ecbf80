//! Exit codes of the program.

use std::process::ExitCode;

use crate::ops::Exit;

/// Every exit code with its meaning; the reference page is made of it.
pub(crate) const MEANINGS: [(Exit, &str); 7] = [
    (Exit::Done, "done"),
    (Exit::No, "the answer is no, or you can fix it"),
    (Exit::Usage, "wrong usage"),
    (Exit::Remote, "remote unreachable or denied"),
    (Exit::Damaged, "content damaged or missing"),
    (Exit::Defect, "a defect of haul"),
    (Exit::Interrupted, "interrupted"),
];

/// Returns the number that the shell sees.
pub(crate) const fn number(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::No => 1,
        Exit::Usage => 2,
        Exit::Remote => 3,
        Exit::Damaged => 4,
        Exit::Defect => 101,
        Exit::Interrupted => 130,
    }
}

/// Returns what `main` returns.
pub(crate) fn code(exit: Exit) -> ExitCode {
    ExitCode::from(number(exit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_help_explains_every_exit_code() {
        let help = Cli::command().render_help().to_string();
        for (exit, meaning) in MEANINGS {
            assert!(help.contains(&format!("{} {meaning}", number(exit))), "{exit:?}");
        }
    }
}
