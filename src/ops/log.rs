//! `haul log`: which commits changed tracked data, and how much of it.

use std::ffi::OsString;

use serde::Serialize;

use crate::git::{CommitId, Content, ObjectId, PointerChange};
use crate::ops::diff::{DiffFigures, Versions, differences};
use crate::ops::error::OpError;
use crate::ops::requests::Requests;
use crate::ops::selection::Selection;
use crate::ops::trees::Source;
use crate::path::{JsonPath, RepoPath, show};
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::{TrackedState, Tracking, parse_tracked};

/// Commits that are compared at a time: their nodes come together.
const AT_ONCE: usize = 32;

/// What to tell.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Paths or globs, relative to the current folder; everything if empty.
    pub paths: Vec<OsString>,
    /// Where to begin; `HEAD` if absent.
    pub rev: Option<String>,
    /// Most commits to tell of.
    pub limit: Option<usize>,
    /// Where absent trees come from.
    pub source: Source,
}

/// A commit that changed tracked data.
#[derive(Clone, Debug, Serialize)]
pub struct LogRow {
    /// Its full name.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// When, as ISO 8601.
    pub date: String,
    /// The first line of its message.
    pub subject: String,
    /// The tracked paths that it changed.
    pub paths: Vec<JsonPath>,
    /// How much it changed, against its first parent.
    #[serde(flatten)]
    pub figures: DiffFigures,
}

/// A history of data.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LogReport {
    /// The commits, newest first.
    pub commits: Vec<LogRow>,
    /// The remote that trees came from; empty if all were here.
    pub remote: String,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// One commit with those of its changes that are of interest.
type Step = (CommitId, Vec<(RepoPath, Filter, PointerChange)>);

/// Tells of the commits that changed what is selected. Fetches nodes that differ and are not on this
/// machine, and no content.
pub fn run(repo: &Repo, options: &LogOptions, job: &Job) -> Result<LogReport, OpError> {
    let mut selection = Selection::new(repo, &options.paths)?;
    let changes = match &options.rev {
        Some(rev) => repo.git().pointer_changes(rev)?,
        None if repo.git().head()?.is_none() => Vec::new(),
        None => repo.git().pointer_changes("HEAD")?,
    };
    let steps = steps(changes, &mut selection);
    if let Some(word) = selection.unused() {
        return Err(OpError::refused(
            format!("`{}` is in no commit behind this revision", show(word.as_encoded_bytes())),
            selection.meant(word).unwrap_or_else(|| {
                "run `haul log` without a path to see what was ever tracked".to_owned()
            }),
        ));
    }
    let limit = options.limit.unwrap_or(usize::MAX);
    let mut report = LogReport::default();
    for some in steps.chunks(AT_ONCE) {
        job.check()?;
        if report.commits.len() >= limit {
            break;
        }
        tell(repo, (&options.source, some), &mut report, job)?;
    }
    report.commits.truncate(limit);
    Ok(report)
}

/// Puts changes of one commit together, as far as they are of interest.
fn steps(changes: Vec<PointerChange>, selection: &mut Selection) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for change in changes {
        // A name that haul never tracks has no data.
        let Ok((_, path)) = Tracking::of(&change.path) else { continue };
        let Some(filter) = selection.filter(&path) else { continue };
        match steps.last_mut().filter(|(commit, _)| *commit == change.commit) {
            Some((_, own)) => own.push((path, filter, change)),
            None => steps.push((change.commit, vec![(path, filter, change)])),
        }
    }
    steps
}

/// Compares what some commits changed, all of it together.
fn tell(
    repo: &Repo,
    (source, steps): (&Source, &[Step]),
    report: &mut LogReport,
    job: &Job,
) -> Result<(), OpError> {
    let mut versions = Vec::new();
    for (group, (_, changes)) in steps.iter().enumerate() {
        let ids: Vec<ObjectId> =
            changes.iter().flat_map(|(.., c)| [c.before, c.after]).flatten().collect();
        let mut contents = repo.git().pointer_contents(&ids)?.into_iter();
        for (path, filter, change) in changes {
            let mut read = |id: Option<ObjectId>| {
                let content = id.and_then(|_| contents.next());
                content.and_then(|content| sound((path, change), content, job))
            };
            let (old, new) = (read(change.before), read(change.after));
            let (path, filter) = (path.clone(), filter.clone());
            versions.push(Versions { group, path, old, new, filter });
        }
    }
    let (found, asked) = differences(repo, source, (&versions, steps.len()), job)?;
    let commits: Vec<CommitId> = steps.iter().map(|(commit, _)| *commit).collect();
    let notes = repo.git().notes_of(&commits)?;
    for (((commit, _), difference), note) in steps.iter().zip(found).zip(notes) {
        // What changed was another part of a tracked folder.
        if difference.entries.is_empty() {
            continue;
        }
        let mut paths: Vec<JsonPath> =
            difference.entries.iter().map(|entry| entry.pointer.clone()).collect();
        paths.dedup();
        report.commits.push(LogRow {
            commit: commit.to_string(),
            author: note.author,
            date: note.date,
            subject: note.subject,
            paths,
            figures: difference.figures,
        });
    }
    if !asked.remote.is_empty() {
        report.remote = asked.remote;
        report.requests = asked.requests.plus(report.requests);
    }
    Ok(())
}

/// Reads a pointer; one that is not sound is told and taken for none.
fn sound(
    (path, change): (&RepoPath, &PointerChange),
    content: Content,
    job: &Job,
) -> Option<Pointer> {
    let why = match content {
        Content::Whole(bytes) => match parse_tracked(bytes) {
            TrackedState::Sound(pointer, _) => return Some(pointer),
            TrackedState::Unsound(error) => error.to_string(),
            TrackedState::Missing => return None,
        },
        Content::TooLarge(bytes) => format!("it has {bytes} bytes"),
    };
    job.warn(&format!(
        "the pointer of `{}` in or before commit {} is passed over: {why}",
        show(path.as_bytes()),
        change.commit
    ));
    None
}
