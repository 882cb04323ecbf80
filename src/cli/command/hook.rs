//! What Git calls. Output goes to stderr only: Git shows it between its own lines.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};

use crate::cli::args::HookArgs;
use crate::cli::failure::Failure;
use crate::cli::process::variable;
use crate::cli::render::{files, push_line};
use crate::cli::session::Session;
use crate::git::{GitError, Moment, ObjectId, PROBE, probe_answer};
use crate::hint::Hint;
use crate::ops::hook::{self, Findings, Followed, Moved, Occasion};
use crate::ops::{Exit, OpError};
use crate::path::{for_git, in_shell, show};
use crate::repo::{Repo, RepoError};

/// The most that is read of what Git says, in bytes: some 300,000 refs.
const INPUT_LIMIT: u64 = 64 << 20;

pub(super) fn run(args: &HookArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    if variable(PROBE).is_some() {
        writeln!(io::stdout(), "{}", probe_answer(&show(args.name.as_bytes()).to_string()))?;
        return Ok(Exit::Done);
    }
    if session.environment.text("HAUL_SKIP").is_some_and(|value| value != "0") {
        return Ok(Exit::Done);
    }
    let moment = Moment::by_name(&args.name).ok_or_else(|| OpError::Refused {
        what: format!("no Git hook of haul is called `{}`", show(args.name.as_bytes())),
        next: "run `haul hooks status` to see their names".to_owned(),
    })?;
    match at(moment, &args.arguments, session) {
        Ok(()) => Ok(Exit::Done),
        Err(failure) if moment.may_refuse() => Err(failure),
        // What Git did is done, and is no worse for this.
        Err(failure) => {
            let mut hint = failure.hint();
            if failure.exit() == Exit::Interrupted {
                // Git's own command is not to be run again.
                hint = Some("`haul checkout` brings it".to_owned());
            }
            let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
            session.job.warn(&format!("data did not follow: {failure}{hint}"));
            Ok(Exit::Done)
        }
    }
}

fn at(moment: Moment, arguments: &[OsString], session: &Session<'_>) -> Result<(), Failure> {
    let repo = match Repo::open(session.environment, &[]) {
        Ok(repo) => repo,
        // A hook that serves several repositories comes by everywhere.
        Err(RepoError::Git(GitError::Bare { .. } | GitError::NotARepository { .. })) => {
            return Ok(());
        }
        Err(error) => return Err(OpError::from(error).into()),
    };
    if moment != Moment::PrePush && repo.require_initialised().is_err() {
        return Ok(());
    }
    match moment {
        Moment::PreCommit => judge(&hook::pre_commit(repo, &session.job)?, session),
        Moment::PrePush => push(repo, arguments, session),
        Moment::PostCheckout => {
            let before = told(arguments, "PRE_COMMIT_FROM_REF");
            let before = before.and_then(|id| ObjectId::from_hex(id.as_encoded_bytes()));
            follow(repo, &Occasion::Step(before.filter(|id| !id.is_zero())), session)
        }
        Moment::PostMerge => {
            let before = commit(&repo, "ORIG_HEAD");
            follow(repo, &Occasion::Step(before), session)
        }
        Moment::PostRewrite
            if told(arguments, "PRE_COMMIT_REWRITE_COMMAND").is_some_and(|why| why == "rebase") =>
        {
            let before = commit(&repo, "ORIG_HEAD");
            follow(repo, &Occasion::Settled(before), session)
        }
        Moment::PostRewrite => {
            let before = commit(&repo, "HEAD");
            follow(repo, &Occasion::Step(before), session)
        }
    }
}

/// What Git says first, or the pre-commit framework in a variable.
fn told(arguments: &[OsString], name: &str) -> Option<OsString> {
    arguments.first().cloned().or_else(|| variable(name))
}

fn commit(repo: &Repo, rev: &str) -> Option<ObjectId> {
    repo.git().resolve(rev).ok().map(|commit| commit.0)
}

