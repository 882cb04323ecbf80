//! Of which commit, and of which file, data is that turned out to be damaged or missing. Looked up
//! only once that is said, so that it costs nothing where all is well.

use crate::cache::ObjectReader;
use crate::git::CommitId;
use crate::hash::Digest;
use crate::ops::checkout::{chunks, targets};
use crate::ops::chosen::{Chosen, chosen};
use crate::ops::error::{Exit, OpError};
use crate::ops::select::Select;
use crate::pack::Bases;
use crate::path::{RepoPath, show};
use crate::recipe::ChunkEntry;
use crate::repo::Repo;
use crate::transfer::TransferError;

/// Digits of a commit's name that are shown.
const DIGITS: usize = 12;
/// Most commits that are named; there are several where all branches were asked for.
const NAMED: usize = 3;

impl OpError {
    /// Says of which commit damaged or missing data is: the one that was asked for, or else the
    /// newest that has the pointer as it stands in the worktree.
    pub(crate) fn with_commit(self, repo: &Repo, select: &Select) -> Self {
        if self.exit() != Exit::Damaged || matches!(self, Self::InCommit { .. }) {
            return self;
        }
        let Some((path, object)) = place(&self) else { return self };
        let all = chosen(repo, select).unwrap_or_default();
        let items: Vec<&Chosen> = all.iter().filter(|item| has(item, path)).collect();
        let Some(first) = items.first() else { return self };
        let of = match &select.rev {
            Some(rev) => repo.git().resolve(rev).ok().map(|commit| named(commit, rev)),
            None => commits(repo, &items),
        };
        let Some(mut of) = of else { return self };
        let inside = object.filter(|_| path == first.path.as_bytes());
        if let Some(file) = inside.and_then(|object| file_with(repo, first, object)) {
            of = format!("`{}` in {of}", show(file.as_bytes()));
        }
        let absent = matches!(self, Self::Transfer(TransferError::NobodyPushed { .. }));
        let by = absent.then(|| brought(repo, select.rev.as_deref(), first)).flatten();
        let by = by.map(|by| {
            of = format!("{of}, and {}", by.words);
            by.author
        });
        Self::InCommit { of, by, source: Box::new(self) }
    }
}

impl OpError {
    /// As [`Self::with_commit`], where it is known which commits brought the versions of each path.
    pub(crate) fn with_commits(
        self,
        repo: &Repo,
        (known, select): (&[(Vec<u8>, CommitId)], &Select),
    ) -> Self {
        let own = place(&self).map(|(path, _)| path.to_vec());
        let mut of: Vec<String> = Vec::new();
        for (_, commit) in known.iter().filter(|(path, _)| Some(path) == own.as_ref()) {
            if of.len() < NAMED && !of.contains(&short(*commit)) {
                of.push(short(*commit));
            }
        }
        if of.is_empty() || self.exit() != Exit::Damaged {
            return self.with_commit(repo, select);
        }
        Self::InCommit { of: of.join(" or "), by: None, source: Box::new(self) }
    }
}

/// The path that an error names, and the object if that path may be a folder.
fn place(error: &OpError) -> Option<(&[u8], Option<Digest>)> {
    if let OpError::Transfer(e) = error {
        e.place()
    } else if let OpError::Place { path, .. } | OpError::Entry { folder: path, .. } = error {
        Some((path, None))
    } else {
        None
    }
}

fn has(item: &Chosen, path: &[u8]) -> bool {
    let rest = path.strip_prefix(item.path.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn named(commit: CommitId, rev: &str) -> String {
    format!("{} (`{}`)", short(commit), show(rev.as_bytes()))
}

fn short(commit: CommitId) -> String {
    format!("commit {}", commit.to_string().get(..DIGITS).unwrap_or_default())
}

/// Names the newest commit of each version of a pointer.
fn commits(repo: &Repo, items: &[&Chosen]) -> Option<String> {
    let head = repo.git().head().ok()?;
    let mut out: Vec<String> = Vec::new();
    for item in items.iter().take(NAMED) {
        let pointer = item.by.pointer_path(&item.path).ok()?;
        let text = match repo.git().newest_with(pointer.as_bytes(), &item.bytes).ok()? {
            Some(commit) if Some(commit) == head => named(commit, "HEAD"),
            Some(commit) => short(commit),
            None => "a pointer that is in no commit yet".to_owned(),
        };
        if !out.contains(&text) {
            out.push(text);
        }
    }
    Some(out.join(" or "))
}

/// Finds the commit that brought a pointer: its author has the content, if anybody does.
pub(crate) fn brought(repo: &Repo, rev: Option<&str>, item: &Chosen) -> Option<Brought> {
    let pointer = item.path.pointer_path().ok()?;
    let commit = match rev {
        Some(rev) => repo.git().resolve(rev).ok()?,
        None => repo.git().newest_with(pointer.as_bytes(), &item.bytes).ok()??,
    };
    let (commit, note) = repo.git().bringer(commit, pointer.as_bytes()).ok()??;
    let author = show(note.author.as_bytes()).to_string();
    let day = note.date.get(..10).unwrap_or_default();
    let words = format!("came with {} by {author} ({day})", short(commit));
    Some(Brought { author, words })
}

/// Who brought a pointer, and with which commit.
pub(crate) struct Brought {
    /// The name of the author, as it may be shown.
    pub(crate) author: String,
    /// `came with commit … by … (…)`.
    pub(crate) words: String,
}

/// Finds the file of a tracked folder that has the object, as far as the trees are on this machine.
fn file_with(repo: &Repo, item: &Chosen, object: Digest) -> Option<RepoPath> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index().ok()?).ok()?;
    for target in targets(item, &mut reader).ok()?? {
        let root = target.tree().is_some_and(|(_, root)| root.0 == object.0);
        let all = chunks(&target, &mut reader).ok().flatten().unwrap_or_default();
        let needs = |chunk: &ChunkEntry| {
            let base_of = |bases: Bases| bases.ids.iter().any(|base| base.0 == object.0);
            chunk.id.0 == object.0 || reader.view().bases(chunk.id).is_some_and(base_of)
        };
        let found = root || target.oid().0 == object.0 || all.iter().any(needs);
        if found && target.path != item.path {
            return Some(target.path);
        }
    }
    None
}
