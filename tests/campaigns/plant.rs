//! Campaigns that run in this process, with a bug planted: each in a process of its own, as a bug is
//! planted for life.

use std::process::Command;

/// What names the bug.
const VARIABLE: &str = "HAUL_PLANTED";

/// Takes away the safeguard that the environment names, which a campaign has to notice.
pub(crate) fn plant() {
    if let Ok(name) = std::env::var(VARIABLE) {
        haul::fs::planted::plant(&name);
    }
}

/// Says whether a bug is planted in this process, so that one miss is enough.
pub(crate) fn is_planted() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs a campaign where a bug is planted; returns the first miss.
pub(crate) fn first_miss(campaign: &str, planted: &str, more: &[&str]) -> Option<String> {
    let own = std::env::current_exe().expect("has a path");
    let run = Command::new(own).arg(campaign).args(more).env(VARIABLE, planted).output();
    let run = run.expect("runs");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let miss = text.lines().find(|line| line.trim_start().starts_with("MISS "));
    miss.filter(|_| !run.status.success()).map(|miss| miss.trim_start().to_owned())
}

/// Hands the planted bug on to a program that gets no other variable.
pub(crate) fn hand_on(command: &mut Command) {
    if let Some(name) = std::env::var_os(VARIABLE) {
        command.env(VARIABLE, name);
    }
}