fn push(repo: Repo, arguments: &[OsString], session: &Session<'_>) -> Result<(), Failure> {
    let mut input = Vec::new();
    if !io::stdin().is_terminal() {
        io::stdin().lock().take(INPUT_LIMIT).read_to_end(&mut input)?;
    }
    // The pre-commit framework hands on the name of the remote, but not all that is pushed.
    let framework = variable("PRE_COMMIT_REMOTE_NAME").filter(|_| input.is_empty());
    let moved = match &framework {
        Some(_) => hook::all_refs(&repo)?,
        None => Moved::parse_all(&input)?,
    };
    let name = framework.as_ref().or(arguments.first());
    let name = name.and_then(|name| name.to_str()).unwrap_or_default();
    let sent = hook::pre_push(repo, name, &moved, &session.job)?;
    if let Some(report) = sent.filter(|report| report.packs > 0) {
        session.talk.figures(&push_line(&report));
    }
    Ok(())
}

fn judge(found: &Findings, session: &Session<'_>) -> Result<(), Failure> {
    for path in &found.changed {
        let (shown, word) = (show(path.as_bytes()), in_shell(path.as_bytes()));
        session.job.warn(&format!(
            "`{shown}` changed and is not part of this commit; `haul add {word}` adds it"
        ));
    }
    for path in &found.lost {
        let (shown, word) = (show(path.as_bytes()), for_git(path.as_bytes()));
        session.job.warn(&format!(
            "the content that is staged for `{shown}` is not known on this machine, and the file holds \
             another; `git add {word}` stages that one"
        ));
    }
    for path in &found.added {
        session.job.note(&format!("added `{path}` to this commit, as `hooks.changed` says"));
    }
    for finding in &found.against {
        session.job.warn(&format!("{}; {}", finding.what, finding.next));
    }
    match found.against.as_slice() {
        [] => Ok(()),
        [only] => Err(refused(only.what.clone(), only.next.clone())),
        all => Err(refused(
            format!("{} things stand against this commit", all.len()),
            "see to them, or commit with HAUL_SKIP=1".to_owned(),
        )),
    }
}

fn refused(what: String, next: String) -> Failure {
    OpError::Refused { what, next }.into()
}

fn follow(repo: Repo, occasion: &Occasion, session: &Session<'_>) -> Result<(), Failure> {
    let repo = repo.to_look();
    if hook::lacks_filter(&repo)? {
        session.job.warn(
            "attributes have Git hand files to haul, and Git does not know how in this clone, so that \
             pointers stand where content should be; run `haul init`, then `haul pull`",
        );
    }
    if let Some(lagging) = hook::lagging(&repo, occasion)? {
        tell(&hook::place(&repo.to_work(), &lagging, occasion, &session.job)?, session);
    }
    Ok(())
}

/// Says what became of the data, and what to do about what did not.
pub(super) fn tell(followed: &Followed, session: &Session<'_>) {
    let Followed { checkout, unsaved, unusable } = followed;
    let changed = checkout.written + checkout.removed + checkout.moved;
    if changed > 0 {
        session.job.note(&format!(
            "data follows: {} written, {} removed",
            files(checkout.written),
            files(checkout.removed)
        ));
    }
    if let Some(first) = unsaved.first() {
        let more = match unsaved.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        session.job.warn(&format!(
            "`{}`{more} changed and was not added, so that data stays as it is; `haul status` shows \
             it, `haul checkout --force` puts it aside",
            show(first.path.as_bytes())
        ));
    }
    if *unusable > 0 {
        session.job.warn("some pointers cannot be used; `haul status` shows which");
    }
    if let Some(first) = checkout.missing.first() {
        let more = match checkout.missing.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        session.job.warn(&format!(
            "content of `{}`{more} is not on this machine; `haul pull` brings it",
            show(first.path.as_bytes())
        ));
    }
}
