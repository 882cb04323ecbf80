//! The pages of `docs/reference`, made of what the program itself goes by.

use clap::{Arg, Command, CommandFactory};

use crate::cli::args::Cli;
use crate::cli::exit::{MEANINGS, number};
use crate::config;

const GENERATED: &str = "<!-- Written by `HAUL_WRITE_REFERENCE=1 cargo test --test reference`; \
     do not edit. -->\n\n";

/// Writes the page of all commands and their flags, as Markdown.
pub fn cli_reference() -> String {
    let mut root = Cli::command();
    root.build();
    let mut out = format!("{GENERATED}# Commands\n\n");
    put_text(&mut out, &root);
    out.push_str("\n## Options of every command\n\n");
    put_table(&mut out, "option", root.get_arguments().filter(|arg| arg.is_global_set()));
    for verb in root.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        put_command(&mut out, verb, "##");
        for inner in verb.get_subcommands() {
            put_command(&mut out, inner, "###");
        }
    }
    out
}

/// Writes the page of all settings, as Markdown.
pub fn config_reference() -> String {
    let head = "# Settings\n\nEach layer overrides those before it: built in, the user's \
         `config.toml` in `$XDG_CONFIG_HOME/haul`, the committed `haul.toml` at the root of the \
         repository, `haul/config.toml` in the Git folder, variables, flags. A setting that a \
         committed file must not touch is ignored there, with a warning.\n\n";
    let tail = "\nFor one run only: `HAUL_ACCEPT_REMOTE` holds addresses, divided by commas, of remotes \
         to use as if they had been accepted.\n";
    format!("{GENERATED}{head}{}{tail}", config::reference())
}

/// Writes the page of all exit codes, as Markdown.
pub fn exit_code_reference() -> String {
    let head = "# Exit codes\n\n| code | meaning |\n|---|---|\n";
    let rows =
        MEANINGS.iter().map(|(exit, meaning)| format!("| {} | {meaning} |\n", number(*exit)));
    rows.fold(format!("{GENERATED}{head}"), |page, row| page + &row)
}

fn put_command(out: &mut String, command: &Command, mark: &str) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    out.extend([format!("\n{mark} {name}\n\n")]);
    put_text(out, command);
    let own = || command.get_arguments().filter(|arg| !arg.is_global_set() && is_ours(arg));
    if own().any(Arg::is_positional) {
        out.push('\n');
        put_table(out, "argument", own().filter(|arg| arg.is_positional()));
    }
    if own().any(|arg| !arg.is_positional()) {
        out.push('\n');
        put_table(out, "option", own().filter(|arg| !arg.is_positional()));
    }
}

/// Puts what it is for, how it is called, and the examples.
fn put_text(out: &mut String, command: &Command) {
    let about = command.get_long_about().or_else(|| command.get_about());
    if let Some(about) = about {
        out.extend([format!("{}\n\n", about.to_string().trim_end())]);
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    out.extend([format!("```text\n{usage}\n```\n")]);
    if let Some(more) = command.get_after_help() {
        out.extend([format!("\n```text\n{}\n```\n", more.to_string().trim_end())]);
    }
}

fn is_ours(arg: &Arg) -> bool {
    !matches!(arg.get_id().as_str(), "help" | "version")
}

fn put_table<'a>(out: &mut String, head: &str, args: impl Iterator<Item = &'a Arg>) {
    out.extend([format!("| {head} | meaning |\n|---|---|\n")]);
    for arg in args {
        let help = arg.get_long_help().or_else(|| arg.get_help());
        let mut help = help.map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
        let values = arg.get_possible_values();
        if !values.is_empty() && !arg.is_positional() && arg.get_action().takes_values() {
            let names: Vec<String> = values.iter().map(|v| format!("`{}`", v.get_name())).collect();
            help.extend([format!(": {}", names.join(", "))]);
        }
        out.extend([format!("| `{}` | {help} |\n", shown(arg))]);
    }
}

/// The way an argument is typed: `-C DIR`, `--jobs N`, `PATH…`.
fn shown(arg: &Arg) -> String {
    let takes = arg.is_positional() || arg.get_action().takes_values();
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = value.filter(|_| takes);
    if arg.is_positional() {
        let many = if arg.get_num_args().is_some_and(|n| n.max_values() > 1) { "…" } else { "" };
        return format!("{}{many}", value.unwrap_or_else(|| arg.get_id().to_string()));
    }
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let value = value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("{}{value}", names.join(", "))
}
