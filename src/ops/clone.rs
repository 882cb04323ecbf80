//! `haul clone`: a clone of Git in which everything is set up before content comes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{Environment, redact_git};
use crate::fs::Dir;
use crate::git::{GitError, clone};
use crate::ops::error::OpError;
use crate::ops::foreign::{Foreign, Origin};
use crate::ops::init::{InitOptions, connect};
use crate::path::{JsonPath, in_shell, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;

/// What to clone.
#[derive(Clone, Debug, Default)]
pub struct CloneOptions {
    /// What Git is to clone.
    pub url: OsString,
    /// Where to; named after the address if absent.
    pub folder: Option<PathBuf>,
    /// The branch or tag to check out.
    pub branch: Option<String>,
    /// How much of the history to have.
    pub depth: Option<u32>,
    /// How the clone is set up.
    pub init: InitOptions,
}

/// A new clone.
#[derive(Clone, Debug, Serialize)]
pub struct CloneReport {
    /// Its folder.
    pub folder: JsonPath,
    /// Whether it uses haul.
    pub uses_haul: bool,
    /// The command that gets its content.
    #[serde(skip)]
    pub rest: String,
}

/// What a clone would bring.
#[derive(Clone, Debug, Serialize)]
pub struct ClonePlan {
    /// Its folder.
    pub folder: JsonPath,
    /// Whether the repository uses haul.
    pub uses_haul: bool,
    /// Files that it tracks.
    pub files: u64,
    /// Their bytes, as the pointers say; which of them are received, only a remote can tell.
    pub bytes: u64,
}

/// Looks at the commit that would be checked out; asks no remote.
pub fn plan(environment: &Environment, options: &CloneOptions) -> Result<ClonePlan, OpError> {
    let folder = match &options.folder {
        Some(folder) => folder.clone(),
        None => named_after(&options.url)?,
    };
    let place = environment.cwd.join(&folder);
    if place.symlink_metadata().is_ok() && !Dir::open(&place)?.entries()?.is_empty() {
        let shown = show(folder.as_os_str().as_bytes()).to_string();
        return Err(OpError::refused(
            format!("`{shown}` is there already, and is not empty"),
            "name another folder: `haul clone URL FOLDER`",
        ));
    }
    let found = look(environment, options)?;
    let (files, bytes) = found.as_ref().map_or(Ok((0, 0)), Foreign::tracked)?;
    let folder = json_path(folder.as_os_str().as_bytes());
    Ok(ClonePlan { folder, uses_haul: found.is_some(), files, bytes })
}

/// Looks at the commit that `git clone` would check out: a branch rather than a tag of the same name.
/// Nothing if it does not use haul, or there is none.
fn look(environment: &Environment, options: &CloneOptions) -> Result<Option<Foreign>, OpError> {
    let url = options.url.to_string_lossy().into_owned();
    let at = |rev| {
        let origin = Origin { url: url.clone(), rev, ..Origin::default() };
        Foreign::look(environment, &origin.from(&environment.cwd), &environment.cwd)
    };
    let Some(name) = &options.branch else {
        return match at(None) {
            // Git clones what has no commit yet.
            Err(OpError::Git(GitError::NotThere { .. })) => Ok(None),
            found => found,
        };
    };
    for kind in ["heads", "tags"] {
        match at(Some(format!("refs/{kind}/{name}"))) {
            Err(OpError::Git(GitError::NotThere { .. })) => {}
            found => return found,
        }
    }
    let (url, name) = (redact_git(&url), show(name.as_bytes()));
    Err(OpError::refused(
        format!("`{}` has no branch and no tag `{name}`", show(url.as_bytes())),
        "name a branch or a tag as `git ls-remote` lists it, without `refs/heads/` or `refs/tags/`",
    ))
}

/// Clones with Git, which leaves pointers in place of content, and sets the clone up. Content is for a
/// pull: in one batch, and asked of a remote that the user agreed to.
pub fn run(
    environment: &Environment,
    options: &CloneOptions,
    job: &Job,
) -> Result<(CloneReport, Environment), OpError> {
    let folder = match &options.folder {
        Some(folder) => folder.clone(),
        None => named_after(&options.url)?,
    };
    let mut arguments: Vec<OsString> = Vec::new();
    if let Some(branch) = &options.branch {
        arguments.extend(["--branch".into(), branch.into()]);
    }
    if let Some(depth) = options.depth {
        arguments.extend(["--depth".into(), depth.to_string().into()]);
    }
    arguments.extend(["--".into(), options.url.clone(), folder.clone().into()]);
    let cwd = environment.cwd.join(&folder);
    let inside = Environment { cwd, ..environment.clone() };
    let stood = inside.cwd.join(".git").symlink_metadata().is_ok();
    if let Err(error) = clone(&environment.cwd, environment.search.as_deref(), &arguments) {
        job.check()?;
        let there = begun((environment, &inside), &options.url);
        return Err(match there {
            Some(begun) => begun.how_to_go_on((&options.url, &folder), (error, stood)),
            None => error.into(),
        });
    }
    let repo = Repo::open(&inside, &[])?;
    let uses_haul = repo.require_initialised().is_ok();
    if uses_haul {
        connect(&repo, &options.init, job)?;
    }
    let rest = rest(&folder);
    let folder = json_path(folder.as_os_str().as_bytes());
    Ok((CloneReport { folder, uses_haul, rest }, inside))
}

/// The command that gets the content of a clone.
fn rest(folder: &Path) -> String {
    format!("haul -C {} pull", in_shell(folder.as_os_str().as_bytes()))
}

/// The files of a clone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    /// Git has checked them out: it ends that with an index.
    CheckedOut,
    /// It has not, and some are there, which may be the user's.
    Some,
    /// None are there.
    None,
}

