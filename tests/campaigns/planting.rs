//! Campaigns in a process of their own where a bug is planted.

use std::process::{Command, Output};

/// Runs a campaign with a planted bug; returns the first thing that it misses.
pub(crate) fn first_miss(campaign: &str, arguments: &[&str], planted: &str) -> Option<String> {
    let run = rerun(campaign, arguments, planted);
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let miss = text.lines().find(|line| line.trim_start().starts_with("MISS "));
    miss.filter(|_| !run.status.success()).map(str::to_owned)
}

fn rerun(campaign: &str, arguments: &[&str], planted: &str) -> Output {
    let own = std::env::current_exe().expect("has a path");
    let mut command = Command::new(own);
    command.arg(campaign).args(arguments).env("HAUL_PLANTED", planted).output().expect("runs")
}

/// Hands the planted bug on to a program that gets no other variable.
pub(crate) fn hand_on(command: &mut Command) {
    if let Some(name) = std::env::var_os("HAUL_PLANTED") {
        command.env("HAUL_PLANTED", name);
    }
}
