use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  source <(haul completions bash)                                  in ~/.bashrc
  haul completions fish > ~/.config/fish/completions/haul.fish     once

For zsh: `source <(haul completions zsh)` in ~/.zshrc, after `compinit`.";

/// Print the script that completes haul's commands and tracked paths in a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// Bash 4 or later
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}
