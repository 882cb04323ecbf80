//! What every verb understands, and the list of verbs.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::args::{
    AddArgs, CatArgs, CheckIgnoreArgs, CheckoutArgs, CiArgs, CloneArgs, CompletionsArgs,
    ConfigArgs, DemoArgs, DiffArgs, DiffDriverArgs, DoctorArgs, DuArgs, EvictArgs, ExportArgs,
    FetchArgs, FilterProcessArgs, FsckArgs, GcArgs, GetArgs, HookArgs, HooksArgs, ImportArgs,
    InitArgs, LogArgs, LsArgs, ManArgs, MergeArgs, MergeDriverArgs, MvArgs, PullArgs, PushArgs,
    RemoteArgs, RmArgs, StatusArgs, TrackArgs, UninstallArgs, UntrackArgs, UpdateArgs, VerifyArgs,
};
use crate::cli::version::version;

const EXAMPLES: &str = "\
Examples:
  haul init                                   set up the Git repository you are in
  haul remote add origin /mnt/data/project    say where content is kept
  haul add data/train && git commit -m data   track a folder: Git gets a small pointer
  haul push && git push                       content first, then the pointers
  haul pull                                   after `git clone` or `git pull`: get the content

Exit codes:
  0 done · 1 the answer is no, or you can fix it · 2 wrong usage · 3 remote unreachable or denied
  4 content damaged or missing · 101 a defect of haul · 130 interrupted";

/// Keeps large data beside Git: small pointers in Git, content in storage you already have.
#[derive(Debug, Parser)]
#[command(name = "haul", version = version(), after_help = EXAMPLES, arg_required_else_help = true)]
#[command(infer_long_args = false, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct Globals {
    /// Print one JSON document on stdout instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Write all that is logged into this file, whatever -v says; it holds names, and no secrets
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) trace_file: Option<PathBuf>,

    /// Print no progress, no notes and no closing line; warnings and errors stay
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Say more about what happens (repeat for more)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// How progress is shown on stderr; by default bars on a terminal, else plain
    #[arg(long, global = true, value_name = "HOW")]
    pub(crate) progress: Option<Progress>,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Run as if started in this folder
    #[arg(short = 'C', global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// One JSON event per line
    Json,
    /// A line every three seconds
    Plain,
    /// Bars, if stderr is a terminal
    Bars,
    /// Nothing
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set, or `CLICOLOR` is 0; elsewhere if `CLICOLOR_FORCE` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Init(InitArgs),
    Clone(CloneArgs),
    Remote(RemoteArgs),
    Add(AddArgs),
    Track(TrackArgs),
    Untrack(UntrackArgs),
    Rm(RmArgs),
    Mv(MvArgs),
    Status(StatusArgs),
    Diff(DiffArgs),
    Log(LogArgs),
    Ls(LsArgs),
    Cat(CatArgs),
    Export(ExportArgs),
    Get(GetArgs),
    Import(ImportArgs),
    Update(UpdateArgs),
    CheckIgnore(CheckIgnoreArgs),
    Push(PushArgs),
    Fetch(FetchArgs),
    Checkout(CheckoutArgs),
    Pull(PullArgs),
    Verify(VerifyArgs),
    Ci(CiArgs),
    Fsck(FsckArgs),
    Du(DuArgs),
    Evict(EvictArgs),
    Gc(GcArgs),
    Merge(MergeArgs),
    #[command(hide = true)]
    MergeDriver(MergeDriverArgs),
    #[command(hide = true)]
    DiffDriver(DiffDriverArgs),
    #[command(hide = true)]
    FilterProcess(FilterProcessArgs),
    Hooks(HooksArgs),
    #[command(hide = true)]
    Hook(HookArgs),
    Uninstall(UninstallArgs),
    Config(ConfigArgs),
    Doctor(DoctorArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Demo(DemoArgs),
}

impl Verb {
    /// Returns the name under which the verb is called and under which JSON documents file it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Clone(_) => "clone",
            Self::Remote(args) => args.verb.name(),
            Self::Add(_) => "add",
            Self::Track(_) => "track",
            Self::Untrack(_) => "untrack",
            Self::Rm(_) => "rm",
            Self::Mv(_) => "mv",
            Self::Status(_) => "status",
            Self::Diff(_) => "diff",
            Self::Log(_) => "log",
            Self::Ls(_) => "ls",
            Self::Cat(_) => "cat",
            Self::Export(_) => "export",
            Self::Get(_) => "get",
            Self::Import(_) => "import",
            Self::Update(_) => "update",
            Self::CheckIgnore(_) => "check-ignore",
            Self::Push(_) => "push",
            Self::Fetch(_) => "fetch",
            Self::Checkout(_) => "checkout",
            Self::Pull(_) => "pull",
            Self::Ci(args) => args.verb.name(),
            Self::Verify(_) => "verify",
            Self::Fsck(_) => "fsck",
            Self::Du(_) => "du",
            Self::Evict(_) => "evict",
            Self::Gc(args) => args.name(),
            Self::Hooks(args) => args.verb.name(),
            Self::Hook(_) => "hook",
            Self::Merge(_) => "merge",
            Self::MergeDriver(_) => "merge-driver",
            Self::DiffDriver(_) => "diff-driver",
            Self::FilterProcess(_) => "filter-process",
            Self::Uninstall(_) => "uninstall",
            Self::Config(_) => "config",
            Self::Doctor(_) => "doctor",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Demo(_) => "demo",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_two_examples() {
        let whole = Cli::command();
        let nested = |verb: &clap::Command| {
            let name = verb.get_name().to_owned();
            let inner = verb.get_subcommands();
            inner.map(|inner| (format!("{name} {}", inner.get_name()), inner.clone())).collect()
        };
        let verbs = whole.get_subcommands().filter(|verb| !verb.is_hide_set());
        let all = verbs.flat_map(|verb| {
            let inner: Vec<(String, clap::Command)> = nested(verb);
            inner.into_iter().chain([(verb.get_name().to_owned(), verb.clone())])
        });
        for (name, verb) in all {
            let help = verb.get_after_help().expect("has text below its flags").to_string();
            let examples = help.lines().skip_while(|line| !line.starts_with("Examples:")).skip(1);
            let examples = examples.take_while(|line| line.starts_with("  ")).count();
            assert!(examples >= 2, "{name} shows {examples} examples");
            assert!(help.contains(&format!("haul {name}")), "{name}");
        }
    }

    #[test]
    fn a_verb_or_a_list_of_paths_is_required_where_nothing_can_be_guessed() {
        assert!(Cli::try_parse_from(["haul", "add"]).is_err());
        assert!(Cli::try_parse_from(["haul", "add", "-u"]).is_ok());
        assert!(Cli::try_parse_from(["haul", "remote"]).is_err());
        assert!(Cli::try_parse_from(["haul", "push", "--jobs", "0"]).is_err());
        assert!(Cli::try_parse_from(["haul", "push", "--all", "--rev", "HEAD"]).is_err());
        assert!(Cli::try_parse_from(["haul", "status", "--json", "--porcelain"]).is_err());
    }
}
