use crate::cli::args::Verb;
use crate::cli::command::{
    add, checkout, demo, du, evict, fetch, fsck, gc, hook, hooks, init, merge, pull, push, remote,
    status, uninstall, verify,
};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops::Exit;

/// Runs the verb.
pub(crate) fn run(verb: &Verb, session: &Session<'_>) -> Result<Exit, Failure> {
    match verb {
        Verb::Init(args) => init::run(args, session),
        Verb::Remote(args) => remote::run(&args.verb, session),
        Verb::Add(args) => add::run(args, session),
        Verb::Status(args) => status::run(args, session),
        Verb::Push(args) => push::run(args, session),
        Verb::Fetch(args) => fetch::run(args, session),
        Verb::Checkout(args) => checkout::run(args, session),
        Verb::Pull(args) => pull::run(args, session),
        Verb::Verify(args) => verify::run(args, session),
        Verb::Fsck(args) => fsck::run(args, session),
        Verb::Du(args) => du::run(args, session),
        Verb::Evict(args) => evict::run(args, session),
        Verb::Gc(args) => gc::run(args, session),
        Verb::Merge(args) => merge::run(args, session),
        Verb::MergeDriver(args) => merge::drive(args, session),
        Verb::Uninstall(_) => uninstall::run(session),
        Verb::Hooks(args) => hooks::run(args.verb, session),
        Verb::Hook(args) => hook::run(args, session),
        Verb::Demo(args) => demo::run(args, session),
    }
}