/// A clone that stands there already.
struct Begun {
    /// Whether its commit uses haul.
    uses_haul: bool,
    files: Files,
    /// Whether content comes by the filter.
    has_filter: bool,
}

/// Looks for a clone of this address.
fn begun((environment, inside): (&Environment, &Environment), url: &OsStr) -> Option<Begun> {
    let there = inside.cwd.canonicalize().ok()?;
    let repo = Repo::open(inside, &[]).ok()?;
    let git = repo.git();
    // Not a repository around it, nor one without a commit.
    if git.root() != there || git.head().ok()?.is_none() {
        return None;
    }
    let origin = git.remote_url("origin").ok()??;
    // Git makes paths absolute.
    let real = |name: &OsStr| environment.cwd.join(name).canonicalize().ok();
    let origin = OsStr::new(&origin);
    if origin != url && (real(origin).is_none() || real(origin) != real(url)) {
        return None;
    }
    let mut others = Dir::open(&there).ok()?.entries().ok()?.into_iter();
    let files = if git.git_dir().join("index").symlink_metadata().is_ok() {
        Files::CheckedOut
    } else if others.any(|entry| entry.name != b".git") {
        Files::Some
    } else {
        Files::None
    };
    Some(Begun {
        // Of the commit: the file may not be checked out.
        uses_haul: git.file_at("HEAD", b"haul.toml", 0).ok()?.is_some(),
        files,
        has_filter: git.has_filter().unwrap_or_default(),
    })
}

impl Begun {
    /// Says how to go on with it, after Git did not clone, or not all. `stood` says whether it was there
    /// before.
    fn how_to_go_on(
        &self,
        (url, folder): (&OsStr, &Path),
        (error, stood): (GitError, bool),
    ) -> OpError {
        if self.files == Files::CheckedOut && !self.uses_haul {
            return error.into();
        }
        let (name, word) =
            (show(folder.as_os_str().as_bytes()), in_shell(folder.as_os_str().as_bytes()));
        let (mut what, mut steps) =
            (format!("`{name}` is a clone of `{}` already", show(url.as_bytes())), Vec::new());
        let mut next = "run".to_owned();
        if self.files != Files::CheckedOut {
            if stood && self.files == Files::Some {
                steps.push(format!(
                    "`git -C {word} reset && git -C {word} checkout-index --all --index`, which leaves \
                     files that are there as they are"
                ));
            } else {
                steps.push(format!("`git -C {word} restore --source=HEAD --staged --worktree :/`"));
            }
            if stood {
                what.push_str(", whose files Git did not check out");
            } else {
                (what, next) = (error.to_string(), "put right what Git says, then run".to_owned());
            }
        }
        if self.uses_haul {
            if !self.has_filter {
                steps.push(format!("`haul -C {word} init`"));
            }
            steps.push(format!("`{}`", rest(folder)));
        }
        OpError::refused(what, format!("{next} {}", steps.join(", then ")))
    }
}

/// The folder that Git would choose: the last part of the address, without `.git`.
fn named_after(url: &OsStr) -> Result<PathBuf, OpError> {
    let mut bytes = url.as_bytes();
    while let Some(rest) = bytes.strip_suffix(b"/").or_else(|| bytes.strip_suffix(b"/.git")) {
        bytes = rest;
    }
    let bytes = [".git", ".bundle"]
        .iter()
        .find_map(|suffix| bytes.strip_suffix(suffix.as_bytes()))
        .unwrap_or(bytes);
    let name = bytes.rsplit(|byte| matches!(byte, b'/' | b':')).next().unwrap_or_default();
    if name.is_empty() || name == b"." || name == b".." {
        return Err(OpError::refused(
            format!("`{}` does not say what the clone is to be called", show(url.as_bytes())),
            "name the folder: `haul clone URL FOLDER`",
        ));
    }
    Ok(Path::new(&OsString::from_vec(name.to_vec())).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_is_called_as_git_calls_it() {
        for (url, name) in [
            ("https://host/team/data.git", "data"),
            ("git@host:data.git/", "data"),
            ("../a/.git", "a"),
            ("/srv/x.bundle", "x"),
            ("host:data", "data"),
        ] {
            assert_eq!(named_after(OsStr::new(url)).unwrap(), Path::new(name), "{url}");
        }
        for url in ["", "/", "..", "https://host/.."] {
            assert!(named_after(OsStr::new(url)).is_err(), "{url}");
        }
    }
}
