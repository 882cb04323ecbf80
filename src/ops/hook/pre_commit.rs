//! Before a commit: what should not go into Git, and tracked data that was forgotten.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Changed;
use crate::git::{Content, IndexEntry, POINTER_LIMIT};
use crate::ops::add::{self, AddOptions};
use crate::ops::checkout::LastPlaced;
use crate::ops::error::OpError;
use crate::ops::hook::filter::unfiltered;
use crate::ops::hook::handed::{Handed, handed};
use crate::ops::status;
use crate::path::{RepoPath, for_git, in_shell, json_path, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::units::ByteSize;
use crate::worktree::{Tracked, TrackedState, tracked_by};

/// How long a commit waits for another haul command. Git may hold its index meanwhile, for which that command
/// may wait in turn, and gives up after 5 s.
const PATIENCE: Duration = Duration::from_secs(2);

/// One thing that stands against a commit, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, with the path.
    pub what: String,
    /// The next step.
    pub next: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The commit must not be made.
    pub against: Vec<Finding>,
    /// Tracked paths whose data changed and was not added.
    pub changed: Vec<RepoPath>,
    /// Tracked paths that were added to the commit.
    pub added: Vec<String>,
    /// Filtered paths whose staged content is not known here, and whose files hold another.
    pub lost: Vec<RepoPath>,
}

/// Looks at what is staged, and at tracked data, of which `hooks.changed` says what is done.
///
/// A commit of named paths only takes nothing along.
pub fn pre_commit(repo: Repo, job: &Job) -> Result<Findings, OpError> {
    let mut out = Findings::default();
    let repo = repo.to_look();
    let staged = repo.git().staged_files()?;
    let entries = repo.git().pointers()?;
    let tracked: BTreeSet<RepoPath> = entries
        .iter()
        .filter_map(|entry| RepoPath::new(&entry.path).and_then(|own| own.target_of_pointer()).ok())
        .collect();
    broken(&repo, &staged, &mut out)?;
    content(&repo, &staged, &tracked, &mut out)?;
    if !out.against.is_empty() {
        return Ok(out);
    }
    let (repo, handed) = handed(repo, &staged, (PATIENCE, job))?;
    match handed {
        Handed::Seen(lost) => out.lost = lost,
        Handed::Busy => return Ok(unseen(&repo, out, job)),
    }
    if tracked.is_empty() {
        return Ok(out);
    }
    let (tracked, _) = tracked_by(entries, repo.door())?;
    forgotten(repo, &tracked, out, job)
}

/// Finds tracked data that changed and was not added, and does what `hooks.changed` says.
fn forgotten(
    repo: Repo,
    tracked: &[Tracked],
    mut out: Findings,
    job: &Job,
) -> Result<Findings, OpError> {
    if !repo.begin_within(PATIENCE, job)? || !repo.index_within(PATIENCE)? {
        return Ok(unseen(&repo, out, job));
    }
    if changed(&repo, tracked, job).is_ok_and(|changed| changed.is_empty()) {
        return Ok(out);
    }
    // Something is to be added or remembered, or what a node lies in is to be put aside.
    let repo = repo.to_work();
    if !repo.index_within(PATIENCE)? {
        return Ok(unseen(&repo, out, job));
    }
    let changed = changed(&repo, tracked, job)?;
    if changed.is_empty() {
        return Ok(out);
    }
    let repo = &repo;
    let names = |paths: &BTreeSet<RepoPath>| -> Vec<String> {
        paths.iter().map(|path| show(path.as_bytes()).to_string()).collect()
    };
    match repo.config().hooks_changed.value {
        Changed::Add if !repo.git().is_partial_commit()? => {
            let root = repo.git().root();
            let paths = changed.iter().map(|path| root.join(path.to_os()).into_os_string());
            let options =
                AddOptions { paths: paths.collect(), update: true, ..AddOptions::default() };
            let plan = add::plan(repo, &options, job)?;
            add::run(repo, plan, job)?;
            out.added = names(&changed);
        }
        Changed::Fail => out.against.extend(changed.iter().map(|path| Finding {
            what: format!("`{}` changed and was not added", show(path.as_bytes())),
            next: format!(
                "run `haul add {}`, or commit with HAUL_SKIP=1",
                in_shell(path.as_bytes())
            ),
        })),
        Changed::Warn | Changed::Add => out.changed = changed.into_iter().collect(),
    }
    Ok(out)
}

