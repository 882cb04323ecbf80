//! `haul init`: the settings that a repository commits, and the attribute that merges ignore files.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{Environment, first_file};
use crate::git::set_user_filter;
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::hooks::{self, HooksReport};
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;

/// Lines of two branches in one ignore file are both kept (ADR 0003); pointers are merged by haul where
/// it is installed, and as text elsewhere; so they are compared.
pub(super) const ATTRIBUTES: [&str; 3] =
    [".gitignore merge=union", "*.haul merge=haul", "*.haul diff=haul"];
const LIMIT: u64 = 16 << 20;

/// What `init` did.
#[derive(Clone, Debug, Serialize)]
pub struct InitReport {
    /// The worktree root.
    pub root: String,
    /// Files that were made.
    pub created: Vec<String>,
    /// Files that were changed.
    pub changed: Vec<String>,
    /// Git's hooks; nothing if they were to be left alone, or could not be changed.
    pub hooks: Option<HooksReport>,
}

/// What becomes of Git's hooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GitHooks {
    /// They call haul.
    #[default]
    Install,
    /// They stay as they are.
    Leave,
}

/// What to set up.
#[derive(Clone, Debug, Default)]
pub struct InitOptions {
    /// Where haul lies, for Git to call.
    pub haul: PathBuf,
    /// What becomes of Git's hooks.
    pub hooks: GitHooks,
}

/// Sets up the repository around the current folder; doing it again changes nothing.
pub fn run(
    environment: &Environment,
    options: &InitOptions,
    job: &Job,
) -> Result<InitReport, OpError> {
    let repo = Repo::open(environment, &[])?;
    let mut report = InitReport {
        root: repo.git().root().display().to_string(),
        created: Vec::new(),
        changed: Vec::new(),
        hooks: None,
    };
    if repo.require_initialised().is_err() {
        write(&repo, "haul.toml", first_file().as_bytes())?;
        report.created.push("haul.toml".to_owned());
    }
    let attributes = RepoPath::new_settings_file(b".gitattributes");
    let old = repo.door().read_small(&attributes, LIMIT)?;
    let text = old.clone().unwrap_or_default();
    let has =
        |wanted: &&str| text.split(|b| *b == b'\n').any(|l| l.trim_ascii() == wanted.as_bytes());
    let absent: Vec<&str> = ATTRIBUTES.into_iter().filter(|wanted| !has(wanted)).collect();
    if text.len() as u64 > LIMIT {
        return Err(OpError::refused(
            "`.gitattributes` is too long to be edited",
            format!("add the lines `{}` to it yourself", absent.join("` and `")),
        ));
    }
    if !absent.is_empty() {
        let mut new = text.clone();
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend(absent.iter().flat_map(|line| format!("{line}\n").into_bytes()));
        write(&repo, ".gitattributes", &new)?;
        let list = if old.is_some() { &mut report.changed } else { &mut report.created };
        list.push(".gitattributes".to_owned());
    }
    repo.git().stage(&[b"haul.toml", b".gitattributes"])?;
    report.hooks = connect(&repo, options, job)?;
    Ok(report)
}

/// Has Git call haul in this clone; nothing that is committed changes.
pub(super) fn connect(
    repo: &Repo,
    options: &InitOptions,
    job: &Job,
) -> Result<Option<HooksReport>, OpError> {
    repo.git().set_merge_driver(&options.haul)?;
    repo.git().set_filter(&options.haul)?;
    repo.git().set_diff_driver(&options.haul)?;
    if options.hooks == GitHooks::Install {
        match hooks::install(repo, &options.haul) {
            Ok(installed) => return Ok(Some(installed)),
            // All else works without them.
            Err(error) => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
                job.warn(&format!("Git will not call haul: {error}{hint}"));
            }
        }
    }
    Ok(None)
}

/// What `init --global` did.
#[derive(Clone, Debug, Serialize)]
pub struct GlobalReport {
    /// What Git calls for files with the attribute `filter=haul`, in every repository of the user.
    pub filter: String,
}

/// Has Git call haul for files that a repository hands over, in every repository of this user, so that
/// a clone has their content from the start.
pub fn global(environment: &Environment, haul: &Path) -> Result<GlobalReport, OpError> {
    Ok(GlobalReport { filter: set_user_filter(haul, &environment.cwd)? })
}

/// Writes a settings file at the root, durably.
pub(super) fn write(repo: &Repo, name: &'static str, bytes: &[u8]) -> Result<(), OpError> {
    let path = RepoPath::new_settings_file(name.as_bytes());
    Ok(repo.door().write_durably(&path, bytes)?)
}
