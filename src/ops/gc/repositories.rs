//! The repositories that gc has to ask: the one it runs in, and those that were named. Each must be
//! read whole: its own refs, and those of the Git remote that it follows, as they are now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::config::redact_git;
use crate::fs::temp_folder;
use crate::git::{Git, GitError, ObjectId, Reach, Retention};
use crate::hash::RepoId;
use crate::ops::error::OpError;
use crate::path::show;
use crate::repo::{Repo, identity_of, own_identity};
use crate::transfer::gc::RepoMention;

/// A repository that was given, opened.
pub(super) struct Given {
    /// What the user calls it.
    pub(super) label: String,
    /// Itself, and a copy of its Git remote where that knows more.
    pub(super) reaches: Vec<Reach>,
    /// What its Git remote's refs name and it has itself.
    pub(super) more: Vec<ObjectId>,
    ids: BTreeSet<RepoId>,
    urls: BTreeSet<String>,
    /// Gone with the copies in it when this is dropped.
    copies: TempDir,
}

impl Given {
    /// Says whether the remote means this one.
    pub(super) fn is(&self, mention: &RepoMention) -> bool {
        // With a password or without: the same address is the same repository.
        self.ids.contains(&mention.id)
            || mention.url.as_ref().is_some_and(|u| self.urls.contains(u))
    }
}

/// Opens the repository that the command runs in, and those that `named` names by folder or URL.
pub(super) fn open_all(
    repo: &Repo,
    named: &[String],
    retention: &Retention,
) -> Result<Vec<Given>, OpError> {
    let near = repo.git().common_dir();
    let mut out = vec![at_path(repo, repo.git().root(), None, retention)?];
    for text in named {
        let path = repo.cwd().join(text);
        if path.is_dir() {
            out.push(at_path(repo, &path, Some(text), retention)?);
        } else if text.contains(':') {
            let mut given = empty(repo, text)?;
            given.knows(text);
            let copy = mirror(text, &given, near)?;
            given.reaches.push(copy);
            out.push(given);
        } else {
            return Err(OpError::refused(
                format!("`{}` is neither a folder nor a URL", show(text.as_bytes())),
                "give the folder or the address of a Git repository with `--repo`",
            ));
        }
    }
    for given in &out {
        for reach in &given.reaches {
            if reach.is_shallow()? {
                return Err(OpError::refused(
                    format!(
                        "`{}` is a shallow clone: it does not know what older commits need",
                        given.label
                    ),
                    "run `git fetch --unshallow` there, or gc in a full clone",
                ));
            }
        }
    }
    Ok(out)
}

fn empty(repo: &Repo, label: &str) -> Result<Given, OpError> {
    Ok(Given {
        label: redact_git(label),
        reaches: Vec::new(),
        more: Vec::new(),
        ids: BTreeSet::new(),
        urls: BTreeSet::new(),
        copies: temp_folder(&repo.layout().temp())?,
    })
}

impl Given {
    /// Takes an address for one of this repository.
    fn knows(&mut self, url: &str) {
        self.ids.insert(identity_of(url.as_bytes()));
        self.urls.insert(redact_git(url));
    }
}

fn at_path(
    repo: &Repo,
    path: &Path,
    named: Option<&str>,
    retention: &Retention,
) -> Result<Given, OpError> {
    let reach = Reach::open(path)?;
    let mut given = empty(repo, &path.display().to_string())?;
    given.ids.extend(own_identity(reach.common_dir())?);
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if reach.is_at(&whole) {
        let texts = [whole.to_str(), path.to_str(), named];
        for text in texts.into_iter().flatten() {
            given.knows(text);
            given.knows(&format!("file://{text}"));
        }
    }
    let git = match Git::open_at(path) {
        Ok(git) => Some(git),
        Err(GitError::Bare { .. }) => None,
        Err(e) => return Err(e.into()),
    };
    given.reaches.push(reach);
    if let Some(git) = git
        && let Ok(name) = git.default_remote()
        && let Some(url) = git.remote_url(&name)?
    {
        given.knows(&url);
        follow(&git, (&name, &url), &mut given, retention)?;
    }
    Ok(given)
}

/// Sees to it that what the Git remote has now is read as well.
fn follow(
    git: &Git,
    (name, url): (&str, &str),
    given: &mut Given,
    retention: &Retention,
) -> Result<(), OpError> {
    let refs = git.remote_refs(name).map_err(|e| unreachable(&redact_git(url), &e))?;
    let ids: BTreeSet<ObjectId> = refs.into_iter().map(|found| found.id).collect();
    let ids: Vec<ObjectId> = ids.into_iter().collect();
    // By their names there, where names matter.
    let here = retention.refs.is_empty()
        && given.reaches.first().is_some_and(|reach| reach.has_all(&ids).unwrap_or(false));
    if here {
        given.more = ids;
        return Ok(());
    }
    // A folder that is given relative is so to the repository.
    let local = git.root().join(url);
    let url = if local.is_dir() { local.display().to_string() } else { url.to_owned() };
    let copy = mirror(&url, given, git.common_dir())?;
    given.reaches.push(copy);
    Ok(())
}

fn mirror(url: &str, given: &Given, near: &Path) -> Result<Reach, OpError> {
    let folder: PathBuf = given.copies.path().join("copy.git");
    Reach::mirror(url, &folder, near).map_err(|e| unreachable(&redact_git(url), &e))
}

fn unreachable(url: &str, error: &GitError) -> OpError {
    OpError::refused(
        format!(
            "could not read the Git repository `{url}`, so what it needs is not known: {error}"
        ),
        "see that `git ls-remote` reaches it, then run `haul gc` again; nothing was removed",
    )
}
