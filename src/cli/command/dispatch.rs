use crate::cli::args::Verb;
use crate::cli::command::{
    add, cat, check_ignore, checkout, ci, clone, completions, config, demo, diff, diff_driver, du,
    evict, export, fetch, filter_process, fsck, gc, get, hook, hooks, init, log, ls, man, merge,
    mv, pull, push, remote, rm, status, track, uninstall, untrack, verify,
};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops::Exit;

/// Runs the verb.
pub(crate) fn run(verb: &Verb, session: &Session<'_>) -> Result<Exit, Failure> {
    match verb {
        Verb::Init(args) => init::run(args, session),
        Verb::Clone(args) => clone::run(args, session),
        Verb::Remote(args) => remote::run(&args.verb, session),
        Verb::Add(args) => add::run(args, session),
        Verb::Track(args) => track::run(args, session),
        Verb::Untrack(args) => untrack::run(args, session),
        Verb::Rm(args) => rm::run(args, session),
        Verb::Mv(args) => mv::run(args, session),
        Verb::Status(args) => status::run(args, session),
        Verb::Diff(args) => diff::run(args, session),
        Verb::Log(args) => log::run(args, session),
        Verb::Ls(args) => ls::run(args, session),
        Verb::Cat(args) => cat::run(args, session),
        Verb::Export(args) => export::run(args, session),
        Verb::Get(args) => get::get(args, session),
        Verb::Import(args) => get::import(args, session),
        Verb::Update(args) => get::update(args, session),
        Verb::CheckIgnore(args) => check_ignore::run(args, session),
        Verb::Push(args) => push::run(args, session),
        Verb::Fetch(args) => fetch::run(args, session),
        Verb::Checkout(args) => checkout::run(args, session),
        Verb::Pull(args) => pull::run(args, session),
        Verb::Ci(args) => ci::run(&args.verb, session),
        Verb::Verify(args) => verify::run(args, session),
        Verb::Fsck(args) => fsck::run(args, session),
        Verb::Du(args) => du::run(args, session),
        Verb::Evict(args) => evict::run(args, session),
        Verb::Gc(args) => gc::run(args, session),
        Verb::Merge(args) => merge::run(args, session),
        Verb::MergeDriver(args) => merge::drive(args, session),
        Verb::DiffDriver(args) => diff_driver::run(args, session),
        Verb::FilterProcess(args) => filter_process::run(args, session),
        Verb::Uninstall(_) => uninstall::run(session),
        Verb::Hooks(args) => hooks::run(args.verb, session),
        Verb::Hook(args) => hook::run(args, session),
        Verb::Config(args) => config::run(args, session),
        Verb::Completions(args) => completions::run(args, session),
        Verb::Man(args) => man::run(args, session),
        Verb::Demo(args) => demo::run(args, session),
    }
}
