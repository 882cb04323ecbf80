//! After Git changed pointers: the data in the worktree follows, as far as that loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use crate::config::Follow;
use crate::fs::failpoint;
use crate::git::{ObjectId, TreePointer};
use crate::ops::checkout::{self, CheckoutOptions, CheckoutReport, Manner};
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::ops::fetch::FetchOptions;
use crate::ops::pull::{self, PullOptions};
use crate::ops::select::Select;
use crate::path::{JsonPath, RepoPath};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{TrackedState, Tracking, load_tracked};

/// A step of a rebase that still has steps to go, in its list.
const LISTS: [&str; 2] = ["rebase-merge/git-rebase-todo", "rebase-apply/next"];
/// The longest such list that is read, in bytes.
const LIST_LIMIT: u64 = 16 << 20;
/// How long data waits for another command before it stays behind: Git's own waits for this.
const PATIENCE: Duration = Duration::from_secs(600);

/// What became of the data.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    /// What was placed and removed; its `missing` is content that is not on this machine.
    pub checkout: CheckoutReport,
    /// Files with changes that were not added: data of their tracked paths stayed as it was.
    pub unsaved: Vec<JsonPath>,
    /// Pointers that cannot be used.
    pub unusable: u64,
}

/// What made Git change pointers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// A checkout or a merge, with the commit that was checked out before it.
    Step(Option<ObjectId>),
    /// The end of a rebase, with the commit from before it.
    Settled(Option<ObjectId>),
    /// `haul merge`.
    Merged {
        /// The commit that is checked out.
        head: Option<ObjectId>,
        /// Files that both sides changed: what lies there is the user's to settle.
        in_conflict: Vec<JsonPath>,
    },
}

/// Lets data follow those pointers that are not the ones it was last placed by; nothing if there are
/// none, or if a rebase will come by here again.
///
/// A path that was tracked before too, and whose data never was here, stays without data, as do
/// files that somebody removed or never asked for.
pub fn follow(repo: &Repo, occasion: &Occasion, job: &Job) -> Result<Option<Followed>, OpError> {
    match lagging(repo, occasion)? {
        Some(lagging) => place(repo, &lagging, occasion, job).map(Some),
        None => Ok(None),
    }
}

/// Pointers that are not those that data was last placed by.
#[derive(Debug)]
pub struct Lagging {
    /// Tracked paths whose data is to follow; none if only some are tracked no more.
    wanted: BTreeSet<RepoPath>,
    unusable: u64,
}

/// Finds what [`follow`] would have to do; nothing is changed, and little is read.
pub fn lagging(repo: &Repo, occasion: &Occasion) -> Result<Option<Lagging>, OpError> {
    let mode = repo.config().hooks_follow.value;
    let before = match occasion {
        Occasion::Step(_) if is_under_way(repo)? => return Ok(None),
        Occasion::Step(before) | Occasion::Settled(before) => *before,
        Occasion::Merged { head, .. } => *head,
    };
    if mode == Follow::Off {
        return Ok(None);
    }
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    if tracked.is_empty() && repo.layout().stat().symlink_metadata().is_err() {
        return Ok(None);
    }
    let placed: BTreeMap<Vec<u8>, Vec<u8>> = repo.stat()?.pointers()?.into_iter().collect();
    let mut unusable = 0;
    let mut behind = BTreeSet::new();
    for item in &tracked {
        match &item.state {
            TrackedState::Sound(_, bytes) if placed.get(item.path.as_bytes()) == Some(bytes) => {}
            TrackedState::Sound(_, bytes) => {
                behind.insert((item.path.clone(), bytes.clone()));
            }
            TrackedState::Unsound(_) => unusable += 1,
            TrackedState::Missing => {}
        }
    }
    forget_unasked(repo, &mut behind, &placed, before)?;
    let known: BTreeSet<&[u8]> = tracked.iter().map(|item| item.path.as_bytes()).collect();
    let gone = placed.keys().any(|path| !known.contains(path.as_slice()));
    if behind.is_empty() && !gone {
        return Ok(None);
    }
    let wanted: BTreeSet<RepoPath> = behind.into_iter().map(|(path, _)| path).collect();
    Ok(Some(Lagging { wanted, unusable }))
}

