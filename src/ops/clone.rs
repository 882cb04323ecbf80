//! `haul clone`: a clone of Git in which everything is set up before content comes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::Environment;
use crate::fs::Dir;
use crate::git::clone;
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
    let url = options.url.to_string_lossy().into_owned();
    let origin = Origin { url, rev: options.branch.clone(), ..Origin::default() };
    let origin = origin.from(&environment.cwd);
    let found = Foreign::look(environment, &origin, &environment.cwd)?;
    let (files, bytes) = found.as_ref().map_or(Ok((0, 0)), Foreign::tracked)?;
    let folder = json_path(folder.as_os_str().as_bytes());
    Ok(ClonePlan { folder, uses_haul: found.is_some(), files, bytes })
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
    if let Err(error) = clone(&environment.cwd, environment.search.as_deref(), &arguments) {
        return Err(
            begun((environment, &inside), &options.url, &folder).unwrap_or_else(|| error.into())
        );
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

/// Says how to go on with a clone of this address that stands there already.
fn begun(
    (environment, inside): (&Environment, &Environment),
    url: &OsStr,
    folder: &Path,
) -> Option<OpError> {
    let there = inside.cwd.canonicalize().ok()?;
    let repo = Repo::open(inside, &[]).ok()?;
    // Not a repository around it.
    if repo.git().root() != there || repo.require_initialised().is_err() {
        return None;
    }
    let origin = repo.git().remote_url("origin").ok()??;
    // Git makes paths absolute.
    let real = |name: &OsStr| environment.cwd.join(name).canonicalize().ok();
    let origin = OsStr::new(&origin);
    if origin != url && (real(origin).is_none() || real(origin) != real(url)) {
        return None;
    }
    let name = folder.as_os_str().as_bytes();
    let set = repo.git().has_filter().unwrap_or_default();
    let first =
        if set { String::new() } else { format!("`haul -C {} init`, then ", in_shell(name)) };
    Some(OpError::refused(
        format!("`{}` is a clone of `{}` already", show(name), show(url.as_bytes())),
        format!("run {first}`{}`", rest(folder)),
    ))
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