/// Says that tracked data was not looked at; where changes must not be forgotten, that stands against the commit.
fn unseen(repo: &Repo, mut out: Findings, job: &Job) -> Findings {
    let what = "another haul command is running, so that tracked data was not looked at";
    if repo.config().hooks_changed.value == Changed::Fail {
        let next = "commit again once it has ended".to_owned();
        out.against.push(Finding { what: what.to_owned(), next });
    } else {
        job.warn(&format!("{what}; `haul status` shows what was not added"));
    }
    out
}

/// Finds pointers of the commit that are none, such as those with marks of a conflict.
fn broken(repo: &Repo, staged: &[IndexEntry], out: &mut Findings) -> Result<(), OpError> {
    let named = |file: &&IndexEntry| {
        RepoPath::new(&file.path).and_then(|own| own.target_of_pointer()).is_ok()
    };
    let pointers: Vec<IndexEntry> = staged.iter().filter(named).cloned().collect();
    let contents = repo.git().index_contents(&pointers, POINTER_LIMIT)?;
    for (file, content) in pointers.iter().zip(contents) {
        let why = match content {
            Content::TooLarge(size) => format!("it has {}", ByteSize(size)),
            Content::Whole(bytes) => match Pointer::parse(&bytes) {
                Ok(_) => continue,
                Err(error) => error.to_string(),
            },
        };
        out.against.push(Finding {
            what: format!("the pointer `{}` cannot be used: {why}", show(&file.path)),
            next: "run `haul add` on its data again, or restore it with `git checkout`".to_owned(),
        });
    }
    Ok(())
}

/// Finds content that Git would keep for ever: of tracked paths, and of any size over the limit.
fn content(
    repo: &Repo,
    staged: &[IndexEntry],
    tracked: &BTreeSet<RepoPath>,
    out: &mut Findings,
) -> Result<(), OpError> {
    let limit = repo.config().hooks_max_size.value;
    let mut rest = Vec::new();
    for file in staged {
        let above = RepoPath::new(&file.path).ok().and_then(|path| {
            let mut all = std::iter::successors(Some(path), RepoPath::parent);
            all.find(|above| tracked.contains(above))
        });
        let (shown, word) = (show(&file.path), for_git(&file.path));
        match above {
            Some(_) => out.against.push(Finding {
                what: format!("`{shown}` is data that haul tracks, and would go into Git itself"),
                next: format!("run `git rm --cached -- {word}`, then `haul add` on it"),
            }),
            None => rest.push(file.clone()),
        }
    }
    unfiltered(repo, &rest, out)?;
    if limit == 0 || rest.is_empty() {
        return Ok(());
    }
    // With this limit nothing is read but sizes.
    for (file, content) in rest.iter().zip(repo.git().index_contents(&rest, 0)?) {
        if let Content::TooLarge(size) = content
            && size > limit
        {
            let (shown, word) = (show(&file.path), in_shell(&file.path));
            let top = for_git(&file.path);
            out.against.push(Finding {
                what: format!(
                    "`{shown}` has {}, and files over {} do not go into Git",
                    ByteSize(size),
                    ByteSize(limit)
                ),
                next: format!(
                    "run `git rm --cached -- {top}` and `haul add {word}`, or set \
                     `hooks.max-size`"
                ),
            });
        }
    }
    Ok(())
}

/// Finds tracked paths whose data the user changed. Data that only did not follow its pointer yet, as
/// in the middle of a rebase, was not changed by anybody.
fn changed(repo: &Repo, tracked: &[Tracked], job: &Job) -> Result<BTreeSet<RepoPath>, OpError> {
    let entries = status::data(repo, tracked, job)?;
    let placed = LastPlaced::load(repo)?;
    let mut out = BTreeSet::new();
    for item in tracked {
        let TrackedState::Sound(_, bytes) = &item.state else { continue };
        let name = json_path(item.path.as_bytes());
        let differs = entries.iter().any(|entry| {
            let counts = matches!(entry.state, "modified" | "untracked" | "type-changed");
            counts && entry.pointer == name
        });
        let lags = placed.is_behind(&item.path, bytes);
        if differs && !(lags && placed.explains(repo, &item.path, &entries, job)?) {
            out.insert(item.path.clone());
        }
    }
    Ok(out)
}