/// Says whether a rebase goes on after this: it calls again at its end.
fn is_under_way(repo: &Repo) -> Result<bool, OpError> {
    for list in LISTS {
        let text = crate::fs::read_limited(&repo.git().git_dir().join(list), LIST_LIMIT)?;
        let Some(text) = text else { continue };
        let step = |line: &&[u8]| {
            let line = line.trim_ascii();
            !line.is_empty() && !line.starts_with(b"#") && line != b"noop"
        };
        if text.split(|byte| *byte == b'\n').any(|line| step(&line)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Leaves out paths whose data nobody asked for: it is not here and never was, though the path was
/// tracked before.
fn forget_unasked(
    repo: &Repo,
    behind: &mut BTreeSet<(RepoPath, Vec<u8>)>,
    placed: &BTreeMap<Vec<u8>, Vec<u8>>,
    before: Option<ObjectId>,
) -> Result<(), OpError> {
    let Some(before) = before else { return Ok(()) };
    let mut never = BTreeSet::new();
    for (path, _) in behind.iter() {
        if !placed.contains_key(path.as_bytes()) && repo.door().stamp(path)?.is_none() {
            never.insert(path.clone());
        }
    }
    // Who has no data at all asked for none.
    if !placed.is_empty() && !never.is_empty() {
        let earlier = repo.git().pointers_at(&before.to_string())?;
        let tracked = |pointer: &TreePointer| {
            RepoPath::new(&pointer.path).and_then(|own| own.target_of_pointer()).ok()
        };
        let known: BTreeSet<RepoPath> = earlier.iter().filter_map(tracked).collect();
        never.retain(|path| known.contains(path));
    }
    behind.retain(|(path, _)| !never.contains(path));
    Ok(())
}

/// Places what lags as far as that loses nothing; what is in conflict stays as it lies. The index is not
/// open yet, unless changes have begun: who holds the one and waits for the other would wait for ever.
pub fn place(
    repo: &Repo,
    lagging: &Lagging,
    occasion: &Occasion,
    job: &Job,
) -> Result<Followed, OpError> {
    let mode = repo.config().hooks_follow.value;
    let Lagging { wanted, unusable } = lagging;
    let unusable = *unusable;
    let in_conflict = match occasion {
        Occasion::Step(_) | Occasion::Settled(_) => &[][..],
        Occasion::Merged { in_conflict, .. } => in_conflict,
    };
    failpoint::hit("follow.begin");
    if !repo.begin_within(PATIENCE, job)? {
        return Err(OpError::refused(
            "another haul is at work in this repository",
            "run `haul checkout` once it has ended",
        ));
    }
    let options = CheckoutOptions { manner: Manner::Follow, ..CheckoutOptions::default() };
    let mut chosen = sound(repo, wanted)?;
    let plan_of = |chosen: &[Chosen]| {
        let mut plan = checkout::plan_of(repo, (&options, chosen), job)?;
        plan.leave(in_conflict);
        Ok::<_, OpError>(plan)
    };
    let mut plan = plan_of(&chosen)?;
    let unsaved = plan.refused.clone();
    if !unsaved.is_empty() {
        chosen.retain(|item| !plan.refuses_in(&item.path));
        plan = plan_of(&chosen)?;
        if !plan.refused.is_empty() {
            return Ok(Followed { unsaved, unusable, ..Followed::default() });
        }
    }
    let mut checkout = checkout::run(repo, plan, job)?;
    if mode == Follow::Fetch && !checkout.missing.is_empty() {
        let paths = chosen.iter().map(|item| OsString::from_vec(absolute(repo, &item.path)));
        let select = Select { paths: paths.collect(), ..Select::default() };
        let fetch = FetchOptions { select, ..FetchOptions::default() };
        let options = PullOptions { fetch, force: false };
        let plan = pull::plan(repo, &options, job)?;
        checkout = pull::run(repo, plan, job)?.checkout.after(checkout);
    }
    Ok(Followed { checkout, unsaved, unusable })
}

fn absolute(repo: &Repo, path: &RepoPath) -> Vec<u8> {
    repo.git().root().join(path.to_os()).into_os_string().into_vec()
}

/// Reads the pointers again, passing over those that cannot be used: they stop no other.
fn sound(repo: &Repo, wanted: &BTreeSet<RepoPath>) -> Result<Vec<Chosen>, OpError> {
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let all = tracked.into_iter().filter(|item| wanted.contains(&item.path));
    Ok(all
        .filter_map(|item| match item.state {
            TrackedState::Sound(pointer, bytes) => {
                let (by, filter) = (Tracking::Beside, Filter::All);
                Some(Chosen { path: item.path, by, pointer, bytes, filter })
            }
            TrackedState::Missing | TrackedState::Unsound(_) => None,
        })
        .collect())
}
